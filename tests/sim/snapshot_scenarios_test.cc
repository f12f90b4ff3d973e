// Named stories about backups and the clock.
#include "tests/sim/snapshot_checker.h"
#include "tests/sim/story.h"

namespace ec::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class SnapshotStory : public Story {
 protected:
  SnapshotStory() {
    world_.checker = [this] {
      const std::string why = snapshots_.Check();
      return why.empty() ? checker_.Check() : why;
    };
  }
  void CreateRedis(const std::string& id, int retention) {
    core::CreateCluster request;
    request.id = id;
    request.engine = "redis";
    request.node_type = "cache.t3.micro";
    request.snapshot_retention = retention;
    request.snapshot_window = "05:00-06:00";
    request.maintenance_window = "sun:09:00-sun:10:00";
    checker_.promises[id] = {"cache.t3.micro", EngineKind::kRedis, {}, false};
    ASSERT_TRUE(world_.Call(request)->ok());
    ASSERT_TRUE(Becomes(id, model::ClusterStatus::kAvailable));
  }
  bool IsIdle() { return snapshots_.Unsettled().empty(); }
  // As the service does it: from one thing that is due to the next.
  void Advance(Duration time) {
    const WallTime end = now() + std::chrono::duration_cast<milliseconds>(time);
    while (now() < end) {
      ASSERT_TRUE(world_.Call(core::StepClock{end})->ok());
      ASSERT_TRUE(world_.RunUntil([this] { return IsIdle(); }, seconds(60)))
          << snapshots_.Unsettled();
      ASSERT_EQ(world_.violation(), "");
    }
  }
  WallTime now() { return TimeOn(world_.records().installation.clock, world_.clock().wall); }
  std::vector<model::Snapshot> Snapshots() {
    std::vector<model::Snapshot> rows;
    for (const auto& [name, row] : world_.records().snapshots) rows.push_back(row);
    return rows;
  }
  bool Take(const std::string& name, const std::string& cluster) {
    const auto answer = world_.Call(core::CreateSnapshot{name, cluster, std::nullopt, {}});
    return answer && answer->ok();
  }
  std::optional<model::SnapshotStatus> StatusOf(const std::string& name) {
    const auto found = world_.records().snapshots.find(name);
    if (found == world_.records().snapshots.end()) return std::nullopt;
    return found->second.status;
  }

  SnapshotChecker snapshots_{world_};
};

TEST_F(SnapshotStory, FortyDaysTakeFortyBackupsAndKeepThoseOfTheRetention) {
  CreateRedis("c", 35);
  Advance(hours(24 * 40));
  const std::vector<model::Snapshot> rows = Snapshots();
  ASSERT_EQ(rows.size(), 35u);
  for (size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(std::chrono::floor<minutes>(rows[i].created),
              std::chrono::floor<minutes>(rows[i - 1].created) + hours(24));
  }
  EXPECT_LT(now() - rows.front().created, hours(24 * 35));
  EXPECT_EQ(world_.files.size(), 35u);
}

TEST_F(SnapshotStory, AdvancingTheClockNeverCausesAFailoverOrARecovery) {
  core::CreateGroup request;
  request.id = "g";
  request.description = "g";
  request.node_type = "cache.t3.micro";
  request.clusters = 3;
  request.automatic_failover = true;
  request.snapshot_retention = 3;
  request.snapshot_window = "05:00-06:00";
  request.maintenance_window = "sun:09:00-sun:10:00";
  ASSERT_TRUE(world_.Call(request)->ok());
  ASSERT_TRUE(Settles());
  const uint64_t epoch = world_.records().groups.at("g").epoch;
  Advance(hours(24 * 10));
  EXPECT_EQ(world_.records().groups.at("g").epoch, epoch);
  ASSERT_EQ(Snapshots().size(), 3u);
  // Taken of a replica, as there is one.
  const MemberId leader = world_.records().groups.at("g").leader;
  for (const model::Snapshot& row : Snapshots()) {
    EXPECT_NE(row.origin.cluster, world_.records().members.at(leader).cluster);
    EXPECT_EQ(row.origin.group, "g");
  }
}

TEST_F(SnapshotStory, AnEngineThatDiesWhileItIsBackedUpEndsTheBackupAndIsRecovered) {
  CreateRedis("c", 0);
  ASSERT_TRUE(Take("s", "c"));
  EXPECT_EQ(world_.records().clusters.at("c").status, model::ClusterStatus::kSnapshotting);
  const MemberId member = MemberOf("c");
  world_.KillEngine(HostOf(member), member);
  ASSERT_TRUE(world_.RunUntil([this] { return IsIdle(); }, seconds(30)));
  ASSERT_TRUE(Becomes("c", model::ClusterStatus::kAvailable));
  EXPECT_EQ(StatusOf("s"), model::SnapshotStatus::kFailed);
  EXPECT_TRUE(Take("again", "c"));
}

