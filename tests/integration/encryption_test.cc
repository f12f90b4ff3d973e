// Encryption in transit, in a whole installation: TLS and nothing else, wherever clients are let.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/integration/clients.h"
#include "tests/integration/groups.h"
#include "tests/integration/installation.h"
#include "tests/integration/probes.h"
#include "tests/integration/tls_client.h"

namespace ec::integration {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EncryptionTest : public InstallationTest {
 protected:
  Groups groups() { return Groups(installation()); }

  // An encrypted group that is whole.
  void Make(const std::string& id, int clusters) {
    grpc::ClientContext context;
    v1::CreateReplicationGroupRequest request;
    request.set_replication_group_id(id);
    request.set_replication_group_description("for tests");
    request.set_cache_node_type("cache.t3.micro");
    request.set_num_cache_clusters(clusters);
    request.set_automatic_failover_enabled(clusters > 1);
    request.set_transit_encryption_enabled(true);
    v1::CreateReplicationGroupResponse response;
    const grpc::Status created =
        installation().elasticache().CreateReplicationGroup(&context, request, &response);
    ASSERT_TRUE(created.ok()) << created.error_message();
    ASSERT_TRUE(groups().AwaitWhole(id, clusters)) << groups().Describe(id).DebugString();
  }

  v1::GetCertificateAuthorityResponse Authority() {
    grpc::ClientContext context;
    v1::GetCertificateAuthorityResponse response;
    EXPECT_TRUE(installation().emulator().GetCertificateAuthority(&context, {}, &response).ok());
    return response;
  }
  std::string Trusted() { return Authority().certificate(); }

  TlsClient Connect(const v1::Endpoint& endpoint) { return TlsClient(endpoint, Trusted()); }

  bool Writes(const v1::Endpoint& primary, const std::string& key, const std::string& value) {
    return WaitUntil([&] { return Connect(primary).Do({"SET", key, value}) == "OK"; });
  }
  bool Reads(const v1::Endpoint& endpoint, const std::string& key, const std::string& value) {
    return WaitUntil([&] { return Connect(endpoint).Do({"GET", key}) == value; });
  }

  v1::EndpointStatus StatusOf(const v1::Endpoint& wanted) {
    grpc::ClientContext context;
    v1::DescribeEndpointsResponse response;
    EXPECT_TRUE(installation().emulator().DescribeEndpoints(&context, {}, &response).ok());
    for (const v1::EndpointStatus& one : response.endpoints()) {
      if (one.endpoint().address() == wanted.address()) return one;
    }
    return {};
  }

  std::vector<v1::Endpoint> AllEndpoints(const std::string& id) {
    std::vector<v1::Endpoint> all = {groups().Primary(id), groups().Reader(id)};
    const v1::ReplicationGroup group = groups().Describe(id);
    for (const std::string& cluster : group.member_clusters()) {
      all.push_back(groups().Own(cluster));
    }
    return all;
  }

  void ExpectNoEngineListensOnTcp() {
    for (const pid_t engine : installation().Engines()) {
      EXPECT_THAT(TcpListenersOf(engine), IsEmpty());
    }
  }
};

TEST_F(EncryptionTest, EveryEndpointSpeaksTlsWithACertificateForItsAddressAndNothingElse) {
  Make("g", 3);
  ASSERT_TRUE(Writes(groups().Primary("g"), "k", "v"));
  for (const v1::Endpoint& endpoint : AllEndpoints("g")) {
    EXPECT_TRUE(Reads(endpoint, "k", "v")) << endpoint.address() << Connect(endpoint).trouble();
    // What comes by a forwarded port calls the machine instead.
    EXPECT_TRUE(TlsClient(endpoint, Trusted(), "localhost").connected());
    EXPECT_EQ(TlsClient(endpoint, Trusted(), "127.9.9.9").trouble(), "IP address mismatch");
    RedisClient plain(endpoint);
    EXPECT_EQ(plain.Do({"GET", "k"}), "(gone)") << endpoint.address();
  }
  ExpectNoEngineListensOnTcp();
  const v1::ReplicationGroup group = groups().Describe("g");
  EXPECT_TRUE(group.transit_encryption_enabled());
  EXPECT_EQ(group.transit_encryption_mode(), "required");
  EXPECT_TRUE(installation().Describe("g-001")->transit_encryption_enabled());
}

TEST_F(EncryptionTest, ConnectionsAreHandedOverAllTheSame) {
  Make("g", 2);
  const v1::Endpoint primary = groups().Primary("g");
  TlsClient client = Connect(primary);
  ASSERT_EQ(client.Do({"SET", "k", "v"}), "OK");
  EXPECT_THAT(client.Do({"CLIENT", "INFO"}), HasSubstr(" addr=127.0.0.1:"));
  EXPECT_TRUE(WaitUntil([&] {
    const v1::EndpointStatus status = StatusOf(primary);
    return status.connections_handed_over() >= 1 && status.connections_relayed() == 0;
  })) << StatusOf(primary).DebugString();
  // It goes on without its agent.
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().agent(zone).Kill9();
  }
  EXPECT_EQ(client.Do({"GET", "k"}), "v");
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation().StartAgent(zone);
  }
  EXPECT_TRUE(Reads(primary, "k", "v"));
}

