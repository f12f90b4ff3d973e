// What happens when things die, hang, or are in the way. With real engines.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/address.h"
#include "common/process.h"
#include "tests/integration/clients.h"
#include "tests/integration/installation.h"

namespace ec::integration {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class FaultsTest : public InstallationTest {
 protected:
  void KillEngine(const std::string& cluster, const std::string& node, int signal = SIGKILL) {
    const auto engine = installation().EngineOf(cluster, node);
    ASSERT_TRUE(engine.has_value());
    ASSERT_TRUE(SendSignal(OpenProcess(*engine), signal));
  }
  v1::Endpoint EndpointOf(const std::string& cluster, int node = 0) {
    return installation().Describe(cluster)->cache_nodes(node).endpoint();
  }
  // Kills the control plane and starts it again.
  void RestartControlPlane() {
    installation().control_plane().Kill9();
    std::string why;
    ASSERT_TRUE(installation().StartControlPlane(&why)) << why;
  }
  void RestartAgent(const std::string& zone) {
    installation().agent(zone).Kill9();
    installation().StartAgent(zone);
  }
};

// --- engines --------------------------------------------------------------------------------

TEST_F(FaultsTest, ARedisThatIsKilledComesBackEmptyAtItsAddress) {
  installation().MustCreate("cache-1", "redis");
  const v1::Endpoint endpoint = EndpointOf("cache-1");
  RedisClient client(endpoint);
  ASSERT_EQ(client.Do({"SET", "k", "v"}), "OK");
  KillEngine("cache-1", "0001");
  EXPECT_EQ(client.Do({"GET", "k"}), "(gone)");
  // A connection that comes at once waits for the new engine, unless the dying one has just taken
  // it: then the next one does.
  std::string reply;
  EXPECT_TRUE(WaitUntil([&] {
    reply = RedisClient(endpoint).Do({"GET", "k"});
    return reply != "(gone)";
  }));
  EXPECT_EQ(reply, "(nil)");
  ASSERT_TRUE(installation().WaitForEvent("cache-1", "Finished recovery for cache nodes 0001"));
  ASSERT_TRUE(installation().WaitForStatus("cache-1", "available"));
  const std::vector<std::string> events = installation().Events("cache-1");
  EXPECT_EQ(events[events.size() - 2], "Started recovery for cache nodes 0001");
  EXPECT_EQ(events.back(), "Finished recovery for cache nodes 0001");
  EXPECT_EQ(EndpointOf("cache-1").address(), endpoint.address());
  EXPECT_EQ(installation().Engines().size(), 1u);
}

TEST_F(FaultsTest, AMemcachedNodeThatIsKilledLeavesTheOthersAlone) {
  const v1::CacheCluster cluster = installation().MustCreate("pages", "memcached", 3, "cross-az");
  std::vector<MemcachedClient> clients;
  for (const v1::CacheNode& node : cluster.cache_nodes()) {
    clients.emplace_back(node.endpoint());
    ASSERT_TRUE(clients.back().Set("key", node.cache_node_id()));
  }
  KillEngine("pages", "0002");
  ASSERT_TRUE(installation().WaitForEvent("pages", "Finished recovery for cache nodes 0002"));
  EXPECT_EQ(clients[0].Get("key"), "0001");
  EXPECT_EQ(clients[1].Get("key"), "(gone)");
  EXPECT_EQ(clients[2].Get("key"), "0003");
  EXPECT_EQ(MemcachedClient(cluster.cache_nodes(1).endpoint()).Get("key"), "(none)");
  EXPECT_EQ(Discover(cluster.configuration_endpoint()).version, 1) << "no node came or went";
}

TEST_F(FaultsTest, AnEngineThatHangsIsFoundAndReplaced) {
  installation().MustCreate("cache-1", "redis");
  const auto before = installation().EngineOf("cache-1", "0001");
  KillEngine("cache-1", "0001", SIGSTOP);
  ASSERT_TRUE(installation().WaitForEvent("cache-1", "Finished recovery for cache nodes 0001"));
  EXPECT_NE(installation().EngineOf("cache-1", "0001"), before);
  EXPECT_EQ(RedisClient(EndpointOf("cache-1")).Do({"PING"}), "PONG");
  EXPECT_EQ(installation().Engines().size(), 1u);
}

TEST_F(FaultsTest, AnEngineThatIsOnlyBusyIsLeftAlone) {
  installation().MustCreate("cache-1", "redis");
  const auto before = installation().EngineOf("cache-1", "0001");
  RedisClient client(EndpointOf("cache-1"));
  // Longer than the time after which one that does nothing counts as hung.
  const std::string script =
      "local t = redis.call('TIME')[1] while redis.call('TIME')[1] - t < 4 do end return 'done'";
  EXPECT_EQ(client.Do({"EVAL", script, "0"}), "done");
  EXPECT_EQ(installation().EngineOf("cache-1", "0001"), before);
  EXPECT_THAT(installation().Events("cache-1"),
              Not(Contains("Started recovery for cache nodes 0001")));
}

TEST_F(FaultsTest, AShortPauseIsNoFault) {
  installation().MustCreate("cache-1", "redis");
  const auto before = installation().EngineOf("cache-1", "0001");
  KillEngine("cache-1", "0001", SIGSTOP);
  RedisClient client(EndpointOf("cache-1"));
  const auto begin = std::chrono::steady_clock::now();
  WaitUntil(
      [&] { return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(700); });
  KillEngine("cache-1", "0001", SIGCONT);
  EXPECT_EQ(client.Do({"PING"}), "PONG");
  EXPECT_EQ(installation().EngineOf("cache-1", "0001"), before);
}

// --- agents ---------------------------------------------------------------------------------

TEST_F(FaultsTest, AnAgentThatIsKilledIsReplacedByOneThatAdoptsItsEngines) {
  const v1::CacheCluster redis = installation().MustCreate("cache-1", "redis");
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 3, "cross-az");
  ASSERT_EQ(RedisClient(redis.cache_nodes(0).endpoint()).Do({"SET", "k", "v"}), "OK");
  const size_t events = installation().Events("cache-1").size();
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) RestartAgent(zone);
  EXPECT_TRUE(WaitUntil([&] {
    return RedisClient(redis.cache_nodes(0).endpoint()).Do({"GET", "k"}) == "v";
  }));
  ASSERT_TRUE(installation().WaitForHosts());
  EXPECT_EQ(installation().EngineOf("cache-1", "0001")->pid, redis.cache_nodes(0).engine_pid());
  for (const v1::CacheNode& node : pages.cache_nodes()) {
    EXPECT_EQ(installation().EngineOf("pages", node.cache_node_id())->pid, node.engine_pid());
    EXPECT_TRUE(WaitUntil([&] { return MemcachedClient(node.endpoint()).connected(); }));
  }
  EXPECT_EQ(installation().StatusOf("cache-1"), "available");
  EXPECT_EQ(installation().Events("cache-1").size(), events) << "nothing has happened to tell of";
}

