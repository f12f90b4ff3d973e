// Nodes that die, hang or cannot be reached, and how they come back: every recovery is told of
// once, in AWS's words.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::MemberStatus;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const std::string kStarted = "Started recovery for cache nodes 0001";
const std::string kFinished = "Finished recovery for cache nodes 0001";
const std::string kResumed = "Cache node 0001 started again after an orderly stop";
const std::string kReachable = "Cache node 0001 can be reached again";
const std::string kUnreachable = "Cache node 0001 cannot be reached: host host-0 does not answer";

// A Redis "red" on host-0, available.
class Recovery : public ::testing::Test {
 protected:
  Recovery() {
    plane.AddHosts(1);
    EXPECT_THAT(plane.Ask(Redis("red")), IsOk());
    plane.Settle();
    EXPECT_EQ(status(), ClusterStatus::kAvailable);
    plane.ForgetEvents();
  }

  ClusterStatus status() const { return plane.cluster("red").status; }
  const model::Member& node() const { return plane.node("red", "0001"); }
  FakeHost& host() { return plane.host("host-0"); }
  MemberReport& engine() { return host().members.at(node().id); }
  void Report() { plane.Report(host()); }
  void BeSilent() {
    host().silent = true;
    plane.Pass(plane.settings.host_silence_max);
  }

  ControlPlane plane;
};

TEST_F(Recovery, IsToldWhenItStartsAndWhenItHasFinished) {
  engine().phase = MemberPhase::kDown;
  engine().trouble = "the engine was killed by signal 9";
  Report();
  EXPECT_EQ(status(), ClusterStatus::kRecovering);
  EXPECT_EQ(node().status, MemberStatus::kRecovering);
  EXPECT_EQ(node().trouble, "the engine was killed by signal 9");
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kStarted));
  host().Crash(node().id);
  engine().phase = MemberPhase::kStarting;
  Report();
  Report();
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
  engine().phase = MemberPhase::kServing;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_EQ(node().trouble, "");
  EXPECT_EQ(node().launch, 2u);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kFinished));
  plane.Settle();
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
}

// The engine was back before anybody heard of its death.
TEST_F(Recovery, IsToldAtOnceWhenItIsOverAlready) {
  host().Crash(node().id);
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kStarted, kFinished));
}

TEST_F(Recovery, IsToldOnceForEveryDeath) {
  for (int i = 0; i < 3; ++i) {
    host().Crash(node().id);
    Report();
    Report();
  }
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre(kStarted, kFinished, kStarted, kFinished, kStarted, kFinished));
}

TEST_F(Recovery, IsToldOnceWhateverRestartsInBetween) {
  engine().phase = MemberPhase::kDown;
  Report();
  plane.Restart();
  Report();
  plane.Register(host());  // the agent, too
  Report();
  plane.Restart();
  host().Crash(node().id);
  engine().phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kStarted, kFinished));
}

TEST_F(Recovery, IsNotOverByAnAnswerOfTheEngineThatDied) {
  engine().phase = MemberPhase::kDown;
  Report();
  ++engine().generation;  // of another generation: not the engine that is wanted
  engine().phase = MemberPhase::kServing;
  plane.ForgetEvents();
  HostReport report;
  report.host = "host-0";
  report.incarnation = host().hello.incarnation;
  report.sequence = ++host().sequence;
  report.plan_revision = host().plan.revision;
  report.members = {engine()};
  ASSERT_TRUE(plane.Hear(report));
  EXPECT_EQ(status(), ClusterStatus::kRecovering);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
}

TEST_F(Recovery, EndsInFailedWhenTheAgentGivesUpAndGoesOnWhenItDoesNot) {
  engine().phase = MemberPhase::kDown;
  Report();
  engine().phase = MemberPhase::kFailed;
  engine().trouble = "the engine was killed by signal 11 (5 times in a row)";
  Report();
  EXPECT_EQ(status(), ClusterStatus::kFailed);
  EXPECT_EQ(node().status, MemberStatus::kFailed);
  plane.Settle();
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre(kStarted,
                          "Cache node 0001 has failed: the engine was killed by signal 11 (5 times "
                          "in a row)"));
  // A new start of the agent tries again, with success.
  plane.Register(host());
  host().Crash(node().id);
  engine().phase = MemberPhase::kServing;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kFinished));
}

TEST_F(Recovery, TellsOfBothWhenTheFailureIsHeardOfFirst) {
  engine().phase = MemberPhase::kFailed;
  engine().trouble = "cannot fork";
  Report();
  EXPECT_EQ(status(), ClusterStatus::kFailed);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kStarted, "Cache node 0001 has failed: cannot fork"));
}

// --- orderly stops ---------------------------------------------------------------------------

TEST_F(Recovery, OfAnOrderlyStopIsNoRecovery) {
  host().Crash(node().id);
  engine().resumed = true;
  engine().phase = MemberPhase::kStarting;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kRecovering);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
  engine().phase = MemberPhase::kServing;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_EQ(node().launch, 2u);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kResumed));
}

TEST_F(Recovery, TellsOfADeathThatFollowsAnOrderlyStop) {
  host().Crash(node().id);
  engine().resumed = true;
  engine().phase = MemberPhase::kStarting;
  Report();
  host().Crash(node().id);
  Report();
  engine().phase = MemberPhase::kServing;
  Report();
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kStarted, kFinished));
}

// An agent that has adopted an engine says "starting" until it has asked it.
TEST_F(Recovery, IsNotBegunByANewStartOfTheAgent) {
  plane.Register(host());
  engine().phase = MemberPhase::kStarting;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  engine().phase = MemberPhase::kServing;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
}

