// Automatic backups, their retention, and the clock that they go by.
#include <gmock/gmock.h>

#include "controlplane/core/clock_commands.h"
#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using ec::testing::IsOk;
using ec::testing::Redis;
using model::ClusterStatus;
using model::SnapshotStatus;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::_;
using ::testing::HasSubstr;

class ScheduleTest : public GroupTest {
 protected:
  void MakeBackedUp(const std::string& id, int retention,
                    const std::string& window = "05:00-06:00") {
    MakeMaster(id, [&](CreateCluster& request) {
      request.snapshot_retention = retention;
      request.snapshot_window = window;
      request.maintenance_window = "sun:09:00-sun:10:00";
    });
  }
  WallTime wall() const { return TimeOn(plane.records().installation.clock, plane.now.wall); }
  void AdvanceTo(WallTime end) {
    while (wall() < end) {
      ASSERT_THAT(plane.Ask(StepClock{end}), IsOk());
      plane.Settle();
    }
  }
  void Advance(Duration time) {
    AdvanceTo(wall() + std::chrono::duration_cast<std::chrono::milliseconds>(time));
  }
  size_t count() const { return plane.records().snapshots.size(); }
  const model::Snapshot& Only() const {
    EXPECT_EQ(count(), 1u);
    return plane.records().snapshots.begin()->second;
  }
  // The time of day, in minutes.
  static int MinuteOf(WallTime time) {
    return static_cast<int>((time - std::chrono::floor<days>(time)) / minutes(1));
  }
};

TEST_F(ScheduleTest, OneBackupADayIsTakenInTheWindowAndNamedAfterItsTime) {
  MakeBackedUp("c", 7);
  Advance(days(1));
  EXPECT_EQ(MinuteOf(Only().created), 5 * 60);
  EXPECT_TRUE(Only().automatic);
  EXPECT_THAT(Only().name, ::testing::MatchesRegex("automatic.c-20[0-9-]+-05-00"));
  Advance(days(3));
  EXPECT_EQ(count(), 4u);
}

TEST_F(ScheduleTest, WithoutRetentionThereAreNone) {
  MakeBackedUp("c", 0);
  EXPECT_FALSE(plane.cluster("c").next_backup.has_value());
  EXPECT_EQ(NextScheduled(plane.state), std::nullopt);
}

TEST_F(ScheduleTest, ThirtySixDaysTakeThirtySixBackupsAndDeleteTheOneThatIsTooOld) {
  MakeBackedUp("c", 35);
  uint64_t taken = 0;
  const WallTime end = wall() + days(36);
  plane.ForgetEvents();
  AdvanceTo(end);
  for (const std::string& event : plane.NewEvents()) taken += event.starts_with("Snapshot succ");
  EXPECT_EQ(count(), 35u);
  EXPECT_LE(taken, 36u);  // events older than 14 days are gone
  for (const auto& [name, row] : plane.records().snapshots) {
    EXPECT_LE(end - row.created, days(35)) << name;
  }
}

TEST_F(ScheduleTest, AnAutomaticOneGoesExactlyWhenItIsOlderThanTheRetention) {
  MakeBackedUp("c", 1);
  Advance(days(1));
  const WallTime taken = Only().created;
  AdvanceTo(taken + days(1));
  EXPECT_EQ(plane.records().snapshots.begin()->second.created, taken);
  AdvanceTo(taken + days(1) + std::chrono::milliseconds(1));
  for (const auto& [name, row] : plane.records().snapshots) EXPECT_NE(row.created, taken);
}

TEST_F(ScheduleTest, AChangeOfRetentionAppliesToThoseThatAreThere) {
  MakeBackedUp("c", 10);
  Advance(days(10));
  ASSERT_EQ(count(), 10u);
  ModifyCluster modify;
  modify.id = "c";
  modify.snapshot_retention = 3;
  ASSERT_THAT(plane.Ask(modify), IsOk());
  Advance(minutes(1));
  EXPECT_EQ(count(), 3u);
  modify.snapshot_retention = 0;
  ASSERT_THAT(plane.Ask(modify), IsOk());
  Advance(minutes(1));
  EXPECT_EQ(count(), 0u);
}

TEST_F(ScheduleTest, ManualOnesNeverExpireAndOutliveTheirClusterAndAutomaticOnesDieWithIt) {
  MakeBackedUp("c", 2);
  ASSERT_THAT(plane.Ask(CreateSnapshot{"mine", "c", {}, {}}), IsOk());
  plane.Settle();
  Advance(days(40));
  EXPECT_TRUE(plane.records().snapshots.contains("mine"));
  EXPECT_EQ(count(), 3u);
  ASSERT_THAT(plane.Ask(DeleteCluster{"c", {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(Only().name, "mine");
}

TEST_F(ScheduleTest, AGroupIsBackedUpOnceADayFromAReplica) {
  Make(3, true);
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) { r.snapshot_retention = 5; })), IsOk());
  Advance(days(2));
  ASSERT_EQ(count(), 2u);
  for (const auto& [name, row] : plane.records().snapshots) {
    EXPECT_EQ(row.origin.group, "g");
    EXPECT_EQ(row.origin.cluster, "g-002");
    EXPECT_THAT(name, HasSubstr("automatic.g-"));
  }
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", false, {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(count(), 0u);
}

