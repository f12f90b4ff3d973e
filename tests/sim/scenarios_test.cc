// Named stories on the simulator: the plain ones, and one for every fault it has found. Those about
// replication groups are in group_scenarios_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/story.h"

namespace ec::sim {
namespace {

using model::ClusterStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Story, AClusterIsAvailableWithinAFewHundredMilliseconds) {
  Create("cache-1", "redis");
  EXPECT_TRUE(Becomes("cache-1", ClusterStatus::kAvailable, milliseconds(300)));
  Create("pages", "memcached", 10, true);
  EXPECT_TRUE(Becomes("pages", ClusterStatus::kAvailable, seconds(1)));
}

TEST_F(Story, ACrashIsRecoveredFromWithBothEventsOnce) {
  Create("cache-1", "redis");
  ASSERT_TRUE(Settles());
  const MemberId member = MemberOf("cache-1");
  world_.EngineOf(member)->data = "something";
  world_.RunFor(seconds(5));
  ASSERT_TRUE(world_.KillEngine(HostOf(member), member));
  world_.RunFor(seconds(1));
  ASSERT_TRUE(Settles());
  EXPECT_EQ(world_.EngineOf(member)->data, "");
  const std::vector<std::string> events = Events("cache-1");
  EXPECT_EQ(std::ranges::count(events, "Started recovery for cache nodes 0001"), 1);
  EXPECT_EQ(std::ranges::count(events, "Finished recovery for cache nodes 0001"), 1);
}

TEST_F(Story, AHungEngineIsKilledAndReplacedWithinThreeSeconds) {
  Create("cache-1", "redis");
  ASSERT_TRUE(Settles());
  const MemberId member = MemberOf("cache-1");
  ASSERT_TRUE(world_.StopEngine(HostOf(member), member, seconds(3600)));
  world_.RunFor(seconds(3));
  EXPECT_FALSE(world_.EngineOf(member)->stopped);
  EXPECT_THAT(Events("cache-1"), Contains("Finished recovery for cache nodes 0001"));
}

// Reports of a lost host are not taken, so that every answer to one repeats the whole plan, and was
// reported at once.
TEST_F(Story, ALostHostAndTheControlPlaneDoNotAnswerEachOtherWithoutEnd) {
  Create("cache-1", "redis");
  ASSERT_TRUE(Settles());
  core::AddFault loss;
  loss.number = world_.records().installation.next_id;
  loss.kind = "host-loss";
  loss.host = HostOf(MemberOf("cache-1"));
  ASSERT_TRUE(world_.Call(core::FaultCommand(loss))->ok());
  world_.RunFor(seconds(2));
  const uint64_t before = world_.plans_sent();
  world_.RunFor(seconds(5));
  EXPECT_LT(world_.plans_sent() - before, 100u);
  ASSERT_TRUE(world_.Call(core::FaultCommand(core::ClearFaults{}))->ok());
  EXPECT_TRUE(Settles());
}

TEST_F(Story, AnAgentsRestartHarmsNothingAndTellsNothing) {
  Create("cache-1", "redis");
  ASSERT_TRUE(Settles());
  const MemberId member = MemberOf("cache-1");
  const uint64_t launch = world_.EngineOf(member)->launch;
  const size_t events = Events("cache-1").size();
  world_.CrashAgent(HostOf(member));
  world_.RunFor(seconds(1));
  world_.StartAgent(HostOf(member));
  world_.RunFor(seconds(5));
  ASSERT_TRUE(Settles());
  EXPECT_EQ(world_.EngineOf(member)->launch, launch);
  EXPECT_EQ(Events("cache-1").size(), events);
}

TEST_F(Story, AControlPlanesRestartOrPauseHarmsNothingAndTellsNothing) {
  Create("pages", "memcached", 3, true);
  ASSERT_TRUE(Settles());
  const size_t events = Events("pages").size();
  world_.CrashControlPlane();
  world_.RunFor(seconds(30));
  world_.StartControlPlane();
  world_.RunFor(seconds(10));
  world_.PauseControlPlane(seconds(10));
  world_.RunFor(seconds(20));
  ASSERT_TRUE(Settles());
  EXPECT_EQ(Events("pages").size(), events);
}

TEST_F(Story, AnOrderlyStopKeepsRedisDataAndIsNoRecovery) {
  Create("cache-1", "redis");
  ASSERT_TRUE(Settles());
  const MemberId member = MemberOf("cache-1");
  world_.EngineOf(member)->data = "something";
  world_.StopHostInOrder(HostOf(member));
  world_.RunFor(seconds(1));
  world_.StartAgent(HostOf(member));
  world_.RunFor(seconds(2));
  ASSERT_TRUE(Settles());
  EXPECT_EQ(world_.EngineOf(member)->data, "something");
  EXPECT_THAT(Events("cache-1"), Not(Contains("Started recovery for cache nodes 0001")));
  EXPECT_THAT(Events("cache-1"), Contains("Cache node 0001 started again after an orderly stop"));
}

// Found by seed 1440: a plan under way to an agent that had died reached the one that followed it.
TEST_F(Story, APlanForAnEarlierAgentIsIgnored) {
  Create("cache-1", "redis");
  ASSERT_TRUE(Settles());
  const MemberId member = MemberOf("cache-1");
  SimHost& host = world_.hosts().at(HostOf(member));
  const uint64_t launch = world_.EngineOf(member)->launch;
  PlanUpdate stale;
  stale.incarnation = host.incarnation - 1;
  stale.revision = world_.records().revision + 10;
  EXPECT_TRUE(host.agent->Step(world_.clock().instant, host::PlanArrived{stale}).empty());
  world_.RunFor(seconds(2));
  ASSERT_TRUE(Settles());
  EXPECT_EQ(world_.EngineOf(member)->launch, launch);
}

// Found by seed 301049: an endpoint that had left a host and come back was told to have left.
TEST_F(Story, AConfigurationEndpointThatComesBackToAHostIsOpenThere) {
  Create("pages", "memcached", 2, true);
  ASSERT_TRUE(Settles());
  const HostId first = world_.records().clusters.at("pages").configuration->host;
  const HostId other = HostOf(MemberOf("pages", "0002"));
  ASSERT_NE(first, other);
  for (const auto& [from, to] : {std::pair(first, other), std::pair(other, first)}) {
    world_.CrashAgent(from);
    world_.RunFor(seconds(10));
    EXPECT_EQ(world_.records().clusters.at("pages").configuration->host, to);
    world_.StartAgent(from);
    world_.RunFor(seconds(5));
  }
  EXPECT_TRUE(Settles()) << checker_.Unsettled();
}

TEST_F(Story, AHostIsWaitedForAndItsNodeIsNotMoved) {
  Create("cache-1", "redis");
  ASSERT_TRUE(Settles());
  const MemberId member = MemberOf("cache-1");
  world_.CrashAgent(HostOf(member));
  ASSERT_TRUE(Becomes("cache-1", ClusterStatus::kRecovering));
  world_.RunFor(seconds(600));
  EXPECT_EQ(MemberOf("cache-1"), member);
  EXPECT_EQ(world_.records().clusters.at("cache-1").status, ClusterStatus::kRecovering);
  world_.StartAgent(HostOf(member));
  EXPECT_TRUE(Becomes("cache-1", ClusterStatus::kAvailable));
}

TEST_F(Story, ANodeUnderCreationMovesToAnotherHostOfItsZone) {
  World two_hosts(2, {}, 2, 1);
  two_hosts.RunFor(seconds(1));
  core::CreateCluster request;
  request.id = "cache-1";
  request.engine = "redis";
  request.node_type = "cache.t3.micro";
  const HostId first = two_hosts.hosts().begin()->first;
  two_hosts.CutNetwork(first, seconds(3600));
  ASSERT_TRUE(two_hosts.Call(request)->ok());
  EXPECT_TRUE(two_hosts.RunUntil(
      [&] {
        return two_hosts.records().clusters.at("cache-1").status == ClusterStatus::kAvailable;
      },
      seconds(30)));
}

TEST_F(Story, AnEngineThatCannotStartFailsTheCreationWithItsReason) {
  Faults faults;
  faults.start_failure_percent = 100;
  World broken(3, faults, 1, 1);
  broken.RunFor(seconds(1));
  core::CreateCluster request;
  request.id = "cache-1";
  request.engine = "redis";
  request.node_type = "cache.t3.micro";
  ASSERT_TRUE(broken.Call(request)->ok());
  broken.RunFor(seconds(60));
  EXPECT_EQ(broken.records().clusters.at("cache-1").status, ClusterStatus::kCreateFailed);
  EXPECT_THAT(broken.records().events.rbegin()->second.message, HasSubstr("cannot fork"));
  ASSERT_TRUE(broken.Call(core::DeleteCluster{"cache-1", std::nullopt})->ok());
  broken.RunFor(seconds(2));
  EXPECT_FALSE(broken.records().clusters.contains("cache-1"));
}

}  // namespace
}  // namespace ec::sim