TEST_F(Recovery, TellsOfAnotherInstalledVersionOnce) {
  host().Crash(node().id);
  engine().resumed = true;
  engine().engine_version = "7.2.1";
  Report();
  Report();
  EXPECT_THAT(
      plane.NewEvents(),
      ElementsAre(kResumed,
                  "Cache node 0001 runs the installed redis-server 7.2.1 (engine version 7.1.0)"));
  EXPECT_EQ(node().installed_version, "7.2.1");
}

// --- silent hosts ----------------------------------------------------------------------------

TEST_F(Recovery, OfASilentHostIsToldAsItsReturn) {
  BeSilent();
  EXPECT_EQ(status(), ClusterStatus::kRecovering);
  EXPECT_EQ(node().trouble, "host host-0 does not answer");
  plane.Pass(seconds(100));
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kUnreachable));
  host().silent = false;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kReachable));
}

TEST_F(Recovery, OfASilentHostIsToldInFullWhenTheEngineHadDied) {
  BeSilent();
  plane.ForgetEvents();
  host().Crash(node().id);
  host().silent = false;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kStarted, kFinished));
}

TEST_F(Recovery, OfASilentHostIsToldAsAResumptionAfterAnOrderlyStop) {
  BeSilent();
  plane.ForgetEvents();
  host().Crash(node().id);
  engine().resumed = true;
  host().silent = false;
  plane.Register(host());
  Report();
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kResumed));
}

TEST_F(Recovery, IsNotBegunForHostsThatHaveNotBeenHeardSinceARestartUntilTheirTimeIsUp) {
  host().silent = true;
  plane.MoveClocks(std::chrono::hours(1));
  plane.Restart();
  plane.Pass(plane.settings.host_silence_max - seconds(1));
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  plane.Pass(seconds(1));
  EXPECT_EQ(status(), ClusterStatus::kRecovering);
}

// A hello is a sign of life, but says nothing of the engines yet.
TEST_F(Recovery, WaitsForAReportAfterAHello) {
  BeSilent();
  plane.ForgetEvents();
  host().silent = false;
  plane.Register(host());
  plane.Tick();
  EXPECT_EQ(status(), ClusterStatus::kRecovering);
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kReachable));
}

// --- endpoints that are lost -----------------------------------------------------------------

TEST_F(Recovery, BeginsWhenTheAddressIsLostAndKeepsIt) {
  const Address address = node().address;
  host().taken.insert(address.ip);
  engine().phase = MemberPhase::kStarting;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kRecovering);
  EXPECT_EQ(node().address, address);  // clients know it: it is not given up
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Cache node 0001 cannot be reached: the address " +
                                             ToString(address) + " is in use"));
  host().taken.clear();
  engine().phase = MemberPhase::kServing;
  Report();
  EXPECT_EQ(status(), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ElementsAre(kReachable));
}

// --- clusters of several nodes ---------------------------------------------------------------

TEST(RecoveryOfSeveral, LeavesTheClusterAvailableOnlyWhenAllAre) {
  ControlPlane plane;
  plane.AddHosts(3, 3);
  CreateCluster request = Memcached("mem", 3);
  request.az_mode = "cross-az";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  plane.ForgetEvents();
  const uint64_t version = plane.cluster("mem").discovery_version;
  const auto engine = [&](const std::string& id) -> MemberReport& {
    const model::Member& node = plane.node("mem", id);
    return plane.HostOf(node).members.at(node.id);
  };
  engine("0001").phase = MemberPhase::kDown;
  engine("0002").phase = MemberPhase::kFailed;
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kFailed);
  engine("0002").phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kRecovering);
  engine("0001").phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  // Clients keep their list of nodes: a node that is dead for a moment stays in it, as on AWS.
  EXPECT_EQ(plane.cluster("mem").discovery_version, version);
}

TEST(RecoveryOfSeveral, MovesTheConfigurationEndpointToALiveHostAtItsOldAddress) {
  ControlPlane plane;
  plane.AddHosts(2, 2);
  CreateCluster request = Memcached("mem", 2);
  request.zones = {"us-east-1a", "us-east-1b"};
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  const model::ConfigurationEndpoint before = *plane.cluster("mem").configuration;
  EXPECT_EQ(before.host, "host-0");
  plane.host("host-0").silent = true;
  plane.Pass(plane.settings.host_silence_max);
  model::ConfigurationEndpoint expected = before;
  expected.host = "host-1";
  EXPECT_EQ(*plane.cluster("mem").configuration, expected);
  plane.Settle();
  const EndpointSpec& moved = plane.host("host-1").plan.endpoints.at(before.id);
  EXPECT_EQ(moved.listen, before.address);
  EXPECT_EQ(moved.target, plane.node("mem", "0002").id);
  // The old home lets go of it when it is back, and it stays where it is.
  plane.host("host-0").silent = false;
  plane.Settle();
  EXPECT_FALSE(plane.host("host-0").plan.endpoints.contains(before.id));
  EXPECT_EQ(plane.cluster("mem").configuration->host, "host-1");
}

TEST(RecoveryOfSeveral, LeavesTheConfigurationEndpointWhereItIsWhenNobodyAnswers) {
  ControlPlane plane;
  plane.AddHosts(2, 2);
  CreateCluster request = Memcached("mem", 2);
  request.az_mode = "cross-az";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  const HostId home = plane.cluster("mem").configuration->host;
  for (auto& [id, host] : plane.hosts()) host.silent = true;
  plane.Pass(plane.settings.host_silence_max);
  EXPECT_EQ(plane.cluster("mem").configuration->host, home);
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kRecovering);
}

}  // namespace
}  // namespace ec::core
