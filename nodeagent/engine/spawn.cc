#include "nodeagent/engine/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace ec::engine {
namespace {

constexpr int kDirectoryFd = 3;
constexpr int kErrorFd = 4;

Status Unavailable(std::string message) { return {Fault::kUnavailable, std::move(message)}; }

// C's array of strings; `strings` must outlive it.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// --- between fork and exec: only what is safe there, so no allocation and no locks --------------

// Appends a decimal number; returns the new end.
char* AppendNumber(char* end, unsigned long long number) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) *end++ = digits[--count];
  return end;
}

// Field 22 of /proc/self/stat. The command's name, field 2, ends at the last ')'.
unsigned long long OwnStartTime() {
  char stat[1024];
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t length = read(fd, stat, sizeof(stat));
  close(fd);
  ssize_t at = length - 1;
  while (at >= 0 && stat[at] != ')') --at;
  int field = 2;
  while (at < length && field < 22) {
    if (stat[at] == ' ') ++field;
    ++at;
  }
  unsigned long long value = 0;
  for (; at < length && stat[at] >= '0' && stat[at] <= '9'; ++at) {
    value = value * 10 + static_cast<unsigned long long>(stat[at] - '0');
  }
  return value;
}

bool WriteIdentity(int fd) {
  char line[64];
  char* end = AppendNumber(line, static_cast<unsigned long long>(getpid()));
  *end++ = ' ';
  end = AppendNumber(end, OwnStartTime());
  *end++ = '\n';
  const auto length = static_cast<size_t>(end - line);
  return write(fd, line, length) == static_cast<ssize_t>(length);
}

void ResetSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Puts the descriptors where they belong, from copies far away from those places.
bool ArrangeDescriptors(const Spawn& spawn, int error_pipe) {
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int far_input = fcntl(input, F_DUPFD_CLOEXEC, 100);
  const int far_output = fcntl(spawn.output, F_DUPFD_CLOEXEC, 100);
  const int far_directory = fcntl(spawn.directory, F_DUPFD_CLOEXEC, 100);
  const int far_error = fcntl(error_pipe, F_DUPFD_CLOEXEC, 100);
  if (far_input < 0 || far_output < 0 || far_directory < 0 || far_error < 0) return false;
  if (dup2(far_input, 0) < 0 || dup2(far_output, 1) < 0 || dup2(far_output, 2) < 0) return false;
  if (dup2(far_directory, kDirectoryFd) < 0) return false;  // stays open in the program
  if (dup3(far_error, kErrorFd, O_CLOEXEC) < 0) return false;
  return syscall(SYS_close_range, kErrorFd + 1, UINT_MAX, 0) == 0;
}

[[noreturn]] void BecomeProgram(const Spawn& spawn, char* const* arguments,
                                char* const* environment, int error_pipe) {
  int failed_at = error_pipe;
  do {
    ResetSignals();
    if (setsid() < 0) break;
    if (fchdir(spawn.directory) < 0) break;
    if (!WriteIdentity(spawn.identity)) break;
    if (!ArrangeDescriptors(spawn, error_pipe)) break;
    failed_at = kErrorFd;
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    execve(spawn.path.c_str(), arguments, environment);
  } while (false);
  const int error = errno;
  if (write(failed_at, &error, sizeof(error)) < 0) _exit(126);
  _exit(127);
}

}  // namespace

Result<Spawned> SpawnDetached(const Spawn& spawn) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) {
    return Unavailable(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  const UniqueFd error_out(ends[0]);
  UniqueFd error_in(ends[1]);
  const std::vector<char*> arguments = Pointers(spawn.arguments);
  const std::vector<char*> environment = Pointers(spawn.environment);
  const pid_t pid = fork();
  if (pid < 0) return Unavailable(fmt::format("cannot fork: {}", std::strerror(errno)));
  if (pid == 0) BecomeProgram(spawn, arguments.data(), environment.data(), error_in.get());

  // The child is not reaped before we do it, so the pid is still its own.
  Spawned spawned;
  spawned.pidfd = OpenChild(pid);
  spawned.id = {pid, StartTimeOf(pid).value_or(0)};
  error_in.reset();
  int error = 0;
  ssize_t got = 0;
  do {  // the end of the pipe says that the program has begun
    got = read(error_out.get(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (got == 0 && spawned.pidfd) return spawned;
  if (!spawned.pidfd) kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  return Unavailable(
      fmt::format("cannot start {}: {}", spawn.path, std::strerror(got > 0 ? error : ENOSYS)));
}

Result<std::string> RunForOutput(const std::string& path, const std::vector<std::string>& arguments,
                                 int timeout_ms) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) {
    return Unavailable(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 2);
  std::vector<std::string> all = {path};
  all.insert(all.end(), arguments.begin(), arguments.end());
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, path.c_str(), &actions, nullptr, Pointers(all).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  in.reset();
  if (error != 0) return Unavailable(fmt::format("cannot run {}: {}", path, std::strerror(error)));

  std::string output;
  pollfd ready{out.get(), POLLIN, 0};
  while (output.size() < 4096 && poll(&ready, 1, timeout_ms) == 1) {
    char buffer[1024];
    const ssize_t got = read(out.get(), buffer, sizeof(buffer));
    if (got <= 0) break;
    output.append(buffer, static_cast<size_t>(got));
  }
  kill(pid, SIGKILL);  // our child, not reaped yet: ended by now, or too slow
  waitpid(pid, nullptr, 0);
  return output;
}

}  // namespace ec::engine
