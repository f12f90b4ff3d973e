// ModifyReplicationGroup.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "controlplane/model/windows.h"
#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::GroupStatus;
using model::SwitchStep;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr Fault kValue = Fault::kInvalidParameterValue;
constexpr Fault kCombination = Fault::kInvalidParameterCombination;
constexpr Fault kGroupState = Fault::kInvalidReplicationGroupState;

class ModifyGroupTest : public GroupTest {
 protected:
  // To the next opening of the group's maintenance window.
  void OpenWindow() {
    const WallTime due =
        model::NextOpening(*model::ParseMaintenanceWindow("sun:05:00-sun:06:00"), plane.now.wall);
    plane.Pass(due - plane.now.wall);
    plane.Settle();
  }
  static ModifyGroup ToPrimary(const std::string& cluster, bool now) {
    return Change([&](ModifyGroup& r) {
      r.primary_cluster = cluster;
      r.apply_immediately = now;
    });
  }
};

// --- modify ----------------------------------------------------------------------------------

TEST_F(ModifyGroupTest, ChangesTheDescriptionAlone) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) { r.description = "new"; })), IsOk());
  EXPECT_EQ(group().description, "new");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
}

TEST_F(ModifyGroupTest, TurnsAutomaticFailoverOnAndOffWithAnEvent) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) { r.automatic_failover = true; })), IsOk());
  EXPECT_TRUE(group().automatic_failover);
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) { r.automatic_failover = false; })), IsOk());
  EXPECT_FALSE(group().automatic_failover);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Automatic failover has been turned on for replication group g",
                          "Automatic failover has been turned off for replication group g"));
}

TEST_F(ModifyGroupTest, NeedsAReplicaForAutomaticFailover) {
  Make(1, false);
  ExpectRefused(Change([](ModifyGroup& r) { r.automatic_failover = true; }), kCombination,
                "Replication group must have at least one read replica to enable autofailover.");
}

TEST_F(ModifyGroupTest, TurnsNoAutomaticFailoverOnForTheSmallestNodeType) {
  CreateGroup request = RedisGroup("g", 2);
  request.node_type = "cache.t1.micro";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  ExpectRefused(Change([](ModifyGroup& r) { r.automatic_failover = true; }), kCombination,
                HasSubstr("cache.t1.micro"));
}

TEST_F(ModifyGroupTest, NeedsAutomaticFailoverForMultiAz) {
  Make(2, false);
  ExpectRefused(Change([](ModifyGroup& r) { r.multi_az = true; }), kCombination,
                HasSubstr("MultiAZEnabled needs AutomaticFailoverEnabled"));
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) { r.automatic_failover = r.multi_az = true; })),
              IsOk());
  ExpectRefused(Change([](ModifyGroup& r) { r.automatic_failover = false; }), kCombination,
                HasSubstr("MultiAZEnabled needs AutomaticFailoverEnabled"));
}

TEST_F(ModifyGroupTest, ChangesWhatEveryClusterHas) {
  Make(3, false);
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) {
    r.maintenance_window = "tue:01:00-tue:02:00";
    r.snapshot_retention = 3;
    r.auto_minor_version_upgrade = false;
  })),
              IsOk());
  for (const std::string& id : group().members) {
    EXPECT_EQ(plane.cluster(id).maintenance_window, "tue:01:00-tue:02:00");
    EXPECT_EQ(plane.cluster(id).snapshot_retention, 3);
    EXPECT_FALSE(plane.cluster(id).auto_minor_version_upgrade);
  }
}

TEST_F(ModifyGroupTest, ChangesNothingWhenOnePartOfItIsRefused) {
  Make(2, true);
  ExpectRefused(Change([](ModifyGroup& r) {
                  r.description = "new";
                  r.snapshot_retention = 3;
                  r.primary_cluster = "g-002";
                }),
                kGroupState, HasSubstr("autofailover is enabled"));
}

TEST_F(ModifyGroupTest, IsRefusedWithoutAnyChange) {
  Make(1, false);
  ExpectRefused(Change([](ModifyGroup&) {}), kCombination, "No modifications were requested");
}

TEST_F(ModifyGroupTest, IsRefusedForAnUnknownGroup) {
  ExpectRefused(Change([](ModifyGroup& r) { r.description = "new"; }),
                Fault::kReplicationGroupNotFound, "ReplicationGroup not found: g");
}

TEST_F(ModifyGroupTest, IsRefusedForADescriptionThatIsTooLong) {
  Make(1, false);
  ExpectRefused(Change([](ModifyGroup& r) { r.description = std::string(256, 'd'); }), kValue,
                HasSubstr("at most 255 characters"));
}

TEST_F(ModifyGroupTest, IsRefusedUnlessTheGroupIsAvailable) {
  ASSERT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
  ExpectRefused(Change([](ModifyGroup& r) { r.description = "new"; }), kGroupState,
                StartsWith("Replication group must be in available state to modify."));
}

// --- PrimaryClusterId ------------------------------------------------------------------------

