// Groups without a leader, and when a group is due.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "controlplane/core/group_lifecycle.h"
#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::GroupStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// --- a group without a leader ----------------------------------------------------------------

// Every command about the group and its clusters.
std::vector<Command> CommandsAbout(const std::string& cluster) {
  ModifyGroup modify;
  modify.id = "g";
  modify.primary_cluster = cluster;
  modify.apply_immediately = true;
  CreateCluster replica;
  replica.id = "extra";
  replica.replication_group_id = "g";
  return {modify,
          IncreaseReplicas{"g", 2, {}, true},
          DecreaseReplicas{"g", 0, {}, true},
          DecreaseReplicas{"g", {}, {cluster}, true},
          core::TestFailover{"g", "0001"},
          Switchover{"g", {}},
          Switchover{"g", cluster},
          Promote{cluster, false},
          Promote{cluster, true},
          core::Demote{"red", "g", {}, {}, true},
          core::Demote{"red", {}, cluster, "new", true},
          core::Demote{cluster, "g", {}, {}, true},
          replica,
          DeleteCluster{cluster, {}},
          RebootCluster{cluster, {"0001"}}};
}

class LeaderlessTest : public GroupTest {
 protected:
  void ExpectEveryCommandRefused(const std::string& cluster) {
    for (const Command& command : CommandsAbout(cluster)) {
      const model::Records before = plane.records();
      EXPECT_FALSE(plane.Ask(command).ok()) << "command " << command.index();
      EXPECT_TRUE(plane.records() == before);
    }
    plane.Tick(true);
  }
};

TEST_F(LeaderlessTest, GroupThatIsBeingDeletedRefusesEveryCommand) {
  MakeMaster("red");
  Make(2, false);
  HostOf("g-002").keeps_removed = true;
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", false, {}}), IsOk());
  plane.Settle();
  ASSERT_FALSE(plane.has_cluster("g-001"));
  ASSERT_TRUE(plane.has_cluster("g-002"));
  ExpectEveryCommandRefused("g-002");
  ExpectRefused(DeleteGroup{"g", false, {}}, Fault::kInvalidReplicationGroupState,
                HasSubstr("it is deleting"));
}

TEST_F(LeaderlessTest, GroupWhoseCreationFailedRefusesEveryCommandButItsDeletion) {
  MakeMaster("red");
  ASSERT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
  HostOf("g-002").keeps_removed = true;
  SetProved("g-002", false);
  plane.Settle();
  plane.Pass(plane.settings.operation_max);
  plane.Settle();
  ASSERT_EQ(group().status, GroupStatus::kCreateFailed);
  ASSERT_FALSE(plane.has_cluster("g-001"));
  ASSERT_TRUE(plane.has_cluster("g-002"));
  ExpectEveryCommandRefused("g-002");
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", true, {}}), IsOk());
  HostOf("g-002").keeps_removed = false;
  plane.Settle();
  EXPECT_FALSE(plane.has_group("g"));
}

TEST_F(LeaderlessTest, GroupIsForgottenByAReset) {
  Make(3, true);
  ASSERT_THAT(plane.Ask(Switchover{"g", {}}), IsOk());
  ASSERT_THAT(plane.Ask(Reset{}), IsOk());
  EXPECT_FALSE(plane.has_group("g"));
  plane.Tick(true);
  plane.Settle();
  EXPECT_TRUE(plane.records().members.empty());
}

// --- when a group is due ---------------------------------------------------------------------

class GroupsDueTest : public GroupTest {
 protected:
  std::set<model::GroupId> due() const { return GroupsDue(plane.state, plane.settings, plane.now); }
  std::optional<Instant> next() const {
    return NextGroupDeadline(plane.state, plane.settings, plane.now);
  }
};

TEST_F(GroupsDueTest, AreNoneWhileNothingIsUnderWay) {
  Make(1, false);
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_FALSE(next());
}

TEST_F(GroupsDueTest, AreThoseWhosePauseHasLastedLongEnough) {
  Make(2, true);
  ASSERT_THAT(plane.Ask(Switchover{"g", {}}), IsOk());
  const Instant begun = plane.now.instant;
  plane.MoveClocks(plane.settings.host_doubt_after);
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(next(), begun + plane.settings.pause_max);
  plane.MoveClocks(plane.settings.pause_max - plane.settings.host_doubt_after);
  EXPECT_THAT(due(), ElementsAre("g"));
  EXPECT_EQ(next(), begun + plane.settings.operation_max);
}

TEST_F(GroupsDueTest, AreThoseWithAQuestionThatNobodyHasAnsweredInTime) {
  Make(2, true);
  HostOf("g-002").mute.insert(node("g-002").id);
  Kill("g-001");
  const Instant asked = plane.now.instant;
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(next(), asked + plane.settings.offsets_max);
  plane.MoveClocks(plane.settings.offsets_max);
  EXPECT_THAT(due(), ElementsAre("g"));
  plane.Tick();  // asks again
  EXPECT_EQ(next(), plane.now.instant + plane.settings.offsets_max);
}

TEST_F(GroupsDueTest, AreLookedAtWhenTheLeadersHostIsInDoubt) {
  Make(2, true);
  EXPECT_EQ(next(), plane.now.instant + plane.settings.host_doubt_after);
}

}  // namespace
}  // namespace ec::core
