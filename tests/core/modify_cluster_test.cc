// ModifyCacheCluster: what changes at once, and what waits for the maintenance window or a reboot.
#include "tests/core/modify_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::MemberStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr Fault kCombination = Fault::kInvalidParameterCombination;

std::vector<std::string> NodeIdsOf(const ControlPlane& plane, const std::string& id) {
  std::vector<std::string> ids;
  for (const model::Member& node : plane.nodes(id)) ids.push_back(node.node_id);
  return ids;
}

std::vector<std::string> ZonesOf(const ControlPlane& plane, const std::string& id) {
  std::vector<std::string> zones;
  for (const model::Member& node : plane.nodes(id)) zones.push_back(node.zone);
  return zones;
}

// --- what changes at once --------------------------------------------------------------------

TEST_F(ModifyClusterTest, ChangesTheRecordAtOnceWhateverApplyImmediatelySays) {
  plane.AddSecurityGroup("sg-5");
  const ModifyCluster request = Change("red", [](ModifyCluster& r) {
    r.maintenance_window = "Mon:12:00-Mon:13:00";
    r.snapshot_window = "20:00-21:00";
    r.snapshot_retention = 7;
    r.auto_minor_version_upgrade = false;
    r.notification_topic = "arn:aws:sns:us-east-1:0:t";
    r.notification_status = "inactive";
    r.security_groups = {"sg-5"};
    r.node_type = "CACHE.t3.micro";  // the one that it has
    r.engine = "Redis";
    r.nodes = 1;
    r.ip_discovery = "ipv4";
    r.parameter_group = "default.redis6.x";
  });
  model::Cluster expected = plane.cluster("red");
  expected.maintenance_window = "mon:12:00-mon:13:00";
  expected.snapshot_window = "20:00-21:00";
  expected.snapshot_retention = 7;
  expected.next_backup = model::NextOpening(model::DailyWindow{1200, 60}, plane.now.wall);
  expected.auto_minor_version_upgrade = false;
  expected.notification = model::Notification{"arn:aws:sns:us-east-1:0:t", false};
  expected.security_groups = {"sg-5"};
  expected.revision = plane.records().revision + 1;
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("red"), expected);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Applied change to security group"));
}

TEST_F(ModifyClusterTest, ChangesNothingWhenEverythingIsAlreadySo) {
  const model::Records before = plane.records();
  ASSERT_THAT(plane.Ask(Change("red", [](auto& r) { r.auto_minor_version_upgrade = true; })),
              IsOk());
  EXPECT_TRUE(plane.decision.edit.empty());
  EXPECT_EQ(plane.records(), before);
}

TEST_F(ModifyClusterTest, MaySwitchATopicOffAndOnAgain) {
  ASSERT_THAT(plane.Ask(Change("red", [](auto& r) { r.notification_topic = "arn:aws:sns:a:0:t"; })),
              IsOk());
  for (const bool active : {false, true}) {
    ASSERT_THAT(
        plane.Ask(Change("red",
                         [&](auto& r) { r.notification_status = active ? "active" : "inactive"; })),
        IsOk());
    EXPECT_EQ(plane.cluster("red").notification->active, active);
  }
}

TEST_F(ModifyClusterTest, MovesBothWindowsTogetherPastEachOther) {
  ASSERT_THAT(plane.Ask(Change("red",
                               [](auto& r) {
                                 r.maintenance_window = "sun:09:00-sun:10:00";
                                 r.snapshot_window = "05:00-06:00";
                               })),
              IsOk());
  EXPECT_EQ(plane.cluster("red").snapshot_window, "05:00-06:00");
}

// --- growth and shrinkage --------------------------------------------------------------------

TEST_F(ModifyClusterTest, GrowsAtOnceWhenTold) {
  ModifyCluster request = Resize(5);
  request.apply_immediately = true;
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kModifying);
  EXPECT_EQ(plane.cluster("mem").node_count, 5);
  EXPECT_TRUE(pending().empty());
  EXPECT_EQ(plane.node("mem", "0005").status, MemberStatus::kCreating);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Increasing number of requested nodes"));
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_THAT(NodeIdsOf(plane, "mem"), ElementsAre("0001", "0002", "0003", "0004", "0005"));
  EXPECT_THAT(
      plane.NewEvents(),
      ElementsAre("Added cache node 0004 in availability zone us-east-1a", HasSubstr("0004 runs"),
                  "Added cache node 0005 in availability zone us-east-1a", HasSubstr("0005 runs"),
                  "Finished modifying number of nodes from 3 to 5"));
}

