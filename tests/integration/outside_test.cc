// Address mode `ports`: endpoints outside of loopback.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "common/unique_fd.h"
#include "tests/integration/clients.h"
#include "tests/integration/groups.h"
#include "tests/integration/installation.h"

namespace ec::integration {
namespace {

// The first of some ports that nobody had a moment ago.
int FreeRange() {
  const UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(name);
  EXPECT_EQ(bind(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(getsockname(probe.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
  return std::min<int>(ntohs(name.sin_port), 65000);
}

class OutsideTest : public InstallationTest {
 protected:
  InstallationOptions Options() override {
    const int first = FreeRange();
    InstallationOptions options;
    options.control_plane_flags = {"--advertise", "127.0.0.1", "--ports",
                                   std::to_string(first) + "-" + std::to_string(first + 200)};
    return options;
  }
};

TEST_F(OutsideTest, ARedisIsReachedAtAPortOfTheMachine) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  EXPECT_EQ(endpoint.address(), "127.0.0.1");
  EXPECT_TRUE(WaitUntil([&] { return RedisClient(endpoint).Do({"SET", "k", "v"}) == "OK"; }));
  EXPECT_EQ(RedisClient(endpoint).Do({"GET", "k"}), "v");
}

TEST_F(OutsideTest, MemcachedsNodesAreDiscoveredAsTheyAreReached) {
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 3, "cross-az");
  Discovered found;
  ASSERT_TRUE(WaitUntil([&] {
    found = Discover(pages.configuration_endpoint());
    return found.nodes.size() == 3;
  }));
  for (const v1::Endpoint& node : found.nodes) {
    EXPECT_EQ(node.address(), "127.0.0.1");
    EXPECT_TRUE(WaitUntil([&] { return MemcachedClient(node).Set("k", "v"); }));
  }
}

TEST_F(OutsideTest, APrimaryEndpointFollowsItsLeader) {
  Groups groups(installation());
  ASSERT_TRUE(groups.MustCreate("orders", 2));
  const v1::Endpoint primary = groups.Primary("orders");
  EXPECT_EQ(primary.address(), "127.0.0.1");
  EXPECT_TRUE(WaitUntil([&] { return RedisClient(primary).Do({"SET", "k", "v"}) == "OK"; }));
  const v1::Endpoint reader = groups.Reader("orders");
  EXPECT_TRUE(WaitUntil([&] { return RedisClient(reader).Do({"PING"}) == "PONG"; }));
  const std::string leader = groups.Leader("orders");
  ASSERT_TRUE(groups.SignalEngine(leader, SIGKILL));
  ASSERT_TRUE(groups.AwaitOtherLeader("orders", leader));
  EXPECT_EQ(groups.Primary("orders").port(), primary.port());
  EXPECT_TRUE(WaitUntil([&] { return RedisClient(primary).Do({"SET", "k", "w"}) == "OK"; }));
}

}  // namespace
}  // namespace ec::integration
