// Replicas that come and go: IncreaseReplicaCount, DecreaseReplicaCount, CreateCacheCluster with a
// ReplicationGroupId, and DeleteCacheCluster of a cluster of a group.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "controlplane/core/plans.h"
#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::GroupStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr Fault kValue = Fault::kInvalidParameterValue;
constexpr Fault kCombination = Fault::kInvalidParameterCombination;
constexpr Fault kGroupState = Fault::kInvalidReplicationGroupState;
constexpr Fault kClusterState = Fault::kInvalidCacheClusterState;

IncreaseReplicas Increase(std::optional<int> count, std::vector<std::string> zones = {}) {
  return {"g", count, std::move(zones), true};
}

DecreaseReplicas Decrease(std::optional<int> count, std::vector<std::string> remove = {}) {
  return {"g", count, std::move(remove), true};
}

CreateCluster Replica(const std::string& id) {
  CreateCluster request;
  request.id = id;
  request.replication_group_id = "G";
  return request;
}

class IncreaseTest : public GroupTest {};
class DecreaseTest : public GroupTest {};
class AddReplicaTest : public GroupTest {};
class DeleteReplicaTest : public GroupTest {};

// --- IncreaseReplicaCount --------------------------------------------------------------------

TEST_F(IncreaseTest, AddsReplicasUnderTheNextNames) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(Increase(3)), IsOk());
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-002", "g-003", "g-004"));
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(StatusOf("g-004"), ClusterStatus::kAvailable);
}

// Found by seed 1481 of the simulator: a leader that has died is kept down for those that follow
// it, and nobody told its host that they were gone.
TEST_F(IncreaseTest, ThatFailsIsToldToTheLeadersHost) {
  Make(1, false);
  ASSERT_THAT(plane.Ask(Increase(1)), IsOk());
  SetProved("g-002", false);
  plane.Settle();
  const uint64_t before = plane.records().revision;
  HostOf("g-002").silent = true;
  plane.Pass(plane.settings.operation_max);
  ASSERT_EQ(StatusOf("g-002"), ClusterStatus::kCreateFailed);
  const PlanUpdate plan = PlanSince(plane.state, HostOf("g-001").hello.host, before);
  ASSERT_THAT(plan.members, SizeIs(1));
  EXPECT_THAT(plan.members[0].replication->followers, IsEmpty());
}

TEST_F(IncreaseTest, NeverUsesANameAgainNorOneThatAClusterHas) {
  Make(2, false);
  MakeMaster("g-003");
  ASSERT_THAT(plane.Ask(DeleteCluster{"g-002", {}}), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(Increase(1)), IsOk());
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-004"));
}

TEST_F(IncreaseTest, FillsTheZonesWithTheFewestClustersFirst) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(Increase(2)), IsOk());
  EXPECT_EQ(node("g-003").zone, "us-east-1c");
}

TEST_F(IncreaseTest, TakesTheZonesThatAreNamed) {
  Make(1, false);
  ASSERT_THAT(plane.Ask(Increase(2, {"us-east-1c", "us-east-1a"})), IsOk());
  EXPECT_THAT(ZonesOf({"g-002", "g-003"}), ElementsAre("us-east-1c", "us-east-1a"));
}

TEST_F(IncreaseTest, NeedsAZoneForEachNewReplica) {
  Make(1, false);
  ExpectRefused(Increase(2, {"us-east-1c"}), kCombination, HasSubstr("1 zones are named for 2"));
  ExpectRefused(Increase(1, {"us-east-1z"}), kValue, HasSubstr("us-east-1z"));
}

TEST_F(IncreaseTest, NeedsMoreThanThereAreAndAtMostFive) {
  Make(3, false);
  ExpectRefused(Increase(6), kValue, HasSubstr("at most 5"));
  ExpectRefused(Increase(1), kValue, HasSubstr("more than the present 2"));
  ExpectRefused(Increase(2), Fault::kNoOperation, HasSubstr("no changes were required"));
  ExpectRefused(Increase({}), kValue, HasSubstr("NewReplicaCount must be provided"));
}

