// PromoteCacheCluster and DemoteCacheCluster.
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

constexpr Fault kCombination = Fault::kInvalidParameterCombination;
constexpr Fault kClusterState = Fault::kInvalidCacheClusterState;
constexpr Fault kGroupState = Fault::kInvalidReplicationGroupState;

class PromoteTest : public GroupTest {};

// --- promote ---------------------------------------------------------------------------------

TEST_F(PromoteTest, LetsAReplicaGoOnceANewProofNamesIt) {
  Make(3, true);
  const uint64_t proof = group().proof;
  HostOf("g-001").stubborn.insert(node("g-001").id);  // the leader has not proved anew yet
  ASSERT_THAT(plane.Ask(Promote{"G-002", false}), IsOk());
  EXPECT_EQ(group().promoting, "g-002");
  EXPECT_EQ(group().proof, proof + 1);
  plane.Settle();
  EXPECT_EQ(plane.cluster("g-002").group, "g");
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  HostOf("g-001").stubborn.clear();
  plane.Settle();
  EXPECT_EQ(plane.cluster("g-002").group, "");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-003"));
}

TEST_F(PromoteTest, KeepsEngineAndAddressAndCutsTheTie) {
  Make(2, false);
  const model::Member before = node("g-002");
  ASSERT_THAT(plane.Ask(Promote{"g-002", false}), IsOk());
  plane.Settle();
  EXPECT_EQ(node("g-002").launch, before.launch);
  EXPECT_EQ(node("g-002").address, before.address);
  EXPECT_EQ(StatusOf("g-002"), ClusterStatus::kAvailable);
  EXPECT_FALSE(SpecOf("g-002").replication);
  EXPECT_THAT(SpecOf("g-001").replication->followers, IsEmpty());
  const std::string event =
      "Cache cluster g-002 has left replication group g as a master of its own";
  EXPECT_THAT(plane.NewEvents(), ElementsAre(event, event));
}

TEST_F(PromoteTest, IsGivenUpWhenTheProofDoesNotComeInTime) {
  Make(2, false);
  SetProved("g-002", false);
  ASSERT_THAT(plane.Ask(Promote{"g-002", false}), IsOk());
  plane.Settle();
  EXPECT_EQ(group().promoting, "g-002");
  plane.Pass(plane.settings.operation_max);
  EXPECT_FALSE(group().promoting);
  EXPECT_EQ(plane.cluster("g-002").group, "g");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre(HasSubstr("The promotion of cache cluster g-002 was given up")));
}

TEST_F(PromoteTest, IsGivenUpWhenAFailoverMakesItThePrimary) {
  Make(3, true);
  HostOf("g-001").stubborn.insert(node("g-001").id);
  SetOffset("g-002", 900);
  ASSERT_THAT(plane.Ask(Promote{"g-002", false}), IsOk());
  plane.Settle();
  ASSERT_EQ(group().promoting, "g-002");
  KillForGood("g-001");
  plane.Settle();
  ASSERT_EQ(leader(), "g-002");
  EXPECT_FALSE(group().promoting);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), Contains(HasSubstr("a failover has made it")));
}

TEST_F(PromoteTest, IsDoneAtOnceWithoutProofWhenForced) {
  Make(2, false);
  SetProved("g-002", false);
  plane.Settle();
  ASSERT_THAT(plane.Ask(Promote{"g-002", true}), IsOk());
  EXPECT_EQ(plane.cluster("g-002").group, "");
  EXPECT_THAT(group().members, ElementsAre("g-001"));
}

TEST_F(PromoteTest, IsPossibleByForceWhileTheGroupHasNoLeaderThatServes) {
  Make(2, false);
  KillForGood("g-001");
  plane.Settle();
  ASSERT_EQ(group().status, GroupStatus::kModifying);
  ExpectRefused(Promote{"g-002", false}, kGroupState, HasSubstr("must be in available state"));
  ASSERT_THAT(plane.Ask(Promote{"g-002", true}), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOf("g-002"), ClusterStatus::kAvailable);
}

TEST_F(PromoteTest, GoesOnAfterARestartOfTheControlPlane) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(Promote{"g-002", false}), IsOk());
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(plane.cluster("g-002").group, "");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(PromoteTest, IsRefusedForAPrimaryAndForAMaster) {
  Make(2, false);
  MakeMaster("red");
  for (const bool force : {false, true}) {
    ExpectRefused(Promote{"g-001", force}, kClusterState, HasSubstr("is the primary"));
    ExpectRefused(Promote{"red", force}, kClusterState, HasSubstr("a master of its own already"));
    ExpectRefused(Promote{"blue", force}, Fault::kCacheClusterNotFound,
                  "CacheCluster not found: blue");
  }
}

TEST_F(PromoteTest, IsRefusedForTheLastReplicaWithAutomaticFailoverOrMultiAzOn) {
  Make(2, true, true);
  for (const bool force : {false, true}) {
    ExpectRefused(Promote{"g-002", force}, kClusterState, HasSubstr("the only read replica"));
  }
}

