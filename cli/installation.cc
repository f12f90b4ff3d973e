#include "cli/installation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "common/clock.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;

// nullopt when the file is missing or is no JSON object.
std::optional<Json> ReadObject(const std::string& path) {
  const std::optional<std::string> text = ReadFile(path);
  if (!text) return std::nullopt;
  Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

// The value under `key` if it is there and of the right kind.
template <typename T>
bool Get(const Json& json, const char* key, T* value) {
  const auto found = json.find(key);
  if (found == json.end()) return false;
  if constexpr (std::is_same_v<T, bool>) {
    if (!found->is_boolean()) return false;
  } else if constexpr (std::is_integral_v<T>) {
    if (!found->is_number_integer()) return false;
  } else if (!found->is_string()) {
    return false;
  }
  *value = found->get<T>();
  return true;
}

std::optional<ProcessId> GetProcess(const Json& json) {
  ProcessId process;
  if (!Get(json, "pid", &process.pid) || !Get(json, "start_time", &process.start_time)) {
    return std::nullopt;
  }
  return process;
}

bool Understand(const Json& json, Installation* installation) {
  bool good = Get(json, "region", &installation->region) &&
              Get(json, "account", &installation->account) &&
              Get(json, "members_max", &installation->members_max) &&
              Get(json, "log_level", &installation->log_level) &&
              Get(json, "strict_versions", &installation->strict_versions);
  const auto zones = json.find("zones");
  good = good && zones != json.end() && zones->is_array() && !zones->empty();
  if (!good) return false;
  for (const Json& zone : *zones) {
    if (!zone.is_string()) return false;
    installation->zones.push_back(zone.get<std::string>());
  }
  std::string address;
  if (Get(json, "grpc_address", &address)) installation->grpc_address = address;
  if (Get(json, "http_address", &address)) installation->http_address = address;
  if (Get(json, "credentials", &address)) installation->credentials = address;
  if (const auto hosts = json.find("allow_hosts"); hosts != json.end() && hosts->is_array()) {
    for (const Json& host : *hosts) {
      if (host.is_string()) installation->allow_hosts.push_back(host.get<std::string>());
    }
  }
  int nodes_max = 0;
  if (Get(json, "region_nodes_max", &nodes_max)) installation->region_nodes_max = nodes_max;
  std::string carry;
  if (Get(json, "carry", &carry)) installation->carry = carry;
  if (Get(json, "memcached_carry", &carry)) installation->memcached_carry = carry;
  if (Get(json, "deny", &carry)) installation->deny = carry;
  if (Get(json, "advertise", &carry)) installation->advertise = carry;
  if (Get(json, "listen_ip", &carry)) installation->listen_ip = carry;
  if (Get(json, "ports", &carry)) installation->ports = carry;
  if (Get(json, "netns", &carry)) installation->netns = carry;
  bool localhost = true;
  if (Get(json, "localhost_instance", &localhost)) installation->localhost_instance = localhost;
  return true;
}

Outcome Errno(const std::string& what, const std::string& path) {
  return Refused(fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

}  // namespace

Outcome DefaultDirectory(std::string* dir) {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') {
    *dir = std::string(state) + "/emucache";
    return {};
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') {
    const passwd* user = getpwuid(geteuid());
    home = user == nullptr ? nullptr : user->pw_dir;
  }
  if (home == nullptr || home[0] != '/') {
    return UsageError("there is no home directory for the installation: give --dir");
  }
  *dir = std::string(home) + "/.local/state/emucache";
  return {};
}

Outcome MakeAbsolute(const std::string& path, std::string* absolute) {
  std::error_code error;
  fs::path whole = fs::absolute(path, error).lexically_normal();
  if (error) return Refused(fmt::format("cannot find {}: {}", path, error.message()));
  if (!whole.has_filename() && whole.has_parent_path()) whole = whole.parent_path();
  *absolute = whole.string();
  return {};
}

std::string InstallationFile(const std::string& dir) { return dir + "/installation.json"; }
std::string ControlPlaneDirectory(const std::string& dir) { return dir + "/controlplane"; }
std::string HostsDirectory(const std::string& dir) { return dir + "/hosts"; }
std::string SnapshotsDirectory(const std::string& dir) { return dir + "/snapshots"; }
std::string BucketsDirectory(const std::string& dir) { return dir + "/buckets"; }
std::string HostDirectory(const std::string& dir, const std::string& host) {
  return HostsDirectory(dir) + "/" + host;
}

std::vector<std::string> HostsOnDisk(const std::string& dir) {
  std::vector<std::string> hosts;
  std::error_code error;
  for (fs::directory_iterator entry(HostsDirectory(dir), error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) hosts.push_back(entry->path().filename().string());
  }
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

std::string ProgramPath(const std::string& name) {
  const char* bin_dir = std::getenv("EC_BIN_DIR");
  std::error_code error;
  if (bin_dir != nullptr && *bin_dir != '\0') {
    return (fs::absolute(bin_dir, error) / name).lexically_normal().string();
  }
  return (fs::read_symlink("/proc/self/exe", error).parent_path() / name).string();
}

Outcome MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return {};
  if (errno == ENOENT) {
    EC_RETURN_UNLESS_OK(MakeDirectory(fs::path(path).parent_path().string()));
    if (mkdir(path.c_str(), 0700) == 0) return {};
  }
  std::error_code ignored;
  if (errno == EEXIST && fs::is_directory(path, ignored)) return {};
  return Errno("create the directory", path);
}

Outcome ReadInstallation(const std::string& dir, std::optional<Installation>* installation) {
  const std::string path = InstallationFile(dir);
  installation->reset();
  std::error_code error;
  if (!fs::exists(path, error)) {
    if (!error) return {};
    return Refused(fmt::format("cannot read {}: {}", path, error.message()));
  }
  const std::optional<Json> json = ReadObject(path);
  if (!json) return Refused(fmt::format("{} cannot be read, or is no JSON object", path));
  int version = 0;
  Get(*json, "version", &version);
  if (version > kFormatVersion) {
    return Refused(fmt::format("{} was written by a newer ecctl (version {})", path, version));
  }
  Installation read;
  if (!Understand(*json, &read)) {
    return Refused(fmt::format("{} is damaged: a setting is missing or of the wrong kind", path));
  }
  *installation = std::move(read);
  return {};
}

Outcome WriteInstallation(const std::string& dir, const Installation& installation) {
  Json json = {{"version", kFormatVersion},
               {"region", installation.region},
               {"account", installation.account},
               {"zones", installation.zones},
               {"grpc_address", nullptr},
               {"strict_versions", installation.strict_versions},
               {"region_nodes_max", nullptr},
               {"members_max", installation.members_max},
               {"log_level", installation.log_level}};
  if (installation.grpc_address) json["grpc_address"] = *installation.grpc_address;
  if (installation.http_address) json["http_address"] = *installation.http_address;
  if (installation.credentials) json["credentials"] = *installation.credentials;
  if (!installation.allow_hosts.empty()) json["allow_hosts"] = installation.allow_hosts;
  if (installation.region_nodes_max) json["region_nodes_max"] = *installation.region_nodes_max;
  if (installation.carry) json["carry"] = *installation.carry;
  if (installation.memcached_carry) json["memcached_carry"] = *installation.memcached_carry;
  if (installation.deny) json["deny"] = *installation.deny;
  if (installation.advertise) json["advertise"] = *installation.advertise;
  if (installation.listen_ip) json["listen_ip"] = *installation.listen_ip;
  if (installation.ports) json["ports"] = *installation.ports;
  if (installation.netns) json["netns"] = *installation.netns;
  if (installation.localhost_instance) {
    json["localhost_instance"] = *installation.localhost_instance;
  }
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";

  const std::string path = InstallationFile(dir);
  if (!ReplaceFile(path, text, true)) return Errno("write", path);
  return {};
}

std::optional<ControlPlaneRecord> ReadControlPlane(const std::string& dir) {
  const std::optional<Json> json = ReadObject(ControlPlaneDirectory(dir) + "/controlplane.json");
  if (!json) return std::nullopt;
  const std::optional<ProcessId> process = GetProcess(*json);
  ControlPlaneRecord record;
  if (!process || !Get(*json, "address", &record.address)) return std::nullopt;
  record.process = *process;
  Get(*json, "http_address", &record.http_address);
  return record;
}

std::optional<AgentRecord> ReadAgent(const std::string& host_dir) {
  const std::optional<Json> json = ReadObject(host_dir + "/agent.json");
  if (!json) return std::nullopt;
  const std::optional<ProcessId> process = GetProcess(*json);
  AgentRecord record;
  if (!process || !Get(*json, "host", &record.host) || !Get(*json, "zone", &record.zone)) {
    return std::nullopt;
  }
  record.process = *process;
  return record;
}

Outcome LockInstallation(const std::string& dir, Instant deadline, UniqueFd* lock) {
  const std::string path = dir + "/.lock";
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return Errno("open", path);
  const SystemClock clock;
  bool said = false;
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Errno("lock", path);
    if (clock.now().instant >= deadline) {
      return TimedOut(fmt::format("another 'ecctl up' or 'down' is still at work on {}", dir));
    }
    if (!said) PrintNote(fmt::format("Waiting for another 'ecctl up' or 'down' on {}", dir));
    said = true;
    if (!Pause(std::chrono::milliseconds(10))) return Interrupted("interrupted while waiting");
  }
  *lock = std::move(file);
  return {};
}

}  // namespace ec::cli
