// Engines' figures under CloudWatch's names, asked for from real engines.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "tests/integration/clients.h"
#include "tests/integration/installation.h"

namespace ec::integration {
namespace {

using MetricsTest = InstallationTest;
// By cluster and node, then by name.
using Metrics = std::map<std::pair<std::string, std::string>, std::map<std::string, double>>;

Metrics Ask(Installation& installation, const std::string& cluster = "") {
  grpc::ClientContext context;
  v1::DescribeCacheNodeMetricsRequest request;
  if (!cluster.empty()) request.set_cache_cluster_id(cluster);
  v1::DescribeCacheNodeMetricsResponse response;
  const grpc::Status status =
      installation.emulator().DescribeCacheNodeMetrics(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  Metrics metrics;
  for (const v1::CacheNodeMetrics& node : response.cache_nodes()) {
    auto& values = metrics[{node.cache_cluster_id(), node.cache_node_id()}];
    for (const v1::CacheNodeMetric& metric : node.metrics()) values[metric.name()] = metric.value();
  }
  return metrics;
}

TEST_F(MetricsTest, SayWhatTheEnginesHaveDone) {
  RedisClient redis(installation().MustCreate("orders", "redis").cache_nodes(0).endpoint());
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 2);
  MemcachedClient memcached(pages.cache_nodes(0).endpoint());
  for (const char* key : {"a", "b", "c"}) ASSERT_EQ(redis.Do({"SET", key, "1"}), "OK");
  redis.Do({"GET", "a"});
  redis.Do({"GET", "missing"});
  ASSERT_TRUE(memcached.Set("k", "v"));
  memcached.Get("k");
  memcached.Get("missing");

  Metrics metrics = Ask(installation());
  ASSERT_EQ(metrics.size(), 3u);
  auto& orders = metrics.at({"orders", "0001"});
  EXPECT_EQ(orders["CurrItems"], 3);
  EXPECT_EQ(orders["CacheHits"], 1);
  EXPECT_EQ(orders["CacheMisses"], 1);
  EXPECT_EQ(orders["SetTypeCmds"], 3);
  EXPECT_EQ(orders["GetTypeCmds"], 2);
  EXPECT_EQ(orders["StringBasedCmds"], 5);
  EXPECT_EQ(orders["IsMaster"], 1);
  EXPECT_GE(orders["CurrConnections"], 1);
  EXPECT_GE(orders["NewConnections"], 1);
  EXPECT_GT(orders["BytesUsedForCache"], 100'000);
  // It takes a second look, or a second of the engine's life.
  EXPECT_TRUE(WaitUntil([&] {
    return Ask(installation()).at({"orders", "0001"}).contains("EngineCPUUtilization");
  }));
  auto& first = metrics.at({"pages", "0001"});
  EXPECT_EQ(first["CurrItems"], 1);
  EXPECT_EQ(first["CmdSet"], 1);
  EXPECT_EQ(first["GetHits"], 1);
  EXPECT_EQ(first["GetMisses"], 1);
  EXPECT_EQ(metrics.at({"pages", "0002"})["CurrItems"], 0);
  EXPECT_EQ(Ask(installation(), "orders").size(), 1u);
}

TEST_F(MetricsTest, ComeWithoutTheNodesWhoseHostOrEngineDoesNotAnswer) {
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 3, "cross-az");
  ASSERT_EQ(Ask(installation()).size(), 3u);
  const auto stopped = installation().EngineOf("pages", "0002");
  ASSERT_TRUE(stopped);
  // An engine that is found hung is killed: before that it does not answer, and after that it has
  // begun anew, which it takes more than a second to come to.
  ASSERT_EQ(kill(stopped->pid, SIGSTOP), 0);
  installation().agent(pages.cache_nodes(2).customer_availability_zone()).Kill9();
  const Metrics metrics = Ask(installation());
  EXPECT_EQ(metrics.size(), 1u);
  EXPECT_TRUE(metrics.contains({"pages", "0001"}));
}

TEST_F(MetricsTest, AreRefusedOfAClusterThatIsNotThere) {
  grpc::ClientContext context;
  v1::DescribeCacheNodeMetricsRequest request;
  request.set_cache_cluster_id("nope");
  v1::DescribeCacheNodeMetricsResponse response;
  const grpc::Status status =
      installation().emulator().DescribeCacheNodeMetrics(&context, request, &response);
  EXPECT_EQ(CodeOf(status), "CacheClusterNotFound");
}

}  // namespace
}  // namespace ec::integration
