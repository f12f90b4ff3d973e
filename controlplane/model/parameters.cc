#include "controlplane/model/parameters.h"

#include <algorithm>
#include <cstdlib>

#include "common/check.h"
#include "controlplane/model/csv.h"

namespace ec::model {

extern const std::string_view kEngineParametersCsv;  // data/engine_parameters.csv

namespace {

using Values = std::map<std::string, std::string>;

// A family is its predecessor with the rows of its own; one with a complete list has none.
struct Family {
  std::string_view name;
  std::string_view predecessor;
};
constexpr Family kFamilies[] = {
    {"memcached1.4", ""},
    {"memcached1.5", "memcached1.4"},
    {"memcached1.6", "memcached1.5"},
    {"redis2.8", ""},
    {"redis2.6", "redis2.8"},
    {"redis3.2", "redis2.8"},
    {"redis4.0", "redis3.2"},
    {"redis5.0", ""},
    {"redis6.x", "redis5.0"},
    {"redis7", "redis6.x"},
    {"valkey7", "redis7"},
    {"valkey8", "valkey7"},
};

std::map<std::string, Values, std::less<>> AllDefaults() {
  const auto rows = ParseCsv(kEngineParametersCsv);
  std::map<std::string, Values, std::less<>> families;
  for (const Family& family : kFamilies) {
    Values values;
    if (!family.predecessor.empty()) values = families.find(family.predecessor)->second;
    for (const auto& row : rows) {
      if (row[0] != family.name) continue;
      const std::string& name = row[1];
      const std::string& change = row[2];
      const std::string& value = row[3];
      if (change == "remove") {
        values.erase(name);
      } else if (!value.empty() || row[4] == "string") {
        values[name] = value;
      }
    }
    families.emplace(family.name, std::move(values));
  }
  return families;
}

int64_t NumberOf(const Values& parameters, const std::string& name, int64_t otherwise) {
  const auto found = parameters.find(name);
  if (found == parameters.end() || found->second.empty()) return otherwise;
  return std::strtoll(found->second.c_str(), nullptr, 10);
}

}  // namespace

const Values& DefaultParameters(std::string_view family) {
  static const auto families = AllDefaults();
  static const Values none;
  const auto found = families.find(family);
  return found == families.end() ? none : found->second;
}

bool IsFamily(std::string_view family) {
  return std::ranges::any_of(kFamilies, [&](const Family& f) { return f.name == family; });
}

int64_t MemoryMaxBytes(const NodeType& type, EngineKind engine, const Values& parameters) {
  EC_CHECK(IsOffered(type, engine));
  if (SpeaksRedis(engine)) {
    const int64_t all = *type.redis_maxmemory_bytes;
    if (parameters.contains("reserved-memory-percent")) {
      return all * (100 - NumberOf(parameters, "reserved-memory-percent", 25)) / 100;
    }
    return all - NumberOf(parameters, "reserved-memory", 0);
  }
  // The default group gives the smallest type an overhead of its own (AWS: 13 MB on t1.micro).
  const int64_t overhead = type.name == "cache.t1.micro"
                               ? 13
                               : NumberOf(parameters, "memcached_connections_overhead", 100);
  return (*type.memcached_max_cache_memory_mb - overhead) * (int64_t{1} << 20);
}

}  // namespace ec::model