TEST_F(FaultsTest, AnAgentServesAgainWithoutAControlPlane) {
  installation().MustCreate("cache-1", "redis");
  const v1::Endpoint endpoint = EndpointOf("cache-1");
  ASSERT_EQ(RedisClient(endpoint).Do({"SET", "k", "v"}), "OK");
  // The plan is remembered shortly after it was taken.
  const std::string plan = installation().host_dir("us-east-1a") + "/plan.pb";
  ASSERT_TRUE(WaitUntil([&] { return fs::exists(plan) && fs::file_size(plan) > 100; }));
  installation().control_plane().Kill9();
  RestartAgent("us-east-1a");
  EXPECT_TRUE(WaitUntil([&] { return RedisClient(endpoint).Do({"GET", "k"}) == "v"; }));
}

TEST_F(FaultsTest, EnginesAreAdoptedEvenWhenEveryNoteOfThemIsLost) {
  const v1::CacheCluster before = installation().MustCreate("cache-1", "redis");
  ASSERT_EQ(RedisClient(before.cache_nodes(0).endpoint()).Do({"SET", "k", "v"}), "OK");
  const std::string directory = installation().MemberDirectoryOf("cache-1", "0001");
  installation().agent("us-east-1a").Kill9();
  fs::remove(directory + "/launch.json");
  fs::remove(directory + "/process");
  fs::remove(installation().host_dir("us-east-1a") + "/plan.pb");
  installation().StartAgent("us-east-1a");
  EXPECT_TRUE(WaitUntil([&] {
    return RedisClient(before.cache_nodes(0).endpoint()).Do({"GET", "k"}) == "v";
  }));
  ASSERT_TRUE(installation().WaitForStatus("cache-1", "available"));
  EXPECT_EQ(installation().Engines(),
            std::vector{static_cast<pid_t>(before.cache_nodes(0).engine_pid())});
}

