// The whole life of cache clusters, with real engines and real clients.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "tests/integration/clients.h"
#include "tests/integration/installation.h"

namespace ec::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using LifeTest = InstallationTest;

// Every connection to a Memcached node is relayed, so that discovery commands are answered anywhere
// on it.
class FramedLifeTest : public InstallationTest {
 protected:
  InstallationOptions Options() override { return {.agent_flags = {"--memcached-carry", "relay"}}; }
};

TEST_F(LifeTest, ARedisClusterIsCreatedServedAndDeleted) {
  const v1::CacheCluster cluster = installation().MustCreate("cache-1", "redis");
  ASSERT_EQ(cluster.cache_nodes_size(), 1);
  const v1::CacheNode& node = cluster.cache_nodes(0);
  EXPECT_EQ(node.cache_node_id(), "0001");
  EXPECT_EQ(node.endpoint().port(), 6379);
  EXPECT_EQ(cluster.engine_version(), "7.1.0");
  EXPECT_EQ(node.installed_engine_version(), "7.0.15");
  EXPECT_EQ(node.engine_pid(), installation().EngineOf("cache-1", "0001")->pid);
  EXPECT_FALSE(cluster.has_configuration_endpoint());

  RedisClient client(node.endpoint());
  EXPECT_EQ(client.Do({"SET", "k", "v"}), "OK");
  EXPECT_EQ(client.Do({"GET", "k"}), "v");
  // cache.t3.micro has 536870912 bytes, of which 25 percent are reserved.
  RedisAdmin admin(node.endpoint(), installation().MemberDirectoryOf("cache-1", "0001"));
  EXPECT_EQ(admin.Do({"CONFIG", "GET", "maxmemory"}), "maxmemory 402653184");
  EXPECT_EQ(admin.Do({"CONFIG", "GET", "maxmemory-policy"}), "maxmemory-policy volatile-lru");
  EXPECT_EQ(admin.Do({"CONFIG", "GET", "slowlog-max-len"}), "slowlog-max-len 128");

  ASSERT_TRUE(installation().Delete("cache-1").ok());
  EXPECT_TRUE(installation().WaitUntilGone("cache-1"));
  EXPECT_TRUE(installation().Engines().empty());
  EXPECT_EQ(client.Do({"PING"}), "(gone)");
  EXPECT_EQ(installation().MemberDirectoryOf("cache-1", "0001"), "");
  EXPECT_THAT(installation().Events("cache-1"),
              ElementsAre("Added cache node 0001 in availability zone us-east-1a",
                          "Cache node 0001 runs the installed redis-server 7.0.15 (engine version "
                          "7.1.0)",
                          "Cache cluster created", "Cache cluster deleted"));
}

TEST_F(LifeTest, AMemcachedClusterSpreadsOverZonesAndIsDiscovered) {
  const v1::CacheCluster cluster = installation().MustCreate("pages", "memcached", 3, "cross-az");
  EXPECT_EQ(cluster.preferred_availability_zone(), "Multiple");
  EXPECT_EQ(cluster.configuration_endpoint().port(), 11211);
  std::set<std::string> zones;
  for (const v1::CacheNode& node : cluster.cache_nodes()) {
    zones.insert(node.customer_availability_zone());
    EXPECT_EQ(node.installed_engine_version(), "1.6.18");
  }
  EXPECT_EQ(zones.size(), 3u);

  // The configuration endpoint and every node give the same answer.
  std::vector<v1::Endpoint> asked = {cluster.configuration_endpoint()};
  for (const v1::CacheNode& node : cluster.cache_nodes()) asked.push_back(node.endpoint());
  for (const v1::Endpoint& endpoint : asked) {
    const Discovered found = Discover(endpoint);
    EXPECT_EQ(found.version, 1);
    ASSERT_EQ(found.nodes.size(), 3u);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(found.nodes[static_cast<size_t>(i)].address(),
                cluster.cache_nodes(i).endpoint().address());
    }
  }

  // Each node holds its own share: capacity grows with the nodes.
  for (int i = 0; i < 3; ++i) {
    MemcachedClient client(cluster.cache_nodes(i).endpoint());
    EXPECT_TRUE(client.Set("key", "node " + std::to_string(i)));
    // max_cache_memory of cache.t3.micro is 512 MB, less 100 MB for connections.
    EXPECT_THAT(client.Ask("stats\r\n", "END\r\n"), HasSubstr("STAT limit_maxbytes 432013312"));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(MemcachedClient(cluster.cache_nodes(i).endpoint()).Get("key"),
              "node " + std::to_string(i));
  }
}

