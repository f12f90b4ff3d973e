#include "common/engine_kind.h"

#include <gtest/gtest.h>

namespace ec {
namespace {

TEST(EngineKind, HasAwsNamesAndPorts) {
  const struct {
    EngineKind engine;
    std::string_view name;
    bool speaks_redis;
    uint16_t port;
  } rows[] = {
      {EngineKind::kMemcached, "memcached", false, 11211},
      {EngineKind::kRedis, "redis", true, 6379},
      {EngineKind::kValkey, "valkey", true, 6379},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(NameOf(row.engine), row.name);
    EXPECT_EQ(ParseEngine(row.name), row.engine);
    EXPECT_EQ(SpeaksRedis(row.engine), row.speaks_redis);
    EXPECT_EQ(DefaultPort(row.engine), row.port);
  }
}

TEST(EngineKind, KnowsNoOtherName) {
  for (const std::string_view name : {"", "Redis", "redis ", "redis-server", "keydb"}) {
    EXPECT_EQ(ParseEngine(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace ec
