#include "nodeagent/endpoint/discovery_reply.h"

#include <gtest/gtest.h>

namespace ec::endpoint {
namespace {

Address At(const char* ip, uint16_t port) { return {.ip = *ParseIp4(ip), .port = port}; }

TEST(DiscoveryReply, ListsTheNodesWithNameAddressAndPort) {
  const Discovery discovery{.version = 12,
                            .nodes = {{.host = "mc.0001.local", .address = At("127.10.0.4", 11211)},
                                      {.host = "127.10.0.5", .address = At("127.10.0.5", 11300)}}};
  EXPECT_EQ(RepliesFor(discovery).config,
            "CONFIG cluster 0 62\r\n"
            "12\n"
            "mc.0001.local|127.10.0.4|11211 127.10.0.5|127.10.0.5|11300\n"
            "\r\nEND\r\n");
}

TEST(DiscoveryReply, CountsFromTheVersionToTheLastNewlineOfTheList) {
  const std::string payload = "7\na|127.0.0.1|1\n";
  const Discovery discovery{.version = 7, .nodes = {{.host = "a", .address = At("127.0.0.1", 1)}}};
  EXPECT_EQ(RepliesFor(discovery).config, "CONFIG cluster 0 " + std::to_string(payload.size()) +
                                              "\r\n" + payload + "\r\nEND\r\n");
}

TEST(DiscoveryReply, GivesTheLegacyKeyAnOrdinaryValue) {
  const Discovery discovery{.version = 7, .nodes = {{.host = "a", .address = At("127.0.0.1", 1)}}};
  const DiscoveryReplies replies = RepliesFor(discovery);
  EXPECT_EQ(replies.legacy,
            "VALUE AmazonElastiCache:cluster 0 16\r\n7\na|127.0.0.1|1\n\r\nEND\r\n");
  EXPECT_EQ(replies.legacy_with_cas,
            "VALUE AmazonElastiCache:cluster 0 16 7\r\n7\na|127.0.0.1|1\n\r\nEND\r\n");
}

TEST(DiscoveryReply, GivesAnEmptyListALineOfItsOwn) {
  EXPECT_EQ(RepliesFor({.version = 3}).config, "CONFIG cluster 0 3\r\n3\n\n\r\nEND\r\n");
}

}  // namespace
}  // namespace ec::endpoint
