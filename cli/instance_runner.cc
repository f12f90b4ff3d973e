#include "cli/instance_runner.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "cli/instance_keeper.h"
#include "cli/output.h"
#include "common/check.h"

namespace ec::cli {
namespace {

constexpr int kPassedOn[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

// A signal handler can reach only what is global.
std::atomic<int> g_keeper = -1;
static_assert(std::atomic<int>::is_always_lock_free);

void PassOn(int signal, siginfo_t* info, void*) {
  if (info->si_code == SI_KERNEL) return;  // the terminal's: the command has got it as well
  const int saved_errno = errno;
  const char number = static_cast<char>(signal);
  send(g_keeper, &number, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  errno = saved_errno;
}

void PassSignalsOn(int keeper) {
  g_keeper = keeper;
  struct sigaction action = {};
  action.sa_sigaction = PassOn;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  for (const int signal : kPassedOn) {
    struct sigaction before = {};
    EC_CHECK(sigaction(signal, nullptr, &before) == 0);
    // What is ignored (nohup) is ignored by the command, too.
    if (before.sa_handler != SIG_IGN) EC_CHECK(sigaction(signal, &action, nullptr) == 0);
  }
}

// So that the shell sees that it was Ctrl-C that ended the command, and ends its script.
void DieOf(int signal_number) {
  std::fflush(nullptr);
  const rlimit none = {};
  setrlimit(RLIMIT_CORE, &none);  // the command's own is the interesting one
  signal(signal_number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(signal_number);
}

Outcome ExitWith(int code, std::string message = {}) {
  return {static_cast<ExitCode>(code), {}, std::move(message)};
}

Outcome EndedWith(std::string_view bytes) {
  int status = 0;
  if (bytes.size() != sizeof(status)) return Refused("the keeper's message is broken");
  std::memcpy(&status, bytes.data(), sizeof(status));
  if (!WIFSIGNALED(status)) return ExitWith(WEXITSTATUS(status));
  DieOf(WTERMSIG(status));
  return ExitWith(128 + WTERMSIG(status));
}

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

Outcome InstanceRunner::Start() {
  int order[2] = {-1, -1};
  int talk[2] = {-1, -1};
  EC_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, order) == 0);
  EC_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) == 0);
  order_.reset(order[0]);
  keeper_.reset(talk[0]);
  UniqueFd its_order(order[1]);
  UniqueFd its_talk(talk[1]);
  sigset_t all, mask;
  sigfillset(&all);
  std::fflush(nullptr);
  EC_CHECK(sigprocmask(SIG_SETMASK, &all, &mask) == 0);  // not even Ctrl-C reaches the keeper
  const pid_t pid = fork();
  if (pid == 0) {
    order_.reset();
    keeper_.reset();
    KeepInstance(std::move(its_order), std::move(its_talk), mask);
  }
  EC_CHECK(sigprocmask(SIG_SETMASK, &mask, nullptr) == 0);
  if (pid < 0) return Refused(fmt::format("cannot fork: {}", std::strerror(errno)));
  return {};
}

Outcome InstanceRunner::Run(const InstanceNetwork& network,
                            const std::vector<std::string>& command) {
  PassSignalsOn(keeper_.get());
  SendAll(order_.get(), PackOrder(network, command));  // a keeper that is gone says so below
  order_.reset();
  char packet[4096];
  while (true) {
    const ssize_t count = recv(keeper_.get(), packet, sizeof(packet), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return Refused("the process that keeps the command has been killed, and the command with it");
    }
    const std::string_view text(packet + 1, static_cast<size_t>(count) - 1);
    switch (static_cast<Tiding>(packet[0])) {
      case Tiding::kNote:
        PrintNote(fmt::format("ecctl: {}", text));
        break;
      case Tiding::kFailed:
        return ExitWith(static_cast<unsigned char>(text.at(0)), std::string(text.substr(1)));
      case Tiding::kEnded:
        return EndedWith(text);
    }
  }
}

}  // namespace ec::cli
