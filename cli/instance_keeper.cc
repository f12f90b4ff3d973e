#include "cli/instance_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "cli/connect_filter.h"
#include "cli/connect_supervisor.h"
#include "cli/exit_code.h"
#include "common/check.h"
#include "common/netns.h"
#include "common/process.h"

namespace ec::cli {
namespace {

constexpr int kLookMilliseconds = 20;

constexpr int kRefused = static_cast<int>(ExitCode::kRefused);
// As shells and env(1) have them.
constexpr int kCannotRun = 126;
constexpr int kNoSuchCommand = 127;

// How the command's process says at which step it has failed.
enum class Step : int { kEnter, kFilter, kRun };
struct Failure {
  Step step;
  int error;
};

bool SendPacket(int socket, const void* bytes, size_t size) {
  return send(socket, bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

// 0 at the other side's end.
ssize_t ReceivePacket(int socket, void* bytes, size_t size) {
  ssize_t count = -1;
  do {
    count = recv(socket, bytes, size, 0);
  } while (count < 0 && errno == EINTR);
  return std::max<ssize_t>(count, 0);
}

std::string ReadToEnd(int fd) {
  std::string bytes;
  char chunk[4096];
  ssize_t count = 0;
  while ((count = ReceivePacket(fd, chunk, sizeof(chunk))) > 0) {
    bytes.append(chunk, static_cast<size_t>(count));
  }
  return bytes;
}

constexpr char kInstead[] = "; 'ecctl forward' and 'ecctl connect' of Memcached need none of this";

std::string WhyNoFilter(int error) {
  const char* why = "";
  if (error == EBUSY) {
    why = ": this runs within another 'ecctl instance run', or a sandbox that does the same";
  } else if (error == ENOSYS || error == EINVAL) {
    why = ": the kernel has no seccomp user notification (Linux 5.9, CONFIG_SECCOMP_FILTER)";
  } else if (error == EPERM || error == EACCES) {
    why = ": a container may need --security-opt seccomp=unconfined";
  }
  return fmt::format("cannot watch the command's connections ({}){}{}", std::strerror(error), why,
                     kInstead);
}

std::string WhyNoSockets(int error) {
  const char* why = "";
  if (error == ENOSYS) {
    why = ": the kernel has no pidfd_getfd (Linux 5.6)";
  } else if (error == EPERM) {
    why = ": a container may need --cap-add SYS_PTRACE, and kernel.yama.ptrace_scope be 0 or 1";
  }
  return fmt::format("cannot take the command's sockets ({}){}{}", std::strerror(error), why,
                     kInstead);
}

[[noreturn]] void Fail(int channel, Step step) {
  const Failure failure{step, errno};
  SendPacket(channel, &failure, sizeof(failure));
  _exit(1);
}

// Has the process's connections made by the keeper from now on.
void PutUnderFilter(int channel) {
  const UniqueFd listener = InstallConnectFilter();
  if (!listener) Fail(channel, Step::kFilter);
  const int number = listener.get();
  char go = 0;
  if (!SendPacket(channel, &number, sizeof(number)) || ReceivePacket(channel, &go, 1) != 1) {
    _exit(1);
  }
}

// The command's process, up to where it becomes the command. It is in a network namespace, or else
// under a filter.
[[noreturn]] void BecomeCommand(const std::vector<std::string>& command, pid_t keeper, int channel,
                                const sigset_t& mask, int netns) {
  // Without its keeper it could not connect any more.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper) _exit(1);
  if (netns < 0) {
    PutUnderFilter(channel);
  } else if (setns(netns, CLONE_NEWNET) != 0) {
    Fail(channel, Step::kEnter);
  }
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvp(words[0], words.data());
  Fail(channel, Step::kRun);
}

// Nothing that ecctl was given stays open here: somebody may wait for a pipe's end.
void CloseAllBut(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number > next) close_range(next, number - 1, 0);
    next = number + 1;
  }
  close_range(next, ~0u, 0);
}

class Keeper {
 public:
  Keeper(UniqueFd ecctl, const sigset_t& mask) : ecctl_(std::move(ecctl)), mask_(mask) {
    EC_CHECK(sigaction(SIGCHLD, nullptr, &on_child_) == 0);
    signal(SIGCHLD, SIG_DFL);  // ignored, it would cost us the command's exit code
    // Whoever loses his parents among the command's descendants becomes our child.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }

  [[noreturn]] void Run(const InstanceNetwork& network, const std::vector<std::string>& command) {
    UniqueFd listener = Launch(command, NamespaceOf(network));
    Withdraw(listener.get());
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    const UniqueFd deaths(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    std::optional<ConnectSupervisor> supervisor;
    if (listener) {
      supervisor.emplace(network, std::move(listener),
                         [this](const std::string& text) { Say(Tiding::kNote, text); });
    }
    while (true) {
      pollfd pollers[] = {{supervisor ? supervisor->fd() : -1, POLLIN, 0},
                          {deaths.get(), POLLIN, 0},
                          {ecctl_.get(), POLLIN, 0}};
      poll(pollers, 3, supervisor && supervisor->is_waiting() ? kLookMilliseconds : -1);
      if (supervisor) supervisor->Turn();
      if (pollers[2].revents != 0) TakeSignal();
      signalfd_siginfo ignored;
      if (pollers[1].revents != 0 && read(deaths.get(), &ignored, sizeof(ignored)) > 0) Bury();
    }
  }

 private:
  void Say(Tiding kind, std::string_view text) {
    const std::string packet = std::string(1, static_cast<char>(kind)) + std::string(text);
    SendPacket(ecctl_.get(), packet.data(), packet.size());
  }

  [[noreturn]] void Fail(int exit, const std::string& why) {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    Say(Tiding::kFailed, std::string(1, static_cast<char>(exit)) + why);
    _exit(0);
  }

  // Where the command is to be; empty if nowhere else. Only root can enter a network namespace;
  // others are the instance by its address on loopback, which its endpoints admit as well.
  UniqueFd NamespaceOf(const InstanceNetwork& network) {
    if (network.netns.empty() || geteuid() != 0) return {};
    UniqueFd netns = OpenNetns(network.netns);
    if (!netns) {
      Fail(kRefused,
           fmt::format("the network namespace {} of {} is not there ({}): see the control "
                       "plane's log",
                       network.netns, network.id, std::strerror(errno)));
    }
    return netns;
  }

  // Starts the command, and returns the listener for its connections, if it is under a filter.
  UniqueFd Launch(const std::vector<std::string>& command, const UniqueFd& netns) {
    int ends[2] = {-1, -1};
    EC_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const UniqueFd here(ends[0]);
    UniqueFd there(ends[1]);
    const pid_t keeper = getpid();
    child_ = fork();
    if (child_ == 0) {
      sigaction(SIGCHLD, &on_child_, nullptr);
      BecomeCommand(command, keeper, there.get(), mask_, netns.get());
    }
    if (child_ < 0) Fail(kRefused, fmt::format("cannot fork: {}", std::strerror(errno)));
    there.reset();

    UniqueFd listener = netns ? UniqueFd() : TakeListener(here.get());
    Failure failure = {};
    if (ReceivePacket(here.get(), &failure, sizeof(failure)) != sizeof(failure)) return listener;
    if (failure.step == Step::kEnter) {
      Fail(kRefused, fmt::format("cannot enter the instance's network namespace: {}",
                                 std::strerror(failure.error)));
    }
    Fail(failure.error == ENOENT ? kNoSuchCommand : kCannotRun,
         fmt::format("cannot run {}: {}", command[0], std::strerror(failure.error)));
  }

  // The command's, when it is under its filter; it goes on then.
  UniqueFd TakeListener(int channel) {
    Failure failure = {};
    const ssize_t size = ReceivePacket(channel, &failure, sizeof(failure));
    if (size == sizeof(failure)) Fail(kRefused, WhyNoFilter(failure.error));
    int number = -1;
    if (size != sizeof(number)) Fail(kRefused, "the command's process has ended too early");
    std::memcpy(&number, &failure, sizeof(number));
    // Its listener is taken as its sockets will be: this shows in time whether that is allowed.
    const UniqueFd process = OpenChild(child_);
    UniqueFd listener(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!listener) Fail(kRefused, WhyNoSockets(errno));
    SendPacket(channel, "", 1);
    return listener;
  }

  // The terminal's signals are for the command, and its directory may be removed.
  void Withdraw(int listener) const {
    setpgid(0, 0);
    std::vector<int> kept = {ecctl_.get()};
    if (listener >= 0) kept.push_back(listener);  // there is none in a network namespace
    CloseAllBut(std::move(kept));
    const UniqueFd nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) dup2(nothing.get(), fd);
    EC_CHECK(chdir("/") == 0);
    rlimit files = {};
    EC_CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }

  // From ecctl, for the command. Ecctl's end without the command's is the command's, too.
  void TakeSignal() {
    char number = 0;
    if (ReceivePacket(ecctl_.get(), &number, 1) != 1) {
      ecctl_.reset();  // poll() skips it from now on
      number = SIGKILL;
    }
    if (child_ > 0) kill(child_, number);
  }

  // Ends the keeper when nobody is left who could connect.
  void Bury() {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
      if (ended != child_) continue;
      child_ = 0;
      Say(Tiding::kEnded, {reinterpret_cast<const char*>(&status), sizeof(status)});
    }
    if (ended < 0 && errno == ECHILD) _exit(0);
  }

