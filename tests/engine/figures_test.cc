// Engines' answers under CloudWatch's names.
#include "nodeagent/engine/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace ec::engine {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::DoubleEq;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr Instant kNow = Instant(seconds(1000));

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::map<std::string, double> ValuesOf(EngineKind engine, const std::string& answer,
                                       std::optional<ProcessorUse>* use, Instant now = kNow) {
  std::map<std::string, double> values;
  for (const EngineFigure& figure : ParseFigures(engine, answer, now, use)) {
    EXPECT_TRUE(values.emplace(figure.name, figure.value).second) << figure.name;
  }
  return values;
}

std::map<std::string, double> RedisValues(const std::string& info) {
  std::optional<ProcessorUse> use;
  return ValuesOf(EngineKind::kRedis, Bulk("redis_version:7.0.15\r\n" + info), &use);
}

TEST(Figures, AreInTheOrderOfTheirNamesAndSayWhichRise) {
  std::optional<ProcessorUse> use;
  const EngineFigures figures =
      ParseFigures(EngineKind::kMemcached,
                   "STAT total_connections 9\r\nSTAT curr_items 4\r\nEND\r\n", kNow, &use);
  EXPECT_EQ(figures, (EngineFigures{{"CurrItems", 4, false}, {"NewConnections", 9, true}}));
}

TEST(Figures, OfARedisAreItsInfoByCloudWatchsNames) {
  const auto values = RedisValues(
      "connected_clients:3\r\nused_memory:1500000\r\nmaxmemory:3000000\r\nkeyspace_hits:30\r\n"
      "keyspace_misses:10\r\nevicted_keys:5\r\ndb0:keys=7,expires=2,avg_ttl=0\r\n"
      "db3:keys=1,expires=1,avg_ttl=0\r\n");
  EXPECT_THAT(values, Contains(Pair("CurrConnections", 3)));
  EXPECT_THAT(values, Contains(Pair("BytesUsedForCache", 1500000)));
  EXPECT_THAT(values, Contains(Pair("DatabaseMemoryUsagePercentage", 50)));
  EXPECT_THAT(values, Contains(Pair("CacheHits", 30)));
  EXPECT_THAT(values, Contains(Pair("CacheMisses", 10)));
  EXPECT_THAT(values, Contains(Pair("CacheHitRate", 75)));
  EXPECT_THAT(values, Contains(Pair("Evictions", 5)));
  EXPECT_THAT(values, Contains(Pair("CurrItems", 8)));
  EXPECT_THAT(values, Contains(Pair("CurrVolatileItems", 3)));
}

TEST(Figures, CountCommandsByWhatTheyActUponAndWhetherTheyWrite) {
  const auto values = RedisValues(
      "cmdstat_get:calls=4,usec=1\r\ncmdstat_hset:calls=3,usec=1\r\ncmdstat_hgetall:calls=2,usec=1"
      "\r\ncmdstat_object|encoding:calls=1,usec=1\r\ncmdstat_info:calls=50,usec=1\r\n"
      "cmdstat_config|set:calls=5,usec=1\r\ncmdstat_publish:calls=6,usec=1\r\n");
  EXPECT_THAT(values, Contains(Pair("StringBasedCmds", 4)));
  EXPECT_THAT(values, Contains(Pair("HashBasedCmds", 5)));
  EXPECT_THAT(values, Contains(Pair("KeyBasedCmds", 1)));
  EXPECT_THAT(values, Contains(Pair("PubSubBasedCmds", 6)));
  EXPECT_THAT(values, Contains(Pair("NonKeyTypeCmds", 55)));
  EXPECT_THAT(values, Contains(Pair("ListBasedCmds", 0)));
  EXPECT_THAT(values, Contains(Pair("GetTypeCmds", 7)));
  EXPECT_THAT(values, Contains(Pair("SetTypeCmds", 3)));
}