TEST_F(EncryptionTest, ReplicationIsEncryptedToo) {
  Make("g", 2);
  const v1::ReplicationGroup group = groups().Describe("g");
  for (const std::string& cluster : group.member_clusters()) {
    TlsClient client = Connect(groups().Own(cluster));
    EXPECT_EQ(client.Do({"PING"}), "PONG") << cluster;
    const std::string info = client.Do({"INFO", "replication"});
    const bool leads = cluster == groups().Leader("g");
    EXPECT_THAT(info, HasSubstr(leads ? "connected_slaves:1" : "master_link_status:up"));
    // The leader lets nobody in without TLS, so the link has it.
    RedisClient plain(groups().Own(cluster));
    EXPECT_EQ(plain.Do({"REPLCONF", "listening-port", "1"}), "(gone)");
  }
}

TEST_F(EncryptionTest, OutlivesAFailoverBehindTheSameEndpoints) {
  Make("g", 3);
  const v1::Endpoint primary = groups().Primary("g");
  ASSERT_TRUE(Writes(primary, "k", "before"));
  const std::string former = groups().Leader("g");
  ASSERT_TRUE(groups().SignalEngine(former, SIGKILL));
  ASSERT_TRUE(groups().AwaitOtherLeader("g", former));
  EXPECT_TRUE(Writes(primary, "k", "after"));
  ASSERT_TRUE(groups().AwaitWhole("g", 3));
  for (const v1::Endpoint& endpoint : AllEndpoints("g")) {
    EXPECT_TRUE(Reads(endpoint, "k", "after")) << endpoint.address();
    EXPECT_EQ(RedisClient(endpoint).Do({"PING"}), "(gone)");
  }
  ASSERT_TRUE(groups().SwitchOver("g").ok());
  EXPECT_TRUE(groups().AwaitWhole("g", 3));
  EXPECT_TRUE(Writes(primary, "k", "switched"));
  ExpectNoEngineListensOnTcp();
}

TEST_F(EncryptionTest, FollowsAMemberThatIsPromotedAndLeadsAGroupOfItsOwn) {
  Make("g", 2);
  ASSERT_TRUE(Writes(groups().Primary("g"), "k", "v"));
  const std::string replica = groups().Replicas("g").at(0);
  const v1::Endpoint own = groups().Own(replica);
  const auto engine = installation().EngineOf(replica, "0001");
  grpc::ClientContext promote_context;
  v1::PromoteCacheClusterRequest promote;
  promote.set_cache_cluster_id(replica);
  // Automatic failover wants a replica, which is about to go.
  grpc::ClientContext modify_context;
  v1::ModifyReplicationGroupRequest modify;
  modify.set_replication_group_id("g");
  modify.set_automatic_failover_enabled(false);
  v1::ModifyReplicationGroupResponse modified;
  ASSERT_TRUE(
      installation().elasticache().ModifyReplicationGroup(&modify_context, modify, &modified).ok());
  v1::PromoteCacheClusterResponse promoted;
  const grpc::Status asked =
      installation().elasticache().PromoteCacheCluster(&promote_context, promote, &promoted);
  ASSERT_TRUE(asked.ok()) << asked.error_message();
  ASSERT_TRUE(
      WaitUntil([&] { return installation().Describe(replica)->replication_group_id() == ""; }));
  EXPECT_TRUE(installation().Describe(replica)->transit_encryption_enabled());
  EXPECT_TRUE(Writes(own, "k", "mine"));
  grpc::ClientContext context;
  v1::CreateReplicationGroupRequest request;
  request.set_replication_group_id("h");
  request.set_replication_group_description("around it");
  request.set_primary_cluster_id(replica);
  v1::CreateReplicationGroupResponse response;
  ASSERT_TRUE(
      installation().elasticache().CreateReplicationGroup(&context, request, &response).ok());
  ASSERT_TRUE(groups().AwaitWhole("h", 1));
  // The engine that runs has got a certificate for the new endpoints.
  EXPECT_TRUE(Reads(groups().Primary("h"), "k", "mine"))
      << Connect(groups().Primary("h")).trouble();
  EXPECT_TRUE(Reads(groups().Reader("h"), "k", "mine"));
  EXPECT_EQ(installation().EngineOf(replica, "0001")->pid, engine->pid);
}

