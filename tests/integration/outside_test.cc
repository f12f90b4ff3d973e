// Address mode `ports`: endpoints outside of loopback.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tests/integration/clients.h"
#include "tests/integration/groups.h"
#include "tests/integration/installation.h"

namespace ec::integration {
namespace {

// The first of some ports that no other test process takes, and that the kernel gives to no client:
// those of this machine's connections would be in the way.
int FirstPort() { return 10'000 + getpid() % 100 * 200; }

class OutsideTest : public InstallationTest {
 protected:
  InstallationOptions Options() override {
    const int first = FirstPort();
    InstallationOptions options;
    options.control_plane_flags = {"--advertise", "127.0.0.1", "--ports",
                                   std::to_string(first) + "-" + std::to_string(first + 199)};
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
