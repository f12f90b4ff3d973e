// Replication groups with real engines: the life of one, and what a client that writes without a
// pause sees of every change of leader.
#include "tests/integration/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/process.h"
#include "tests/integration/clients.h"
#include "tests/integration/installation.h"
#include "tests/integration/writer.h"

namespace ec::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class GroupsTest : public InstallationTest {
 protected:
  v1::ElastiCache::Stub& api() { return installation().elasticache(); }

  Groups groups() { return Groups(installation()); }
  std::vector<std::string> EventsOf(const std::string& type, const std::string& id) {
    grpc::ClientContext context;
    v1::DescribeEventsRequest request;
    request.set_source_type(type);
    request.set_source_identifier(id);
    v1::DescribeEventsResponse response;
    EXPECT_TRUE(api().DescribeEvents(&context, request, &response).ok());
    std::vector<std::string> messages;
    for (const v1::Event& event : response.events()) messages.push_back(event.message());
    return messages;
  }
};

TEST_F(GroupsTest, AGroupHasOneLeaderAndFollowersInOtherZonesThatOnlyRead) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  const v1::ReplicationGroup group = groups().Describe("orders");
  std::set<std::string> zones;
  for (const auto& member : group.node_groups(0).node_group_members()) {
    zones.insert(member.preferred_availability_zone());
  }
  EXPECT_EQ(zones.size(), 3u);
  EXPECT_EQ(groups().Leader("orders"), "orders-001");

  RedisClient writer(groups().Primary("orders"));
  EXPECT_EQ(writer.Do({"SET", "k", "v"}), "OK");
  EXPECT_EQ(writer.Do({"WAIT", "2", "5000"}), "2");
  for (const std::string& replica : groups().Replicas("orders")) {
    RedisClient reader(groups().Own(replica));
    EXPECT_EQ(reader.Do({"GET", "k"}), "v");
    EXPECT_THAT(reader.Do({"SET", "k", "other"}), StartsWith("READONLY"));
  }
  EXPECT_THAT(RedisClient(groups().Reader("orders")).Do({"SET", "k", "other"}),
              StartsWith("READONLY"));
  EXPECT_EQ(RedisClient(groups().Reader("orders")).Do({"GET", "k"}), "v");
}

TEST_F(GroupsTest, ALeaderThatIsKilledIsReplacedBehindTheSameEndpointAndComesBackAsAFollower) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  const std::string before = groups().Primary("orders").address();
  Writer writer(groups().Primary("orders"));
  ASSERT_TRUE(writer.WritesAgain());
  ASSERT_TRUE(groups().SignalEngine("orders-001", SIGKILL));
  EXPECT_TRUE(groups().AwaitOtherLeader("orders", "orders-001"));
  EXPECT_TRUE(writer.WritesAgain());
  EXPECT_TRUE(groups().AwaitWhole("orders", 3)) << groups().Describe("orders").DebugString();
  writer.Stop();
  EXPECT_EQ(groups().Primary("orders").address(), before);
  EXPECT_THAT(groups().Replicas("orders"), ::testing::Contains("orders-001"));
  EXPECT_THAT(RedisClient(groups().Own("orders-001")).Do({"SET", "k", "v"}),
              StartsWith("READONLY"));
  // What was acknowledged in the last moment may not have reached a follower.
  EXPECT_LE(writer.Lost(), 10) << "of " << writer.acknowledged();
  EXPECT_TRUE(groups().Describe("orders").has_last_failover_lost_bytes());
}

TEST_F(GroupsTest, ALeaderThatHangsIsEndedBeforeAnotherOneLeads) {
  ASSERT_TRUE(groups().MustCreate("orders", 2));
  Writer writer(groups().Primary("orders"));
  ASSERT_TRUE(writer.WritesAgain());
  const auto hung = installation().EngineOf("orders-001", "0001");
  ASSERT_TRUE(groups().SignalEngine("orders-001", SIGSTOP));
  EXPECT_TRUE(groups().AwaitOtherLeader("orders", "orders-001"));
  EXPECT_FALSE(OpenProcess(*hung));
  EXPECT_TRUE(writer.WritesAgain());
  EXPECT_TRUE(groups().AwaitWhole("orders", 2));
}

TEST_F(GroupsTest, AHostThatDiesWithItsEnginesIsFailedOverAndWaitedFor) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  const std::string zone = installation().Describe("orders-001")->preferred_availability_zone();
  Writer writer(groups().Primary("orders"));
  ASSERT_TRUE(writer.WritesAgain());
  const auto engine = installation().EngineOf("orders-001", "0001");
  installation().agent(zone).Kill9();
  ASSERT_TRUE(SendSignal(OpenProcess(*engine), SIGKILL));
  EXPECT_TRUE(groups().AwaitOtherLeader("orders", "orders-001"));
  EXPECT_TRUE(writer.WritesAgain());
  installation().StartAgent(zone);
  EXPECT_TRUE(groups().AwaitWhole("orders", 3)) << groups().Describe("orders").DebugString();
}