TEST_F(EncryptionTest, TheAuthorityStaysAndItsKeyIsNobodyElses) {
  const v1::GetCertificateAuthorityResponse before = Authority();
  struct stat secret {};
  ASSERT_EQ(stat((installation().control_plane_dir() + "/tls/authority.pem").c_str(), &secret), 0);
  EXPECT_EQ(secret.st_mode & 0777, 0600u);
  EXPECT_TRUE(std::filesystem::exists(before.path()));
  Make("g", 1);
  const std::string member = installation().MemberDirectoryOf("g-001", "0001");
  struct stat key {};
  ASSERT_EQ(stat((member + "/tls.pem").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777, 0600u);
  installation().control_plane().Kill9();
  ASSERT_TRUE(installation().StartControlPlane());
  EXPECT_EQ(Trusted(), before.certificate());
  ASSERT_TRUE(installation().WaitForHosts());
  EXPECT_TRUE(Reads(groups().Primary("g"), "nothing", "(nil)"));
  // And after an end and a new start of everything.
  ASSERT_TRUE(groups().SignalEngine("g-001", SIGKILL));
  EXPECT_TRUE(Writes(groups().Primary("g"), "k", "v"));
}

TEST_F(EncryptionTest, OthersAreAsTheyWere) {
  Make("g", 1);
  const v1::Endpoint plain = installation().MustCreate("plain", "redis").cache_nodes(0).endpoint();
  EXPECT_EQ(RedisClient(plain).Do({"SET", "k", "v"}), "OK");
  EXPECT_FALSE(installation().Describe("plain")->transit_encryption_enabled());
}

TEST_F(EncryptionTest, AFaultOnTheWireIsRelayedAsTls) {
  Make("g", 2);
  const v1::Endpoint primary = groups().Primary("g");
  ASSERT_TRUE(Writes(primary, "k", "v"));
  grpc::ClientContext context;
  v1::AddFaultRequest request;
  request.set_kind("latency");
  request.set_to("g/primary");
  request.set_latency_ms(20);
  v1::AddFaultResponse response;
  const grpc::Status added = installation().emulator().AddFault(&context, request, &response);
  ASSERT_TRUE(added.ok()) << added.error_message();
  EXPECT_TRUE(WaitUntil([&] {
    return Connect(primary).Do({"GET", "k"}) == "v" && StatusOf(primary).connections_relayed() > 0;
  }));
  EXPECT_EQ(RedisClient(primary).Do({"GET", "k"}), "(gone)");
}

class EncryptionByRelayTest : public EncryptionTest {
 protected:
  InstallationOptions Options() override {
    InstallationOptions options;
    options.agent_flags = {"--carry", "relay"};
    return options;
  }
};

TEST_F(EncryptionByRelayTest, RelayedBytesReachTheEnginesTls) {
  Make("g", 2);
  ASSERT_TRUE(Writes(groups().Primary("g"), "k", "v"));
  for (const v1::Endpoint& endpoint : AllEndpoints("g")) {
    EXPECT_TRUE(Reads(endpoint, "k", "v")) << endpoint.address();
    EXPECT_EQ(RedisClient(endpoint).Do({"GET", "k"}), "(gone)") << endpoint.address();
  }
  EXPECT_TRUE(WaitUntil([&] { return StatusOf(groups().Primary("g")).connections_relayed() > 0; }));
  EXPECT_EQ(StatusOf(groups().Primary("g")).connections_handed_over(), 0u);
  const std::string former = groups().Leader("g");
  ASSERT_TRUE(groups().SignalEngine(former, SIGKILL));
  ASSERT_TRUE(groups().AwaitOtherLeader("g", former));
  EXPECT_TRUE(Writes(groups().Primary("g"), "k", "after"));
  ExpectNoEngineListensOnTcp();
}

}  // namespace
}  // namespace ec::integration
