#include "nodeagent/engine/rdb_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "common/clock.h"
#include "common/unique_fd.h"

namespace ec::engine {
namespace {

// A GiB takes some ten seconds.
constexpr auto kCheckMax = std::chrono::minutes(30);
constexpr size_t kOutputMax = 64 << 10;
// Of address space: it holds one value at a time, and its allocator reserves more than it uses.
constexpr rlim_t kMemoryMax = rlim_t{16} << 30;

Status Unsound(std::string why) { return {Fault::kUnavailable, std::move(why)}; }

void Limit(int resource, rlim_t most) {
  rlimit limit{};
  getrlimit(static_cast<__rlimit_resource>(resource), &limit);
  limit.rlim_cur = limit.rlim_max = std::min(limit.rlim_max, most);
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

// In the child, between fork and exec: system calls only.
[[noreturn]] void BecomeChecker(const char* server, char* const* arguments,
                                char* const* environment, int output) {
  if (dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(126);
  const int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, 0) < 0) _exit(126);
  syscall(SYS_close_range, 3, UINT_MAX, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_FSIZE, 0);
  Limit(RLIMIT_AS, kMemoryMax);
  Limit(RLIMIT_CPU, 1800);
  Limit(RLIMIT_NOFILE, 16);
  execve(server, arguments, environment);
  _exit(127);
}

// What it prints, up to its end or the deadline.
std::string ReadAll(int fd) {
  const SystemClock clock;
  const Instant deadline = clock.now().instant + kCheckMax;
  std::string output;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.now().instant);
    pollfd ready{fd, POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) == 0) return output;
    char buffer[4096];
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return output;
    output.append(buffer, static_cast<size_t>(got));
    // The beginning says who wrote it, and the end how it went.
    if (output.size() > kOutputMax) output.erase(kOutputMax / 2, output.size() - kOutputMax);
  }
}

// The text between `before` and `after` in the first line that has both.
std::string Between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  const size_t from = begin + before.size();
  const size_t end = text.find(after, from);
  return end == std::string_view::npos ? std::string() : std::string(text.substr(from, end - from));
}

}  // namespace

Status CheckRdbHeader(std::string_view bytes) {
  const bool is_rdb = bytes.size() >= kRdbHeaderBytes && bytes.starts_with("REDIS") &&
                      std::all_of(bytes.begin() + 5, bytes.begin() + kRdbHeaderBytes,
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (is_rdb) return {};
  if (bytes.empty()) return Unsound("the file is empty");
  return Unsound("it is no RDB file: it does not begin with REDIS and a version");
}

Result<RdbContents> ParseRdbCheck(std::string_view output, bool is_sound) {
  const bool looks_ok = output.find("RDB looks OK!") != std::string_view::npos;
  if (!is_sound || !looks_ok) {
    constexpr std::string_view kError = "--- RDB ERROR DETECTED ---\n";
    const size_t at = output.find(kError);
    std::string why = "redis-check-rdb does not accept it";
    if (at != std::string_view::npos) {
      std::string_view line = output.substr(at + kError.size());
      line = line.substr(0, line.find('\n'));
      why += fmt::format(": {}", line);
    }
    return Unsound(why);
  }
  RdbContents contents;
  const std::string keys = Between(output, "[info] ", " keys read");
  contents.keys = std::strtoll(keys.c_str(), nullptr, 10);
  contents.memory_bytes =
      std::strtoll(Between(output, "AUX FIELD used-mem = '", "'").c_str(), nullptr, 10);
  contents.engine_version = Between(output, "AUX FIELD redis-ver = '", "'");
  const bool is_plain = contents.engine_version.size() <= 32 &&
                        std::all_of(contents.engine_version.begin(), contents.engine_version.end(),
                                    [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (!is_plain) contents.engine_version.clear();
  return contents;
}

Result<RdbContents> CheckRdb(const std::string& server, const std::string& path) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return Unsound("it cannot be checked: no pipe");
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  std::string name = "redis-check-rdb";  // this name makes the server its checker
  std::string file = path;
  std::string locale = "LC_ALL=C";
  char* const arguments[] = {name.data(), file.data(), nullptr};
  char* const environment[] = {locale.data(), nullptr};
  const pid_t pid = fork();
  if (pid < 0) return Unsound("it cannot be checked: no process");
  if (pid == 0) BecomeChecker(server.c_str(), arguments, environment, in.get());
  in.reset();
  const std::string output = ReadAll(out.get());
  kill(pid, SIGKILL);  // our child, not reaped yet: ended by now, or too slow
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  // It ends right after its last line, perhaps not before it was killed.
  const bool is_sound = WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL;
  return ParseRdbCheck(output, is_sound);
}

}  // namespace ec::engine
