// Parameter families and their defaults: data/engine_parameters.csv.
//
// Not emulated yet: parameter groups of one's own. Only default.<family> exists.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "controlplane/model/node_types.h"

namespace ec::model {

// The parameters of default.<family> with their values; those without a literal default are left
// out. Empty for an unknown family. The three newest families that AWS lists no changes for stand
// on their predecessor's: memcached1.6 on 1.5, valkey7 and valkey8 on redis7.
const std::map<std::string, std::string>& DefaultParameters(std::string_view family);

bool IsFamily(std::string_view family);

// What the engine may hold, in bytes. Redis: maxmemory of the type less reserved-memory or
// reserved-memory-percent. Memcached: max_cache_memory less memcached_connections_overhead.
// REQUIRES: IsOffered(type, engine)
int64_t MemoryMaxBytes(const NodeType& type, EngineKind engine,
                       const std::map<std::string, std::string>& parameters);

}  // namespace ec::model