  UniqueFd ecctl_;
  const sigset_t mask_;
  struct sigaction on_child_ = {};
  pid_t child_ = 0;  // 0: has ended
};

}  // namespace

std::string PackOrder(const InstanceNetwork& network, const std::vector<std::string>& command) {
  std::string bytes;
  for (const std::string& word : {network.id, ToString(network.block), ToString(network.slice),
                                  ToString(network.source), network.netns}) {
    bytes += word + '\0';
  }
  for (const std::string& word : command) bytes += word + '\0';
  return bytes;
}

bool UnpackOrder(std::string_view bytes, InstanceNetwork* network,
                 std::vector<std::string>* command) {
  std::vector<std::string> words;
  for (size_t end = 0; (end = bytes.find('\0')) != std::string_view::npos;) {
    words.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  constexpr size_t kOfNetwork = 5;
  if (words.size() <= kOfNetwork || !bytes.empty()) return false;
  const auto block = ParseCidr(words[1]);
  const auto slice = ParseCidr(words[2]);
  const auto source = ParseIp4(words[3]);
  if (!block || !slice || !source) return false;
  *network = {words[0], *block, *slice, *source, words[4]};
  command->assign(words.begin() + kOfNetwork, words.end());
  return true;
}

void KeepInstance(UniqueFd order, UniqueFd ecctl, const sigset_t& mask) {
  Keeper keeper(std::move(ecctl), mask);
  InstanceNetwork network;
  std::vector<std::string> command;
  if (!UnpackOrder(ReadToEnd(order.get()), &network, &command)) _exit(0);  // ecctl gave up
  keeper.Run(network, command);
}

}  // namespace ec::cli
