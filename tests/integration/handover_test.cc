// Connections that are handed to the engines, in a whole installation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/integration/clients.h"
#include "tests/integration/installation.h"
#include "tests/integration/probes.h"

namespace ec::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using HandoverTest = InstallationTest;

v1::EndpointStatus EndpointOf(Installation& installation, const v1::Endpoint& wanted) {
  grpc::ClientContext context;
  v1::DescribeEndpointsResponse response;
  EXPECT_TRUE(installation.emulator().DescribeEndpoints(&context, {}, &response).ok());
  for (const v1::EndpointStatus& one : response.endpoints()) {
    if (one.endpoint().address() == wanted.address() && one.endpoint().port() == wanted.port()) {
      return one;
    }
  }
  return {};
}

// The text between "name=" and the next blank.
std::string Field(const std::string& text, const std::string& name) {
  const size_t at = text.find(" " + name + "=");
  if (at == std::string::npos) return "(none)";
  const size_t begin = at + name.size() + 2;
  return text.substr(begin, text.find_first_of(" \r\n", begin) - begin);
}

TEST_F(HandoverTest, NoEngineListensOnTcp) {
  installation().MustCreate("cache-1", "redis");
  installation().MustCreate("pages", "memcached", 3, "cross-az");
  // The agents' own are found this way, one for each endpoint; so an engine's would be.
  size_t agents = 0;
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    agents += TcpListenersOf(installation().agent(zone).pid()).size();
  }
  EXPECT_EQ(agents, 5u);
  const std::vector<pid_t> engines = installation().Engines();
  EXPECT_EQ(engines.size(), 4u);
  for (const pid_t engine : engines) EXPECT_TRUE(TcpListenersOf(engine).empty());
}

TEST_F(HandoverTest, ARedisSeesItsClientsAsTheyAre) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  RedisClient client(endpoint);
  const std::string info = client.Do({"CLIENT", "INFO"});
  EXPECT_THAT(Field(info, "addr"), StartsWith("127.0.0.1:"));
  EXPECT_EQ(Field(info, "laddr"), endpoint.address() + ":" + std::to_string(endpoint.port()));
  RedisAdmin admin(endpoint, installation().MemberDirectoryOf("cache-1", "0001"));
  EXPECT_EQ(admin.Do({"CONFIG", "GET", "port"}), "port 6379");
  EXPECT_TRUE(WaitUntil([&] {
    const v1::EndpointStatus status = EndpointOf(installation(), endpoint);
    return status.connections_handed_over() >= 1 &&
           status.connections_handed_over() == status.connections_accepted();
  }));
  const v1::EndpointStatus status = EndpointOf(installation(), endpoint);
  EXPECT_EQ(status.carry(), "hand-over");
  EXPECT_EQ(status.connections_relayed(), 0u);
  EXPECT_EQ(status.connections_open(), 0u);
}

TEST_F(HandoverTest, AClientCannotMakeARedisListenOnTcp) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  RedisClient client(endpoint);
  EXPECT_THAT(client.Do({"CONFIG", "SET", "port", "7777"}), HasSubstr("unknown command"));
  RedisAdmin admin(endpoint, installation().MemberDirectoryOf("cache-1", "0001"));
  EXPECT_EQ(admin.Do({"CONFIG", "SET", "port", "7777"}), "OK");
  EXPECT_EQ(admin.Do({"CONFIG", "GET", "port"}), "port 7777");
  for (const pid_t engine : installation().Engines()) {
    EXPECT_TRUE(TcpListenersOf(engine).empty());
  }
  EXPECT_EQ(client.Do({"SET", "k", "v"}), "OK");
  EXPECT_EQ(RedisClient(endpoint).Do({"GET", "k"}), "v") << "the endpoint stays where it is";
}