TEST_F(FaultsTest, AnEngineThatDiesWhileNoAgentRunsIsRecovered) {
  installation().MustCreate("cache-1", "redis");
  installation().agent("us-east-1a").Kill9();
  KillEngine("cache-1", "0001");
  installation().StartAgent("us-east-1a");
  ASSERT_TRUE(installation().WaitForEvent("cache-1", "Finished recovery for cache nodes 0001"));
  EXPECT_THAT(installation().Events("cache-1"), Contains("Started recovery for cache nodes 0001"));
  EXPECT_EQ(RedisClient(EndpointOf("cache-1")).Do({"PING"}), "PONG");
}

TEST_F(FaultsTest, AHostThatIsAwayMakesItsNodesUnreachableAndComesBackUnharmed) {
  const v1::CacheCluster before = installation().MustCreate("cache-1", "redis");
  installation().agent("us-east-1a").Kill9();
  ASSERT_TRUE(installation().WaitForStatus("cache-1", "modifying"));
  EXPECT_EQ(installation().Events("cache-1").back(),
            "Cache node 0001 cannot be reached: host us-east-1a does not answer");
  installation().StartAgent("us-east-1a");
  ASSERT_TRUE(installation().WaitForStatus("cache-1", "available"));
  EXPECT_EQ(installation().Events("cache-1").back(), "Cache node 0001 can be reached again");
  EXPECT_EQ(installation().EngineOf("cache-1", "0001")->pid, before.cache_nodes(0).engine_pid());
}

TEST_F(FaultsTest, ADeletionEndsWithoutTheHostAndTheHostLearnsOfItWhenItIsBack) {
  installation().MustCreate("cache-1", "redis");
  installation().agent("us-east-1a").Kill9();
  ASSERT_TRUE(installation().Delete("cache-1").ok());
  ASSERT_TRUE(installation().WaitUntilGone("cache-1"));
  EXPECT_EQ(installation().Engines().size(), 1u);
  installation().StartAgent("us-east-1a");
  EXPECT_TRUE(WaitUntil([&] { return installation().Engines().empty(); }));
}

TEST_F(FaultsTest, AnAgentThatIsKilledWhileItStartsEnginesLeavesExactlyOneOfEach) {
  for (int round = 0; round < 12; ++round) {
    const std::string id = "c-" + std::to_string(round);
    ASSERT_TRUE(installation().Create(id, round % 2 == 0 ? "redis" : "memcached").ok());
    const auto begin = std::chrono::steady_clock::now();
    const std::chrono::microseconds delay(round * 1500);  // from before the start to after it
    WaitUntil([&] { return std::chrono::steady_clock::now() - begin >= delay; });
    RestartAgent("us-east-1a");
    RestartAgent("us-east-1b");
    RestartAgent("us-east-1c");
  }
  for (int round = 0; round < 12; ++round) {
    EXPECT_TRUE(installation().WaitForStatus("c-" + std::to_string(round), "available")) << round;
  }
  EXPECT_EQ(installation().Engines().size(), 12u);
}

// --- the control plane ----------------------------------------------------------------------

TEST_F(FaultsTest, ClientsNoticeNothingOfAControlPlaneThatIsKilled) {
  const v1::CacheCluster redis = installation().MustCreate("cache-1", "redis");
  RedisClient client(redis.cache_nodes(0).endpoint());
  ASSERT_EQ(client.Do({"SET", "k", "v"}), "OK");
  installation().control_plane().Kill9();
  EXPECT_EQ(client.Do({"GET", "k"}), "v");
  EXPECT_EQ(RedisClient(redis.cache_nodes(0).endpoint()).Do({"GET", "k"}), "v");
  const size_t events = [&] {
    std::string why;
    EXPECT_TRUE(installation().StartControlPlane(&why)) << why;
    return installation().Events("cache-1").size();
  }();
  ASSERT_TRUE(installation().WaitForHosts());
  EXPECT_EQ(client.Do({"GET", "k"}), "v");
  v1::CacheCluster after = *installation().Describe("cache-1");
  EXPECT_EQ(after.cache_nodes(0).engine_pid(), redis.cache_nodes(0).engine_pid());
  EXPECT_EQ(after.SerializeAsString(), redis.SerializeAsString());
  EXPECT_EQ(installation().Events("cache-1").size(), events);
}

