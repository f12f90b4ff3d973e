// CreateReplicationGroup.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::GroupStatus;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr Fault kValue = Fault::kInvalidParameterValue;
constexpr Fault kCombination = Fault::kInvalidParameterCombination;

class CreateGroupTest : public GroupTest {
 protected:
  // A request for "g" that is refused for what `change` does to it.
  void ExpectRefusedWith(const std::function<void(CreateGroup&)>& change, Fault fault,
                         const ::testing::Matcher<const std::string&>& message) {
    CreateGroup request = RedisGroup("g", 2);
    change(request);
    ExpectRefused(request, fault, message);
  }
};

// --- what it makes ---------------------------------------------------------------------------

TEST_F(CreateGroupTest, NamesItsClustersAfterTheGroupAndTheFirstOneLeads) {
  ASSERT_THAT(plane.Ask(RedisGroup("G", 3)), IsOk());
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-002", "g-003"));
  EXPECT_EQ(leader(), "g-001");
  EXPECT_EQ(group().next_number, 4);
  EXPECT_EQ(group().status, GroupStatus::kCreating);
  for (const std::string& id : group().members) {
    EXPECT_EQ(plane.cluster(id).group, "g");
    EXPECT_EQ(StatusOf(id), ClusterStatus::kCreating);
    EXPECT_EQ(plane.cluster(id).node_count, 1);
  }
}

TEST_F(CreateGroupTest, IsAvailableWhenEveryClusterIsInSyncAndBothEndpointsListen) {
  CreateGroup request = RedisGroup("g", 2);
  request.automatic_failover = true;
  ASSERT_THAT(plane.Ask(request), IsOk());
  SetProved("g-002", false);
  plane.Settle();
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
  EXPECT_EQ(StatusOf("g-002"), ClusterStatus::kCreating);
  EXPECT_EQ(group().status, GroupStatus::kCreating);
  plane.ForgetEvents();
  SetProved("g-002", true);
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Added cache node 0001 in availability zone us-east-1b",
                          HasSubstr("Cache node 0001 runs"), "Cache cluster created",
                          "Replication group g created",
                          "Automatic failover has been turned on for replication group g"));
}

TEST_F(CreateGroupTest, HasOneClusterUnlessMoreAreAskedFor) {
  CreateGroup request = RedisGroup("g");
  request.clusters.reset();
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_THAT(group().members, ElementsAre("g-001"));
}

TEST_F(CreateGroupTest, CountsReplicasWhereTheyAreAskedForByNodeGroup) {
  CreateGroup request = RedisGroup("g");
  request.clusters.reset();
  request.node_groups = 1;
  request.replicas_per_node_group = 5;
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(group().members.size(), 6u);
}

TEST_F(CreateGroupTest, SpreadsItsClustersOverTheZones) {
  Make(6, false);
  EXPECT_THAT(ZonesOf({"g-001", "g-002", "g-003"}),
              UnorderedElementsAre("us-east-1a", "us-east-1b", "us-east-1c"));
  EXPECT_THAT(ZonesOf({"g-004", "g-005", "g-006"}),
              UnorderedElementsAre("us-east-1a", "us-east-1b", "us-east-1c"));
}

TEST_F(CreateGroupTest, PutsItsClustersIntoTheZonesThatAreNamedInTheirOrder) {
  CreateGroup request = RedisGroup("g");
  request.clusters.reset();
  request.zones = {"us-east-1c", "us-east-1a", "us-east-1c"};
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_THAT(ZonesOf({"g-001", "g-002", "g-003"}),
              ElementsAre("us-east-1c", "us-east-1a", "us-east-1c"));
}

TEST_F(CreateGroupTest, ServesBothEndpointsOnTheLeadersHostAtAddressesOfTheirOwn) {
  Make(2, false);
  EXPECT_EQ(group().primary.host, node("g-001").host);
  EXPECT_EQ(group().reader.host, node("g-001").host);
  EXPECT_EQ(plane.state.addresses.size(), 4u);  // two nodes and two endpoints
  EXPECT_EQ(group().primary.address.port, 6379);
}