TEST(Figures, OfReplicationDependOnTheRole) {
  const auto alone = RedisValues("role:master\r\nconnected_slaves:0\r\nmaster_repl_offset:99\r\n");
  EXPECT_THAT(alone, Contains(Pair("IsMaster", 1)));
  EXPECT_THAT(alone, Not(Contains(Key("ReplicationBytes"))));
  const auto leads = RedisValues("role:master\r\nconnected_slaves:1\r\nmaster_repl_offset:99\r\n");
  EXPECT_THAT(leads, Contains(Pair("ReplicationBytes", 99)));
  EXPECT_THAT(leads, Not(Contains(Key("ReplicationLag"))));
  const auto follows =
      RedisValues("role:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:2\r\n");
  EXPECT_THAT(follows, Contains(Pair("IsMaster", 0)));
  EXPECT_THAT(follows, Contains(Pair("MasterLinkHealthStatus", 1)));
  EXPECT_THAT(follows, Contains(Pair("ReplicationLag", 2)));
  const auto alone_again = RedisValues(
      "role:slave\r\nmaster_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\n"
      "master_link_down_since_seconds:40\r\n");
  EXPECT_THAT(alone_again, Contains(Pair("MasterLinkHealthStatus", 0)));
  EXPECT_THAT(alone_again, Contains(Pair("ReplicationLag", 40)));
}

TEST(Figures, OfTheProcessorAreSinceTheLastLook) {
  std::optional<ProcessorUse> use;
  const auto info = [](int user) {
    return Bulk(
        "redis_version:7.0.15\r\nuptime_in_seconds:100\r\nused_cpu_sys_main_thread:1.0\r\n"
        "used_cpu_user_main_thread:" +
        std::to_string(user) + ".0\r\n");
  };
  EXPECT_THAT(ValuesOf(EngineKind::kRedis, info(4), &use),
              Contains(Pair("EngineCPUUtilization", DoubleEq(5))));
  EXPECT_THAT(ValuesOf(EngineKind::kRedis, info(7), &use, kNow + seconds(10)),
              Contains(Pair("EngineCPUUtilization", DoubleEq(30))));
  EXPECT_THAT(ValuesOf(EngineKind::kRedis, info(7), &use, kNow + seconds(20)),
              Contains(Pair("EngineCPUUtilization", DoubleEq(0))));
}

TEST(Figures, OfAMemcachedAreItsStatsByCloudWatchsNames) {
  std::optional<ProcessorUse> use;
  const auto values =
      ValuesOf(EngineKind::kMemcached,
               "STAT cmd_get 8\r\nSTAT get_hits 5\r\nSTAT get_misses 3\r\n"
               "STAT bytes 100\r\nSTAT limit_maxbytes 1000\r\nSTAT version 1.6.18\r\n"
               "END\r\n",
               &use);
  EXPECT_THAT(values, Contains(Pair("CmdGet", 8)));
  EXPECT_THAT(values, Contains(Pair("GetHits", 5)));
  EXPECT_THAT(values, Contains(Pair("GetMisses", 3)));
  EXPECT_THAT(values, Contains(Pair("BytesUsedForCacheItems", 100)));
  EXPECT_THAT(values, Contains(Pair("UnusedMemory", 900)));
}

TEST(Figures, AreNoneOfWhatIsNoAnswer) {
  std::optional<ProcessorUse> use;
  for (const char* nothing : {"-LOADING Redis is loading\r\n", "+PONG\r\n", "$0\r\n\r\n", ""}) {
    EXPECT_TRUE(ParseFigures(EngineKind::kRedis, nothing, kNow, &use).empty()) << nothing;
  }
  EXPECT_TRUE(ParseFigures(EngineKind::kMemcached, "ERROR\r\n", kNow, &use).empty());
  EXPECT_TRUE(ParseFigures(EngineKind::kMemcached, "STAT\r\nSTAT curr_items\r\nSTAT  \r\nEND\r\n",
                           kNow, &use)
                  .empty());
}

TEST(Figures, AnAnswerIsWholeWhenItsEndHasCome) {
  EXPECT_FALSE(IsWholeAnswer(EngineKind::kRedis, "$10\r\nredis_"));
  EXPECT_TRUE(IsWholeAnswer(EngineKind::kRedis, "$6\r\nredis_\r\n"));
  EXPECT_TRUE(IsWholeAnswer(EngineKind::kRedis, "-NOAUTH\r\n"));
  EXPECT_FALSE(IsWholeAnswer(EngineKind::kMemcached, "STAT a 1\r\nEN"));
  EXPECT_TRUE(IsWholeAnswer(EngineKind::kMemcached, "STAT a 1\r\nEND\r\n"));
  EXPECT_TRUE(IsWholeAnswer(EngineKind::kMemcached, "ERROR\r\n"));
}

}  // namespace
}  // namespace ec::engine