TEST_F(GroupsTest, APlannedChangeOfLeaderLosesNothing) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  Writer writer(groups().Primary("orders"));
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(writer.WritesAgain());
    const std::string leader = groups().Leader("orders");
    const grpc::Status begun = groups().SwitchOver("orders");
    ASSERT_TRUE(begun.ok()) << begun.error_message();
    ASSERT_TRUE(groups().AwaitOtherLeader("orders", leader));
    ASSERT_TRUE(groups().AwaitWhole("orders", 3)) << groups().Describe("orders").DebugString();
  }
  EXPECT_TRUE(writer.WritesAgain());
  writer.Stop();
  EXPECT_EQ(writer.Lost(), 0) << "of " << writer.acknowledged();
}

TEST_F(GroupsTest, ATriedFailoverIsToldInAwsOrder) {
  ASSERT_TRUE(groups().MustCreate("orders", 2));
  grpc::ClientContext context;
  v1::TestFailoverRequest request;
  request.set_replication_group_id("orders");
  request.set_node_group_id("0001");
  v1::TestFailoverResponse response;
  const grpc::Status called = api().TestFailover(&context, request, &response);
  ASSERT_TRUE(called.ok()) << called.error_message();
  ASSERT_TRUE(groups().AwaitOtherLeader("orders", "orders-001"));
  ASSERT_TRUE(groups().AwaitWhole("orders", 2));
  const std::string failover =
      "Failover from primary node orders-001 to replica node orders-002 completed";
  const std::vector<std::string> of_group = EventsOf("replication-group", "orders");
  EXPECT_THAT(std::vector(of_group.end() - 2, of_group.end()),
              ElementsAre("Test Failover API called for node group 0001", failover));
  const std::vector<std::string> of_cluster = EventsOf("cache-cluster", "orders-001");
  EXPECT_THAT(std::vector(of_cluster.end() - 3, of_cluster.end()),
              ElementsAre(failover, "Recovering cache nodes 0001",
                          "Finished recovery for cache nodes 0001"));
}

TEST_F(GroupsTest, APromotedReplicaHasTheDataAndGoesItsOwnWay) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  RedisClient writer(groups().Primary("orders"));
  ASSERT_EQ(writer.Do({"SET", "k", "before"}), "OK");
  const v1::Endpoint own = groups().Own("orders-003");
  grpc::ClientContext context;
  v1::PromoteCacheClusterRequest request;
  request.set_cache_cluster_id("orders-003");
  v1::PromoteCacheClusterResponse response;
  const grpc::Status promoted = api().PromoteCacheCluster(&context, request, &response);
  ASSERT_TRUE(promoted.ok()) << promoted.error_message();
  ASSERT_TRUE(groups().AwaitWhole("orders", 2));
  ASSERT_TRUE(WaitUntil(
      [&] {
        return RedisClient(own).Do({"SET", "own", "1"}) == "OK";
      },
      seconds(10)));
  EXPECT_EQ(RedisClient(own).Do({"GET", "k"}), "before");
  ASSERT_EQ(writer.Do({"SET", "k", "after"}), "OK");
  EXPECT_EQ(RedisClient(own).Do({"GET", "k"}), "before");
  EXPECT_EQ(writer.Do({"EXISTS", "own"}), "0");
}

TEST_F(GroupsTest, ADemotedMasterTakesItsNewLeadersDataAndKeepsItsEndpoint) {
  ASSERT_TRUE(groups().MustCreate("orders", 2));
  installation().MustCreate("staging", "redis");
  const v1::Endpoint own = groups().Own("staging");
  ASSERT_EQ(RedisClient(own).Do({"SET", "mine", "1"}), "OK");
  ASSERT_EQ(RedisClient(groups().Primary("orders")).Do({"SET", "theirs", "1"}), "OK");

  v1::DemoteCacheClusterRequest request;
  request.set_cache_cluster_id("staging");
  request.set_replication_group_id("orders");
  v1::DemoteCacheClusterResponse response;
  {
    grpc::ClientContext context;
    const grpc::Status refused = api().DemoteCacheCluster(&context, request, &response);
    EXPECT_THAT(refused.error_message(), HasSubstr("AcceptDataLoss must be true"));
  }
  EXPECT_EQ(RedisClient(own).Do({"GET", "mine"}), "1");
  request.set_accept_data_loss(true);
  grpc::ClientContext context;
  const grpc::Status demoted = api().DemoteCacheCluster(&context, request, &response);
  ASSERT_TRUE(demoted.ok()) << demoted.error_message();
  ASSERT_TRUE(groups().AwaitWhole("orders", 3)) << groups().Describe("orders").DebugString();
  EXPECT_EQ(groups().Own("staging").address(), own.address());
  EXPECT_EQ(RedisClient(own).Do({"GET", "theirs"}), "1");
  EXPECT_EQ(RedisClient(own).Do({"GET", "mine"}), "(nil)");
  EXPECT_THAT(RedisClient(own).Do({"SET", "mine", "2"}), StartsWith("READONLY"));
}

