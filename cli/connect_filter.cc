#include "cli/connect_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ec::cli {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "ecctl instance run knows the system calls of x86-64 and arm64 only"
#endif

// Numbers from here on are the x32 ABI's. arm64 has none so high.
constexpr uint32_t kForeignNumbers = 0x40000000;

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}
// The lower half of an argument: both architectures have their bytes in this order.
sock_filter LoadArgument(size_t i) {
  return Load(offsetof(seccomp_data, args) + i * sizeof(uint64_t));
}
sock_filter Return(uint32_t verdict) { return BPF_STMT(BPF_RET | BPF_K, verdict); }
// Goes over `skip` instructions unless the comparison holds.
sock_filter Unless(uint16_t comparison, uint32_t value, uint8_t skip) {
  return BPF_JUMP(static_cast<uint16_t>(BPF_JMP | comparison | BPF_K), value, 0, skip);
}

std::vector<sock_filter> Program() {
  const auto number = [](long call) { return static_cast<uint32_t>(call); };
  std::vector<sock_filter> program = {
      Load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      Return(SECCOMP_RET_KILL_PROCESS),
      Load(offsetof(seccomp_data, nr)),
      Unless(BPF_JEQ, number(SYS_connect), 1),
      Return(SECCOMP_RET_USER_NOTIF),
      Unless(BPF_JGE, kForeignNumbers, 1),
      Return(SECCOMP_RET_ERRNO | ENOSYS),
      Unless(BPF_JEQ, number(SYS_io_uring_setup), 1),
      Return(SECCOMP_RET_ERRNO | ENOSYS),
  };
  const auto refuse_fast_open = [&](long call, size_t flags_argument) {
    const sock_filter part[] = {Unless(BPF_JEQ, number(call), 4), LoadArgument(flags_argument),
                                Unless(BPF_JSET, MSG_FASTOPEN, 1),
                                Return(SECCOMP_RET_ERRNO | EOPNOTSUPP), Return(SECCOMP_RET_ALLOW)};
    program.insert(program.end(), std::begin(part), std::end(part));
  };
  refuse_fast_open(SYS_sendto, 3);
  refuse_fast_open(SYS_sendmsg, 2);
  refuse_fast_open(SYS_sendmmsg, 3);
  program.push_back(Return(SECCOMP_RET_ALLOW));
  return program;
}

}  // namespace

UniqueFd InstallConnectFilter() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {};
  std::vector<sock_filter> program = Program();
  const sock_fprog whole = {static_cast<unsigned short>(program.size()), program.data()};
  const auto install = [&](unsigned long flags) {
    return UniqueFd(static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                             SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &whole)));
  };
  // No signal comes between a call that is being served and its result, which would be lost.
  UniqueFd listener = install(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (!listener && errno == EINVAL) listener = install(0);  // before Linux 5.19
  return listener;
}

}  // namespace ec::cli
