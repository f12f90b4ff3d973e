// Named stories on the simulator: the plain ones, and one for every fault it has found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/checkers.h"
#include "tests/sim/world.h"

namespace ec::sim {
namespace {

using model::ClusterStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Story : public ::testing::Test {
 protected:
  Story() : world_(1, {}, 3, 3), checker_(world_) {
    world_.RunFor(seconds(1));
    world_.checker = [this] { return checker_.Check(); };
  }
  void TearDown() override { EXPECT_EQ(world_.violation(), ""); }

  void Create(const std::string& id, const std::string& engine, int nodes = 1,
              bool cross_zone = false) {
    core::CreateCluster request;
    request.id = id;
    request.engine = engine;
    request.node_type = "cache.t3.micro";
    request.nodes = nodes;
    if (cross_zone) request.az_mode = "cross-az";
    checker_.promises[id] = {"cache.t3.micro", *ParseEngine(engine), {}, false};
    ASSERT_TRUE(world_.Call(request)->ok());
  }
  bool Becomes(const std::string& id, ClusterStatus status, Duration limit = seconds(30)) {
    return world_.RunUntil(
        [&] {
          const auto found = world_.records().clusters.find(id);
          return found != world_.records().clusters.end() && found->second.status == status;
        },
        limit);
  }
  bool Settles() {
    return world_.RunUntil([this] { return checker_.Unsettled().empty(); }, seconds(60));
  }
  std::vector<std::string> Events(const std::string& id) {
    std::vector<std::string> messages;
    for (const auto& [serial, event] : world_.records().events) {
      if (event.source_id == id) messages.push_back(event.message);
    }
    return messages;
  }
  MemberId MemberOf(const std::string& id, const std::string& node = "0001") {
    for (const MemberId member : world_.records().clusters.at(id).members) {
      if (world_.records().members.at(member).node_id == node) return member;
    }
    return 0;
  }
  HostId HostOf(MemberId member) { return world_.records().members.at(member).host; }

  World world_;
  Checker checker_;
};

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

// --- replication groups ---------------------------------------------------------------------

class GroupStory : public Story {
 protected:
  void CreateGroup(int clusters, bool automatic_failover = true) {
    core::CreateGroup request;
    request.id = "g-1";
    request.description = "a story";
    request.node_type = "cache.t3.micro";
    request.clusters = clusters;
    request.automatic_failover = automatic_failover;
    ASSERT_TRUE(world_.Call(request)->ok());
    ASSERT_TRUE(world_.RunUntil([this] { return Group().status == model::GroupStatus::kAvailable; },
                                seconds(10)));
  }
  const model::Group& Group() const { return world_.records().groups.at("g-1"); }
};

TEST_F(GroupStory, ALeaderThatDiesIsReplacedWithinAMomentAndFollowsThen) {
  CreateGroup(3);
  const MemberId old = Group().leader;
  ASSERT_TRUE(world_.KillEngine(HostOf(old), old));
  EXPECT_TRUE(world_.RunUntil([&] { return Group().leader != old; }, milliseconds(100)));
  EXPECT_TRUE(Settles());
  EXPECT_TRUE(world_.EngineOf(old)->follows);
}

TEST_F(GroupStory, APlannedChangeLosesNoWrite) {
  CreateGroup(2);
  world_.RunFor(seconds(5));
  const MemberId old = Group().leader;
  ASSERT_TRUE(world_.Call(core::Switchover{"g-1", std::nullopt})->ok());
  EXPECT_TRUE(world_.RunUntil([&] { return Group().leader != old; }, seconds(1)));
  ASSERT_TRUE(Settles());
  world_.RunFor(seconds(1));
  const std::vector<uint64_t>& told = world_.acknowledged.at("g-1");
  EXPECT_GT(told.size(), 20u);
  EXPECT_EQ(world_.EngineOf(Group().leader)->writes, told);
}

// Found by the simulator: the end of the process before the stop was taken for the end of the
// engine that had gone on with its data, and another one led beside it.
TEST_F(GroupStory, AnOrderlyStopProvesNothingAboutTheEngineThatGoesOnFromIt) {
  CreateGroup(2, /*automatic_failover=*/false);
  const MemberId leader = Group().leader;
  const HostId host = HostOf(leader);
  world_.StopHostInOrder(host);
  world_.RunFor(seconds(3));  // long enough for the control plane to look for the process
  world_.StartAgent(host);
  ASSERT_TRUE(world_.RunUntil([&] { return world_.EngineOf(leader) != nullptr; }, seconds(10)));
  world_.RunFor(seconds(2));
  ASSERT_TRUE(Settles());
  world_.CutNetwork(host, seconds(20));
  world_.RunFor(seconds(10));
  world_.Call(core::Switchover{"g-1", std::nullopt});
  EXPECT_TRUE(world_.RunUntil([this] { return checker_.Unsettled().empty(); }, seconds(60)));
  EXPECT_EQ(Group().leader, leader);
}

// Found by the simulator: the group was looked at for the last time before its last cluster went.
TEST_F(GroupStory, ADeletedGroupGoesWithItsLastCluster) {
  CreateGroup(3);
  ASSERT_TRUE(world_.Call(core::DeleteGroup{"g-1", false, std::nullopt})->ok());
  EXPECT_TRUE(world_.RunUntil([this] { return world_.records().groups.empty(); }, seconds(10)));
  EXPECT_TRUE(world_.records().clusters.empty());
}

// Found by the simulator: the end of the predecessor was taken for the leader's own, again and
// again.
TEST_F(GroupStory, AWholeGroupThatDiesBeginsAnewEmptyOnce) {
  CreateGroup(2);
  const MemberId leader = Group().leader;
  for (const model::ClusterId& cluster : Group().members) {
    const MemberId member = MemberOf(cluster);
    world_.CrashAgent(HostOf(member));
    world_.KillEngine(HostOf(member), member);
  }
  world_.RunFor(seconds(6));
  for (const auto& [id, host] : world_.hosts()) world_.StartAgent(id);
  EXPECT_TRUE(Settles());
  world_.RunFor(seconds(10));
  EXPECT_TRUE(checker_.Unsettled().empty());
  EXPECT_LE(world_.records().members.at(leader).generation, 2u);
}

// Found by seed 156: a follower was up again, empty, before its leader had noticed that it was
// gone, and took over with nothing when that one died.
TEST_F(GroupStory, AFollowerThatCameBackEmptyDoesNotLeadBeforeItHasProvedAnew) {
  CreateGroup(2);
  const MemberId leader = Group().leader;
  const MemberId follower =
      MemberOf("g-1-001") == leader ? MemberOf("g-1-002") : MemberOf("g-1-001");
  ASSERT_TRUE(world_.records().members.at(follower).in_sync);
  world_.CutNetwork(HostOf(leader), seconds(20));
  ASSERT_TRUE(world_.KillEngine(HostOf(follower), follower));
  world_.RunFor(milliseconds(500));
  ASSERT_NE(world_.EngineOf(follower), nullptr);
  EXPECT_FALSE(world_.records().members.at(follower).in_sync);
  world_.RunFor(seconds(10));  // long enough for the leader to be given up
  EXPECT_EQ(Group().leader, leader);
}

// Found by seed 1893: a successor that died after it had been found to have everything led with
// nothing.
TEST_F(GroupStory, ASuccessorThatDiesInAPlannedChangeDoesNotLead) {
  CreateGroup(2);
  world_.RunFor(seconds(5));
  const MemberId leader = Group().leader;
  ASSERT_TRUE(world_.Call(core::Switchover{"g-1", std::nullopt})->ok());
  ASSERT_TRUE(
      world_.RunUntil([this] { return Group().step == model::SwitchStep::kDemoting; }, seconds(1)));
  const MemberId successor = Group().successor;
  world_.PauseAgent(HostOf(leader), milliseconds(500));
  ASSERT_TRUE(world_.KillEngine(HostOf(successor), successor));
  ASSERT_TRUE(
      world_.RunUntil([this] { return Group().step == model::SwitchStep::kNone; }, seconds(5)));
  EXPECT_EQ(Group().leader, leader);
  ASSERT_TRUE(Settles());
  EXPECT_EQ(world_.EngineOf(leader)->writes, world_.acknowledged.at("g-1"));
}

// Found by seed 178: the proof for the engine after a reboot was given by the one before it.
TEST_F(GroupStory, ARebootedReplicaIsBackInAMomentAndHasProvedAnew) {
  CreateGroup(2);
  world_.RunFor(seconds(5));
  const model::ClusterId replica = MemberOf("g-1-001") == Group().leader ? "g-1-002" : "g-1-001";
  ASSERT_TRUE(world_.Call(core::RebootCluster{replica, {"0001"}})->ok());
  EXPECT_TRUE(Becomes(replica, ClusterStatus::kAvailable, seconds(3)));
  EXPECT_TRUE(world_.records().members.at(MemberOf(replica)).in_sync);
  EXPECT_TRUE(Settles());
}

}  // namespace
}  // namespace ec::sim