TEST_F(GroupsTest, NothingIsPromotedWhileAutomaticFailoverIsOffUntilSomebodySaysSo) {
  ASSERT_TRUE(groups().MustCreate("orders", 2, /*automatic_failover=*/false));
  ASSERT_EQ(RedisClient(groups().Primary("orders")).Do({"SET", "k", "v"}), "OK");
  ASSERT_EQ(RedisClient(groups().Primary("orders")).Do({"WAIT", "1", "5000"}), "1");
  ASSERT_TRUE(groups().SignalEngine("orders-001", SIGKILL));
  ASSERT_TRUE(
      WaitUntil([&] { return !groups().Describe("orders").trouble().empty(); }, seconds(10)));
  EXPECT_THAT(groups().Describe("orders").trouble(), HasSubstr("automatic failover is off"));
  EXPECT_EQ(groups().Leader("orders"), "orders-001");

  grpc::ClientContext context;
  v1::ModifyReplicationGroupRequest request;
  request.set_replication_group_id("orders");
  request.set_primary_cluster_id("orders-002");
  request.set_apply_immediately(true);
  v1::ModifyReplicationGroupResponse response;
  const grpc::Status modified = api().ModifyReplicationGroup(&context, request, &response);
  ASSERT_TRUE(modified.ok()) << modified.error_message();
  EXPECT_TRUE(groups().AwaitOtherLeader("orders", "orders-001"));
  ASSERT_TRUE(groups().AwaitWhole("orders", 2));
  EXPECT_EQ(RedisClient(groups().Primary("orders")).Do({"GET", "k"}), "v");
}

TEST_F(GroupsTest, ARestartOfControlPlaneOrAgentIsNoReasonToFailOver) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  const uint64_t epoch = groups().Describe("orders").epoch();
  Writer writer(groups().Primary("orders"));
  installation().control_plane().Kill9();
  EXPECT_TRUE(writer.WritesAgain());
  std::string why;
  ASSERT_TRUE(installation().StartControlPlane(&why)) << why;
  ASSERT_TRUE(groups().AwaitWhole("orders", 3));
  const std::string zone = installation().Describe("orders-001")->preferred_availability_zone();
  installation().agent(zone).Kill9();
  installation().StartAgent(zone);
  ASSERT_TRUE(installation().WaitForHosts());
  // Nor is an engine that stands still for a moment.
  ASSERT_TRUE(groups().SignalEngine("orders-001", SIGSTOP));
  EXPECT_FALSE(
      WaitUntil([&] { return groups().Leader("orders") != "orders-001"; }, milliseconds(900)));
  ASSERT_TRUE(groups().SignalEngine("orders-001", SIGCONT));
  EXPECT_TRUE(writer.WritesAgain());
  EXPECT_EQ(groups().Leader("orders"), "orders-001");
  EXPECT_EQ(groups().Describe("orders").epoch(), epoch);
}

TEST_F(GroupsTest, AGroupIsFormedAroundAMasterAndDeletedWithoutIt) {
  installation().MustCreate("single", "redis");
  ASSERT_EQ(RedisClient(groups().Own("single")).Do({"SET", "k", "v"}), "OK");
  v1::CreateReplicationGroupRequest create;
  create.set_replication_group_id("orders");
  create.set_replication_group_description("around it");
  create.set_primary_cluster_id("single");
  v1::CreateReplicationGroupResponse created;
  grpc::ClientContext first;
  ASSERT_TRUE(api().CreateReplicationGroup(&first, create, &created).ok());
  ASSERT_TRUE(groups().AwaitWhole("orders", 1));
  v1::CreateCacheClusterRequest replica;
  replica.set_cache_cluster_id("second");
  replica.set_replication_group_id("orders");
  const grpc::Status added = installation().Create(replica);
  ASSERT_TRUE(added.ok()) << added.error_message();
  ASSERT_TRUE(groups().AwaitWhole("orders", 2)) << groups().Describe("orders").DebugString();
  EXPECT_EQ(RedisClient(groups().Own("second")).Do({"GET", "k"}), "v");
  EXPECT_THAT(installation().Delete("single").error_message(), HasSubstr("serving as primary"));

  v1::DeleteReplicationGroupRequest remove;
  remove.set_replication_group_id("orders");
  remove.set_retain_primary_cluster(true);
  v1::DeleteReplicationGroupResponse removed;
  grpc::ClientContext second;
  ASSERT_TRUE(api().DeleteReplicationGroup(&second, remove, &removed).ok());
  EXPECT_TRUE(installation().WaitUntilGone("second"));
  EXPECT_TRUE(
      WaitUntil([&] { return groups().Describe("orders").replication_group_id().empty(); }));
  EXPECT_EQ(RedisClient(groups().Own("single")).Do({"GET", "k"}), "v");
  EXPECT_EQ(RedisClient(groups().Own("single")).Do({"SET", "k", "w"}), "OK");
}

}  // namespace
}  // namespace ec::integration
