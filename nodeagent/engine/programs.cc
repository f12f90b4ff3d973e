#include "nodeagent/engine/programs.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string_view>

#include "common/log.h"
#include "nodeagent/engine/preload.h"
#include "nodeagent/engine/spawn.h"

namespace ec::engine {
namespace {

constexpr int kVersionTimeoutMs = 5000;

struct Known {
  EngineKind engine;
  const char* name;
  const char* version_flag;
  std::string_view before_version;  // in what it prints
};
constexpr Known kKnown[] = {
    {EngineKind::kMemcached, "memcached", "-V", "memcached "},
    {EngineKind::kRedis, "redis-server", "--version", " v="},
    {EngineKind::kValkey, "valkey-server", "--version", " v="},
};

std::optional<std::string> FindInPath(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string_view directory = rest.substr(0, colon);
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    if (!directory.starts_with('/')) continue;  // never a program of the working directory
    const std::string candidate = std::string(directory) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

// The dotted number that follows.
std::string VersionIn(std::string_view output, std::string_view before) {
  const size_t at = output.find(before);
  if (at == std::string_view::npos) return {};
  output.remove_prefix(at + before.size());
  return std::string(output.substr(0, output.find_first_not_of("0123456789.")));
}

}  // namespace

std::map<EngineKind, Program> FindPrograms(const std::string& netcard) {
  std::map<EngineKind, Program> programs;
  for (const Known& known : kKnown) {
    const auto path = FindInPath(known.name);
    if (!path) continue;
    Result<std::string> output = RunForOutput(*path, {known.version_flag}, kVersionTimeoutMs);
    const std::string version = output.ok() ? VersionIn(*output, known.before_version) : "";
    if (version.empty()) {
      LogWarning("engine left out: it does not tell its version", {{"program", *path}});
      continue;
    }
    const std::string why = netcard.empty() ? "" : WhyNotPreloaded(*path, netcard);
    if (!why.empty()) {
      LogWarning("connections to this engine are relayed", {{"program", *path}, {"why", why}});
    }
    programs[known.engine] = {*path, version, why.empty() ? netcard : "", why};
  }
  return programs;
}

}  // namespace ec::engine