TEST_F(IncreaseTest, IsOnlyPossibleAtOnce) {
  Make(1, false);
  ExpectRefused(IncreaseReplicas{"g", 1, {}, false}, kCombination,
                HasSubstr("ApplyImmediately must be true"));
}

TEST_F(IncreaseTest, NeedsAGroupThatIsAvailable) {
  ExpectRefused(Increase(1), Fault::kReplicationGroupNotFound, "ReplicationGroup not found: g");
  ASSERT_THAT(plane.Ask(RedisGroup("g", 1)), IsOk());
  ExpectRefused(Increase(1), kGroupState, StartsWith("Replication group must be in available"));
}

TEST_F(IncreaseTest, KeepsToTheRegionsQuotaOfNodes) {
  Make(2, false);
  plane.settings.region_nodes_max = 3;
  ExpectRefused(Increase(3), Fault::kNodeQuotaForCustomerExceeded, HasSubstr("3"));
  EXPECT_THAT(plane.Ask(Increase(2)), IsOk());
}

// --- DecreaseReplicaCount --------------------------------------------------------------------

TEST_F(DecreaseTest, RemovesTheYoungestReplicas) {
  Make(4, false);
  ASSERT_THAT(plane.Ask(Decrease(1)), IsOk());
  EXPECT_EQ(StatusOf("g-002"), ClusterStatus::kAvailable);
  EXPECT_EQ(StatusOf("g-003"), ClusterStatus::kDeleting);
  EXPECT_EQ(StatusOf("g-004"), ClusterStatus::kDeleting);
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-002"));
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(DecreaseTest, NeverRemovesThePrimaryEvenIfItIsTheYoungest) {
  Make(3, false);
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-003"}), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(Decrease(1)), IsOk());
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-003"));
}

TEST_F(DecreaseTest, RemovesThoseThatAreNamed) {
  Make(4, false);
  ASSERT_THAT(plane.Ask(Decrease({}, {"G-002"})), IsOk());
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-003", "g-004"));
  ASSERT_THAT(plane.Ask(Decrease(1, {"g-003"})), IsOk());
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-004"));
}

TEST_F(DecreaseTest, KeepsTheLastReplicaWhileAutomaticFailoverIsOn) {
  Make(2, true);
  for (const DecreaseReplicas& request : {Decrease(0), Decrease({}, {"g-002"})}) {
    ExpectRefused(request, kValue,
                  "Must have at least 1 replica when cluster mode is disabled with auto failover "
                  "enabled.");
  }
}

TEST_F(DecreaseTest, RemovesTheLastReplicaWhileAutomaticFailoverIsOff) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(Decrease(0)), IsOk());
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("g-001"));
}

TEST_F(DecreaseTest, NeedsFewerThanThereAre) {
  Make(3, false);
  ExpectRefused(Decrease(3), kValue, HasSubstr("less than the present 2"));
  ExpectRefused(Decrease(2), Fault::kNoOperation, HasSubstr("no changes were required"));
  ExpectRefused(Decrease(-1), kValue, HasSubstr("at least 0"));
  ExpectRefused(Decrease({}), kValue, HasSubstr("must be provided"));
  ExpectRefused(Decrease(0, {"g-002"}), kCombination, HasSubstr("names 1 clusters, but 2"));
}

TEST_F(DecreaseTest, NamesReplicasOfTheGroup) {
  Make(3, false);
  ExpectRefused(Decrease({}, {"g-002", "G-002"}), kValue, HasSubstr("It is named twice"));
  ExpectRefused(Decrease({}, {"g-001"}), kValue, HasSubstr("It is the primary already"));
  MakeMaster("red");
  ExpectRefused(Decrease({}, {"red"}), kValue, HasSubstr("has the cache clusters g-001"));
}

TEST_F(DecreaseTest, IsOnlyPossibleAtOnceAndWhileTheGroupIsAvailable) {
  Make(2, false);
  ExpectRefused(DecreaseReplicas{"g", 0, {}, false}, kCombination,
                HasSubstr("ApplyImmediately must be true"));
  ASSERT_THAT(plane.Ask(Increase(2)), IsOk());
  ExpectRefused(Decrease(0), kGroupState, StartsWith("Replication group must be in available"));
}