TEST_F(ModifyClusterTest, ShrinksAtOnceByTheNodesThatWereNamed) {
  ModifyCluster request = Shrink(1, {"0003", "0001"});
  request.apply_immediately = true;
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kModifying);
  EXPECT_EQ(plane.node("mem", "0003").status, MemberStatus::kDeleting);
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.cluster("mem").node_count, 1);
  EXPECT_THAT(NodeIdsOf(plane, "mem"), ElementsAre("0002"));
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Removed cache nodes 0001, 0003",
                                             "Finished modifying number of nodes from 3 to 1"));
}

TEST_F(ModifyClusterTest, GivesTheLowestFreeNodeIdsToNewNodes) {
  ModifyCluster shrink = Shrink(1, {"0001", "0003"});
  shrink.apply_immediately = true;
  ASSERT_THAT(plane.Ask(shrink), IsOk());
  plane.Settle();
  ModifyCluster grow = Resize(3);
  grow.apply_immediately = true;
  ASSERT_THAT(plane.Ask(grow), IsOk());
  EXPECT_THAT(NodeIdsOf(plane, "mem"), ElementsAre("0001", "0002", "0003"));
}

TEST_F(ModifyClusterTest, PutsNewNodesIntoTheZonesThatWereNamed) {
  ModifyCluster request = Resize(5, {"us-east-1c", "us-east-1b"});
  request.apply_immediately = true;
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.node("mem", "0004").zone, "us-east-1c");
  EXPECT_EQ(plane.node("mem", "0005").zone, "us-east-1b");
}

TEST_F(ModifyClusterTest, SpreadsNewNodesOnceTheClusterIsCrossAz) {
  ModifyCluster request = Resize(5);
  request.apply_immediately = true;
  request.az_mode = "cross-az";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_NE(plane.node("mem", "0004").zone, "us-east-1a");
  EXPECT_NE(plane.node("mem", "0005").zone, "us-east-1a");
  EXPECT_NE(plane.node("mem", "0004").zone, plane.node("mem", "0005").zone);
}

// --- what waits: AWS's table of pending and new requests ---------------------------------------

TEST_F(ModifyClusterTest, LetsAGrowthWaitForTheWindow) {
  ASSERT_THAT(plane.Ask(Resize(5)), IsOk());
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.cluster("mem").node_count, 3);
  EXPECT_EQ(pending().nodes, 5);
  // 2014-09-30 is a Tuesday; the window is on Sundays.
  EXPECT_EQ(ToString(pending().due), "2014-10-05T05:00:00.000Z");
  EXPECT_THAT(plane.NewEvents(), ElementsAre(HasSubstr("2014-10-05T05:00:00.000Z")));
  plane.Pass(std::chrono::hours(100));
  EXPECT_EQ(plane.cluster("mem").node_count, 3);
  OpenWindow();
  EXPECT_THAT(NodeIdsOf(plane, "mem"), SizeIs(5));
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_TRUE(pending().empty());
}

TEST_F(ModifyClusterTest, LetsAShrinkageWaitForTheWindow) {
  ASSERT_THAT(plane.Ask(Shrink(2, {"0002"})), IsOk());
  EXPECT_EQ(pending().nodes, 2);
  EXPECT_THAT(pending().remove, ElementsAre("0002"));
  EXPECT_THAT(NodeIdsOf(plane, "mem"), SizeIs(3));
  OpenWindow();
  EXPECT_THAT(NodeIdsOf(plane, "mem"), ElementsAre("0001", "0003"));
}

TEST_F(ModifyClusterTest, AddsAGrowthToAPendingGrowth) {
  ASSERT_THAT(plane.Ask(Resize(5, {"us-east-1b", "us-east-1c"})), IsOk());
  ASSERT_THAT(plane.Ask(Resize(6, {"us-east-1a"})), IsOk());
  EXPECT_EQ(pending().nodes, 6);
  EXPECT_THAT(pending().new_zones, ElementsAre("us-east-1b", "us-east-1c", "us-east-1a"));
  OpenWindow();
  EXPECT_THAT(ZonesOf(plane, "mem"), ElementsAre("us-east-1a", "us-east-1a", "us-east-1a",
                                                 "us-east-1b", "us-east-1c", "us-east-1a"));
}

// AWS: "3 active nodes and 2 pending; to add one more: NumCacheNodes=6, and optionally specify an
// Availability Zone for the new node."
TEST_F(ModifyClusterTest, AddsAZoneForTheNewNodeOnly) {
  ASSERT_THAT(plane.Ask(Resize(5)), IsOk());
  ExpectRefused(Resize(6, {"us-east-1b", "us-east-1b", "us-east-1b"}), kCombination,
                HasSubstr("NewAvailabilityZones"));
  ASSERT_THAT(plane.Ask(Resize(6, {"us-east-1b"})), IsOk());
  OpenWindow();
  EXPECT_THAT(ZonesOf(plane, "mem"), ElementsAre("us-east-1a", "us-east-1a", "us-east-1a",
                                                 "us-east-1a", "us-east-1a", "us-east-1b"));
}