TEST_F(HandoverTest, ConnectionsOutliveTheAgent) {
  const v1::Endpoint redis =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 3, "cross-az");
  RedisClient client(redis);
  ASSERT_EQ(client.Do({"SET", "k", "v"}), "OK");
  std::vector<MemcachedClient> nodes;
  for (const v1::CacheNode& node : pages.cache_nodes()) {
    nodes.emplace_back(node.endpoint());
    ASSERT_TRUE(nodes.back().Set("k", node.cache_node_id()));
  }
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().agent(zone).Kill9();
  }
  EXPECT_EQ(client.Do({"GET", "k"}), "v") << "no agent runs";
  for (size_t i = 0; i < nodes.size(); ++i) {
    EXPECT_EQ(nodes[i].Get("k"), pages.cache_nodes(static_cast<int>(i)).cache_node_id());
  }
  EXPECT_FALSE(RedisClient(redis).connected()) << "nobody listens";
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().StartAgent(zone);
  }
  ASSERT_TRUE(installation().WaitForHosts());
  EXPECT_TRUE(WaitUntil([&] { return RedisClient(redis).Do({"GET", "k"}) == "v"; }));
  EXPECT_EQ(client.Do({"GET", "k"}), "v") << "the connection from before";
  // The engines that were found are handed connections again.
  EXPECT_TRUE(
      WaitUntil([&] { return EndpointOf(installation(), redis).connections_handed_over() >= 1; }));
  EXPECT_EQ(EndpointOf(installation(), redis).carry(), "hand-over");
  // A deletion ends also what an earlier agent has handed over.
  ASSERT_TRUE(installation().Delete("cache-1").ok());
  EXPECT_TRUE(installation().WaitUntilGone("cache-1"));
  EXPECT_EQ(client.Do({"PING"}), "(gone)");
}

TEST_F(HandoverTest, ReplicationComesFromTheMembersAddressAndSavesGoOnBeside) {
  const v1::Endpoint leader =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  const v1::Endpoint copy = installation().MustCreate("cache-2", "redis").cache_nodes(0).endpoint();
  RedisClient on_leader(leader);
  RedisClient on_copy(copy);
  ASSERT_EQ(on_leader.Do({"SET", "k", "v"}), "OK");
  RedisAdmin copy_admin(copy, installation().MemberDirectoryOf("cache-2", "0001"));
  RedisAdmin leader_admin(leader, installation().MemberDirectoryOf("cache-1", "0001"));
  ASSERT_EQ(copy_admin.Do({"REPLICAOF", leader.address(), std::to_string(leader.port())}), "OK");
  EXPECT_TRUE(WaitUntil([&] {
    return on_leader.Do({"INFO", "replication"})
               .find("slave0:ip=" + copy.address() + ",port=6379,state=online") !=
           std::string::npos;
  })) << on_leader.Do({"INFO", "replication"});
  EXPECT_THAT(Field(on_leader.Do({"CLIENT", "LIST", "TYPE", "replica"}), "addr"),
              StartsWith(copy.address() + ":"));
  // "online" comes before the data.
  EXPECT_TRUE(WaitUntil([&] { return on_copy.Do({"GET", "k"}) == "v"; }));

  EXPECT_THAT(leader_admin.Do({"BGSAVE"}), HasSubstr("started"));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(RedisClient(leader).Do({"PING"}), "PONG");
  EXPECT_TRUE(WaitUntil([&] {
    const std::string info = on_leader.Do({"INFO", "persistence"});
    return info.find("rdb_bgsave_in_progress:0") != std::string::npos &&
           info.find("rdb_last_bgsave_status:ok") != std::string::npos;
  }));
  ASSERT_EQ(on_leader.Do({"SET", "k", "w"}), "OK");
  EXPECT_TRUE(WaitUntil([&] { return on_copy.Do({"GET", "k"}) == "w"; }));
}

TEST_F(HandoverTest, AMemcachedConnectionIsCarriedAsItsFirstBytesSay) {
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached", 2);
  const v1::Endpoint node = pages.cache_nodes(0).endpoint();
  const uint64_t relayed_before = EndpointOf(installation(), node).connections_relayed();

  MemcachedClient discovers(node);
  EXPECT_THAT(discovers.Ask("config get cluster\r\n", "\n\r\nEND\r\n"),
              HasSubstr("CONFIG cluster"));
  EXPECT_TRUE(discovers.Set("k", "config get cluster")) << "framed from then on";
  EXPECT_EQ(discovers.Get("k"), "config get cluster");
  EXPECT_THAT(discovers.Ask("config get cluster\r\n", "\n\r\nEND\r\n"),
              HasSubstr("CONFIG cluster"));

  MemcachedClient works(node);
  EXPECT_EQ(works.Get("k"), "config get cluster");
  EXPECT_EQ(works.Ask("config get cluster\r\n", "\r\n"), "ERROR\r\n") << "Memcached's own answer";
  EXPECT_TRUE(WaitUntil([&] {
    const v1::EndpointStatus status = EndpointOf(installation(), node);
    return status.connections_relayed() == relayed_before + 1 && status.connections_open() == 1;
  }));
  const v1::EndpointStatus status = EndpointOf(installation(), node);
  EXPECT_EQ(status.carry(), "first-bytes");
  EXPECT_GE(status.connections_handed_over(), 1u);

  MemcachedClient configuration(pages.configuration_endpoint());
  EXPECT_EQ(configuration.Get("k"), "config get cluster");
  EXPECT_THAT(configuration.Ask("config get cluster\r\n", "\n\r\nEND\r\n"),
              HasSubstr("CONFIG cluster"));
  EXPECT_EQ(EndpointOf(installation(), pages.configuration_endpoint()).carry(), "relay");
}

