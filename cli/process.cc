#include "cli/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/interrupt.h"
#include "cli/text.h"
#include "common/check.h"
#include "common/clock.h"

extern char** environ;

namespace ec::cli {
bool HasEnded(const UniqueFd& pidfd) {
  pollfd poller{pidfd.get(), POLLIN, 0};
  return poll(&poller, 1, 0) == 1;
}

bool AwaitEnd(const UniqueFd& pidfd, Instant deadline) {
  const SystemClock clock;
  while (!HasEnded(pidfd)) {
    const Duration left = deadline - clock.now().instant;
    if (left <= Duration::zero()) return false;
    if (!Pause(std::min<Duration>(left, std::chrono::milliseconds(100)), pidfd.get())) return false;
  }
  return true;
}

Outcome StartInBackground(const std::vector<std::string>& argv, const std::string& out_file,
                          Child* child) {
  // Asked first, because the error of the start itself would not say which file was missing.
  if (access(argv[0].c_str(), X_OK) != 0) {
    return Refused(fmt::format("cannot run {}: {}", argv[0], std::strerror(errno)));
  }
  struct stat before = {};
  child->out_file = out_file;
  child->out_offset = stat(out_file.c_str(), &before) == 0 ? before.st_size : 0;

  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out_file.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  // Nothing of the caller's is kept: neither pipes that somebody waits on nor his directory.
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&files, "/");
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, words[0], &files, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return Refused(fmt::format("cannot run {}: {}", argv[0], std::strerror(error)));
  }
  // Our own child that nobody has waited for: its number cannot have been given away.
  child->pidfd = OpenChild(pid);
  EC_CHECK(child->pidfd);
  child->process = {pid, StartTimeOf(pid).value_or(0)};
  return {};
}

void StopChild(const Child& child, Instant deadline) {
  SendSignal(child.pidfd, SIGTERM);
  const SystemClock clock;
  pollfd poller{child.pidfd.get(), POLLIN, 0};
  while (!HasEnded(child.pidfd) && clock.now().instant < deadline) poll(&poller, 1, 10);
  ExitOf(child);
}

std::optional<int> ExitOf(const Child& child) {
  int status = 0;
  if (waitpid(child.process.pid, &status, WNOHANG) != child.process.pid) return std::nullopt;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string LastWords(const Child& child) {
  std::ifstream file(child.out_file);
  constexpr int64_t kMost = 64 << 10;
  file.seekg(0, std::ios::end);
  const int64_t end = file.tellg();
  file.seekg(std::max(child.out_offset, end - kMost));
  std::ostringstream text;
  text << file.rdbuf();
  return LastLine(text.str());
}

}  // namespace ec::cli