TEST_F(PromoteTest, IsRefusedForAReplicaThatIsNotAvailable) {
  Make(3, true);
  KillForGood("g-002");
  for (const bool force : {false, true}) {
    ExpectRefused(Promote{"g-002", force}, kClusterState, HasSubstr("it is recovering"));
  }
}

TEST_F(PromoteTest, IsRefusedWhileSomethingElseIsUnderWay) {
  Make(4, true);
  ASSERT_THAT(plane.Ask(Promote{"g-002", false}), IsOk());
  ExpectRefused(Promote{"g-003", false}, kClusterState, HasSubstr("is being modified"));
  plane.Settle();
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-003"}), IsOk());
  ExpectRefused(Promote{"g-004", true}, kClusterState, HasSubstr("is being modified"));
}

// --- demote ----------------------------------------------------------------------------------

// A master "red" besides the group "g" of two.
class DemoteTest : public GroupTest {
 protected:
  DemoteTest() {
    Make(2, false);
    MakeMaster("red");
  }
  static Demote Into(const std::string& group, const std::string& cluster = "red") {
    return {cluster, group, {}, {}, true};
  }
  static Demote Under(const std::string& master, std::optional<std::string> new_group = "new") {
    return {"red", {}, master, std::move(new_group), true};
  }
};

TEST_F(DemoteTest, MakesAMasterAReplicaWithItsNameAndAddress) {
  const model::Member before = node("red");
  ASSERT_THAT(plane.Ask(Into("G", "RED")), IsOk());
  EXPECT_EQ(plane.cluster("red").group, "g");
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kModifying);
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  EXPECT_EQ(group().demoting, "red");
  plane.Settle();
  EXPECT_EQ(node("red").address, before.address);
  EXPECT_TRUE(node("red").in_sync);
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(SpecOf("red").replication->leader, node("g-001").address);
  const std::string event = "Cache cluster red is now a replica of replication group g";
  EXPECT_THAT(plane.NewEvents(), ElementsAre(event, event));
}

TEST_F(DemoteTest, JoinsTheReaderEndpointOnlyWhenItIsInSync) {
  SetProved("red", false);
  ASSERT_THAT(plane.Ask(Into("g")), IsOk());
  plane.Settle();
  const auto readers = [&] { return HostOf("g-001").plan.endpoints.at(group().reader.id).spread; };
  EXPECT_THAT(readers(), Not(Contains(node("red").address)));
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kModifying);
  SetProved("red", true);
  plane.Settle();
  EXPECT_THAT(readers(), Contains(node("red").address));
}

TEST_F(DemoteTest, TakesTheGroupsSettingsOverWhenItIsDone) {
  ASSERT_NE(plane.cluster("red").maintenance_window, "sun:05:00-sun:06:00");
  ASSERT_THAT(plane.Ask(Into("g")), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").maintenance_window, "sun:05:00-sun:06:00");
  EXPECT_EQ(plane.cluster("red").snapshot_window, "09:00-10:00");
}

TEST_F(DemoteTest, GivesUpWhatWaitedForItsOwnMaintenanceWindow) {
  MakeMaster("old", [](CreateCluster& r) { r.engine_version = "7.0"; });
  MakeMaster("older", [](CreateCluster& r) { r.engine_version = "7.0"; });
  ModifyCluster change;
  change.id = "old";
  change.engine_version = "7.1";
  ASSERT_THAT(plane.Ask(change), IsOk());
  ASSERT_THAT(plane.Ask(Demote{"old", {}, "older", "new", true}), IsOk());
  plane.Settle();
  EXPECT_TRUE(plane.cluster("old").pending.empty());
}

TEST_F(DemoteTest, RaisesTheEpochSoThatNobodyObeysAnOlderPlan) {
  const uint64_t before = group().epoch;
  ASSERT_THAT(plane.Ask(Into("g")), IsOk());
  EXPECT_GT(group().epoch, before);
  EXPECT_EQ(leader(), "g-001");
}

TEST_F(DemoteTest, FormsAGroupAroundAStandaloneMaster) {
  MakeMaster("blue");
  ASSERT_THAT(plane.Ask(Under("blue", "NEW")), IsOk());
  plane.Settle();
  EXPECT_EQ(group("new").leader, node("blue").id);
  EXPECT_THAT(group("new").members, ElementsAre("blue", "red"));
  EXPECT_EQ(group("new").status, GroupStatus::kAvailable);
  EXPECT_FALSE(group("new").automatic_failover);
}

TEST_F(DemoteTest, IsUndoneWhenItHasNotCaughtUpInTime) {
  SetProved("red", false);
  ASSERT_THAT(plane.Ask(Into("g")), IsOk());
  plane.Settle();
  plane.Pass(plane.settings.operation_max);
  EXPECT_EQ(plane.cluster("red").group, "");
  EXPECT_THAT(group().members, ElementsAre("g-001", "g-002"));
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_FALSE(SpecOf("red").replication);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(HasSubstr("it is a master again")));
}

TEST_F(DemoteTest, IsAsItWasWhenItIsUndone) {
  SetProved("red", false);
  const model::Cluster before = plane.cluster("red");
  ASSERT_THAT(plane.Ask(Into("g")), IsOk());
  plane.Settle();
  plane.Pass(plane.settings.operation_max);
  plane.Settle();
  model::Cluster after = plane.cluster("red");
  after.revision = before.revision;
  EXPECT_TRUE(after == before);
}