TEST_F(FramedLifeTest, AMemcachedClusterGrowsWhileTheOtherNodesKeepDataAndConnections) {
  const v1::CacheCluster before = installation().MustCreate("pages", "memcached", 2);
  std::vector<MemcachedClient> clients;
  for (const v1::CacheNode& node : before.cache_nodes()) {
    clients.emplace_back(node.endpoint());
    ASSERT_TRUE(clients.back().Set("key", node.cache_node_id()));
  }
  ASSERT_TRUE(installation().Resize("pages", 4).ok());
  ASSERT_TRUE(installation().WaitForStatus("pages", "available"));
  const v1::CacheCluster after = *installation().Describe("pages");
  ASSERT_EQ(after.cache_nodes_size(), 4);
  EXPECT_EQ(after.num_cache_nodes(), 4);
  for (size_t i = 0; i < clients.size(); ++i) {
    const int node = static_cast<int>(i);
    EXPECT_EQ(clients[i].Get("key"), before.cache_nodes(node).cache_node_id());
    EXPECT_EQ(after.cache_nodes(node).engine_pid(), before.cache_nodes(node).engine_pid());
  }
  // The very connection that was open before learns of the new nodes.
  EXPECT_THAT(clients[0].Ask("config get cluster\r\n", "\n\r\nEND\r\n"), HasSubstr("\r\n2\n"));
  const Discovered found = Discover(after.configuration_endpoint());
  EXPECT_EQ(found.version, 2);
  EXPECT_EQ(found.nodes.size(), 4u);
  const std::vector<std::string> events = installation().Events("pages");
  EXPECT_EQ(events.back(), "Finished modifying number of nodes from 2 to 4");
  EXPECT_EQ(std::ranges::count(events, "Increasing number of requested nodes"), 1);
}

TEST_F(LifeTest, AMemcachedClusterShrinksByExactlyTheNodesThatAreNamed) {
  const v1::CacheCluster before = installation().MustCreate("pages", "memcached", 3);
  const grpc::Status too_few = installation().Resize("pages", 1, {"0002"});
  EXPECT_EQ(CodeOf(too_few), "InvalidParameterCombination");
  EXPECT_THAT(too_few.error_message(), HasSubstr("exactly the 2 cache nodes"));
  EXPECT_EQ(CodeOf(installation().Resize("pages", 2, {"0007"})), "InvalidParameterValue");
  EXPECT_EQ(CodeOf(installation().Resize("pages", 2)), "InvalidParameterCombination");

  MemcachedClient kept(before.cache_nodes(2).endpoint());
  MemcachedClient removed(before.cache_nodes(1).endpoint());
  ASSERT_TRUE(kept.Set("key", "kept") && removed.Set("key", "removed"));
  ASSERT_TRUE(installation().Resize("pages", 2, {"0002"}).ok());
  ASSERT_TRUE(installation().WaitForStatus("pages", "available"));
  const v1::CacheCluster after = *installation().Describe("pages");
  ASSERT_EQ(after.cache_nodes_size(), 2);
  EXPECT_EQ(after.cache_nodes(0).cache_node_id(), "0001");
  EXPECT_EQ(after.cache_nodes(1).cache_node_id(), "0003");
  EXPECT_EQ(kept.Get("key"), "kept");
  EXPECT_EQ(removed.Get("key"), "(gone)");
  EXPECT_EQ(Discover(after.configuration_endpoint()).nodes.size(), 2u);
  EXPECT_EQ(installation().Engines().size(), 2u);
}

