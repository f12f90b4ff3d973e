// Parameter families: their parameters, the defaults, and what may be said instead. The data is
// data/engine_parameters.csv.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "controlplane/model/node_types.h"

namespace ec::model {

// The parameters of default.<family> with their values; those without a literal default are left
// out. Empty for an unknown family. The three newest families that AWS lists no changes for stand
// on their predecessor's: memcached1.6 on 1.5, valkey7 and valkey8 on redis7.
const std::map<std::string, std::string>& DefaultParameters(std::string_view family);

bool IsFamily(std::string_view family);

// One parameter of a family.
struct ParameterInfo {
  std::string name;
  std::optional<std::string> value;  // the default; absent: it follows the node type, or is unknown
  std::string type;                  // string, integer, boolean, float
  std::string allowed;               // "0-", "1-75", "yes,no"; empty: not stated
  bool modifiable = false;
  bool only_while_unused = false;  // as long as no cluster uses the group
  bool immediate = false;          // running engines take it; else at their next reboot
  std::string minimum_version;
};

// By name. Empty for an unknown family.
const std::vector<ParameterInfo>& ParametersOf(std::string_view family);
// nullptr: the family has none of that name.
const ParameterInfo* FindParameter(std::string_view family, std::string_view name);

// kInvalidParameterValue unless the parameter can be changed, and to that value. What passes is a
// line of printable ASCII that the engine starts with.
Status CheckParameterValue(const ParameterInfo& parameter, const std::string& value);

// The family's defaults with these in their place.
std::map<std::string, std::string> WithValues(std::string_view family,
                                              const std::map<std::string, std::string>& values);

// What the engine may hold, in bytes. Redis: maxmemory of the type less reserved-memory or
// reserved-memory-percent. Memcached: max_cache_memory less memcached_connections_overhead. Whoever
// reserves all leaves the engine this all the same: 0 is no bound to a Redis, and a Memcached does
// not start with it.
inline constexpr int64_t kMemoryLeastBytes = 16 << 20;
// REQUIRES: IsOffered(type, engine)
int64_t MemoryMaxBytes(const NodeType& type, EngineKind engine,
                       const std::map<std::string, std::string>& parameters);

}  // namespace ec::model
