// Named stories about replication groups on the simulator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/sim/story.h"

namespace ec::sim {
namespace {

using model::ClusterStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;

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
  model::LeaderChanges LeaderChanges() const {
    const auto& changes = world_.state().leader_changes;
    return changes.contains("g-1") ? changes.at("g-1") : model::LeaderChanges();
  }
};

TEST_F(GroupStory, ALeaderThatDiesIsReplacedWithinAMomentAndFollowsThen) {
  CreateGroup(3);
  const MemberId old = Group().leader;
  ASSERT_TRUE(world_.KillEngine(HostOf(old), old));
  EXPECT_TRUE(world_.RunUntil([&] { return Group().leader != old; }, milliseconds(100)));
  EXPECT_TRUE(Settles());
  EXPECT_TRUE(world_.EngineOf(old)->follows);
  EXPECT_EQ(LeaderChanges(), (model::LeaderChanges{.failovers = 1, .planned = 0}));
}

// Found by the fault matrix on a busy machine: a control plane that had been stopped in the middle
// of a step ended a leader as soon as it went on.
TEST_F(GroupStory, AStandstillInTheMiddleOfACommitIsNobodysSilence) {
  CreateGroup(2);
  ASSERT_TRUE(Settles());
  const MemberId leader = Group().leader;
  const uint64_t launch = world_.EngineOf(leader)->launch;
  bool stands_still = true;
  world_.store().mood = [&] {
    if (std::exchange(stands_still, false)) world_.Suspend(seconds(10));
    return SimStore::Mood::kFine;
  };
  Create("c-1", "redis");
  ASSERT_FALSE(stands_still);
  world_.RunFor(seconds(10));
  EXPECT_TRUE(Settles());
  EXPECT_EQ(Group().leader, leader);
  EXPECT_EQ(world_.EngineOf(leader)->launch, launch);
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
  EXPECT_EQ(LeaderChanges(), (model::LeaderChanges{.failovers = 0, .planned = 1}));
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

// Nothing ended the wait for a host that froze after it had been told to have its leader follow.
class FrozenLeaderStory : public GroupStory {
 protected:
  // Up to the step in which the leader is to follow, of which its host does not hear any more.
  void Freeze() {
    CreateGroup(2, /*automatic_failover=*/false);
    world_.RunFor(seconds(5));
    leader_ = Group().leader;
    ASSERT_TRUE(world_.Call(core::Switchover{"g-1", std::nullopt})->ok());
    ASSERT_TRUE(world_.RunUntil([this] { return Group().step == model::SwitchStep::kDemoting; },
                                seconds(1)));
    world_.PauseAgent(HostOf(leader_), seconds(3600));
    world_.StopEngine(HostOf(leader_), leader_, seconds(3600));
  }
  MemberId leader_ = 0;
};

TEST_F(FrozenLeaderStory, APlannedChangeIsFinishedByItsEndWhereTheControlPlaneCanSeeToIt) {
  Freeze();
  EXPECT_TRUE(world_.RunUntil([this] { return Group().leader != leader_; }, seconds(5)));
  EXPECT_TRUE(Settles()) << checker_.Unsettled();
  EXPECT_TRUE(world_.EngineOf(leader_)->follows);
}

TEST_F(FrozenLeaderStory, APlannedChangeIsUndoneWhereNobodyCanTell) {
  for (auto& [id, host] : world_.hosts()) {  // on machines of their own
    host.boot = "boot-of-" + id;
    world_.CrashAgent(id);
    world_.StartAgent(id);
  }
  world_.RunFor(seconds(1));
  Freeze();
  EXPECT_TRUE(world_.RunUntil([this] { return Group().step == model::SwitchStep::kNone; },
                              world_.settings().operation_max + seconds(2)));
  EXPECT_EQ(Group().leader, leader_);
  EXPECT_THAT(Events("g-1"), Contains(HasSubstr("was given up: g-1-001 has not been seen")));
  world_.Heal();
  EXPECT_TRUE(Settles()) << checker_.Unsettled();
  EXPECT_EQ(Group().leader, leader_);
}

// Found by seed 896: the host of a leader that had been replaced while it was created was cut off,
// went on as it was told, and opened the group's endpoint as soon as the next leader's host let go
// of it. Its engine took writes beside that of the one that led then.
TEST(GroupOfOneZoneStory, ALeaderReplacedWhileItWasCreatedCanNeverTakeTheGroupsWrites) {
  World world(7, {}, 4, 1);
  Checker checker(world);
  world.checker = [&] { return checker.Check(); };
  world.RunFor(seconds(1));
  core::CreateGroup request;
  request.id = "g-1";
  request.description = "a story";
  request.node_type = "cache.t3.micro";
  request.clusters = 2;
  ASSERT_TRUE(world.Call(request)->ok());
  const auto group = [&] { return world.records().groups.at("g-1"); };
  const auto home = [&] { return world.records().members.at(group().leader).host; };
  const model::Group before = group();
  const HostId cut = home();
  ASSERT_TRUE(world.RunUntil(
      [&] {
        const Engine* engine = world.EngineOf(before.leader);
        return engine != nullptr && world.hosts().at(cut).endpoints.contains(before.primary.id);
      },
      milliseconds(100)));
  world.CutNetwork(cut, seconds(3600));
  world.CrashAgent(cut);
  ASSERT_TRUE(world.RunUntil([&] { return group().status == model::GroupStatus::kAvailable; },
                             seconds(30)));
  ASSERT_NE(group().leader, before.leader);
  world.StartAgent(cut);
  world.RunFor(seconds(1));
  const HostId second = home();
  world.CrashAgent(second);
  world.RunFor(seconds(1));
  world.StartAgent(second);
  world.RunFor(seconds(1));
  EXPECT_EQ(world.EngineBehind(group()), world.EngineOf(group().leader));
  world.Heal();
  EXPECT_TRUE(world.RunUntil([&] { return checker.Unsettled().empty(); }, seconds(60)))
      << checker.Unsettled();
  EXPECT_EQ(world.violation(), "");
}

}  // namespace
}  // namespace ec::sim