TEST_F(LifeTest, TheNodeTypeNeverChanges) {
  installation().MustCreate("cache-1", "redis");
  v1::ModifyCacheClusterRequest request;
  request.set_cache_cluster_id("cache-1");
  request.set_cache_node_type("cache.m5.large");
  request.set_apply_immediately(true);
  const grpc::Status refused = installation().Modify(request);
  EXPECT_EQ(CodeOf(refused), "InvalidParameterValue");
  EXPECT_THAT(refused.error_message(), HasSubstr("delete the cluster and create it again"));
  EXPECT_EQ(installation().Describe("cache-1")->cache_node_type(), "cache.t3.micro");

  grpc::ClientContext context;
  v1::ListAllowedNodeTypeModificationsRequest list;
  list.set_cache_cluster_id("cache-1");
  v1::ListAllowedNodeTypeModificationsResponse response;
  ASSERT_TRUE(installation()
                  .elasticache()
                  .ListAllowedNodeTypeModifications(&context, list, &response)
                  .ok());
  EXPECT_EQ(response.scale_up_modifications_size(), 0);
  EXPECT_EQ(response.scale_down_modifications_size(), 0);
}

TEST_F(LifeTest, ARebootEmptiesTheNamedNodeAndKeepsItsAddress) {
  const v1::CacheCluster before = installation().MustCreate("pages", "memcached", 2);
  for (const v1::CacheNode& node : before.cache_nodes()) {
    ASSERT_TRUE(MemcachedClient(node.endpoint()).Set("key", "value"));
  }
  ASSERT_TRUE(installation().Reboot("pages", {"0002"}).ok());
  EXPECT_EQ(CodeOf(installation().Reboot("pages", {"0001"})), "InvalidCacheClusterState");
  ASSERT_TRUE(installation().WaitForStatus("pages", "available"));
  const v1::CacheCluster after = *installation().Describe("pages");
  EXPECT_EQ(after.cache_nodes(1).endpoint().address(), before.cache_nodes(1).endpoint().address());
  EXPECT_NE(after.cache_nodes(1).engine_pid(), before.cache_nodes(1).engine_pid());
  EXPECT_EQ(MemcachedClient(after.cache_nodes(0).endpoint()).Get("key"), "value");
  EXPECT_EQ(MemcachedClient(after.cache_nodes(1).endpoint()).Get("key"), "(none)");
  const std::vector<std::string> events = installation().Events("pages");
  EXPECT_EQ(events[events.size() - 2], "Cache node 0002 shutdown");
  EXPECT_EQ(events.back(), "Cache node 0002 restarted");
}

TEST_F(LifeTest, TheRequestedPortAndZoneAreHonoured) {
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id("CACHE-Two");
  request.set_engine("redis");
  request.set_engine_version("6.x");
  request.set_cache_node_type("cache.m1.small");
  request.set_port(17345);
  request.set_preferred_availability_zone("us-east-1c");
  ASSERT_TRUE(installation().Create(request).ok());
  ASSERT_TRUE(installation().WaitForStatus("cache-two", "available"));
  const v1::CacheCluster cluster = *installation().Describe("Cache-TWO");
  EXPECT_EQ(cluster.cache_cluster_id(), "cache-two");
  EXPECT_EQ(cluster.cache_nodes(0).endpoint().port(), 17345);
  EXPECT_EQ(cluster.cache_nodes(0).customer_availability_zone(), "us-east-1c");
  EXPECT_EQ(cluster.engine_version(), "6.2.6");
  EXPECT_EQ(cluster.cache_parameter_group().cache_parameter_group_name(), "default.redis6.x");
  EXPECT_EQ(RedisClient(cluster.cache_nodes(0).endpoint()).Do({"PING"}), "PONG");
}