TEST_F(SnapshotStory, AnAgentThatDiesInTheMiddleDoesItAgain) {
  CreateRedis("c", 0);
  const HostId host = HostOf(MemberOf("c"));
  for (int after_ms : {0, 1, 5, 20, 60}) {
    const std::string name = "s" + std::to_string(after_ms);
    ASSERT_TRUE(Take(name, "c"));
    world_.RunFor(milliseconds(after_ms));
    world_.CrashAgent(host);
    world_.RunFor(milliseconds(100));
    world_.StartAgent(host);
    ASSERT_TRUE(world_.RunUntil([this] { return IsIdle(); }, seconds(30)));
    EXPECT_EQ(StatusOf(name), model::SnapshotStatus::kAvailable);
  }
}

TEST_F(SnapshotStory, AControlPlaneThatDiesInTheMiddleGoesOn) {
  CreateRedis("c", 0);
  for (int after_ms : {0, 2, 10, 60}) {
    const std::string name = "s" + std::to_string(after_ms);
    ASSERT_TRUE(Take(name, "c"));
    world_.RunFor(milliseconds(after_ms));
    world_.CrashControlPlane();
    world_.RunFor(milliseconds(500));
    world_.StartControlPlane();
    ASSERT_TRUE(world_.RunUntil([this] { return IsIdle(); }, seconds(30)));
    EXPECT_EQ(StatusOf(name), model::SnapshotStatus::kAvailable);
  }
}

TEST_F(SnapshotStory, AHostThatFallsSilentFailsTheBackupAndKeepsNothingSnapshotting) {
  CreateRedis("c", 0);
  const HostId host = HostOf(MemberOf("c"));
  ASSERT_TRUE(Take("s", "c"));
  world_.CutNetwork(host, seconds(30));
  ASSERT_TRUE(world_.RunUntil([this] { return StatusOf("s") == model::SnapshotStatus::kFailed; },
                              seconds(20)));
  EXPECT_NE(world_.records().clusters.at("c").status, model::ClusterStatus::kSnapshotting);
  ASSERT_TRUE(world_.RunUntil([this] { return IsIdle(); }, seconds(60)));
}

TEST_F(SnapshotStory, ADamagedSnapshotIsNeverLoadedAndTouchesNothingElse) {
  CreateRedis("c", 0);
  ASSERT_TRUE(Take("s", "c"));
  ASSERT_TRUE(world_.RunUntil([this] { return IsIdle(); }, seconds(30)));
  ASSERT_TRUE(world_.Damage(world_.records().snapshots.at("s").file));
  core::CreateCluster request;
  request.id = "r";
  request.snapshot_name = "s";
  checker_.promises["r"] = {"cache.t3.micro", EngineKind::kRedis, {}, false};
  ASSERT_TRUE(world_.Call(request)->ok());
  ASSERT_TRUE(Becomes("r", model::ClusterStatus::kRestoreFailed));
  EXPECT_EQ(world_.records().clusters.at("c").status, model::ClusterStatus::kAvailable);
  EXPECT_EQ(StatusOf("s"), model::SnapshotStatus::kAvailable);
}

// The guard: a clock that jumps, and is set right again, has cost nothing.
TEST_F(SnapshotStory, AJumpOfTheMachinesClockDeletesNothingThatItShouldNot) {
  CreateRedis("c", 30);
  Advance(hours(24 * 30));
  const size_t before = Snapshots().size();
  ASSERT_GE(before, 29u);
  const auto jump = [&](Duration by) {
    world_.clock().wall += std::chrono::duration_cast<milliseconds>(by);
    world_.RunFor(seconds(30));
  };
  jump(hours(24 * 365));
  EXPECT_GE(Snapshots().size() + 1, before);
  jump(-hours(24 * 365));
  EXPECT_GE(Snapshots().size() + 1, before);
  EXPECT_LE(Snapshots().size(), before + 1);
  // Nothing is put off by it either: the next night has its backup.
  Advance(hours(25));
  EXPECT_LE(now() - Snapshots().back().created, hours(25));
}

TEST_F(SnapshotStory, AFullDiskFailsTheBackupAndTheNextNightHasOneAgain) {
  CreateRedis("c", 5);
  world_.set_disk_full_percent(100);
  Advance(hours(24));
  EXPECT_TRUE(Snapshots().empty());
  EXPECT_EQ(world_.records().clusters.at("c").status, model::ClusterStatus::kAvailable);
  world_.set_disk_full_percent(0);
  Advance(hours(24));
  EXPECT_EQ(Snapshots().size(), 1u);
}

}  // namespace
}  // namespace ec::sim
