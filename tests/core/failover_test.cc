// What becomes of a group whose leader has ended.
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

class FailoverTest : public GroupTest {
 protected:
  static std::string NoFailover(const std::string& why) {
    return "The primary has failed and no replica was promoted: " + why;
  }
};

// --- who leads next --------------------------------------------------------------------------

TEST_F(FailoverTest, PromotesTheFollowerThatHasTheMost) {
  Make(3, true);
  SetOffset("g-002", 500);
  SetOffset("g-003", 501);
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(FailoverTest, PromotesTheOldestOfThoseThatHaveTheSame) {
  Make(4, true);
  SetOffset("g-002", 400);
  SetOffset("g-003", 500);
  SetOffset("g-004", 500);
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
}

TEST_F(FailoverTest, WaitsForEveryAnswerButNotForLong) {
  Make(3, true);
  SetOffset("g-003", 900);
  HostOf("g-003").mute.insert(node("g-003").id);
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  ASSERT_TRUE(NextDeadline(plane.state, plane.settings, plane.now).has_value());
  EXPECT_LE(*NextDeadline(plane.state, plane.settings, plane.now),
            plane.now.instant + plane.settings.offsets_max);
  plane.Pass(plane.settings.offsets_max);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(FailoverTest, RaisesTheEpochAndMovesThePrimaryEndpointInOneStep) {
  Make(2, true);
  const model::Group before = group();
  Kill("g-001");
  plane.Settle();
  EXPECT_GT(group().epoch, before.epoch);
  EXPECT_EQ(group().primary.address, before.primary.address);
  EXPECT_EQ(group().primary.host, node("g-002").host);
  const EndpointSpec& primary = HostOf("g-002").plan.endpoints.at(group().primary.id);
  EXPECT_EQ(primary.target, node("g-002").id);
  EXPECT_EQ(primary.leads_since, group().epoch);
  EXPECT_FALSE(HostOf("g-001").plan.endpoints.contains(group().primary.id));
}

TEST_F(FailoverTest, TellsItByAwsEventsForClusterAndGroup) {
  Make(2, true);
  Kill("g-001");
  plane.Settle();
  const std::string failover = "Failover from primary node g-001 to replica node g-002 completed";
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre(failover, failover, "Started recovery for cache nodes 0001",
                          "Finished recovery for cache nodes 0001"));
}

TEST_F(FailoverTest, WhenTriedOutTellsAwsFiveEventsInOrder) {
  Make(2, true);
  ASSERT_THAT(plane.Ask(TestFailover{"g", "0001"}), IsOk());
  plane.Settle();
  std::vector<std::string> events;
  for (const auto& [serial, event] : plane.records().events) {
    events.push_back(event.source_type + ": " + event.message);
  }
  const std::string failover = "Failover from primary node g-001 to replica node g-002 completed";
  events.erase(events.begin(), events.end() - 5);
  EXPECT_THAT(events, ElementsAre("replication-group: Test Failover API called for node group 0001",
                                  "cache-cluster: " + failover, "replication-group: " + failover,
                                  "cache-cluster: Recovering cache nodes 0001",
                                  "cache-cluster: Finished recovery for cache nodes 0001"));
}

TEST_F(FailoverTest, LetsTheOldLeaderFollowWhenItComesBack) {
  Make(3, true);
  KillForGood("g-001");
  plane.Settle();
  ASSERT_EQ(leader(), "g-002");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);  // writable meanwhile
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kRecovering);
  EXPECT_FALSE(node("g-001").in_sync);
  HostOf("g-001").kept_down.clear();
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
  EXPECT_TRUE(node("g-001").in_sync);
  EXPECT_FALSE(SpecOf("g-001").replication->leads);
  EXPECT_EQ(SpecOf("g-001").replication->leader, node("g-002").address);
}

TEST_F(FailoverTest, ReportsTheTailThatTheNewLeaderDoesNotHave) {
  Make(2, true);
  SetOffset("g-001", 1500);
  Report("g-001");
  SetOffset("g-002", 1200);
  Silence("g-001");
  plane.SeeEnd(node("g-001").id);
  plane.Settle();
  ASSERT_EQ(leader(), "g-002");
  EXPECT_EQ(group().lost_bytes, 300);
  EXPECT_EQ(group().lost_ms, 4000);  // since its host was heard last
}