TEST_F(LifeTest, EveryFamilysDefaultsStartARealEngine) {
  grpc::ClientContext context;
  v1::DescribeCacheEngineVersionsResponse versions;
  ASSERT_TRUE(
      installation().elasticache().DescribeCacheEngineVersions(&context, {}, &versions).ok());
  std::vector<std::string> ids;
  for (const v1::CacheEngineVersion& version : versions.cache_engine_versions()) {
    std::string id = "v-" + version.engine() + "-" + version.engine_version();
    std::ranges::replace(id, '.', '-');
    v1::CreateCacheClusterRequest request;
    request.set_cache_cluster_id(id);
    request.set_engine(version.engine());
    request.set_engine_version(version.engine_version());
    request.set_cache_node_type("cache.t1.micro");
    const grpc::Status created = installation().Create(request);
    ASSERT_TRUE(created.ok()) << created.error_message();
    ids.push_back(id);
  }
  EXPECT_GE(ids.size(), 25u);
  for (const std::string& id : ids)
    EXPECT_TRUE(installation().WaitForStatus(id, "available")) << id;
}

TEST_F(LifeTest, ManyClustersAtOnceAllBecomeAvailable) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string id = "c-" + std::to_string(t) + "-" + std::to_string(i);
        EXPECT_TRUE(installation().Create(id, i % 2 == 0 ? "redis" : "memcached").ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> addresses;
  for (int t = 0; t < 4; ++t) {
    for (int i = 0; i < 10; ++i) {
      const std::string id = "c-" + std::to_string(t) + "-" + std::to_string(i);
      ASSERT_TRUE(installation().WaitForStatus(id, "available")) << id;
      addresses.insert(installation().Describe(id)->cache_nodes(0).endpoint().address());
    }
  }
  EXPECT_EQ(addresses.size(), 40u);
  EXPECT_EQ(installation().Engines().size(), 40u);
}

TEST_F(LifeTest, ClustersAreDescribedInPages) {
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(installation().Create("page-" + std::to_string(100 + i), "redis").ok());
  }
  v1::DescribeCacheClustersRequest request;
  request.set_max_records(20);
  std::vector<std::string> ids;
  for (;;) {
    grpc::ClientContext context;
    v1::DescribeCacheClustersResponse response;
    ASSERT_TRUE(
        installation().elasticache().DescribeCacheClusters(&context, request, &response).ok());
    EXPECT_LE(response.cache_clusters_size(), 20);
    for (const v1::CacheCluster& cluster : response.cache_clusters()) {
      ids.push_back(cluster.cache_cluster_id());
      EXPECT_EQ(cluster.cache_nodes_size(), 0) << "nodes are shown only when asked for";
    }
    if (response.marker().empty()) break;
    request.set_marker(response.marker());
  }
  EXPECT_EQ(ids.size(), 25u);
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  for (const int bad : {0, 19, 101}) {
    grpc::ClientContext context;
    v1::DescribeCacheClustersResponse response;
    request.set_max_records(bad);
    EXPECT_EQ(
        CodeOf(installation().elasticache().DescribeCacheClusters(&context, request, &response)),
        "InvalidParameterValue");
  }
}

TEST_F(LifeTest, TagsAreAddedListedAndRemovedByArn) {
  const v1::CacheCluster cluster = installation().MustCreate("cache-1", "redis");
  EXPECT_EQ(cluster.arn(), "arn:aws:elasticache:us-east-1:000000000000:cluster:cache-1");
  v1::AddTagsToResourceRequest add;
  add.set_resource_name(cluster.arn());
  v1::Tag* tag = add.add_tags();
  tag->set_key("owner");
  tag->set_value("storage");
  v1::AddTagsToResourceResponse added;
  grpc::ClientContext add_context;
  ASSERT_TRUE(installation().elasticache().AddTagsToResource(&add_context, add, &added).ok());
  ASSERT_EQ(added.tag_list_size(), 1);
  EXPECT_EQ(added.tag_list(0).value(), "storage");

  v1::RemoveTagsFromResourceRequest remove;
  remove.set_resource_name(cluster.arn());
  remove.add_tag_keys("nobody");
  v1::RemoveTagsFromResourceResponse removed;
  grpc::ClientContext missing_context;
  EXPECT_EQ(CodeOf(installation().elasticache().RemoveTagsFromResource(&missing_context, remove,
                                                                       &removed)),
            "TagNotFound");
  remove.set_tag_keys(0, "owner");
  grpc::ClientContext remove_context;
  ASSERT_TRUE(
      installation().elasticache().RemoveTagsFromResource(&remove_context, remove, &removed).ok());
  EXPECT_EQ(removed.tag_list_size(), 0);
}

