#include "controlplane/model/engine_versions.h"

#include <charconv>

#include "common/check.h"

namespace ec::model {
namespace {

constexpr EngineKind kM = EngineKind::kMemcached;
constexpr EngineKind kR = EngineKind::kRedis;
constexpr EngineKind kV = EngineKind::kValkey;

// Oldest first within an engine. Where `offered` is empty the version can be asked for and is
// reported, but is not listed: it is a patch of the listed one.
constexpr EngineVersion kVersions[] = {
    {kM, "1.4.5", "1.4.5", "memcached1.4"},
    {kM, "1.4.14", "1.4.14", "memcached1.4"},
    {kM, "1.4.24", "1.4.24", "memcached1.4"},
    {kM, "1.4.33", "1.4.33", "memcached1.4"},
    {kM, "1.4.34", "1.4.34", "memcached1.4"},
    {kM, "1.5.10", "1.5.10", "memcached1.5"},
    {kM, "1.5.16", "1.5.16", "memcached1.5"},
    {kM, "1.6.6", "1.6.6", "memcached1.6"},
    {kM, "1.6.12", "1.6.12", "memcached1.6"},
    {kM, "1.6.17", "1.6.17", "memcached1.6"},
    {kM, "1.6.22", "1.6.22", "memcached1.6"},
    {kR, "2.6.13", "2.6.13", "redis2.6"},
    {kR, "2.8.6", "2.8.6", "redis2.8"},
    {kR, "2.8.19", "2.8.19", "redis2.8"},
    {kR, "2.8.21", "2.8.21", "redis2.8"},
    {kR, "2.8.22", "2.8.22", "redis2.8"},
    {kR, "2.8.23", "2.8.23", "redis2.8"},
    {kR, "2.8.24", "2.8.24", "redis2.8"},
    {kR, "3.2.4", "3.2.4", "redis3.2"},
    {kR, "3.2.6", "3.2.6", "redis3.2"},
    {kR, "3.2.10", "3.2.10", "redis3.2"},
    {kR, "4.0.10", "4.0.10", "redis4.0"},
    {kR, "5.0.0", "5.0.0", "redis5.0"},
    {kR, "5.0.3", "5.0.3", "redis5.0"},
    {kR, "5.0.4", "5.0.4", "redis5.0"},
    {kR, "5.0.5", "5.0.5", "redis5.0"},
    {kR, "5.0.6", "5.0.6", "redis5.0"},
    {kR, "6.0", "6.0.5", "redis6.x"},
    {kR, "", "6.2.5", "redis6.x"},
    {kR, "6.2", "6.2.6", "redis6.x"},
    {kR, "", "7.0.4", "redis7"},
    {kR, "", "7.0.5", "redis7"},
    {kR, "7.0", "7.0.7", "redis7"},
    {kR, "7.1", "7.1.0", "redis7"},
    {kV, "7.2", "7.2.6", "valkey7"},
    {kV, "8.0", "8.0.1", "valkey8"},
};

// The numbers of "7.0.15"; stops at the first thing that is not one.
std::vector<int> Parts(std::string_view version) {
  std::vector<int> parts;
  const char* at = version.data();
  const char* const end = at + version.size();
  while (at < end) {
    int number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) break;
    parts.push_back(number);
    if (next == end || *next != '.') break;
    at = next + 1;
  }
  return parts;
}

}  // namespace

std::vector<EngineVersion> VersionsOf(EngineKind engine) {
  std::vector<EngineVersion> versions;
  for (const EngineVersion& version : kVersions) {
    if (version.engine == engine && !version.offered.empty()) versions.push_back(version);
  }
  return versions;
}

std::optional<EngineVersion> ResolveVersion(EngineKind engine, std::string_view asked) {
  if (engine == EngineKind::kRedis && asked == "6.x") asked = "6.2";
  for (const EngineVersion& version : kVersions) {
    if (version.engine != engine) continue;
    if (version.reported == asked || (!asked.empty() && version.offered == asked)) return version;
  }
  return std::nullopt;
}

EngineVersion NewestVersion(EngineKind engine) {
  const std::vector<EngineVersion> versions = VersionsOf(engine);
  EC_CHECK(!versions.empty());
  return versions.back();
}

bool SameMinor(std::string_view version, std::string_view installed) {
  const std::vector<int> left = Parts(version);
  const std::vector<int> right = Parts(installed);
  return left.size() >= 2 && right.size() >= 2 && left[0] == right[0] && left[1] == right[1];
}

int CompareVersions(std::string_view left, std::string_view right) {
  const std::vector<int> a = Parts(left);
  const std::vector<int> b = Parts(right);
  if (a == b) return 0;
  return a < b ? -1 : 1;
}

std::string_view DescriptionOf(EngineKind engine) {
  switch (engine) {
    case EngineKind::kMemcached:
      return "memcached";
    case EngineKind::kRedis:
      return "Redis";
    case EngineKind::kValkey:
      return "Valkey";
  }
  return {};
}

}  // namespace ec::model
