// DeleteReplicationGroup, and TestFailover as a command.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "controlplane/model/limits.h"
#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::GroupStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr Fault kCombination = Fault::kInvalidParameterCombination;
constexpr Fault kGroupState = Fault::kInvalidReplicationGroupState;

class DeleteGroupTest : public GroupTest {};
class TestFailoverTest : public GroupTest {};

// --- delete ----------------------------------------------------------------------------------

TEST_F(DeleteGroupTest, DeletesEveryClusterAndThenForgetsTheGroup) {
  Make(3, true);
  ASSERT_THAT(plane.Ask(DeleteGroup{"G", false, {}}), IsOk());
  EXPECT_EQ(group().status, GroupStatus::kDeleting);
  for (const std::string& id : group().members) EXPECT_EQ(StatusOf(id), ClusterStatus::kDeleting);
  plane.Settle();
  EXPECT_FALSE(plane.has_group("g"));
  EXPECT_TRUE(plane.records().clusters.empty());
  EXPECT_TRUE(plane.state.addresses.empty());
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Cache cluster deleted", "Cache cluster deleted", "Cache cluster deleted",
                          "Replication group g deleted"));
}

TEST_F(DeleteGroupTest, ClosesItsEndpointsAtOnce) {
  Make(2, false);
  FakeHost& host = HostOf("g-001");
  host.keeps_removed = true;
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", false, {}}), IsOk());
  plane.Settle();
  EXPECT_TRUE(plane.has_group("g"));
  EXPECT_THAT(host.plan.endpoints, IsEmpty());
}

TEST_F(DeleteGroupTest, CanLeaveThePrimaryAsAStandaloneCluster) {
  Make(3, false);
  const model::Member before = node("g-001");
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", true, {}}), IsOk());
  plane.Settle();
  EXPECT_FALSE(plane.has_group("g"));
  EXPECT_THAT(plane.records().clusters, ::testing::SizeIs(1));
  EXPECT_EQ(plane.cluster("g-001").group, "");
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
  EXPECT_EQ(node("g-001").launch, before.launch);
  EXPECT_FALSE(SpecOf("g-001").replication);
}

TEST_F(DeleteGroupTest, OfOneClusterThatIsRetainedEndsAtOnce) {
  Make(1, false);
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", true, {}}), IsOk());
  EXPECT_FALSE(plane.has_group("g"));
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
}

TEST_F(DeleteGroupTest, RemovesWhatIsLeftOfAFailedCreation) {
  plane.host("host-1").first_phase = MemberPhase::kFailed;
  ASSERT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
  plane.Settle();
  ASSERT_EQ(group().status, GroupStatus::kCreateFailed);
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", true, {}}), IsOk());
  EXPECT_FALSE(plane.has_group("g"));
}

TEST_F(DeleteGroupTest, IsPossibleWhileThePrimaryHasFailedAndNobodyMayReplaceIt) {
  Make(2, false);
  KillForGood("g-001");
  plane.Settle();
  ASSERT_FALSE(group().trouble.empty());
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", false, {}}), IsOk());
  plane.Settle();
  EXPECT_FALSE(plane.has_group("g"));
}

TEST_F(DeleteGroupTest, DoesNotRetainAPrimaryThatHasLostItsData) {
  Make(2, false);
  KillForGood("g-001");
  plane.Settle();
  ASSERT_FALSE(group().trouble.empty());
  ExpectRefused(DeleteGroup{"g", true, {}}, kGroupState,
                StartsWith("Cache cluster g-001, the primary, is recovering and cannot be"));
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", true, {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOf("g-002"), ClusterStatus::kAvailable);
}

TEST_F(DeleteGroupTest, IsRefusedUnlessTheGroupAndItsClustersAreSettled) {
  ASSERT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
  ExpectRefused(DeleteGroup{"g", false, {}}, kGroupState, HasSubstr("it is creating"));
  plane.Settle();
  ASSERT_THAT(plane.Ask(RebootCluster{"g-002", {"0001"}}), IsOk());
  ExpectRefused(DeleteGroup{"g", false, {}}, kGroupState,
                "Cache cluster g-002 is not in a valid state to be deleted");
}