TEST_F(FaultsTest, OperationsGoOnAfterTheControlPlaneIsKilledInTheirMiddle) {
  installation().MustCreate("grow", "memcached", 1);
  installation().MustCreate("shrink", "memcached", 3);
  installation().MustCreate("boot", "redis");
  installation().MustCreate("gone", "redis");
  ASSERT_TRUE(installation().Create("new", "memcached", 4, "cross-az").ok());
  ASSERT_TRUE(installation().Resize("grow", 3).ok());
  ASSERT_TRUE(installation().Resize("shrink", 1, {"0001", "0002"}).ok());
  ASSERT_TRUE(installation().Reboot("boot", {"0001"}).ok());
  ASSERT_TRUE(installation().Delete("gone").ok());
  RestartControlPlane();
  for (const std::string id : {"new", "grow", "shrink", "boot"}) {
    EXPECT_TRUE(installation().WaitForStatus(id, "available")) << id << installation().StatusOf(id);
  }
  EXPECT_TRUE(installation().WaitUntilGone("gone"));
  EXPECT_EQ(installation().Describe("new")->cache_nodes_size(), 4);
  EXPECT_EQ(installation().Describe("grow")->cache_nodes_size(), 3);
  EXPECT_EQ(installation().Describe("shrink")->cache_nodes(0).cache_node_id(), "0003");
  EXPECT_EQ(installation().Engines().size(), 4u + 3u + 1u + 1u);
}

TEST_F(FaultsTest, NothingAcknowledgedIsLostHoweverOftenTheControlPlaneIsKilled) {
  int created = 0;
  for (int round = 0; round < 15; ++round) {
    std::vector<std::string> acknowledged;
    for (int i = 0; i < 2; ++i) {
      const std::string id = "c-" + std::to_string(created);
      if (installation().Create(id, "redis").ok()) ++created;
    }
    RestartControlPlane();
    for (int i = 0; i < created; ++i) {
      EXPECT_NE(installation().StatusOf("c-" + std::to_string(i)), "") << "in round " << round;
    }
  }
  for (int i = 0; i < created; ++i) {
    EXPECT_TRUE(installation().WaitForStatus("c-" + std::to_string(i), "available"));
  }
  EXPECT_EQ(installation().Engines().size(), static_cast<size_t>(created));
}

TEST_F(FaultsTest, ASecondControlPlaneOnTheDirectoryRefusesToStart) {
  Child second(std::string(EC_BIN_DIR) + "/ec-controlplane",
               {"--dir", installation().control_plane_dir(), "--listen", "127.0.0.1:0"},
               installation().dir() + "/second.out");
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(*ReadFile(installation().dir() + "/second.out"),
              HasSubstr("Another control plane is running on"));
  EXPECT_TRUE(installation().Create("cache-1", "redis").ok()) << "the first one goes on";
}

