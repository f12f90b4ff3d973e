// A leader is replaced only when its end is certain.
#include "controlplane/core/fencing.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using ::testing::IsEmpty;

class FencingTest : public GroupTest {};

// --- the end has to be known -----------------------------------------------------------------

TEST_F(FencingTest, DoesNotReplaceALeaderWhoseEndIsNotKnown) {
  Make(2, true);
  Silence("g-001");
  plane.Settle();
  plane.Pass(10 * plane.settings.operation_max);
  EXPECT_EQ(leader(), "g-001");
  plane.SeeEnd(node("g-001").id);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(FencingTest, DoesNotTakeTheEndOfAnEarlierProcessForThatOfTheLeader) {
  Make(2, true);
  const model::Member before = node("g-001");
  Silence("g-001");
  model::NoteEnded(before.id, {before.pid, before.start_time + 1}, &plane.state);
  plane.Step({EngineEnded{before.id, before.pid, before.start_time + 1}});
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
}

TEST_F(FencingTest, KeepsTheLeaderWhoseHostComesBackInTime) {
  Make(2, true);
  Silence("g-001");
  HostOf("g-001").silent = false;
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  EXPECT_EQ(StatusOf("g-001"), ClusterStatus::kAvailable);
}

// A leader on a host of the control plane's own machine.
class FenceTest : public GroupTest {
 protected:
  void MakeOnOneMachine(bool automatic_failover) {
    Make(2, automatic_failover);
    plane.settings.boot = "boot";
    for (auto& [id, host] : plane.hosts()) {
      host.hello.boot = "boot";
      host.hello.pid = 77;
      plane.Register(host);
    }
    plane.Settle();
  }
  std::vector<Fence> fences() { return Fences(plane.state, plane.settings, plane.now); }
};

TEST_F(FenceTest, WatchesTheLeaderOfAHostThatIsNotHeardAndKillsItWhenSilent) {
  MakeOnOneMachine(true);
  EXPECT_THAT(fences(), IsEmpty());
  HostOf("g-001").silent = true;
  plane.Pass(plane.settings.host_doubt_after);
  ASSERT_EQ(fences().size(), 1u);
  EXPECT_EQ(fences().front().member, node("g-001").id);
  EXPECT_EQ(fences().front().pid, Engine("g-001").pid);
  EXPECT_EQ(fences().front().agent_pid, 77);
  EXPECT_FALSE(fences().front().kill);
  plane.Pass(plane.settings.host_silence_max);
  ASSERT_EQ(fences().size(), 1u);
  EXPECT_TRUE(fences().front().kill);
  plane.SeeEnd(node("g-001").id);
  EXPECT_THAT(fences(), IsEmpty());
}

TEST_F(FenceTest, KillsNobodyWhileAutomaticFailoverIsOff) {
  MakeOnOneMachine(false);
  Silence("g-001");
  ASSERT_EQ(fences().size(), 1u);
  EXPECT_FALSE(fences().front().kill);
}

TEST_F(FenceTest, KillsALeaderThatWasToldToStepDownEvenWhileAutomaticFailoverIsOff) {
  MakeOnOneMachine(false);
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  Report("g-001");
  Report("g-002");
  ASSERT_EQ(group().step, model::SwitchStep::kDemoting);
  HostOf("g-001").silent = true;
  plane.Pass(plane.settings.host_doubt_after);
  ASSERT_EQ(fences().size(), 1u);
  EXPECT_FALSE(fences().front().kill);
  plane.Pass(plane.settings.host_silence_max);
  ASSERT_EQ(fences().size(), 1u);
  EXPECT_TRUE(fences().front().kill);
  plane.SeeEnd(node("g-001").id);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
}

TEST_F(FenceTest, LeavesFollowersAndOtherMachinesAlone) {
  MakeOnOneMachine(true);
  Silence("g-002");
  EXPECT_THAT(fences(), IsEmpty());
  plane.settings.boot = "another";
  Silence("g-001");
  EXPECT_THAT(fences(), IsEmpty());
}

}  // namespace
}  // namespace ec::core