TEST_F(LifeTest, WatchersSeeEachEventOnceWithoutAGap) {
  grpc::ClientContext context;
  v1::WatchEventsRequest request;
  request.set_after_serial(0);
  const auto reader = installation().emulator().WatchEvents(&context, request);
  installation().MustCreate("cache-1", "redis");
  ASSERT_TRUE(installation().Delete("cache-1").ok());
  v1::Event event;
  uint64_t serial = 0;
  do {
    ASSERT_TRUE(reader->Read(&event));
    EXPECT_EQ(event.serial(), serial + 1);
    serial = event.serial();
  } while (event.message() != "Cache cluster deleted");
  context.TryCancel();
}

TEST_F(LifeTest, ResetForgetsEverythingAndStopsEveryEngine) {
  installation().MustCreate("cache-1", "redis");
  installation().MustCreate("pages", "memcached", 2);
  grpc::ClientContext context;
  v1::ResetResponse response;
  ASSERT_TRUE(installation().emulator().Reset(&context, {}, &response).ok());
  EXPECT_EQ(installation().StatusOf("cache-1"), "");
  EXPECT_TRUE(installation().Events("pages").empty());
  EXPECT_TRUE(WaitUntil([&] { return installation().Engines().empty(); }));
  installation().MustCreate("cache-1", "redis");  // and goes on as before
}

// Sends one message to a method that we have no stub of, as a tool without our protos does, and
// gives back the first message that comes.
std::string AskGeneric(const std::string& address, const std::string& method,
                       const std::string& request) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  const auto done = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  const grpc::Slice slice(request);
  grpc::ByteBuffer answer;
  if (!done()) return "(no call)";
  call->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  if (!done()) return "(not sent)";
  call->Read(&answer, nullptr);
  if (!done()) return "(no answer)";
  std::vector<grpc::Slice> slices;
  if (!answer.Dump(&slices).ok()) return "(unreadable)";
  std::string text;
  for (const grpc::Slice& part : slices) text.append(part.begin(), part.end());
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  return text;
}

TEST_F(LifeTest, ToolsFindTheServicesByReflectionAndTheirHealth) {
  const std::string healthy("\x08\x01", 2);  // HealthCheckResponse{status: SERVING}
  EXPECT_EQ(AskGeneric(installation().address(), "/grpc.health.v1.Health/Check", ""), healthy);
  const std::string list_services("\x3a\x00", 2);  // ServerReflectionRequest{list_services: ""}
  const std::string services =
      AskGeneric(installation().address(),
                 "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services);
  EXPECT_THAT(services, HasSubstr("ec.v1.ElastiCache"));
  EXPECT_THAT(services, HasSubstr("ec.v1.Emulator"));
}

class StrictVersionsTest : public InstallationTest {
  InstallationOptions Options() override {
    return {.zones = {"us-east-1a"}, .control_plane_flags = {"--strict-versions"}};
  }
};

TEST_F(StrictVersionsTest, OnlyInstalledVersionsAreOffered) {
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id("cache-1");
  request.set_engine("redis");
  request.set_cache_node_type("cache.t3.micro");
  request.set_engine_version("7.1");
  const grpc::Status refused = installation().Create(request);
  EXPECT_EQ(CodeOf(refused), "InvalidParameterCombination");
  EXPECT_THAT(refused.error_message(), HasSubstr("Versions on offer: 7.0."));
  request.set_engine_version("7.0");
  EXPECT_TRUE(installation().Create(request).ok());
}

TEST_F(StrictVersionsTest, ValkeyIsRefusedWithItsReasonWhereItIsNotInstalled) {
  const grpc::Status refused = installation().Create("cache-1", "valkey");
  EXPECT_EQ(CodeOf(refused), "InvalidParameterValue");
  EXPECT_THAT(refused.error_message(), HasSubstr("no host has a valkey-server installed"));
}

}  // namespace
}  // namespace ec::integration
