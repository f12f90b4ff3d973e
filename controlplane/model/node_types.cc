#include "controlplane/model/node_types.h"

#include <cstdlib>

#include "common/check.h"
#include "controlplane/model/csv.h"

namespace ec::model {

extern const std::string_view kNodeTypesCsv;  // data/node_types.csv

namespace {

std::optional<int64_t> OptionalInteger(const std::string& cell) {
  if (cell.empty()) return std::nullopt;
  return std::strtoll(cell.c_str(), nullptr, 10);
}

std::optional<double> OptionalNumber(const std::string& cell) {
  if (cell.empty()) return std::nullopt;
  return std::strtod(cell.c_str(), nullptr);
}

}  // namespace

std::vector<NodeType> NodeTypeCatalogue() {
  std::vector<NodeType> types;
  for (const std::vector<std::string>& row : ParseCsv(kNodeTypesCsv)) {
    EC_CHECK(row.size() == 6);
    NodeType type;
    type.name = row[0];
    type.vcpu = static_cast<int>(std::strtol(row[1].c_str(), nullptr, 10));
    type.memory_gib = OptionalNumber(row[2]);
    type.redis_maxmemory_bytes = OptionalInteger(row[3]);
    type.memcached_max_cache_memory_mb = OptionalInteger(row[4]);
    type.generation = row[5];
    type.backups_supported = type.name != "cache.t1.micro";
    types.push_back(std::move(type));
  }
  return types;
}

bool IsOffered(const NodeType& type, EngineKind engine) {
  return SpeaksRedis(engine) ? type.redis_maxmemory_bytes.has_value()
                             : type.memcached_max_cache_memory_mb.has_value();
}

}  // namespace ec::model