TEST_F(ModifyGroupTest, MakesAnotherClusterThePrimaryAtOnceWhenAskedTo) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(ToPrimary("G-002", true)), IsOk());
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  EXPECT_EQ(group().step, SwitchStep::kPausing);
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(ModifyGroupTest, MakesAnotherClusterThePrimaryInTheNextMaintenanceWindow) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(ToPrimary("g-002", false)), IsOk());
  EXPECT_EQ(group().pending_primary, "g-002");
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  plane.Settle();
  EXPECT_EQ(leader(), "g-001");
  OpenWindow();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_FALSE(group().pending_primary);
}

TEST_F(ModifyGroupTest, ForgetsAPendingPrimaryThatLeadsAlready) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(ToPrimary("g-002", false)), IsOk());
  ASSERT_THAT(plane.Ask(Switchover{"g", "g-002"}), IsOk());
  plane.Settle();
  plane.ForgetEvents();
  OpenWindow();
  EXPECT_EQ(leader(), "g-002");
  EXPECT_FALSE(group().pending_primary);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
}

TEST_F(ModifyGroupTest, GivesAPendingPrimaryUpThatIsGoneWhenTheWindowOpens) {
  Make(3, false);
  ASSERT_THAT(plane.Ask(ToPrimary("g-002", false)), IsOk());
  ASSERT_THAT(plane.Ask(DeleteCluster{"g-002", {}}), IsOk());
  plane.Settle();
  plane.ForgetEvents();
  OpenWindow();
  EXPECT_EQ(leader(), "g-001");
  EXPECT_FALSE(group().pending_primary);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre(StartsWith("The change of primary to g-002 was given up")));
}

TEST_F(ModifyGroupTest, ForgetsAPendingPrimaryWhenAnotherOneIsAskedForAtOnce) {
  Make(3, false);
  ASSERT_THAT(plane.Ask(ToPrimary("g-002", false)), IsOk());
  ASSERT_THAT(plane.Ask(ToPrimary("g-003", true)), IsOk());
  EXPECT_FALSE(group().pending_primary);
  plane.Settle();
  OpenWindow();
  EXPECT_EQ(leader(), "g-003");
}

TEST_F(ModifyGroupTest, GivesAPendingPrimaryUpWhenAutomaticFailoverHasBeenTurnedOn) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(ToPrimary("g-002", false)), IsOk());
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) { r.automatic_failover = true; })), IsOk());
  plane.ForgetEvents();
  OpenWindow();
  EXPECT_EQ(leader(), "g-001");
  EXPECT_THAT(plane.NewEvents(), ElementsAre(HasSubstr("automatic failover is on")));
}

TEST_F(ModifyGroupTest, ChangesNoPrimaryWhileAutomaticFailoverIsOn) {
  Make(2, true);
  for (const bool now : {true, false}) {
    ExpectRefused(
        ToPrimary("g-002", now), kGroupState,
        "Cannot manually promote a new master cache cluster while autofailover is enabled");
  }
}

TEST_F(ModifyGroupTest, ChangesNoPrimaryByTheRequestThatTurnsAutomaticFailoverOff) {
  Make(2, true);
  ModifyGroup request = ToPrimary("g-002", true);
  request.automatic_failover = false;
  ExpectRefused(request, kGroupState, HasSubstr("while autofailover is enabled"));
  EXPECT_TRUE(group().automatic_failover);
}

TEST_F(ModifyGroupTest, HasAPendingPrimaryFollowTheMaintenanceWindow) {
  Make(2, false);
  ASSERT_THAT(plane.Ask(ToPrimary("g-002", false)), IsOk());
  const auto opening = [&](const char* window) {
    return model::NextOpening(*model::ParseMaintenanceWindow(window), plane.now.wall);
  };
  EXPECT_EQ(group().pending_due, opening("sun:05:00-sun:06:00"));
  ASSERT_THAT(
      plane.Ask(Change([](ModifyGroup& r) { r.maintenance_window = "wed:01:00-wed:02:00"; })),
      IsOk());
  EXPECT_EQ(group().pending_due, opening("wed:01:00-wed:02:00"));
  ModifyCluster alone;
  alone.id = "g-001";
  alone.maintenance_window = "fri:01:00-fri:02:00";
  ASSERT_THAT(plane.Ask(alone), IsOk());
  EXPECT_EQ(group().pending_due, opening("fri:01:00-fri:02:00"));
  alone.id = "g-002";
  alone.maintenance_window = "thu:01:00-thu:02:00";
  ASSERT_THAT(plane.Ask(alone), IsOk());
  EXPECT_EQ(group().pending_due, opening("fri:01:00-fri:02:00"));
}

TEST_F(ModifyGroupTest, MakesOnlyAnotherClusterOfTheGroupThePrimary) {
  Make(2, false);
  MakeMaster("red");
  ExpectRefused(ToPrimary("g-001", true), kValue, HasSubstr("It is the primary already"));
  ExpectRefused(ToPrimary("red", true), kValue, HasSubstr("has the cache clusters g-001, g-002"));
  ExpectRefused(ToPrimary("blue", true), Fault::kCacheClusterNotFound,
                "CacheCluster not found: blue");
}

TEST_F(ModifyGroupTest, MakesNoClusterThePrimaryThatLacksSomething) {
  Make(2, false);
  SetProved("g-002", false);
  plane.Settle();
  ExpectRefused(ToPrimary("g-002", true), Fault::kInvalidCacheClusterState,
                HasSubstr("has not proved to have everything"));
}

}  // namespace
}  // namespace ec::core