TEST_F(ModifyClusterTest, ChoosesAZoneWhereOnlyThePendingNodesHaveOne) {
  ASSERT_THAT(plane.Ask(Resize(5, {"us-east-1b", "us-east-1c"})), IsOk());
  ASSERT_THAT(plane.Ask(Resize(6)), IsOk());
  OpenWindow();
  EXPECT_THAT(ZonesOf(plane, "mem"), ElementsAre("us-east-1a", "us-east-1a", "us-east-1a",
                                                 "us-east-1b", "us-east-1c", "us-east-1a"));
}

TEST_F(ModifyClusterTest, KeepsThePendingZonesWhenTheNumberIsRepeated) {
  ASSERT_THAT(plane.Ask(Resize(4, {"us-east-1b"})), IsOk());
  ASSERT_THAT(plane.Ask(Resize(4)), IsOk());
  EXPECT_THAT(pending().new_zones, ElementsAre("us-east-1b"));
  ASSERT_THAT(plane.Ask(Resize(4, {"us-east-1c"})), IsOk());
  EXPECT_THAT(pending().new_zones, ElementsAre("us-east-1c"));
}

TEST_F(ModifyClusterTest, ReplacesAPendingGrowthByAShrinkageAndBack) {
  ASSERT_THAT(plane.Ask(Resize(5, {"us-east-1b", "us-east-1c"})), IsOk());
  ASSERT_THAT(plane.Ask(Shrink(2, {"0001"})), IsOk());
  EXPECT_EQ(pending(), (model::Pending{.nodes = 2, .remove = {"0001"}, .due = pending().due}));
  ASSERT_THAT(plane.Ask(Shrink(1, {"0002", "0003"})), IsOk());  // a shrinkage replaces one, too
  EXPECT_THAT(pending().remove, ElementsAre("0002", "0003"));
  ASSERT_THAT(plane.Ask(Resize(4, {"us-east-1c"})), IsOk());
  EXPECT_EQ(pending(),
            (model::Pending{.nodes = 4, .new_zones = {"us-east-1c"}, .due = pending().due}));
}

TEST_F(ModifyClusterTest, CancelsWhatIsPendingWhenThePresentNumberIsAskedFor) {
  for (const ModifyCluster& request :
       {Resize(5, {"us-east-1b", "us-east-1c"}), Shrink(2, {"0002"})}) {
    ASSERT_THAT(plane.Ask(request), IsOk());
    EXPECT_FALSE(pending().empty());
    plane.ForgetEvents();
    ASSERT_THAT(plane.Ask(Resize(3)), IsOk());
    EXPECT_EQ(pending(), model::Pending{});
    EXPECT_TRUE(plane.state.windows.empty());
    EXPECT_THAT(plane.NewEvents(), IsEmpty());
  }
}

// AWS: ApplyImmediately applies the request "and any pending modifications".
TEST_F(ModifyClusterTest, AppliesWhatWasPendingTogetherWithWhatIsToBeDoneAtOnce) {
  ASSERT_THAT(plane.Ask(Resize(4)), IsOk());
  ASSERT_THAT(plane.Ask(Now("mem", [](auto& r) { r.auto_minor_version_upgrade = false; })), IsOk());
  EXPECT_TRUE(pending().empty());
  EXPECT_EQ(plane.cluster("mem").node_count, 4);
}

TEST_F(ModifyClusterTest, AppliesWhatIsPendingAtARebootToo) {
  ASSERT_THAT(plane.Ask(Resize(4)), IsOk());
  ASSERT_THAT(plane.Ask(RebootCluster{"mem", {"0001"}}), IsOk());
  EXPECT_TRUE(pending().empty());
  plane.Settle();
  EXPECT_THAT(NodeIdsOf(plane, "mem"), SizeIs(4));
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
}

TEST_F(ModifyClusterTest, MovesWhatIsPendingToANewWindow) {
  ASSERT_THAT(plane.Ask(Resize(4)), IsOk());
  ASSERT_THAT(
      plane.Ask(Change("mem", [](auto& r) { r.maintenance_window = "wed:10:00-wed:11:00"; })),
      IsOk());
  EXPECT_EQ(ToString(pending().due), "2014-10-01T10:00:00.000Z");
}

TEST_F(ModifyClusterTest, PutsOffWhatIsPendingWhileTheClusterIsInTrouble) {
  ASSERT_THAT(plane.Ask(Resize(4)), IsOk());
  const model::Member& node = plane.node("mem", "0002");
  plane.HostOf(node).members.at(node.id).phase = MemberPhase::kDown;
  const WallTime due = pending().due;
  plane.Pass(due - plane.now.wall);
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kRecovering);
  EXPECT_EQ(pending().nodes, 4);
  EXPECT_EQ(pending().due, due + std::chrono::days(7));
}

