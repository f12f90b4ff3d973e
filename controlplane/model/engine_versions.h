// Which engine versions are on offer, what AWS calls them, and to which parameter family they
// belong. The versions are AWS's; they all run on the one installed program of that engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/engine_kind.h"

namespace ec::model {

struct EngineVersion {
  EngineKind engine;
  std::string_view offered;   // as DescribeCacheEngineVersions lists it: "7.1"
  std::string_view reported;  // as a cluster reports it, always in three parts: "7.1.0"
  std::string_view family;    // "redis7"
};

// Every version of the engine, oldest first.
std::vector<EngineVersion> VersionsOf(EngineKind engine);

// What a request's EngineVersion means: an offered version, a reported one, or "6.x".
std::optional<EngineVersion> ResolveVersion(EngineKind engine, std::string_view asked);

// The version of a request that names none.
EngineVersion NewestVersion(EngineKind engine);

// Whether `version` has the major and minor number of the installed program.
bool SameMinor(std::string_view version, std::string_view installed);

// Compares dotted numbers part by part: < 0, 0 or > 0.
int CompareVersions(std::string_view left, std::string_view right);

// "memcached", "Redis" or "Valkey", as CacheEngineDescription has it.
std::string_view DescriptionOf(EngineKind engine);

}  // namespace ec::model