TEST_F(CreateGroupTest, GivesEveryClusterTheSettingsAndTagsOfTheRequest) {
  CreateGroup request = RedisGroup("g", 2);
  request.engine_version = "6.2";
  request.port = 7000;
  request.maintenance_window = "Mon:05:00-Mon:06:00";
  request.tags = {{"team", "blue"}};
  ASSERT_THAT(plane.Ask(request), IsOk());
  for (const std::string& id : group().members) {
    const model::Cluster& cluster = plane.cluster(id);
    EXPECT_EQ(cluster.engine_version, "6.2.6");
    EXPECT_EQ(cluster.port, 7000);
    EXPECT_EQ(cluster.maintenance_window, "mon:05:00-mon:06:00");
    EXPECT_THAT(cluster.tags,
                ElementsAre(std::pair<const std::string, std::string>{"team", "blue"}));
  }
  EXPECT_EQ(group().tags.at("team"), "blue");
  EXPECT_EQ(group().reader.address.port, 7000);
}

TEST_F(CreateGroupTest, TriesAnotherAddressWhenThatOfAnEndpointIsTaken) {
  ASSERT_THAT(plane.Ask(RedisGroup("g", 1)), IsOk());
  const Address wanted = group().primary.address;
  HostOf("g-001").taken.insert(wanted.ip);
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_NE(group().primary.address, wanted);
}

TEST_F(CreateGroupTest, FailsAsAWholeWhenOneClusterCannotBeCreated) {
  plane.host("host-1").first_phase = MemberPhase::kFailed;
  plane.host("host-1").first_trouble = "no such file";
  ASSERT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kCreateFailed);
  EXPECT_THAT(group().members, IsEmpty());
  EXPECT_FALSE(plane.has_cluster("g-001"));
  const std::vector<std::string> events = plane.NewEvents();
  EXPECT_THAT(events, Contains("Failed to create replication group g due to unsuccessful creation "
                               "of its cache cluster(s)."));
  EXPECT_THAT(events, Contains("Deleting all cache clusters belonging to this replication group."));
  EXPECT_THAT(events, Not(Contains("Replication group g created")));
}

TEST_F(CreateGroupTest, FailsWhenItStandsStillForTooLong) {
  ASSERT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
  SetProved("g-002", false);
  plane.Settle();
  plane.Pass(plane.settings.operation_max);
  EXPECT_EQ(group().status, GroupStatus::kCreateFailed);
  plane.Settle();
  EXPECT_FALSE(plane.has_cluster("g-001"));
}

// --- around an existing master ---------------------------------------------------------------

TEST_F(CreateGroupTest, IsFormedAroundAMasterThatGoesOnRunning) {
  MakeMaster("red");
  const model::Member before = node("red");
  CreateGroup request;
  request.id = "g";
  request.description = "around red";
  request.primary_cluster = "RED";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(leader(), "red");
  EXPECT_THAT(group().members, ElementsAre("red"));
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(node("red").launch, before.launch);
  EXPECT_EQ(node("red").address, before.address);
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
}

TEST_F(CreateGroupTest, AroundAMasterNumbersTheReplicasFromOne) {
  MakeMaster("red");
  CreateGroup request;
  request.id = "g";
  request.description = "around red";
  request.primary_cluster = "red";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(IncreaseReplicas{"g", 1, {}, true}), IsOk());
  EXPECT_THAT(group().members, ElementsAre("g-001", "red"));
}

class AroundAMaster : public CreateGroupTest {
 protected:
  AroundAMaster() { MakeMaster("red"); }
  void ExpectRefusedAround(const std::string& primary,
                           const std::function<void(CreateGroup&)>& change, Fault fault,
                           const ::testing::Matcher<const std::string&>& message) {
    CreateGroup request;
    request.id = "g";
    request.description = "around red";
    request.primary_cluster = primary;
    if (change) change(request);
    ExpectRefused(request, fault, message);
  }
};

