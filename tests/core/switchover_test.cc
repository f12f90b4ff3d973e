// Planned changes of leader, step by step.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::GroupStatus;
using model::SwitchStep;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SwitchoverTest : public GroupTest {
 protected:
  static std::string GivenUp(const std::string& why) {
    return "The change of primary to g-002 was given up: " + why;
  }
  // Up to where the leader's writes wait; `g-002` is to lead.
  void Pause() {
    ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
    Report("g-001");
    ASSERT_EQ(group().step, SwitchStep::kPausing);
  }
  // And up to where the leader is to follow, but has not been seen to.
  void Demote() {
    Pause();
    Report("g-002");
    ASSERT_EQ(group().step, SwitchStep::kDemoting);
    HostOf("g-001").stubborn.insert(node("g-001").id);
  }
  void ExpectUndone(const std::string& why) {
    EXPECT_EQ(leader(), "g-001");
    EXPECT_EQ(group().step, SwitchStep::kNone);
    EXPECT_EQ(group().successor, 0u);
    EXPECT_THAT(plane.NewEvents(), ::testing::Contains(GivenUp(why)));
    HostOf("g-001").stubborn.clear();
    Report("g-001");
    EXPECT_TRUE(SpecOf("g-001").replication->leads);
    EXPECT_FALSE(SpecOf("g-001").replication->paused);
  }
};

// --- the steps -------------------------------------------------------------------------------

TEST_F(SwitchoverTest, FirstHasTheLeadersWritesWait) {
  Make(2, true);
  const uint64_t epoch = group().epoch;
  ASSERT_THAT(plane.Ask(Switchover{"G", "g-002"}), IsOk());
  EXPECT_EQ(group().step, SwitchStep::kPausing);
  EXPECT_EQ(group().successor, node("g-002").id);
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  EXPECT_EQ(group().epoch, epoch);
  plane.Obey(HostOf("g-001"));
  EXPECT_TRUE(SpecOf("g-001").replication->leads);
  EXPECT_TRUE(SpecOf("g-001").replication->paused);
}