TEST_F(DemoteTest, GoesOnAfterARestartOfTheControlPlane) {
  ASSERT_THAT(plane.Ask(Into("g")), IsOk());
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
  EXPECT_THAT(group().members, Contains("red"));
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(DemoteTest, IsRefusedUnlessTheLossOfDataIsAccepted) {
  Demote request = Into("g");
  request.accept_data_loss = false;
  ExpectRefused(request, kCombination, HasSubstr("AcceptDataLoss must be true"));
}

TEST_F(DemoteTest, IsRefusedForAClusterOfAGroup) {
  ASSERT_THAT(plane.Ask(RedisGroup("other", 2)), IsOk());
  plane.Settle();
  ExpectRefused(Into("g", "other-001"), kClusterState, HasSubstr("replicas of its own"));
  ExpectRefused(Into("g", "other-002"), kClusterState, HasSubstr("is a replica of"));
}

TEST_F(DemoteTest, NamesExactlyOneMasterThatIsNotItself) {
  ExpectRefused(Demote{"red", {}, {}, {}, true}, kCombination, HasSubstr("Exactly one of"));
  ExpectRefused(Demote{"red", "g", "blue", "new", true}, kCombination, HasSubstr("Exactly one of"));
  ExpectRefused(Under("red"), kCombination, HasSubstr("cannot follow itself"));
}

TEST_F(DemoteTest, IsRefusedForAMasterThatBelongsToAGroup) {
  ExpectRefused(Under("g-001"), kCombination, HasSubstr("name the group instead"));
}

TEST_F(DemoteTest, NeedsANewNameForTheGroupThatItForms) {
  MakeMaster("blue");
  ExpectRefused(Under("blue", {}), kCombination, HasSubstr("NewReplicationGroupId must name"));
  ExpectRefused(Under("blue", "g"), Fault::kReplicationGroupAlreadyExists,
                "Replication group with specified name already exists.");
  ExpectRefused(Under("blue", "no_id"), Fault::kInvalidParameterValue,
                HasSubstr("is not a valid identifier"));
}

TEST_F(DemoteTest, IsRefusedForAnotherEngineVersionOrNodeType) {
  MakeMaster("old", [](CreateCluster& r) { r.engine_version = "6.2"; });
  MakeMaster("big", [](CreateCluster& r) { r.node_type = "cache.m4.large"; });
  MakeMaster("mem", [](CreateCluster& r) { r.engine = "memcached"; });
  ExpectRefused(Into("g", "old"), kCombination, HasSubstr("they must be the same"));
  ExpectRefused(Into("g", "big"), kCombination, HasSubstr("the node types must be the same"));
  ExpectRefused(Into("g", "mem"), kCombination, HasSubstr("runs memcached"));
  ExpectRefused(Under("mem"), kCombination, HasSubstr("runs memcached"));
}

TEST_F(DemoteTest, IsRefusedForAnotherVpc) {
  // No command makes a second subnet group yet.
  plane.state.records.clusters.at("red").vpc = "vpc-elsewhere";
  ExpectRefused(Into("g"), kCombination, HasSubstr("are in different VPCs"));
}

TEST_F(DemoteTest, IsRefusedWhenEitherIsUnknown) {
  ExpectRefused(Into("other"), Fault::kReplicationGroupNotFound,
                "ReplicationGroup not found: other");
  ExpectRefused(Under("blue"), Fault::kCacheClusterNotFound, "CacheCluster not found: blue");
  ExpectRefused(Into("g", "blue"), Fault::kCacheClusterNotFound, "CacheCluster not found: blue");
}

TEST_F(DemoteTest, IsRefusedWhileEitherIsNotAvailable) {
  MakeMaster("blue");
  ASSERT_THAT(plane.Ask(RebootCluster{"blue", {"0001"}}), IsOk());
  ExpectRefused(Under("blue"), kClusterState, HasSubstr("not in available state"));
  ExpectRefused(Into("g", "blue"), kClusterState, HasSubstr("not in available state"));
  ASSERT_THAT(plane.Ask(IncreaseReplicas{"g", 2, {}, true}), IsOk());
  ExpectRefused(Into("g"), kGroupState, HasSubstr("not in available state"));
}

TEST_F(DemoteTest, IsRefusedWhileTheGroupsPrimaryIsNotAvailable) {
  Silence("g-001");
  ASSERT_EQ(group().status, GroupStatus::kAvailable);
  ExpectRefused(Into("g"), kClusterState, HasSubstr("g-001 is not in available state"));
}

TEST_F(DemoteTest, IsRefusedWhenTheGroupIsFull) {
  ASSERT_THAT(plane.Ask(IncreaseReplicas{"g", 5, {}, true}), IsOk());
  plane.Settle();
  ExpectRefused(Into("g"), Fault::kNodeQuotaForClusterExceeded, HasSubstr("has 5 read replicas"));
}

}  // namespace
}  // namespace ec::core
