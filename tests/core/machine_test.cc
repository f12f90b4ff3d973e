// Decide and NextDeadline as a whole: steps of several inputs, and when time alone has work.
#include "controlplane/core/machine.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::optional<Instant> Next(const ControlPlane& plane) {
  return NextDeadline(plane.state, plane.settings, plane.now);
}

// --- Decide ----------------------------------------------------------------------------------

TEST(Decide, ChangesNothingWithoutInputs) {
  ControlPlane plane;
  plane.AddHosts(1);
  plane.Step({});
  EXPECT_THAT(plane.decision.verdicts, SizeIs(0));
  EXPECT_TRUE(plane.decision.edit.empty());
}

TEST(Decide, MakesOneEditOfSeveralInputsAndAnswersEach) {
  ControlPlane plane;
  plane.AddHosts(1);
  const uint64_t before = plane.records().revision;
  EXPECT_THAT(plane.Step({Command(Redis("one")), Command(Redis("bad_id")), Tick{},
                          Command(Redis("two")), Command(DeleteCluster{"absent", {}})}),
              ElementsAre(IsOk(), Fails(Fault::kInvalidParameterValue, HasSubstr("bad_id")), IsOk(),
                          IsOk(), Fails(Fault::kCacheClusterNotFound, HasSubstr("absent"))));
  EXPECT_EQ(plane.records().revision, before + 1);
  EXPECT_THAT(plane.decision.edit.clusters, SizeIs(2));
  EXPECT_NE(plane.node("one", "0001").address.ip, plane.node("two", "0001").address.ip);
  EXPECT_NE(plane.node("one", "0001").id, plane.node("two", "0001").id);
}

TEST(Decide, IsAFunctionOfItsArguments) {
  ControlPlane plane;
  plane.AddHosts(2, 2);
  const std::vector<Input> inputs = {Command(Memcached("mem", 5)), Command(Redis("red"))};
  const Decision once = Decide(plane.state, plane.settings, plane.now, inputs);
  const Decision again = Decide(plane.state, plane.settings, plane.now, inputs);
  EXPECT_EQ(once.edit, again.edit);
  EXPECT_EQ(once.verdicts, again.verdicts);
}

// What a report says is not said again after a store has refused the edit.
TEST(Decide, LooksAtEverythingAgainWhenTold) {
  ControlPlane plane;
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  FakeHost& host = plane.host("host-0");
  plane.Obey(host);
  HostReport report;
  report.host = "host-0";
  report.incarnation = host.hello.incarnation;
  report.sequence = ++host.sequence;
  report.plan_revision = host.plan.revision;
  for (const auto& [id, member] : host.members) report.members.push_back(member);
  for (const auto& [id, endpoint] : host.endpoints) report.endpoints.push_back(endpoint);
  ASSERT_TRUE(model::NoteReport(report, plane.now.instant, &plane.state));  // and no decision
  plane.Tick();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kCreating);
  plane.Tick(/*everything=*/true);
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kAvailable);
}

// A pending change that this very step has put off is not made by its tick.
TEST(Decide, DoesNotOpenAWindowThatTheSameStepHasMoved) {
  ControlPlane plane;
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Memcached("mem", 1)), IsOk());
  plane.Settle();
  ModifyCluster grow;
  grow.id = "mem";
  grow.nodes = 2;
  ASSERT_THAT(plane.Ask(grow), IsOk());
  plane.MoveClocks(plane.cluster("mem").pending.due - plane.now.wall);
  plane.Report(plane.host("host-0"));
  ModifyCluster window;
  window.id = "mem";
  window.auto_minor_version_upgrade = false;
  plane.Step({Command(window), Tick{}});
  EXPECT_EQ(plane.cluster("mem").pending.nodes, 2);
  EXPECT_GT(plane.cluster("mem").pending.due, plane.now.wall);
}

// --- NextDeadline ----------------------------------------------------------------------------

TEST(NextDeadline, IsNoneWhileNothingIsKnown) {
  ControlPlane plane;
  EXPECT_EQ(Next(plane), std::nullopt);
}

TEST(NextDeadline, IsWhenTheFirstHostWouldBeSilent) {
  ControlPlane plane;
  plane.AddHosts(2);
  plane.MoveClocks(seconds(1));
  plane.Report(plane.host("host-0"));
  EXPECT_EQ(Next(plane), plane.now.instant - seconds(1) + plane.settings.host_silence_max);
  plane.MoveClocks(plane.settings.host_silence_max - seconds(1));
  EXPECT_EQ(Next(plane), plane.now.instant + seconds(1));  // host-1 is silent already
  plane.MoveClocks(seconds(1));
  EXPECT_EQ(Next(plane), std::nullopt);  // only a report can change something
}

TEST(NextDeadline, IsWhenTheOldestOperationIsOverdue) {
  ControlPlane plane;
  plane.settings.operation_max = seconds(3);  // before anybody is silent
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  EXPECT_EQ(Next(plane), plane.now.instant + seconds(3));
  plane.MoveClocks(seconds(1));
  ASSERT_THAT(plane.Ask(Redis("two")), IsOk());
  EXPECT_EQ(Next(plane), plane.now.instant + seconds(2));
}

TEST(NextDeadline, IsNowForACLusterThatOnlyWaitsToBeForgotten) {
  ControlPlane plane;
  plane.AddHosts(1);
  plane.host("host-0").first_phase = MemberPhase::kFailed;
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  EXPECT_EQ(Next(plane), plane.now.instant);
  plane.Tick();
  EXPECT_FALSE(plane.has_cluster("red"));
}

TEST(NextDeadline, IsWhenTheNextWindowOpens) {
  ControlPlane plane;
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Memcached("mem", 1)), IsOk());
  plane.Settle();
  ModifyCluster grow;
  grow.id = "mem";
  grow.nodes = 2;
  ASSERT_THAT(plane.Ask(grow), IsOk());
  plane.MoveClocks(plane.cluster("mem").pending.due - plane.now.wall - seconds(2));
  plane.Report(plane.host("host-0"));
  EXPECT_EQ(Next(plane), plane.now.instant + seconds(2));
  plane.MoveClocks(seconds(2));
  plane.Tick();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kModifying);
}

// A loop that only wakes at deadlines misses nothing.
TEST(NextDeadline, IsEarlyEnoughForEverythingThatTimeAloneDecides) {
  ControlPlane plane;
  plane.AddHosts(2, 2);
  CreateCluster request = Memcached("mem", 2);
  request.az_mode = "cross-az";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  plane.host("host-0").first_phase = plane.host("host-1").first_phase = MemberPhase::kStarting;
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const Instant begin = plane.now.instant;
  const auto changed_at = [&](Duration step) {
    ControlPlane copy = plane;
    std::vector<std::pair<Instant, uint64_t>> changes;
    while (copy.now.instant < begin + seconds(120)) {
      const auto next = Next(copy);
      const Duration until = step.count() > 0 ? step
                             : next           ? std::max(Duration(0), *next - copy.now.instant)
                                              : seconds(120);
      copy.MoveClocks(until);
      copy.Tick();
      if (!copy.decision.edit.empty()) {
        changes.emplace_back(copy.now.instant, copy.records().revision);
      }
    }
    return changes;
  };
  const auto at_deadlines = changed_at(Duration(0));
  EXPECT_EQ(at_deadlines, changed_at(std::chrono::milliseconds(100)));
  EXPECT_GE(at_deadlines.size(), 2u);  // both hosts fall silent, and the creation fails
}

}  // namespace
}  // namespace ec::core