TEST_F(DeleteGroupTest, IsRefusedForAnUnknownGroupAndWithAnImproperSnapshot) {
  ExpectRefused(DeleteGroup{"g", false, {}}, Fault::kReplicationGroupNotFound,
                "ReplicationGroup not found: g");
  Make(1, false);
  ExpectRefused(DeleteGroup{"g", false, "1"}, Fault::kInvalidParameterValue,
                HasSubstr("FinalSnapshotIdentifier"));
}

// --- TestFailover ----------------------------------------------------------------------------

TEST_F(TestFailoverTest, HasThePresentLaunchOfTheLeaderKilled) {
  Make(2, true);
  const uint64_t launch = node("g-001").launch;
  ASSERT_THAT(plane.Ask(TestFailover{"g", "0001"}), IsOk());
  EXPECT_EQ(node("g-001").condemned, launch);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);  // as AWS shows it
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Test Failover API called for node group 0001"));
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(TestFailoverTest, IsRefusedWithoutAutomaticFailover) {
  Make(2, false);
  ExpectRefused(TestFailover{"g", "0001"}, kGroupState,
                HasSubstr("Automatic failover must be enabled"));
}

TEST_F(TestFailoverTest, IsRefusedWhileNoReplicaCouldTakeOver) {
  Make(2, true);
  SetProved("g-002", false);
  plane.Settle();
  ASSERT_EQ(StatusOf("g-002"), ClusterStatus::kAvailable);
  ExpectRefused(TestFailover{"g", "0001"}, kGroupState,
                "Replication group g has no replica that could take over.");
}

TEST_F(TestFailoverTest, IsRefusedForAnotherNodeGroup) {
  Make(2, true);
  ExpectRefused(TestFailover{"g", "0002"}, Fault::kNodeGroupNotFound, HasSubstr("'0002'"));
  ExpectRefused(TestFailover{"other", "0001"}, Fault::kReplicationGroupNotFound,
                "ReplicationGroup not found: other");
}

TEST_F(TestFailoverTest, IsRefusedUntilTheNodeThatWasReplacedIsBack) {
  Make(3, true);
  HostOf("g-001").kept_down.insert(node("g-001").id);
  ASSERT_THAT(plane.Ask(TestFailover{"g", "0001"}), IsOk());
  plane.Settle();
  ASSERT_NE(leader(), "g-001");
  ExpectRefused(TestFailover{"g", "0001"}, kGroupState,
                HasSubstr("Cache cluster g-001 of replication group g is not available yet"));
  HostOf("g-001").kept_down.clear();
  plane.Settle();
  EXPECT_THAT(plane.Ask(TestFailover{"g", "0001"}), IsOk());
}

TEST_F(TestFailoverTest, IsRefusedUntilTheOneBeforeHasBegun) {
  Make(2, true);
  ASSERT_THAT(plane.Ask(TestFailover{"g", "0001"}), IsOk());
  ExpectRefused(TestFailover{"g", "0001"}, kGroupState, HasSubstr("is under way"));
}

TEST_F(TestFailoverTest, IsRefusedWhileTheGroupIsChanged) {
  Make(2, true);
  ASSERT_THAT(plane.Ask(IncreaseReplicas{"g", 2, {}, true}), IsOk());
  ExpectRefused(TestFailover{"g", "0001"}, kGroupState, StartsWith("Replication group must be"));
}

TEST_F(TestFailoverTest, IsPossibleFifteenTimesInADay) {
  Make(2, true);
  for (size_t i = 0; i < model::kTestFailoversMax; ++i) {
    ASSERT_THAT(plane.Ask(TestFailover{"g", "0001"}), IsOk());
    plane.Settle();
    plane.Pass(std::chrono::seconds(1));
  }
  ExpectRefused(TestFailover{"g", "0001"}, Fault::kTestFailoverQuota, HasSubstr("15 times"));
  plane.Pass(std::chrono::hours(24) - std::chrono::seconds(10));  // the first calls are forgotten
  EXPECT_THAT(plane.Ask(TestFailover{"g", "0001"}), IsOk());
}

}  // namespace
}  // namespace ec::core