// --- CreateCacheCluster with ReplicationGroupId ----------------------------------------------

TEST_F(AddReplicaTest, TakesEverySettingOverFromTheGroup) {
  Make(1, false);
  ASSERT_THAT(plane.Ask(Replica("extra")), IsOk());
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  model::Cluster expected = plane.cluster("g-001");
  const model::Cluster& extra = plane.cluster("extra");
  expected.id = "extra";
  expected.status = ClusterStatus::kCreating;
  expected.members = extra.members;
  expected.created = plane.now.wall;
  expected.revision = extra.revision;
  EXPECT_TRUE(extra == expected);
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("extra", "g-001"));
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(leader(), "g-001");
}

// Found by the simulator: what the leader had said of the first engine was taken for the next
// one's, which then was to lead with nothing.
TEST_F(AddReplicaTest, WhoseEngineDiesWhileItIsCreatedHasToProveAnew) {
  Make(2, true);
  for (auto& [id, host] : plane.hosts()) host.first_phase = MemberPhase::kStarting;
  ASSERT_THAT(plane.Ask(Replica("extra")), IsOk());
  Report("extra");
  Report(leader());
  ASSERT_TRUE(node("extra").in_sync);
  ASSERT_EQ(StatusOf("extra"), ClusterStatus::kCreating);

  HostOf("extra").Crash(node("extra").id);
  Engine("extra").phase = MemberPhase::kServing;
  Report("extra");
  EXPECT_FALSE(node("extra").in_sync);
  EXPECT_EQ(StatusOf("extra"), ClusterStatus::kCreating);
  plane.Settle();
  EXPECT_TRUE(node("extra").in_sync);
  EXPECT_EQ(StatusOf("extra"), ClusterStatus::kAvailable);
}

TEST_F(AddReplicaTest, TakesAPendingVersionOverSoThatTheGroupStaysOfOne) {
  CreateGroup old = RedisGroup("g", 1);
  old.engine_version = "7.0";
  ASSERT_THAT(plane.Ask(old), IsOk());
  plane.Settle();
  ModifyGroup change = Change([](ModifyGroup& r) { r.engine_version = "7.1"; });
  ASSERT_THAT(plane.Ask(change), IsOk());
  ASSERT_FALSE(plane.cluster("g-001").pending.empty());
  ASSERT_THAT(plane.Ask(Replica("extra")), IsOk());
  EXPECT_EQ(plane.cluster("extra").pending, plane.cluster("g-001").pending);
}

TEST_F(AddReplicaTest, HasAZoneAndTagsOfItsOwn) {
  Make(1, false);
  CreateCluster request = Replica("extra");
  request.zone = "us-east-1c";
  request.tags = {{"team", "blue"}};
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(node("extra").zone, "us-east-1c");
  EXPECT_EQ(plane.cluster("extra").tags.at("team"), "blue");
}

TEST_F(AddReplicaTest, IsRefusedWithASettingOfItsOwn) {
  Make(1, false);
  const std::vector<std::function<void(CreateCluster&)>> settings = {
      [](CreateCluster& r) { r.engine = "redis"; },
      [](CreateCluster& r) { r.engine_version = "7.1"; },
      [](CreateCluster& r) { r.node_type = "cache.t3.micro"; },
      [](CreateCluster& r) { r.parameter_group = "default.redis7"; },
      [](CreateCluster& r) { r.subnet_group = "default"; },
      [](CreateCluster& r) { r.security_groups = {"sg-1"}; },
      [](CreateCluster& r) { r.maintenance_window = "sun:05:00-sun:06:00"; },
      [](CreateCluster& r) { r.snapshot_retention = 1; },
      [](CreateCluster& r) { r.snapshot_window = "09:00-10:00"; },
      [](CreateCluster& r) { r.snapshot_name = "last"; },
      [](CreateCluster& r) { r.nodes = 2; },
      [](CreateCluster& r) { r.cache_security_groups = {"default"}; },
      [](CreateCluster& r) { r.snapshot_arns = {"arn:aws:s3:::bucket/dump.rdb"}; },
      [](CreateCluster& r) { r.notification_topic = "arn:aws:sns:us-east-1:000000000000:t"; },
      [](CreateCluster& r) { r.port = 6379; }};
  for (const auto& set : settings) {
    CreateCluster request = Replica("extra");
    set(request);
    ExpectRefused(request, kCombination, HasSubstr("takes every setting over from the group"));
  }
}

