#include "nodeagent/engine/member_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/engine_login.h"
#include "common/log.h"

namespace ec::engine {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kDirectoryVariable = "EC_DIRECTORY=";
constexpr const char* kLaunchVariable = "EC_LAUNCH=";

Status Unavailable(std::string message) { return {Fault::kUnavailable, std::move(message)}; }

// The value of NAME= in a process's environment, as it was at its start.
std::optional<std::string> VariableOf(pid_t pid, const std::string& name) {
  const auto environment = ReadFile("/proc/" + std::to_string(pid) + "/environ");
  if (!environment) return std::nullopt;
  size_t begin = 0;
  while (begin < environment->size()) {
    const size_t end = std::min(environment->find('\0', begin), environment->size());
    if (environment->compare(begin, name.size(), name) == 0) {
      return environment->substr(begin + name.size(), end - begin - name.size());
    }
    begin = end + 1;
  }
  return std::nullopt;
}

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

bool IsSessionLeader(pid_t pid) { return getsid(pid) == pid; }

// Without a network card an engine has its plain socket only, and a relay in front of it would
// speak plainly to the world.
Status CheckTls(const TlsSpec& tls, const Program& program, bool has_netcard) {
  if (!has_netcard) {
    return Unavailable(fmt::format(
        "encryption in transit needs an engine that takes connections from the agent's library, "
        "which {} does not{}{}",
        program.path, program.why_no_netcard.empty() ? "" : ": ", program.why_no_netcard));
  }
  if (!tls.certificate.empty()) return {};
  return Unavailable("the control plane could not make a certificate for encryption in transit");
}

// A name is more than a pid: the process that was looked at, or nobody.
std::optional<ProcessId> Identify(pid_t pid) {
  const auto start_time = StartTimeOf(pid);
  if (!start_time) return std::nullopt;
  return ProcessId{pid, *start_time};
}

// What users may do is said in the notation of Redis 7, which an older one does not start with.
bool KnowsSelectors(const Program& program) {
  return std::strtol(program.version.c_str(), nullptr, 10) >= 7;
}

}  // namespace

MemberDirectory::MemberDirectory(const std::string& members, MemberId id)
    : id_(id), path_(members + "/" + std::to_string(id)) {}

std::string MemberDirectory::DirectoryTag() const {
  struct stat status {};
  if (stat(path_.c_str(), &status) < 0) return {};
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

UniqueFd MemberDirectory::TryLock() const {
  UniqueFd fd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd && flock(fd.get(), LOCK_EX | LOCK_NB) < 0) fd.reset();
  return fd;
}

std::vector<pid_t> MemberDirectory::Tagged() const {
  const std::string tag = DirectoryTag();
  std::vector<pid_t> tagged;
  for (const pid_t pid : AllProcesses()) {
    if (VariableOf(pid, kDirectoryVariable) == tag) tagged.push_back(pid);
  }
  return tagged;
}

std::optional<ProcessId> MemberDirectory::FindEngine() const {
  if (TryLock()) return std::nullopt;  // nobody holds it, so nobody is there
  // First the process that noted itself, then, if that note is lost or wrong, a search.
  if (const auto note = ReadFile(path_ + "/process")) {
    ProcessId id;
    unsigned long long start_time = 0;
    if (std::sscanf(note->c_str(), "%d %llu", &id.pid, &start_time) == 2) {
      id.start_time = start_time;
      if (OpenProcess(id) && VariableOf(id.pid, kDirectoryVariable) == DirectoryTag()) return id;
    }
  }
  for (const pid_t pid : Tagged()) {
    if (IsSessionLeader(pid)) return Identify(pid);
  }
  return std::nullopt;
}

std::optional<MemberDirectory::Launch> MemberDirectory::ReadLaunch() const {
  const auto text = ReadFile(path_ + "/launch.json");
  if (!text) return std::nullopt;
  const json launch = json::parse(*text, nullptr, false);
  if (!launch.is_object()) return std::nullopt;
  const auto engine = ParseEngine(launch.value("engine", ""));
  if (!engine) return std::nullopt;
  return Launch{*engine, launch.value("generation", uint64_t{0}),
                launch.value("launch", uint64_t{0}), launch.value("resumed", false)};
}

std::optional<MemberDirectory::Launch> MemberDirectory::LaunchOf(pid_t pid) const {
  const auto tag = VariableOf(pid, kLaunchVariable);
  if (!tag) return std::nullopt;
  char engine[16] = {};
  unsigned long long generation = 0;
  unsigned long long launch = 0;
  int resumed = 0;
  if (std::sscanf(tag->c_str(), "%15[a-z]:%llu:%llu:%d", engine, &generation, &launch, &resumed) !=
      4) {
    return std::nullopt;
  }
  const auto kind = ParseEngine(engine);
  if (!kind) return std::nullopt;
  return Launch{*kind, generation, launch, resumed != 0};
}

std::optional<host::Found> MemberDirectory::Look() const {
  const auto engine = FindEngine();
  std::optional<Launch> launch = ReadLaunch();
  if (engine) {
    if (const auto own = LaunchOf(engine->pid)) launch = own;  // the process itself knows best
  }
  if (!launch && !fs::exists(path_)) return std::nullopt;
  host::Found found;
  found.id = id_;
  if (launch) {
    found.engine = launch->engine;
    found.generation = launch->generation;
    found.launch = launch->launch;
    found.resumed = launch->resumed;
  }
  found.alive = engine.has_value();
  found.access = LoginBeside(socket_path()).version;
  if (const auto text = ReadFile(path_ + "/kept.json")) {
    const json kept = json::parse(*text, nullptr, false);
    found.kept = kept.is_object() && kept.value("launch", uint64_t{0}) == found.launch;
  }
  return found;
}

