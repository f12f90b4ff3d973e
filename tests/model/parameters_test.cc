#include "controlplane/model/parameters.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "controlplane/model/engine_versions.h"

namespace ec::model {
namespace {

constexpr int64_t kMib = int64_t{1} << 20;

NodeType TypeOf(const std::string& name) {
  for (const NodeType& type : NodeTypeCatalogue()) {
    if (type.name == name) return type;
  }
  ADD_FAILURE() << "no node type " << name;
  return {};
}

int64_t DefaultMemory(const std::string& type, EngineKind engine, const std::string& family) {
  return MemoryMaxBytes(TypeOf(type), engine, DefaultParameters(family));
}

TEST(Families, AreAwsUpToTheNewestEmulated) {
  for (const std::string family :
       {"memcached1.4", "memcached1.5", "memcached1.6", "redis2.6", "redis2.8", "redis3.2",
        "redis4.0", "redis5.0", "redis6.x", "redis7", "valkey7", "valkey8"}) {
    EXPECT_TRUE(IsFamily(family)) << family;
    EXPECT_FALSE(DefaultParameters(family).empty()) << family;
  }
  for (const std::string family : {"", "redis", "redis6", "redis6.2", "default.redis7", "mysql5"}) {
    EXPECT_FALSE(IsFamily(family)) << family;
    EXPECT_TRUE(DefaultParameters(family).empty()) << family;
  }
}

TEST(DefaultParameters, HaveAwsValues) {
  const struct {
    std::string family, name, value;
  } rows[] = {
      {"memcached1.4", "chunk_size_growth_factor", "1.25"},
      {"memcached1.4", "max_item_size", "1048576"},
      {"memcached1.4", "memcached_connections_overhead", "100"},
      {"memcached1.4", "max_simultaneous_connections", "65000"},
      {"memcached1.4", "modern", "enabled"},
      {"memcached1.5", "no_modern", "1"},
      {"memcached1.5", "memcached_connections_overhead", "100"},
      {"memcached1.6", "no_modern", "1"},
      {"redis2.8", "maxmemory-policy", "volatile-lru"},
      {"redis2.8", "maxmemory-samples", "3"},
      {"redis2.8", "tcp-keepalive", "0"},
      {"redis2.8", "reserved-memory", "0"},
      {"redis2.8", "close-on-slave-write", "yes"},
      {"redis2.8", "notify-keyspace-events", ""},
      {"redis2.6", "maxmemory-policy", "volatile-lru"},
      {"redis3.2", "reserved-memory-percent", "25"},
      {"redis3.2", "tcp-keepalive", "300"},
      {"redis3.2", "databases", "16"},
      {"redis3.2", "list-max-ziplist-size", "-2"},
      {"redis4.0", "lfu-log-factor", "10"},
      {"redis4.0", "active-defrag-cycle-min", "25"},
      {"redis5.0", "active-defrag-cycle-min", "5"},
      {"redis5.0", "close-on-replica-write", "yes"},
      {"redis5.0", "maxclients", "65000"},
      {"redis5.0", "lua-replicate-commands", "yes"},
      {"redis5.0", "rename-commands", ""},
      {"redis6.x", "acllog-max-len", "128"},
      {"redis6.x", "close-on-replica-write", "yes"},
      {"redis7", "hash-max-listpack-entries", "512"},
      {"redis7", "reserved-memory-percent", "25"},
      {"redis7", "latency-tracking", "no"},
      {"valkey7", "latency-tracking", "no"},
      {"valkey8", "hash-max-listpack-value", "64"},
  };
  for (const auto& row : rows) {
    const auto& values = DefaultParameters(row.family);
    const auto found = values.find(row.name);
    ASSERT_NE(found, values.end()) << row.family << " " << row.name;
    EXPECT_EQ(found->second, row.value) << row.family << " " << row.name;
  }
}

TEST(DefaultParameters, LoseWhatAFamilyHasTakenAway) {
  const std::pair<std::string, std::string> rows[] = {
      {"memcached1.5", "modern"},
      {"memcached1.5", "expirezero_does_not_evict"},
      {"memcached1.6", "modern"},
      {"redis5.0", "repl-timeout"},
      {"redis5.0", "close-on-slave-write"},
      {"redis6.x", "lua-replicate-commands"},
      {"redis7", "hash-max-ziplist-entries"},
      {"redis7", "activerehashing"},
      {"redis7", "lua-replicate-commands"},
      {"valkey8", "zset-max-ziplist-value"},
  };
  for (const auto& [family, name] : rows) {
    EXPECT_FALSE(DefaultParameters(family).contains(name)) << family << " " << name;
  }
}

TEST(DefaultParameters, LeaveOutWhatHasNoLiteralDefault) {
  EXPECT_FALSE(
      DefaultParameters("redis5.0").contains("client-output-buffer-limit-replica-hard-limit"));
}

TEST(DefaultParameters, AreThereForEveryVersion) {
  for (const EngineKind engine : kAllEngines) {
    for (const EngineVersion& version : VersionsOf(engine)) {
      EXPECT_FALSE(DefaultParameters(version.family).empty()) << version.family;
    }
  }
}

TEST(MemoryMax, OfARedisIsThreeQuartersOfItsTypeFrom32On) {
  const int64_t all = 536870912;  // cache.t3.micro
  for (const std::string family : {"redis3.2", "redis4.0", "redis5.0", "redis6.x", "redis7"}) {
    EXPECT_EQ(DefaultMemory("cache.t3.micro", EngineKind::kRedis, family), all / 4 * 3) << family;
  }
  EXPECT_EQ(DefaultMemory("cache.t3.micro", EngineKind::kValkey, "valkey8"), all / 4 * 3);
  for (const std::string family : {"redis2.6", "redis2.8"}) {
    EXPECT_EQ(DefaultMemory("cache.t3.micro", EngineKind::kRedis, family), all) << family;
  }
}

TEST(MemoryMax, OfARedisFollowsItsParameters) {
  NodeType type;
  type.redis_maxmemory_bytes = 1'000'000'007;
  const auto with = [&](std::map<std::string, std::string> parameters) {
    return MemoryMaxBytes(type, EngineKind::kRedis, parameters);
  };
  EXPECT_EQ(with({}), 1'000'000'007);
  EXPECT_EQ(with({{"reserved-memory", "7"}}), 1'000'000'000);
  EXPECT_EQ(with({{"reserved-memory-percent", "0"}}), 1'000'000'007);
  EXPECT_EQ(with({{"reserved-memory-percent", "50"}}), 500'000'003);
  // The two exclude each other; the default of one must not hide the other's absence.
  EXPECT_EQ(with({{"reserved-memory-percent", "50"}, {"reserved-memory", "0"}}), 500'000'003);
}

TEST(MemoryMax, OfAMemcachedIsItsCacheMemoryLessTheOverhead) {
  for (const std::string family : {"memcached1.4", "memcached1.5", "memcached1.6"}) {
    EXPECT_EQ(DefaultMemory("cache.m1.small", EngineKind::kMemcached, family), (1300 - 100) * kMib);
    EXPECT_EQ(DefaultMemory("cache.t1.micro", EngineKind::kMemcached, family), (213 - 13) * kMib);
  }
  EXPECT_EQ(MemoryMaxBytes(TypeOf("cache.m1.small"), EngineKind::kMemcached,
                           {{"memcached_connections_overhead", "300"}}),
            1000 * kMib);
}

// To a Redis 0 is no bound at all, and a Memcached does not start with less.
TEST(MemoryMax, IsNeverAllReserved) {
  const NodeType micro = TypeOf("cache.t2.micro");
  EXPECT_EQ(
      MemoryMaxBytes(micro, EngineKind::kMemcached, {{"memcached_connections_overhead", "99999"}}),
      kMemoryLeastBytes);
  EXPECT_EQ(MemoryMaxBytes(micro, EngineKind::kRedis, {{"reserved-memory-percent", "100"}}),
            kMemoryLeastBytes);
  EXPECT_EQ(MemoryMaxBytes(micro, EngineKind::kRedis, {{"reserved-memory", "99999999999"}}),
            kMemoryLeastBytes);
}

TEST(MemoryMax, IsPositiveForEveryTypeThatIsOffered) {
  for (const NodeType& type : NodeTypeCatalogue()) {
    for (const EngineKind engine : kAllEngines) {
      if (!IsOffered(type, engine)) continue;
      const auto& parameters = DefaultParameters(NewestVersion(engine).family);
      EXPECT_GT(MemoryMaxBytes(type, engine, parameters), 100 * kMib) << type.name;
    }
  }
}

TEST(MemoryMaxDeathTest, IsNotAskedForATypeThatIsNotOffered) {
  EXPECT_DEATH((void)MemoryMaxBytes(NodeType{}, EngineKind::kRedis, {}), "IsOffered");
}

}  // namespace
}  // namespace ec::model