TEST_F(AroundAMaster, IsRefusedWithWhatTheMasterDecides) {
  const std::vector<std::function<void(CreateGroup&)>> repeats = {
      [](CreateGroup& r) { r.clusters = 2; },
      [](CreateGroup& r) { r.node_groups = 1; },
      [](CreateGroup& r) { r.replicas_per_node_group = 1; },
      [](CreateGroup& r) { r.zones = {"us-east-1a"}; },
      [](CreateGroup& r) { r.node_type = "cache.t3.micro"; },
      [](CreateGroup& r) { r.engine = "redis"; },
      [](CreateGroup& r) { r.engine_version = "7.1"; },
      [](CreateGroup& r) { r.port = 6379; },
      [](CreateGroup& r) { r.parameter_group = "default.redis7"; },
      [](CreateGroup& r) { r.security_groups = {"sg-1"}; },
      [](CreateGroup& r) { r.maintenance_window = "sun:05:00-sun:06:00"; },
      [](CreateGroup& r) { r.snapshot_retention = 1; }};
  for (const auto& change : repeats) {
    ExpectRefusedAround(
        "red", change, kCombination,
        "Cannot use the given parameters when using an existing primary cache cluster ID.");
  }
}

TEST_F(AroundAMaster, IsRefusedWithAutomaticFailoverBecauseItIsAlone) {
  ExpectRefusedAround(
      "red", [](CreateGroup& r) { r.automatic_failover = true; }, kCombination,
      HasSubstr("there must be at least 2 cache clusters"));
}

TEST_F(AroundAMaster, IsRefusedForWhatIsNoMaster) {
  ExpectRefusedAround("blue", {}, Fault::kCacheClusterNotFound, "CacheCluster not found: blue");
  ASSERT_THAT(plane.Ask(Memcached("mem")), IsOk());
  ExpectRefusedAround("mem", {}, kCombination, HasSubstr("runs memcached, which has no replicas"));
  CreateGroup other = RedisGroup("other", 1);
  ASSERT_THAT(plane.Ask(other), IsOk());
  plane.Settle();
  ExpectRefusedAround("other-001", {}, Fault::kInvalidCacheClusterState,
                      HasSubstr("belongs to replication group other already"));
}

TEST_F(AroundAMaster, IsRefusedWhileTheMasterIsNotAvailable) {
  Silence("red");
  ExpectRefusedAround("red", {}, Fault::kInvalidCacheClusterState,
                      HasSubstr("not in available state"));
}

// --- refusals --------------------------------------------------------------------------------

TEST_F(CreateGroupTest, IsRefusedForAnIdThatIsMalformedOrTaken) {
  ExpectRefusedWith([](CreateGroup& r) { r.id = "no_id"; }, kValue,
                    HasSubstr("is not a valid identifier"));
  ExpectRefusedWith([](CreateGroup& r) { r.id = std::string(41, 'g'); }, kValue, HasSubstr("40"));
  Make(1, false);
  ExpectRefused(RedisGroup("G"), Fault::kReplicationGroupAlreadyExists,
                "Replication group with specified name already exists.");
}

TEST_F(CreateGroupTest, IsRefusedWhenAClusterHasTheNameOfOneOfItsOwn) {
  MakeMaster("g-002");
  ExpectRefused(RedisGroup("g", 2), Fault::kCacheClusterAlreadyExists, HasSubstr("g-002"));
}

TEST_F(CreateGroupTest, NeedsADescriptionOfAtMost255Characters) {
  ExpectRefusedWith([](CreateGroup& r) { r.description.clear(); }, kValue,
                    HasSubstr("ReplicationGroupDescription must be provided"));
  ExpectRefusedWith([](CreateGroup& r) { r.description = std::string(256, 'd'); }, kValue,
                    HasSubstr("at most 255 characters"));
}