Status MemberDirectory::WriteFiles(const host::StartEngine& start, const Recipe& recipe) const {
  const json launch = {{"engine", NameOf(start.spec.engine)},
                       {"generation", start.spec.generation},
                       {"launch", start.launch},
                       {"resumed", start.resumed},
                       {"label", start.spec.label}};
  if (!start.load_kept) unlink((path_ + "/" + kDataName).c_str());
  const std::string seed = path_ + "/" + kSeedName;
  if (start.spec.seed && !start.load_kept) {
    if (rename(seed.c_str(), (path_ + "/" + kDataName).c_str()) < 0) {
      return Unavailable(fmt::format("cannot use {}: {}", seed, std::strerror(errno)));
    }
  } else {
    unlink(seed.c_str());
  }
  // What is there after the start is the new engine's.
  for (const char* name : {kSocketName, kPassingName, kNetcardName, kLoginName.data()}) {
    unlink((path_ + "/" + name).c_str());
  }
  unlink((path_ + "/kept.json").c_str());
  bool written = ReplaceFile(path_ + "/launch.json", launch.dump() + "\n", false);
  for (const auto& [name, content] : recipe.files) {
    written = written && ReplaceFile(path_ + "/" + name, content, false);
  }
  if (written) return {};
  return Unavailable(fmt::format("cannot write to {}: {}", path_, std::strerror(errno)));
}

bool MemberDirectory::ReplaceCertificate(const TlsSpec& tls) const {
  return std::ranges::all_of(CertificateFiles(tls), [&](const auto& file) {
    return ReplaceFile(path_ + "/" + file.first, file.second, false);
  });
}

Result<Spawned> MemberDirectory::Start(const host::StartEngine& start, const Program& program,
                                       const Machine& machine) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) return Unavailable(fmt::format("cannot create {}: {}", path_, error.message()));
  chmod(path_.c_str(), 0700);
  UniqueFd directory = TryLock();
  if (!directory) {
    if (FindEngine()) return Unavailable("an engine is running in this member's directory already");
    // A child that outlived its engine, such as a background save: it is of no use any more.
    for (const pid_t pid : Tagged()) {
      const auto leftover = Identify(pid);
      if (leftover) SendSignal(OpenProcess(*leftover), SIGKILL);
    }
    return Unavailable("a child of the last engine was still running");
  }
  const bool has_netcard =
      !program.netcard.empty() && start.address.port != 0 && (machine.hands_over || start.spec.tls);
  if (start.spec.tls) EC_RETURN_IF_ERROR(CheckTls(*start.spec.tls, program, has_netcard));
  MemberSpec spec = start.spec;
  if (spec.access && !KnowsSelectors(program)) {
    LogWarning("engine without users", {{"member", id_}, {"version", program.version}});
    spec.access.reset();
  }
  const Recipe recipe =
      RecipeFor(spec, machine, has_netcard ? std::optional(start.address) : std::nullopt);
  EC_RETURN_IF_ERROR(WriteFiles(start, recipe));
  // By way of a link, because a path with a blank or a colon cannot be preloaded.
  if (has_netcard && symlink(program.netcard.c_str(), (path_ + "/" + kNetcardName).c_str()) < 0) {
    return Unavailable(fmt::format("cannot write to {}: {}", path_, std::strerror(errno)));
  }

  const UniqueFd output(open((path_ + "/engine.log").c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  const UniqueFd identity(
      open((path_ + "/process").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!output || !identity) {
    return Unavailable(fmt::format("cannot write to {}: {}", path_, std::strerror(errno)));
  }
  Spawn spawn;
  spawn.path = program.path;
  spawn.arguments = {fs::path(program.path).filename()};
  spawn.arguments.insert(spawn.arguments.end(), recipe.arguments.begin(), recipe.arguments.end());
  spawn.environment = {
      "PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", kDirectoryVariable + DirectoryTag(),
      kLaunchVariable + fmt::format("{}:{}:{}:{:d}", NameOf(start.spec.engine),
                                    start.spec.generation, start.launch, start.resumed)};
  spawn.environment.insert(spawn.environment.end(), recipe.environment.begin(),
                           recipe.environment.end());
  spawn.directory = directory.get();
  spawn.output = output.get();
  spawn.identity = identity.get();
  return SpawnDetached(spawn);
}

Status MemberDirectory::MarkKept() {
  const std::optional<Launch> launch = ReadLaunch();
  if (!launch) return Unavailable(fmt::format("{} has no launch.json", path_));
  const json kept = {{"launch", launch->launch}};
  if (ReplaceFile(path_ + "/kept.json", kept.dump() + "\n", true)) return {};
  return Unavailable(fmt::format("cannot write to {}: {}", path_, std::strerror(errno)));
}

bool MemberDirectory::Remove() {
  if (!fs::exists(path_)) return true;
  const UniqueFd lock = TryLock();
  if (!lock) {
    for (const pid_t pid : Tagged()) {
      const auto leftover = Identify(pid);
      if (leftover) SendSignal(OpenProcess(*leftover), SIGKILL);
    }
    return false;  // tried again once they are gone
  }
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) LogWarning("directory left", {{"path", path_}, {"why", error.message()}});
  return !error;
}

std::vector<MemberId> ListMembers(const std::string& members) {
  std::vector<MemberId> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(members, error)) {
    const std::string name = entry.path().filename();
    MemberId id = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (bad == std::errc() && end == name.data() + name.size()) ids.push_back(id);
  }
  std::ranges::sort(ids);
  return ids;
}

}  // namespace ec::engine