TEST_F(FailoverTest, ReportsThatNothingIsLostWhenTheNewLeaderHasIt) {
  Make(2, true);
  SetOffset("g-001", 1500);
  Report("g-001");
  SetOffset("g-002", 1500);
  Silence("g-001");
  plane.SeeEnd(node("g-001").id);
  plane.Settle();
  EXPECT_EQ(group().lost_bytes, 0);
  EXPECT_EQ(group().lost_ms, 0);
}

// --- who never leads -------------------------------------------------------------------------

TEST_F(FailoverTest, NeverPromotesAFollowerThatHasNotProvedToHaveEverything) {
  Make(3, true);
  SetOffset("g-002", 900);
  SetProved("g-002", false);
  plane.Settle();
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
}

TEST_F(FailoverTest, NeverPromotesAFollowerThatIsSilent) {
  Make(3, true);
  SetOffset("g-002", 900);
  Silence("g-002");
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
}

TEST_F(FailoverTest, NeverPromotesAFollowerThatIsBeingDeleted) {
  Make(3, true);
  SetOffset("g-002", 900);
  HostOf("g-002").keeps_removed = true;
  ASSERT_THAT(plane.Ask(DeleteCluster{"g-002", {}}), IsOk());
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
}

TEST_F(FailoverTest, NeverPromotesAFollowerThatHasFailedOrLoads) {
  for (const MemberPhase phase :
       {MemberPhase::kFailed, MemberPhase::kStarting, MemberPhase::kDown}) {
    ControlPlane fresh;
    plane = fresh;
    plane.AddHosts(3, 3);
    Make(3, true);
    SetOffset("g-002", 900);
    Engine("g-002").phase = phase;
    Report("g-002");
    Kill("g-001");
    plane.Settle();
    EXPECT_EQ(leader(), "g-003");
  }
}