TEST_F(SwitchoverTest, WaitsUntilTheSuccessorHasAllThatThePausedLeaderHas) {
  Make(2, true);
  SetOffset("g-001", 1000);
  SetOffset("g-002", 999);
  Pause();
  plane.Settle();
  EXPECT_EQ(group().step, SwitchStep::kPausing);
  SetOffset("g-002", 1000);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(SwitchoverTest, BelievesNoOffsetBeforeTheLeaderIsSeenToBePaused) {
  Make(2, true);
  HostOf("g-001").stubborn.insert(node("g-001").id);
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  plane.Settle();
  EXPECT_EQ(group().step, SwitchStep::kPausing);
}

TEST_F(SwitchoverTest, ThenHasTheLeaderFollowWhileTheSuccessorDoesNotLeadYet) {
  Make(3, true);
  const uint64_t epoch = group().epoch;
  Pause();
  Report("g-002");
  ASSERT_EQ(group().step, SwitchStep::kDemoting);
  EXPECT_EQ(leader(), "g-001");
  EXPECT_GT(group().epoch, epoch);
  for (const std::string& id : group().members) {
    plane.Obey(HostOf(id));
    EXPECT_FALSE(SpecOf(id).replication->leads);
  }
  EXPECT_EQ(SpecOf("g-001").replication->leader, node("g-002").address);
  EXPECT_EQ(SpecOf("g-003").replication->leader, node("g-002").address);
}

TEST_F(SwitchoverTest, AppointsTheSuccessorOnlyWhenTheLeaderIsSeenToFollow) {
  Make(2, true);
  Demote();
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  HostOf("g-001").stubborn.clear();
  const uint64_t epoch = group().epoch;
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_GT(group().epoch, epoch);
  EXPECT_EQ(group().step, SwitchStep::kNone);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_FALSE(group().lost_bytes);
  const std::string failover = "Failover from primary node g-001 to replica node g-002 completed";
  EXPECT_THAT(plane.NewEvents(), ElementsAre(failover, failover));
}

TEST_F(SwitchoverTest, KeepsEveryEngineRunning) {
  Make(3, true);
  const std::vector<uint64_t> before = {node("g-001").launch, node("g-002").launch};
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  plane.Settle();
  EXPECT_THAT(before, ElementsAre(node("g-001").launch, node("g-002").launch));
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
}

TEST_F(SwitchoverTest, ChoosesASuccessorThatCanLeadWhenNoneIsNamed) {
  Make(3, true);
  SetProved("g-002", false);
  plane.Settle();
  ASSERT_THAT(plane.Ask(Switchover{"g", {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
}

TEST_F(SwitchoverTest, IsUndoneOrDoneAfterARestartDuringThePause) {
  Make(2, true);
  Pause();
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(group().step, SwitchStep::kNone);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_TRUE(plane.HostOf(node(leader())).plan.members.at(group().leader).replication->leads);
}

TEST_F(SwitchoverTest, IsDoneAfterARestartThatFollowsThePause) {
  Make(2, true);
  Demote();
  HostOf("g-001").stubborn.clear();
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

// --- refusals --------------------------------------------------------------------------------

TEST_F(SwitchoverTest, IsRefusedForWhoCannotLead) {
  Make(2, true);
  SetProved("g-002", false);
  plane.Settle();
  ExpectRefused(Switchover{"g", "g-002"}, Fault::kInvalidCacheClusterState,
                HasSubstr("has not proved to have everything"));
  ExpectRefused(Switchover{"g", {}}, Fault::kInvalidReplicationGroupState,
                HasSubstr("has no replica that could lead"));
  ExpectRefused(Switchover{"g", "g-001"}, Fault::kInvalidParameterValue,
                HasSubstr("It is the primary already"));
  ExpectRefused(Switchover{"other", {}}, Fault::kReplicationGroupNotFound,
                "ReplicationGroup not found: other");
}

TEST_F(SwitchoverTest, IsRefusedWhileAnotherChangeIsUnderWay) {
  Make(3, true);
  Pause();
  ExpectRefused(Switchover{"g", "g-003"}, Fault::kInvalidReplicationGroupState,
                HasSubstr("must be in available state"));
}

TEST_F(SwitchoverTest, IsRefusedWhileAnotherOneHelpsAGroupThatWasInTrouble) {
  Make(3, false);
  Kill("g-001");
  plane.Settle();
  ASSERT_NE(group().trouble, "");
  ASSERT_THAT(plane.Ask(RebootCluster{"g-001", {"0001"}}), IsOk());
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  ASSERT_EQ(group().step, SwitchStep::kPausing);
  ExpectRefused(Switchover{"g", "g-003"}, Fault::kInvalidReplicationGroupState,
                HasSubstr("must be in available state"));
}

// --- giving up -------------------------------------------------------------------------------

TEST_F(SwitchoverTest, IsGivenUpWhenTheSuccessorCannotLeadAnyMore) {
  Make(3, true);
  Pause();
  KillForGood("g-002");
  ExpectUndone("is recovering");
}

TEST_F(SwitchoverTest, IsGivenUpWhenTheSuccessorHasNotCaughtUpWithinThePause) {
  Make(2, true);
  SetOffset("g-001", 1000);
  SetOffset("g-002", 999);
  Pause();
  plane.Pass(plane.settings.pause_max - std::chrono::milliseconds(1));
  EXPECT_EQ(group().step, SwitchStep::kPausing);
  plane.Pass(std::chrono::milliseconds(1));
  ExpectUndone("it did not catch up while writes were held back");
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(SwitchoverTest, TakesNoPauseOfAnEarlierAttemptForItsOwn) {
  Make(2, true);
  SetOffset("g-001", 1000);
  SetOffset("g-002", 999);
  Pause();
  plane.Pass(plane.settings.pause_max);
  ASSERT_EQ(group().step, SwitchStep::kNone);
  // The leader's last word is still that its writes wait, which they may not do any more.
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  SetOffset("g-002", 1000);
  for (int i = 0; i < 3; ++i) {
    Report("g-002");
    plane.Tick(true);
  }
  EXPECT_EQ(group().step, SwitchStep::kPausing);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(SwitchoverTest, BecomesAFailoverWhenTheLeaderEndsDuringThePause) {
  Make(3, true);
  SetOffset("g-002", 900);
  SetOffset("g-003", 901);
  Pause();
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");  // who has the most, whoever was to lead
  EXPECT_EQ(group().step, SwitchStep::kNone);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(SwitchoverTest, IsCompletedWhenTheLeaderEndsAfterThePause) {
  Make(2, true);
  Demote();
  KillForGood("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(SwitchoverTest, ReportsTheTailWhenTheLeaderEndsAfterThePause) {
  Make(2, true);
  Demote();
  SetOffset("g-001", 1500);  // its pause was over before it had heard that it is to follow
  Report("g-001");
  EXPECT_FALSE(group().lost_bytes);
  Silence("g-001");
  plane.SeeEnd(node("g-001").id);
  plane.Settle();
  ASSERT_EQ(leader(), "g-002");
  EXPECT_EQ(group().lost_bytes, 1400);
  EXPECT_EQ(group().lost_ms, 4000);  // since its host was heard last
}

TEST_F(SwitchoverTest, IsCompletedWhenTheSilentLeaderIsSeenToHaveEndedWhoeverMayTakeOverByItself) {
  for (const bool automatic_failover : {true, false}) {
    ControlPlane fresh;
    plane = fresh;
    plane.AddHosts(3, 3);
    Make(2, automatic_failover);
    Demote();
    Silence("g-001");
    plane.Settle();
    EXPECT_EQ(leader(), "g-001");
    EXPECT_EQ(group().step, SwitchStep::kDemoting);
    plane.SeeEnd(node("g-001").id);
    plane.Settle();
    EXPECT_EQ(leader(), "g-002");
    EXPECT_EQ(group().status, GroupStatus::kAvailable);
  }
}

TEST_F(SwitchoverTest, IsUndoneInTimeWhenNobodyCanTellWhatHasBecomeOfASilentLeader) {
  Make(2, false);
  Demote();
  Silence("g-001");
  plane.Pass(plane.settings.operation_max - plane.settings.host_silence_max -
             std::chrono::milliseconds(1));
  EXPECT_EQ(group().step, SwitchStep::kDemoting);
  const uint64_t epoch = group().epoch;
  plane.Pass(std::chrono::milliseconds(1));
  EXPECT_GT(group().epoch, epoch);  // whatever its host obeys later is newer than the step
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(group().primary.host, node("g-001").host);
  HostOf("g-001").silent = false;
  ExpectUndone("g-001 has not been seen to step down in time");
}

TEST_F(SwitchoverTest, IsUndoneInTimeWhenTheLeaderDoesNotStepDown) {
  Make(2, true);
  Demote();
  plane.Pass(plane.settings.operation_max);
  ExpectUndone("g-001 has not been seen to step down in time");
}

TEST_F(SwitchoverTest, IsUndoneWhenTheSuccessorsHostFallsSilentAfterThePause) {
  Make(2, true);
  Demote();
  const HostId host = node("g-002").host;
  Silence("g-002");
  ExpectUndone("its host " + host + " does not answer");
}

TEST_F(SwitchoverTest, WaitsAfterARestartUntilTheSuccessorsHostIsHeard) {
  Make(3, true);
  Pause();
  plane.Restart();
  Report("g-001");
  EXPECT_EQ(group().step, SwitchStep::kPausing);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(SwitchoverTest, AppointsNobodyAfterARestartWhoseHostHasNotBeenHeard) {
  Make(2, true);
  Demote();
  HostOf("g-001").stubborn.clear();
  plane.Obey(HostOf("g-001"));
  plane.Restart();
  Report("g-001");
  EXPECT_EQ(leader(), "g-001");
  EXPECT_EQ(group().step, SwitchStep::kDemoting);
  Report("g-002");
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(SwitchoverTest, IsGivenUpInANewEpochSoThatNothingOfItCountsForTheNextOne) {
  Make(3, true);
  Pause();
  const uint64_t epoch = group().epoch;
  KillForGood("g-002");
  ASSERT_EQ(group().step, SwitchStep::kNone);
  EXPECT_GT(group().epoch, epoch);
  // The leader's last word is that its writes wait. They may go on by now.
  plane.Report(HostOf("g-003"));
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-003"}), IsOk());
  Report("g-003");
  EXPECT_EQ(group().step, SwitchStep::kPausing);
  Report("g-001");
  Report("g-003");
  EXPECT_EQ(group().step, SwitchStep::kDemoting);
}

TEST_F(SwitchoverTest, IsUndoneInANewEpochWhenTheSuccessorEndsAfterThePause) {
  Make(2, true);
  Demote();
  const uint64_t epoch = group().epoch;
  KillForGood("g-002");
  EXPECT_GT(group().epoch, epoch);
  ExpectUndone("its engine has ended");
}

}  // namespace
}  // namespace ec::core
