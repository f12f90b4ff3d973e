#include "bench/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "common/process.h"
#include "common/unique_fd.h"

namespace ec::bench {
namespace {

namespace fs = std::filesystem;

volatile sig_atomic_t interrupted = 0;

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// The value of a line such as "model name : ..." in one of /proc's files.
std::string ProcValue(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    return line.substr(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
  }
  return "unknown";
}

std::string FileSystemOf(const std::string& path) {
  struct statfs info = {};
  if (statfs(path.c_str(), &info) != 0) return "unknown";
  switch (info.f_type) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    case 0x794C7630:
      return "overlayfs";
    default:
      return fmt::format("type {:#x}", static_cast<unsigned long>(info.f_type));
  }
}

double Milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

std::string VersionOf(const std::string& program, const std::string& flag) {
  const auto path = FindProgram(program);
  return path ? FirstLine(RunProgram({*path, flag}).output) : "not installed";
}

}  // namespace

void StopInOrderOnSignals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

void CheckInterrupted() {
  if (interrupted != 0) throw std::runtime_error("interrupted");
}

double Stopwatch::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

ScratchDirectory::ScratchDirectory() {
  std::string pattern = fs::temp_directory_path() / "ec-bench-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory");
  path_ = fs::canonical(pattern);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string OwnProgram(const std::string& name) { return std::string(EC_BIN_DIR) + "/" + name; }

std::optional<std::string> FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders((path == nullptr ? "" : std::string(path)) + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

std::string Must(const std::string& program) {
  const auto path = FindProgram(program);
  if (!path) throw std::runtime_error(program + " is not installed");
  return *path;
}

uint16_t FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(name);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(name.sin_port);
}

Finished RunProgram(const std::vector<std::string>& arguments, const std::string& errors) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers;
  for (std::string& argument : copies) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  Finished finished;
  const Stopwatch watch;
  pid_t pid = 0;
  const int failed =
      posix_spawn(&pid, arguments.front().c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  write_end = UniqueFd();
  if (failed != 0) throw std::runtime_error("cannot start " + arguments.front());
  char buffer[1 << 16];
  for (ssize_t got; (got = read(read_end.get(), buffer, sizeof(buffer))) > 0;) {
    finished.output.append(buffer, static_cast<size_t>(got));
  }
  int raw = 0;
  rusage used = {};
  wait4(pid, &raw, 0, &used);
  finished.milliseconds = watch.milliseconds();
  finished.processor_ms = Milliseconds(used.ru_utime) + Milliseconds(used.ru_stime);
  finished.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return finished;
}

Finished MustRun(const std::vector<std::string>& arguments) {
  CheckInterrupted();
  const ScratchDirectory scratch;
  const std::string errors = scratch.path() + "/errors";
  Finished finished = RunProgram(arguments, errors);
  if (finished.status == 0) return finished;
  throw std::runtime_error(fmt::format("{} ended with status {}: {}", arguments.front(),
                                       finished.status, ReadFile(errors).value_or("")));
}

nlohmann::json DescribeMachine() {
  utsname name = {};
  uname(&name);
  return {{"processor", ProcValue("/proc/cpuinfo", "model name")},
          {"cores", std::thread::hardware_concurrency()},
          {"memory", ProcValue("/proc/meminfo", "MemTotal")},
          {"kernel", fmt::format("{} {}", name.sysname, name.release)},
          {"file_system", FileSystemOf(fs::temp_directory_path())}};
}

nlohmann::json DescribePrograms() {
  return {{"emucache", FirstLine(RunProgram({OwnProgram("ec-controlplane"), "--version"}).output)},
          {"redis-server", VersionOf("redis-server", "--version")},
          {"redis-benchmark", VersionOf("redis-benchmark", "--version")},
          {"memcached", VersionOf("memcached", "--version")},
          {"haproxy", VersionOf("haproxy", "-v")},
          {"valgrind", VersionOf("valgrind", "--version")},
          {"gRPC", grpc::Version()},
          {"SQLite", sqlite3_libversion()}};
}

std::string LoadNow() { return FirstLine(ReadFile("/proc/loadavg").value_or("unknown")); }

}  // namespace ec::bench