TEST_F(FailoverTest, NeverPromotesAFollowerWhoseEngineHasBegunAnew) {
  Make(3, true);
  SetOffset("g-002", 900);
  HostOf("g-002").Crash(node("g-002").id);
  HostOf("g-001").Kill(node("g-001").id);
  Report("g-002");
  Report("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
}

// Found by seed 1957: its host had not heard yet that it leads, and started it again in place.
TEST_F(FailoverTest, ReplacesALeaderThatItsHostHasStartedAgainEmpty) {
  Make(3, true);
  SetOffset("g-002", 900);
  HostOf("g-001").Crash(node("g-001").id);
  Report("g-001");
  EXPECT_NE(node("g-001").condemned, 0u);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
}

TEST_F(FailoverTest, PromotesAFollowerThatHasBegunAnewOnceItHasProvedAnew) {
  Make(2, true);
  const uint64_t proof = group().proof;
  HostOf("g-002").Crash(node("g-002").id);
  Report("g-002");
  EXPECT_FALSE(node("g-002").in_sync);
  EXPECT_EQ(group().proof, proof + 1);
  plane.Settle();
  EXPECT_TRUE(node("g-002").in_sync);
  EXPECT_EQ(group().proof, proof + 1);
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

// --- nobody who could ------------------------------------------------------------------------

TEST_F(FailoverTest, WithAutomaticFailoverOffSaysSoAndPromotesNobody) {
  Make(2, false);
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  const std::string why = "automatic failover is off: name the cluster that is to lead";
  EXPECT_EQ(group().trouble, why);
  EXPECT_THAT(plane.NewEvents(), Contains(NoFailover(why)));
  plane.Pass(2 * plane.settings.operation_max);
  EXPECT_EQ(leader(), "g-001");
  EXPECT_TRUE(Engine("g-001").phase == MemberPhase::kDown);  // it would take its emptiness along
}

TEST_F(FailoverTest, WithAutomaticFailoverOffPromotesWhoIsNamed) {
  Make(3, false);
  Kill("g-001");
  plane.Settle();
  ModifyGroup request = Change([](ModifyGroup& r) {
    r.primary_cluster = "g-003";
    r.apply_immediately = true;
  });
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(leader(), "g-001") << "the one that is named has yet to answer for what it has";
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
  EXPECT_EQ(group().trouble, "");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
}

TEST_F(FailoverTest, WithAutomaticFailoverOffDoesNotBeginAnewForAShortAbsenceOfTheFollower) {
  Make(2, false);
  Kill("g-001");
  plane.Settle();
  plane.Pass(2 * plane.settings.operation_max);
  const uint64_t generation = node("g-001").generation;
  Silence("g-002");
  plane.Settle();
  plane.Pass(plane.settings.operation_max / 2);
  EXPECT_EQ(node("g-001").generation, generation);
  EXPECT_EQ(group().trouble, "g-002 is recovering");
  HostOf("g-002").silent = false;
  plane.Settle();
  EXPECT_EQ(group().trouble, model::kAwaitsChoice);
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(FailoverTest, WithoutAPromotableFollowerSaysWhyOfEachOnce) {
  Make(3, true);
  SetProved("g-002", false);
  plane.Settle();
  Silence("g-003");
  plane.ForgetEvents();
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  const std::string why = "g-002 has not proved to have everything; g-003 is recovering";
  EXPECT_EQ(group().trouble, why);
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  plane.Pass(std::chrono::seconds(1));
  EXPECT_THAT(plane.NewEvents(), ElementsAre(NoFailover(why)));
}

// A dead leader was heard before its followers, and an event said that none of them could lead.
TEST_F(FailoverTest, GivesEveryFollowersHostItsChanceToReportAfterARestart) {
  Make(3, true);
  SetOffset("g-003", 900);
  HostOf("g-001").Kill(node("g-001").id);
  plane.Restart();
  Report("g-001");
  EXPECT_THAT(plane.NewEvents(), ::testing::IsEmpty());
  Report("g-002");
  EXPECT_EQ(leader(), "g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-003");
  EXPECT_EQ(group().trouble, "");
}

TEST_F(FailoverTest, WaitsForNoHostThatIsSilentAfterARestart) {
  Make(3, true);
  SetOffset("g-003", 900);
  HostOf("g-001").Kill(node("g-001").id);
  HostOf("g-003").silent = true;
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  plane.Pass(plane.settings.host_silence_max);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(FailoverTest, PromotesAFollowerThatIsPromotableAgain) {
  Make(2, true);
  Silence("g-002");
  Kill("g-001");
  plane.Settle();
  ASSERT_NE(group().trouble, "");
  HostOf("g-002").silent = false;
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_EQ(group().trouble, "");
}

TEST_F(FailoverTest, HasTheLeaderBeginAnewEmptyWhenNobodyBecomesPromotableInTime) {
  Make(2, true);
  SetProved("g-002", false);
  plane.Settle();
  Kill("g-001");
  plane.Settle();
  const uint64_t generation = node("g-001").generation;
  const uint64_t epoch = group().epoch;
  plane.ForgetEvents();
  plane.Pass(plane.settings.operation_max - std::chrono::seconds(1));
  EXPECT_EQ(node("g-001").generation, generation);
  plane.Pass(std::chrono::seconds(1));
  EXPECT_EQ(leader(), "g-001");
  EXPECT_EQ(node("g-001").generation, generation + 1);
  EXPECT_GT(group().epoch, epoch);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("The primary g-001 starts again empty, because no replica could be "
                          "promoted"));
  SetProved("g-002", true);
  plane.Settle();
  EXPECT_EQ(group().trouble, "");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(FailoverTest, HasTheLeaderBeginAnewAtOnceWhenNobodyHasAnyData) {
  Make(2, true);
  const uint64_t generation = node("g-001").generation;
  HostOf("g-002").Kill(node("g-002").id);
  HostOf("g-002").kept_down.insert(node("g-002").id);
  Report("g-002");
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  EXPECT_EQ(node("g-001").generation, generation + 1);
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
}

TEST_F(FailoverTest, OfASingleNodeIsARestartOfThatNodeEmpty) {
  Make(1, false);
  const model::Member before = node("g-001");
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  EXPECT_EQ(node("g-001").launch, before.launch + 1);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Started recovery for cache nodes 0001",
                                             "Finished recovery for cache nodes 0001"));
}

TEST_F(FailoverTest, OfASingleNodeThatCannotStartSaysSo) {
  Make(1, false);
  Engine("g-001").phase = MemberPhase::kFailed;
  Engine("g-001").pid = 0;
  Engine("g-001").trouble = "died 5 times in a row";
  plane.Settle();
  EXPECT_EQ(group().trouble, "died 5 times in a row");
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  Engine("g-001").trouble.clear();
  ASSERT_THAT(plane.Ask(RebootCluster{"g-001", {"0001"}}), IsOk());
  plane.Settle();
  EXPECT_EQ(group().trouble, "");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

}  // namespace
}  // namespace ec::core
