// The catalogue of node types: data/node_types.csv, which seeds the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/engine_kind.h"

namespace ec::model {

struct NodeType {
  std::string name;  // "cache.t3.micro"
  int vcpu = 0;
  std::optional<double> memory_gib;                      // absent where AWS has not published it
  std::optional<int64_t> redis_maxmemory_bytes;          // absent: not offered for Redis
  std::optional<int64_t> memcached_max_cache_memory_mb;  // absent: not offered for Memcached
  std::string generation;                                // "current" or "previous"
  bool backups_supported = true;  // from cache.m1.small up, that is: not cache.t1.micro
  friend bool operator==(const NodeType&, const NodeType&) = default;
};

// The catalogue in the order of the file: AWS's families from the oldest to the newest.
std::vector<NodeType> NodeTypeCatalogue();

bool IsOffered(const NodeType& type, EngineKind engine);

}  // namespace ec::model