TEST_F(ModifyClusterTest, TellsWhenThereIsNoRoomForAPendingGrowthAnyMore) {
  ASSERT_THAT(plane.Ask(Resize(4)), IsOk());
  plane.host("host-0").hello.members_max = 4;
  plane.Register(plane.host("host-0"));
  plane.ForgetEvents();
  OpenWindow();
  EXPECT_EQ(plane.cluster("mem").node_count, 3);
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_TRUE(pending().empty());
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre(StartsWith("Failed to modify number of nodes from 3 to 4: No host")));
}

TEST_F(ModifyClusterTest, ForgetsWhatIsPendingTogetherWithTheCluster) {
  ASSERT_THAT(plane.Ask(Resize(4)), IsOk());
  ASSERT_THAT(plane.Ask(DeleteCluster{"mem", {}}), IsOk());
  OpenWindow();
  EXPECT_FALSE(plane.has_cluster("mem"));
  EXPECT_TRUE(plane.state.windows.empty());
}

// --- the engine version ------------------------------------------------------------------------

TEST_F(ModifyClusterTest, RaisesTheVersionOfARedisAndKeepsItsEngineAndData) {
  const model::Member before = plane.node("red", "0001");
  ASSERT_THAT(plane.Ask(Now("red",
                            [](auto& r) {
                              r.engine_version = "7.1";
                              r.parameter_group = "default.redis7";
                            })),
              IsOk());
  const model::Cluster& cluster = plane.cluster("red");
  EXPECT_EQ(cluster.engine_version, "7.1.0");
  EXPECT_EQ(cluster.family, "redis7");
  EXPECT_EQ(cluster.parameter_group, "default.redis7");
  EXPECT_EQ(cluster.status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.node("red", "0001").generation, before.generation);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Modified engine version from 6.2.6 to 7.1.0"));
  // Its host is to know the new family's parameters, for the engine's next start.
  plane.Settle();
  const auto& parameters = plane.HostOf(before).plan.members.at(before.id).parameters;
  EXPECT_TRUE(parameters.contains("hash-max-listpack-entries"));
  EXPECT_FALSE(parameters.contains("hash-max-ziplist-entries"));
}

TEST_F(ModifyClusterTest, RaisesTheVersionOfAMemcachedByStartingEveryNodeEmpty) {
  ASSERT_THAT(plane.Ask(Now("mem",
                            [](auto& r) {
                              r.engine_version = "1.6.22";
                              r.parameter_group = "default.memcached1.6";
                            })),
              IsOk());
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kModifying);
  for (const model::Member& node : plane.nodes("mem")) EXPECT_EQ(node.generation, 2u);
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.cluster("mem").engine_version, "1.6.22");
  EXPECT_THAT(
      plane.NewEvents(),
      ElementsAre("Modified engine version from 1.5.16 to 1.6.22", "Cache node 0001 restarted",
                  "Cache node 0002 restarted", "Cache node 0003 restarted"));
}

TEST_F(ModifyClusterTest, LetsANewVersionWaitReplacesItAndCancelsIt) {
  const auto version = [](const std::string& text) {
    return Change("red", [&](ModifyCluster& r) {
      r.engine_version = text;
      r.parameter_group = "default.redis7";
    });
  };
  ASSERT_THAT(plane.Ask(version("7.0.5")), IsOk());
  EXPECT_EQ(plane.cluster("red").pending.version, "7.0.5");
  EXPECT_EQ(plane.cluster("red").engine_version, "6.2.6");
  ASSERT_THAT(plane.Ask(version("7.1")), IsOk());
  EXPECT_EQ(plane.cluster("red").pending.version, "7.1.0");
  ASSERT_THAT(plane.Ask(Change("red", [](auto& r) { r.engine_version = "6.2"; })), IsOk());
  EXPECT_TRUE(plane.cluster("red").pending.empty());
  ASSERT_THAT(plane.Ask(version("7.1")), IsOk());
  OpenWindow();
  EXPECT_EQ(plane.cluster("red").engine_version, "7.1.0");
}

TEST_F(ModifyClusterTest, MakesANewVersionAndAGrowthTogether) {
  ModifyCluster request = Resize(4);
  request.engine_version = "1.6.12";
  request.parameter_group = "default.memcached1.6";
  request.apply_immediately = true;
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.cluster("mem").engine_version, "1.6.12");
  EXPECT_THAT(NodeIdsOf(plane, "mem"), SizeIs(4));
}

TEST_F(ModifyClusterTest, OffersOnlyInstalledVersionsWhenToldTo) {
  plane.settings.strict_versions = true;
  ExpectRefused(Change("red",
                       [](auto& r) {
                         r.engine_version = "7.1";
                         r.parameter_group = "default.redis7";
                       }),
                kCombination, StartsWith("Cannot find version 7.1 for redis"));
}

}  // namespace
}  // namespace ec::core