TEST_F(FaultsTest, ADamagedDatabaseIsRefusedWithAClearMessageAndLeftAsItIs) {
  installation().MustCreate("cache-1", "redis");
  installation().control_plane().Kill9();
  const std::string path = installation().control_plane_dir() + "/emucache.db";
  fs::remove(path + "-wal");
  std::ofstream(path, std::ios::binary | std::ios::trunc) << std::string(20'000, 'x');
  std::string why;
  EXPECT_FALSE(installation().StartControlPlane(&why));
  EXPECT_THAT(why, HasSubstr("is damaged or cannot be used"));
  EXPECT_THAT(why, HasSubstr("move it away or restore a copy"));
  EXPECT_EQ(ReadFile(path)->substr(0, 3), "xxx");
  EXPECT_EQ(installation().Engines().size(), 1u) << "the engines go on";
}

TEST_F(FaultsTest, ATakenPortOfTheControlPlaneIsNamed) {
  const std::string ready = *ReadFile(installation().control_plane_dir() + "/controlplane.json");
  const std::string port =
      ready.substr(ready.find("127.0.0.1:"),
                   ready.find('"', ready.find("127.0.0.1:")) - ready.find("127.0.0.1:"));
  Child second(
      std::string(EC_BIN_DIR) + "/ec-controlplane",
      {"--dir", installation().dir() + "/other", "--listen", port, "--http-listen", "127.0.0.1:0"},
      installation().dir() + "/second.out");
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(*ReadFile(installation().dir() + "/second.out"),
              HasSubstr("Cannot listen on " + port + ": the address is in use"));
}

// --- addresses ------------------------------------------------------------------------------

// Somebody else's listener.
UniqueFd ListenAt(const std::string& ip, int port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  const int on = 1;  // an installation before this one may have left connections that rest
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool bound = bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (!bound || listen(fd.get(), 1) != 0) fd.reset();
  return fd;
}

TEST_F(FaultsTest, ANodeWhoseAddressIsTakenGetsAnotherOne) {
  const std::string first =
      EndpointOf(installation().MustCreate("probe", "redis").cache_cluster_id()).address();
  Ip4 next = *ParseIp4(first);
  ++next.bits;
  const UniqueFd stranger = ListenAt(ToString(next), 6379);
  ASSERT_TRUE(stranger);
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id("cache-1");
  request.set_engine("redis");
  request.set_cache_node_type("cache.t3.micro");
  request.set_preferred_availability_zone(
      installation().Describe("probe")->cache_nodes(0).customer_availability_zone());
  ASSERT_TRUE(installation().Create(request).ok());
  ASSERT_TRUE(installation().WaitForStatus("cache-1", "available"));
  EXPECT_NE(EndpointOf("cache-1").address(), ToString(next));
  EXPECT_EQ(RedisClient(EndpointOf("cache-1")).Do({"PING"}), "PONG");
}

TEST_F(FaultsTest, AClusterThatFindsNoAddressFailsWithItsReasonAndCanBeDeleted) {
  // One that listens everywhere takes the port at every address.
  int port = 23'000;
  UniqueFd stranger;
  while (!stranger && port < 24'000) stranger = ListenAt("0.0.0.0", ++port);
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id("pages");
  request.set_engine("memcached");
  request.set_cache_node_type("cache.t3.micro");
  request.set_port(port);
  ASSERT_TRUE(installation().Create(request).ok());
  ASSERT_TRUE(installation().WaitForStatus("pages", "incompatible-network"));
  const std::vector<std::string> events = installation().Events("pages");
  EXPECT_THAT(events,
              Contains("Failed to create the cache cluster due to incompatible network state"));
  EXPECT_THAT(events.back(), HasSubstr("is in use"));
  EXPECT_TRUE(WaitUntil([&] { return installation().Engines().empty(); }));
  ASSERT_TRUE(installation().Delete("pages").ok());
  EXPECT_TRUE(installation().WaitUntilGone("pages"));
}

// --- stopping in order ------------------------------------------------------------------------

TEST_F(FaultsTest, AnOrderlyStopKeepsRedisDataAndTellsOfNoRecovery) {
  installation().MustCreate("cache-1", "redis");
  installation().MustCreate("pages", "memcached", 2);
  const v1::Endpoint endpoint = EndpointOf("cache-1");
  ASSERT_EQ(RedisClient(endpoint).Do({"SET", "k", "v"}), "OK");
  installation().control_plane().Signal(SIGTERM);
  EXPECT_EQ(installation().control_plane().Wait(), 0);
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().agent(zone).Signal(SIGTERM);
    EXPECT_EQ(installation().agent(zone).Wait(), 0);
    EXPECT_EQ(installation().StopEngines(zone), 0);
  }
  EXPECT_TRUE(installation().Engines().empty());

  std::string why;
  ASSERT_TRUE(installation().StartControlPlane(&why)) << why;
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().StartAgent(zone);
  }
  ASSERT_TRUE(installation().WaitForHosts());
  EXPECT_TRUE(WaitUntil([&] { return RedisClient(endpoint).Do({"GET", "k"}) == "v"; }));
  ASSERT_TRUE(installation().WaitForStatus("cache-1", "available"));
  ASSERT_TRUE(installation().WaitForStatus("pages", "available"));
  EXPECT_THAT(installation().Events("cache-1"),
              Not(Contains("Started recovery for cache nodes 0001")));
  // What was kept is used once: a crash afterwards leaves it empty, as always.
  KillEngine("cache-1", "0001");
  ASSERT_TRUE(installation().WaitForEvent("cache-1", "Finished recovery for cache nodes 0001"));
  EXPECT_EQ(RedisClient(endpoint).Do({"GET", "k"}), "(nil)");
}

}  // namespace
}  // namespace ec::integration