TEST_F(CreateGroupTest, HasAtMostFiveReplicas) {
  ExpectRefusedWith([](CreateGroup& r) { r.clusters = 7; }, kValue, HasSubstr("at most 5"));
  ExpectRefusedWith([](CreateGroup& r) { r.clusters = 0; }, kValue, HasSubstr("at most 5"));
  ExpectRefusedWith(
      [](CreateGroup& r) {
        r.clusters.reset();
        r.replicas_per_node_group = 6;
      },
      kValue, HasSubstr("ReplicasPerNodeGroup"));
}

TEST_F(CreateGroupTest, TakesTheNumberOfClustersFromOneOfTheTwoParametersOnly) {
  ExpectRefusedWith([](CreateGroup& r) { r.replicas_per_node_group = 1; }, kCombination,
                    HasSubstr("exclude each other"));
}

TEST_F(CreateGroupTest, NeedsAsManyZonesAsClusters) {
  ExpectRefusedWith([](CreateGroup& r) { r.zones = {"us-east-1a"}; }, kCombination,
                    HasSubstr("the numbers must be equal"));
  ExpectRefusedWith(
      [](CreateGroup& r) {
        r.zones = {"us-east-1a", "us-east-1z"};
      },
      kValue, HasSubstr("us-east-1z"));
}

TEST_F(CreateGroupTest, NeedsTwoClustersForAutomaticFailover) {
  ExpectRefusedWith(
      [](CreateGroup& r) {
        r.clusters = 1;
        r.automatic_failover = true;
      },
      kCombination,
      "When using automatic failover, there must be at least 2 cache clusters in the replication "
      "group.");
}

TEST_F(CreateGroupTest, NeedsAutomaticFailoverForMultiAz) {
  ExpectRefusedWith([](CreateGroup& r) { r.multi_az = true; }, kCombination,
                    HasSubstr("MultiAZEnabled needs AutomaticFailoverEnabled"));
}

TEST_F(CreateGroupTest, HasNoAutomaticFailoverOnTheSmallestNodeTypeNorTheFirstRedis) {
  ExpectRefusedWith(
      [](CreateGroup& r) {
        r.automatic_failover = true;
        r.node_type = "cache.t1.micro";
      },
      kCombination, HasSubstr("cache.t1.micro"));
  ExpectRefusedWith(
      [](CreateGroup& r) {
        r.automatic_failover = true;
        r.engine_version = "2.6.13";
      },
      kCombination, HasSubstr("Redis 2.6.13"));
}

TEST_F(CreateGroupTest, IsRefusedForMemcached) {
  ExpectRefusedWith([](CreateGroup& r) { r.engine = "memcached"; }, kValue,
                    HasSubstr("Replication groups need redis or valkey"));
}

TEST_F(CreateGroupTest, IsRefusedForWhatIsNotEmulatedInsteadOfIgnoringIt) {
  ExpectRefusedWith([](CreateGroup& r) { r.node_groups = 2; }, kValue, HasSubstr("one node group"));
  ExpectRefusedWith([](CreateGroup& r) { r.cluster_mode = "enabled"; }, kValue,
                    HasSubstr("Only disabled is emulated"));
  ExpectRefusedWith([](CreateGroup& r) { r.at_rest_encryption = true; }, kCombination,
                    HasSubstr("AtRestEncryptionEnabled"));
}

TEST_F(CreateGroupTest, KeepsToTheRegionsQuotaOfNodes) {
  plane.settings.region_nodes_max = 2;
  ExpectRefused(RedisGroup("g", 3), Fault::kNodeQuotaForCustomerExceeded, HasSubstr("2"));
  EXPECT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
}

TEST_F(CreateGroupTest, NeedsRoomForAllOfItsClusters) {
  for (auto& [id, host] : plane.hosts()) {
    host.hello.members_max = 1;
    plane.Register(host);
  }
  ExpectRefused(RedisGroup("g", 4), Fault::kInsufficientCapacity, ::testing::_);
  EXPECT_THAT(plane.Ask(RedisGroup("g", 3)), IsOk());
}

}  // namespace
}  // namespace ec::core