TEST_F(AddReplicaTest, IsRefusedWhenThereAreFive) {
  Make(6, false);
  ExpectRefused(Replica("extra"), Fault::kNodeQuotaForClusterExceeded,
                HasSubstr("has 5 read replicas already"));
}

TEST_F(AddReplicaTest, NeedsANewNameAndAGroupThatIsAvailable) {
  ExpectRefused(Replica("extra"), Fault::kReplicationGroupNotFound,
                "ReplicationGroup not found: g");
  Make(1, false);
  ExpectRefused(Replica("G-001"), Fault::kCacheClusterAlreadyExists, HasSubstr("g-001"));
  ASSERT_THAT(plane.Ask(Replica("extra")), IsOk());
  ExpectRefused(Replica("more"), kGroupState, StartsWith("Replication group must be in available"));
}

TEST_F(AddReplicaTest, IsRefusedForMemcached) {
  Make(1, false);
  CreateCluster request = Memcached("mem");
  request.replication_group_id = "g";
  ExpectRefused(request, kCombination, HasSubstr("ReplicationGroupId"));
}

TEST_F(AddReplicaTest, LeavesTheGroupAsItWasWhenItCannotBeCreated) {
  Make(1, false);
  plane.host("host-2").first_phase = MemberPhase::kFailed;
  CreateCluster request = Replica("extra");
  request.zone = "us-east-1c";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOf("extra"), ClusterStatus::kCreateFailed);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
  ASSERT_THAT(plane.Ask(DeleteCluster{"extra", {}}), IsOk());
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("g-001"));
}

// --- DeleteCacheCluster ----------------------------------------------------------------------

TEST_F(DeleteReplicaTest, TakesAReplicaOutOfTheGroup) {
  Make(3, true);
  ASSERT_THAT(plane.Ask(DeleteCluster{"g-002", {}}), IsOk());
  plane.Settle();
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-003"));
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(SpecOf("g-001").replication->followers, ElementsAre(node("g-003").address));
}

TEST_F(DeleteReplicaTest, HasTheGroupModifiedFromTheFirstMoment) {
  Make(3, false);
  ASSERT_THAT(plane.Ask(DeleteCluster{"g-003", {}}), IsOk());
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  ExpectRefused(Decrease({}, {"g-003"}), kGroupState, HasSubstr("must be in available state"));
}

TEST_F(DeleteReplicaTest, IsRefusedForThePrimary) {
  Make(2, false);
  ExpectRefused(DeleteCluster{"g-001", {}}, kClusterState, HasSubstr("serving as primary"));
}

TEST_F(DeleteReplicaTest, IsRefusedForTheOnlyMember) {
  Make(1, false);
  ExpectRefused(DeleteCluster{"g-001", {}}, kClusterState,
                "Cannot delete the cache cluster since it is the only member of a replication "
                "group. Delete the replication group instead.");
}

TEST_F(DeleteReplicaTest, IsRefusedForTheLastReplicaWithAutomaticFailoverOrMultiAzOn) {
  Make(2, true, true);
  ExpectRefused(DeleteCluster{"g-002", {}}, kClusterState,
                HasSubstr("it is the only read replica for replication group g which has "
                          "autofailover enabled or pending"));
}

TEST_F(DeleteReplicaTest, IsRefusedWhileAnotherOneIsAboutToLeadOrToLeave) {
  Make(3, false);
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  ExpectRefused(DeleteCluster{"g-003", {}}, kClusterState, HasSubstr("is being modified"));
  plane.Settle();
  ASSERT_THAT(plane.Ask(Promote{"g-003", false}), IsOk());
  ExpectRefused(DeleteCluster{"g-001", {}}, kClusterState, HasSubstr("is being modified"));
}

}  // namespace
}  // namespace ec::core
