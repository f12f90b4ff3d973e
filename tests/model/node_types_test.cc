#include "controlplane/model/node_types.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

namespace ec::model {
namespace {

NodeType TypeOf(const std::string& name) {
  for (const NodeType& type : NodeTypeCatalogue()) {
    if (type.name == name) return type;
  }
  ADD_FAILURE() << "no node type " << name;
  return {};
}

TEST(NodeTypes, AreAws112EachOnce) {
  std::set<std::string> names;
  for (const NodeType& type : NodeTypeCatalogue()) names.insert(type.name);
  EXPECT_EQ(NodeTypeCatalogue().size(), 112u);
  EXPECT_EQ(names.size(), 112u);
}

TEST(NodeTypes, AreReadCellByCell) {
  const NodeType type = TypeOf("cache.t1.micro");
  EXPECT_EQ(type.vcpu, 1);
  EXPECT_EQ(type.memory_gib, 0.213);
  EXPECT_EQ(type.redis_maxmemory_bytes, 142606336);
  EXPECT_EQ(type.memcached_max_cache_memory_mb, 213);
  EXPECT_EQ(type.generation, "previous");
}

TEST(NodeTypes, HaveSensibleNumbers) {
  for (const NodeType& type : NodeTypeCatalogue()) {
    EXPECT_TRUE(type.name.starts_with("cache.")) << type.name;
    EXPECT_GE(type.vcpu, 1) << type.name;
    EXPECT_TRUE(type.generation == "current" || type.generation == "previous") << type.name;
    EXPECT_TRUE(type.redis_maxmemory_bytes || type.memcached_max_cache_memory_mb) << type.name;
    if (type.redis_maxmemory_bytes) {
      EXPECT_GT(*type.redis_maxmemory_bytes, 100 << 20) << type.name;
    }
    if (type.memcached_max_cache_memory_mb) {
      EXPECT_GT(*type.memcached_max_cache_memory_mb, 200) << type.name;
    }
  }
}

TEST(NodeTypes, KeepBackupsFromTheSmallestOneOnly) {
  for (const NodeType& type : NodeTypeCatalogue()) {
    EXPECT_EQ(type.backups_supported, type.name != "cache.t1.micro") << type.name;
  }
}

// r6gd keeps data on disk as well, and AWS has it for Redis only.
TEST(NodeTypes, AreOfferedByEngine) {
  int tiered = 0;
  for (const NodeType& type : NodeTypeCatalogue()) {
    EXPECT_TRUE(IsOffered(type, EngineKind::kRedis)) << type.name;
    EXPECT_TRUE(IsOffered(type, EngineKind::kValkey)) << type.name;
    const bool is_tiered = type.name.starts_with("cache.r6gd.");
    tiered += is_tiered;
    EXPECT_EQ(IsOffered(type, EngineKind::kMemcached), !is_tiered) << type.name;
  }
  EXPECT_GT(tiered, 0);
}

TEST(NodeTypes, WithoutAMemoryOfAnEngineAreNotOfferedForIt) {
  NodeType type;
  type.memcached_max_cache_memory_mb = 1000;
  EXPECT_FALSE(IsOffered(type, EngineKind::kRedis));
  EXPECT_FALSE(IsOffered(type, EngineKind::kValkey));
  EXPECT_TRUE(IsOffered(type, EngineKind::kMemcached));
}

}  // namespace
}  // namespace ec::model