TEST_F(ScheduleTest, AFailedOneIsTriedAgainWhileTheWindowIsOpenAndLeavesNoRow) {
  MakeBackedUp("c", 5);
  for (auto& [id, host] : plane.hosts()) host.task_trouble = "No space left on device";
  AdvanceTo(*plane.cluster("c").next_backup + minutes(1));
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ::testing::Contains(HasSubstr("No space left on device")));
  for (auto& [id, host] : plane.hosts()) host.task_trouble.clear();
  Advance(minutes(15));
  EXPECT_EQ(count(), 1u);
}

TEST_F(ScheduleTest, AWindowThatWasMissedIsNotMadeUpFor) {
  MakeBackedUp("c", 5);
  plane.now.wall = *plane.cluster("c").next_backup + hours(3);
  plane.Tick();
  plane.Settle();
  EXPECT_EQ(count(), 0u);
  EXPECT_GT(*plane.cluster("c").next_backup, plane.now.wall);
}

TEST_F(ScheduleTest, AClockThatIsSetBackPutsNothingOff) {
  MakeBackedUp("c", 5);
  plane.now.wall -= days(365);
  plane.Tick();
  EXPECT_LE(*plane.cluster("c").next_backup, plane.now.wall + days(1));
}

TEST_F(ScheduleTest, AJumpOfTheMachinesClockDeletesManyOnlyWhenItIsStillThereAnHourLater) {
  MakeBackedUp("c", 20);
  Advance(days(20));
  ASSERT_EQ(count(), 20u);
  plane.now.wall += days(300);
  plane.Tick();
  plane.Settle();
  EXPECT_EQ(count(), 20u);
  plane.Pass(minutes(50));
  plane.Settle();
  EXPECT_GE(count(), 20u);
  plane.Pass(minutes(20));
  plane.Settle();
  EXPECT_LE(count(), 1u);
}

// --- the clock itself ---

TEST_F(ScheduleTest, AFrozenClockStandsStillAndGoesOnFromThere) {
  ASSERT_THAT(plane.Ask(SetClock{{}, false, true}), IsOk());
  const WallTime frozen = wall();
  plane.Pass(hours(5));
  EXPECT_EQ(wall(), frozen);
  Advance(minutes(10));
  EXPECT_EQ(wall(), frozen + minutes(10));
  ASSERT_THAT(plane.Ask(SetClock{{}, false, false}), IsOk());
  plane.Pass(minutes(1));
  EXPECT_EQ(wall(), frozen + minutes(11));
  ASSERT_THAT(plane.Ask(SetClock{{}, true, {}}), IsOk());
  EXPECT_EQ(wall(), plane.now.wall);
}

TEST_F(ScheduleTest, TimesOutsideOfTheCalendarAreRefused) {
  ExpectRefused(SetClock{WallTime(days(3'000'000)), false, {}}, Fault::kInvalidParameterValue, _);
  ExpectRefused(SetClock{wall(), true, {}}, Fault::kInvalidParameterCombination, _);
}

TEST_F(ScheduleTest, TheClockOutlivesTheControlPlane) {
  Advance(days(36));
  const WallTime before = wall();
  plane.Restart();
  EXPECT_EQ(wall(), before);
}

TEST_F(ScheduleTest, APendingChangeWaitsForTheMaintenanceWindowOnThisClock) {
  MakeMaster("c", [](CreateCluster& request) { request.engine_version = "6.2"; });
  ModifyCluster modify;
  modify.id = "c";
  modify.engine_version = "7.1";
  modify.parameter_group = "default.redis7";
  ASSERT_THAT(plane.Ask(modify), IsOk());
  EXPECT_TRUE(plane.cluster("c").pending.version.has_value());
  Advance(days(7));
  EXPECT_EQ(plane.cluster("c").engine_version, "7.1.0");
}

TEST_F(ScheduleTest, AFaultLastsAsLongOnTheMachinesClockWhateverIsEmulated) {
  MakeMaster("c");
  AddFault fault;
  fault.number = plane.records().installation.next_id;
  fault.kind = "blackhole";
  fault.to = "c";
  fault.duration = std::chrono::seconds(30);
  ASSERT_THAT(plane.Ask(FaultCommand(fault)), IsOk());
  Advance(days(10));
  EXPECT_EQ(plane.records().faults.size(), 1u);
  plane.Pass(std::chrono::seconds(31));
  EXPECT_TRUE(plane.records().faults.empty());
}

}  // namespace
}  // namespace ec::core