class RelayingInstallationTest : public InstallationTest {
 protected:
  InstallationOptions Options() override { return {.agent_flags = {"--carry", "relay"}}; }
};

TEST_F(RelayingInstallationTest, TheRelayCarriesEverythingIfAsked) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  const v1::CacheCluster pages = installation().MustCreate("pages", "memcached");
  RedisClient client(endpoint);
  RedisAdmin admin(endpoint, installation().MemberDirectoryOf("cache-1", "0001"));
  EXPECT_EQ(admin.Do({"CONFIG", "GET", "port"}), "port 0");
  EXPECT_EQ(Field(client.Do({"CLIENT", "INFO"}), "addr"), "engine.sock:0");
  MemcachedClient node(pages.cache_nodes(0).endpoint());
  EXPECT_TRUE(node.Set("k", "v"));
  EXPECT_THAT(node.Ask("config get cluster\r\n", "\n\r\nEND\r\n"), HasSubstr("CONFIG cluster"));
  EXPECT_TRUE(
      WaitUntil([&] { return EndpointOf(installation(), endpoint).connections_relayed() >= 1; }));
  const v1::EndpointStatus status = EndpointOf(installation(), endpoint);
  EXPECT_EQ(status.carry(), "relay");
  EXPECT_EQ(status.connections_handed_over(), 0u);
  for (const pid_t engine : installation().Engines()) {
    EXPECT_TRUE(TcpListenersOf(engine).empty());
  }
}

// With a redis-server of our own on the path, whose privileges forbid a preloaded library.
class PrivilegedEngineTest : public InstallationTest {
 protected:
  void SetUp() override {
    namespace fs = std::filesystem;
    std::string name = fs::temp_directory_path() / "handover_test.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    programs_ = name;
    const char* const path = std::getenv("PATH");
    path_ = path == nullptr ? "" : path;
    std::istringstream directories(path_);
    std::string original;
    while (std::getline(directories, original, ':') && !fs::exists(original + "/redis-server")) {
    }
    fs::copy_file(fs::canonical(original + "/redis-server"), programs_ + "/redis-server");
    ASSERT_EQ(chmod((programs_ + "/redis-server").c_str(), 04755), 0);
    setenv("PATH", (programs_ + ":" + path_).c_str(), 1);
    InstallationTest::SetUp();
  }
  void TearDown() override {
    InstallationTest::TearDown();
    setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(programs_);
  }

 private:
  std::string programs_;
  std::string path_;
};

TEST_F(PrivilegedEngineTest, AnEngineThatCannotBePreloadedIsRelayedToAndTheLogSaysWhy) {
  const v1::Endpoint endpoint =
      installation().MustCreate("cache-1", "redis").cache_nodes(0).endpoint();
  EXPECT_EQ(RedisClient(endpoint).Do({"SET", "k", "v"}), "OK");
  EXPECT_TRUE(
      WaitUntil([&] { return EndpointOf(installation(), endpoint).connections_relayed() >= 1; }));
  EXPECT_EQ(EndpointOf(installation(), endpoint).connections_handed_over(), 0u);
  EXPECT_EQ(EndpointOf(installation(), endpoint).carry(), "relay");
  std::ifstream log(installation().dir() + "/us-east-1a.out");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  EXPECT_THAT(text, HasSubstr("it is setuid or setgid"));
  for (const pid_t engine : installation().Engines()) {
    EXPECT_TRUE(TcpListenersOf(engine).empty());
  }
}

}  // namespace
}  // namespace ec::integration
