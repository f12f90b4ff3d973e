// What a Redis says of its replication.
#include "nodeagent/engine/replies.h"

#include <gtest/gtest.h>

namespace ec::engine {
namespace {

Address At(const char* ip, uint16_t port) { return {*ParseIp4(ip), port}; }

TEST(RedisReplies, AreTakenOffOneByOneAndOnlyWhole) {
  const std::string all =
      "+OK\r\n-LOADING Redis is loading\r\n:3\r\n$7\r\na\r\nb\r\nc\r\n$0\r\n\r\n";
  std::string_view rest = all;
  EXPECT_EQ(TakeRedisReply(&rest)->text, "OK");
  const auto error = TakeRedisReply(&rest);
  EXPECT_TRUE(error->is_error);
  EXPECT_EQ(error->text, "LOADING Redis is loading");
  EXPECT_EQ(TakeRedisReply(&rest)->text, "3");
  EXPECT_EQ(TakeRedisReply(&rest)->text, "a\r\nb\r\nc");
  EXPECT_EQ(TakeRedisReply(&rest)->text, "");
  EXPECT_TRUE(rest.empty());
  for (const std::string_view part : {"", "+", "+OK\r", "$3\r\nab", "$3\r\nabc\r"}) {
    std::string_view partial = part;
    EXPECT_FALSE(TakeRedisReply(&partial)) << part;
    EXPECT_EQ(partial, part);
  }
}

TEST(ReplicationInfo, OfALeaderNamesItsFollowers) {
  const auto info = ParseReplicationInfo(
      "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
      "slave0:ip=127.10.0.5,port=6379,state=online,offset=140,lag=0\r\n"
      "slave1:ip=127.10.0.6,port=7000,state=wait_bgsave,offset=0,lag=0\r\n"
      "master_failover_state:no-failover\r\nmaster_repl_offset:154\r\n");
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->is_master);
  EXPECT_EQ(info->offset, 154);
  ASSERT_EQ(info->followers.size(), 2u);
  EXPECT_EQ(info->followers[0].address, At("127.10.0.5", 6379));
  EXPECT_TRUE(info->followers[0].online);
  EXPECT_EQ(info->followers[0].offset, 140);
  EXPECT_EQ(info->followers[1].address, At("127.10.0.6", 7000));
  EXPECT_FALSE(info->followers[1].online);
}

TEST(ReplicationInfo, OfAFollowerNamesItsLeader) {
  const auto info = ParseReplicationInfo(
      "# Replication\r\nrole:slave\r\nmaster_host:127.10.0.4\r\nmaster_port:6379\r\n"
      "master_link_status:up\r\nslave_read_repl_offset:99\r\nslave_repl_offset:98\r\n"
      "connected_slaves:0\r\nmaster_repl_offset:97\r\n");
  ASSERT_TRUE(info);
  EXPECT_FALSE(info->is_master);
  EXPECT_EQ(info->master, At("127.10.0.4", 6379));
  EXPECT_TRUE(info->link_up);
  EXPECT_EQ(info->offset, 98);
}

TEST(ReplicationInfo, IsNothingElse) {
  EXPECT_FALSE(ParseReplicationInfo(""));
  EXPECT_FALSE(ParseReplicationInfo("ERR unknown command"));
}

}  // namespace
}  // namespace ec::engine
