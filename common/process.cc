#include "common/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <vector>

namespace ec {
namespace {

// The fields of /proc/pid/stat after the command's name, which may itself hold blanks and
// parentheses. The first one is field 3 of the manual page.
std::vector<std::string> StatFields(pid_t pid) {
  const auto stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  if (!stat) return {};
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return {};
  std::vector<std::string> fields;
  size_t begin = name_end + 2;
  while (begin < stat->size()) {
    const size_t end = stat->find(' ', begin);
    fields.push_back(stat->substr(begin, end - begin));
    if (end == std::string::npos) break;
    begin = end + 1;
  }
  return fields;
}

std::optional<uint64_t> Field(const std::vector<std::string>& fields, size_t number) {
  const size_t index = number - 3;
  if (index >= fields.size()) return std::nullopt;
  const std::string& text = fields[index];
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

bool WriteAll(int fd, const std::string& content) {
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t n = write(fd, content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    written += static_cast<size_t>(n);
  }
  return true;
}

bool SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && fsync(fd.get()) == 0;
}

}  // namespace

std::optional<uint64_t> StartTimeOf(pid_t pid) {
  const std::vector<std::string> fields = StatFields(pid);
  if (fields.empty() || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  return Field(fields, 22);
}

ProcessId SelfId() {
  const pid_t pid = getpid();
  return {pid, StartTimeOf(pid).value_or(0)};
}

std::string BootId() {
  std::string id = ReadFile("/proc/sys/kernel/random/boot_id").value_or("");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

// The system call itself: glibc 2.36 declares its wrapper in a way that C++ cannot link to.
UniqueFd OpenChild(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

UniqueFd OpenProcess(const ProcessId& id) {
  UniqueFd fd = OpenChild(id.pid);
  // Checked after opening: the descriptor then stands for the process that was looked at.
  if (!fd || StartTimeOf(id.pid) != id.start_time) return {};
  return fd;
}

bool SendSignal(const UniqueFd& process, int signal) {
  return syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

std::optional<uint64_t> ProcessorTimeOf(pid_t pid) {
  const std::vector<std::string> fields = StatFields(pid);
  const auto user = Field(fields, 14);
  const auto system = Field(fields, 15);
  if (!user || !system) return std::nullopt;
  return *user + *system;
}

bool ReplaceFile(const std::string& path, const std::string& content, bool durable) {
  const std::string temporary = path + ".new";
  UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return false;
  if (!WriteAll(fd.get(), content) || (durable && fsync(fd.get()) < 0)) {
    const int error = errno;
    unlink(temporary.c_str());
    errno = error;
    return false;
  }
  fd.reset();
  if (rename(temporary.c_str(), path.c_str()) < 0) return false;
  return !durable || SyncDirectoryOf(path);
}

std::optional<std::string> ReadFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string content;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
  }
}

}  // namespace ec
