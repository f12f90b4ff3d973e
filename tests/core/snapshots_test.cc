// Manual and final snapshots, copies, and what is restored from them.
#include <gmock/gmock.h>

#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using ec::testing::Fails;
using ec::testing::IsOk;
using ec::testing::Memcached;
using ec::testing::Redis;
using model::ClusterStatus;
using model::GroupStatus;
using model::SnapshotStatus;
using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SnapshotTest : public GroupTest {
 protected:
  Status Take(const std::string& name, const std::string& cluster) {
    return plane.Ask(CreateSnapshot{name, cluster, std::nullopt, {}});
  }
  void TakeNow(const std::string& name, const std::string& cluster) {
    ASSERT_THAT(Take(name, cluster), IsOk());
    plane.Settle();
    ASSERT_EQ(StatusOfSnapshot(name), SnapshotStatus::kAvailable);
  }
  const model::Snapshot& snapshot(const std::string& name) const {
    return plane.records().snapshots.at(name);
  }
  SnapshotStatus StatusOfSnapshot(const std::string& name) const { return snapshot(name).status; }
  bool Has(const std::string& name) const { return plane.records().snapshots.contains(name); }
  void HoldTasks(bool hold) {
    for (auto& [id, host] : plane.hosts()) host.holds_tasks = hold;
  }
  void FailTasks(const std::string& why) {
    for (auto& [id, host] : plane.hosts()) host.task_trouble = why;
  }
};

TEST_F(SnapshotTest, ASnapshotIsCreatingWhileItsClusterIsSnapshottingAndThenBothAreAvailable) {
  MakeMaster("c");
  HoldTasks(true);
  ASSERT_THAT(Take("Before-Upgrade", "C"), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOfSnapshot("before-upgrade"), SnapshotStatus::kCreating);
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kSnapshotting);
  HoldTasks(false);
  plane.Settle();
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kAvailable);
  const model::Snapshot& row = snapshot("before-upgrade");
  EXPECT_EQ(row.status, SnapshotStatus::kAvailable);
  EXPECT_EQ(row.facts, (SnapshotFacts{1000, 5000, 7, std::string(64, 'a'), "7.0.15"}));
  EXPECT_EQ(row.work.task, 0u);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Snapshot succeeded for snapshot with ID 'before-upgrade' of cache "
                          "cluster with ID 'c'"));
}

TEST_F(SnapshotTest, NothingElseIsDoneToAClusterThatIsBackedUp) {
  MakeMaster("c");
  MakeMaster("m");
  HoldTasks(true);
  ASSERT_THAT(Take("s", "c"), IsOk());
  const auto refused = Fails(Fault::kInvalidCacheClusterState, HasSubstr("snapshotting"));
  EXPECT_THAT(Take("t", "c"), refused);
  EXPECT_THAT(plane.Ask(DeleteCluster{"c", {}}), refused);
  EXPECT_THAT(plane.Ask(RebootCluster{"c", {"0001"}}), refused);
  ModifyCluster modify;
  modify.id = "c";
  modify.snapshot_retention = 1;
  EXPECT_THAT(plane.Ask(modify), refused);
  EXPECT_THAT(plane.Ask(Demote{"c", {}, "m", "new", true, {}}), refused);
}

TEST_F(SnapshotTest, OnlyRedisOnTypesFromM1SmallUpHasSnapshots) {
  ASSERT_THAT(plane.Ask(Memcached("pages")), IsOk());
  MakeMaster("tiny", [](CreateCluster& request) {
    request.node_type = "cache.t1.micro";
    request.engine_version = "5.0.6";
  });
  plane.Settle();
  const auto unsupported = [&](const Command& command) {
    ExpectRefused(command, Fault::kSnapshotFeatureNotSupported, HasSubstr("not supported"));
  };
  unsupported(CreateSnapshot{"s", "pages", {}, {}});
  unsupported(CreateSnapshot{"s", "tiny", {}, {}});
  unsupported(DeleteCluster{"pages", "last"});
  unsupported(DeleteCluster{"tiny", "last"});
  ModifyCluster modify;
  modify.id = "tiny";
  modify.snapshot_retention = 1;
  unsupported(modify);
}

TEST_F(SnapshotTest, NamesAreCheckedAndNeverUsedTwice) {
  MakeMaster("c");
  TakeNow("s", "c");
  ExpectRefused(CreateSnapshot{"S", "c", {}, {}}, Fault::kSnapshotAlreadyExists, HasSubstr("s"));
  const std::vector<std::string> names = {"1s", "a--b", "a-", "a.b", "../s", std::string(41, 'a')};
  for (const std::string& bad : names) {
    ExpectRefused(CreateSnapshot{bad, "c", {}, {}}, Fault::kInvalidParameterValue,
                  HasSubstr("SnapshotName"));
  }
  ExpectRefused(CreateSnapshot{"t", "nope", {}, {}}, Fault::kCacheClusterNotFound, _);
  ExpectRefused(CreateSnapshot{"t", {}, "nope", {}}, Fault::kReplicationGroupNotFound, _);
  ExpectRefused(CreateSnapshot{"t", {}, {}, {}}, Fault::kInvalidParameterCombination, _);
  ExpectRefused(CreateSnapshot{"t", "c", "g", {}}, Fault::kInvalidParameterCombination, _);
}

TEST_F(SnapshotTest, TwentyManualOnesInTwentyFourHoursAreTheMostEvenIfTheyAreDeleted) {
  MakeMaster("c");
  for (int i = 0; i < 20; ++i) {
    const std::string name = "s" + std::to_string(i);
    TakeNow(name, "c");
    ASSERT_THAT(plane.Ask(DeleteSnapshot{name}), IsOk());
    plane.Settle();
  }
  ExpectRefused(CreateSnapshot{"more", "c", {}, {}}, Fault::kSnapshotQuotaExceeded,
                HasSubstr("20"));
  ExpectRefused(DeleteCluster{"c", "more"}, Fault::kSnapshotQuotaExceeded, _);
  plane.Pass(std::chrono::hours(24));
  EXPECT_THAT(Take("more", "c"), IsOk());
}

TEST_F(SnapshotTest, AFailedBackupEndsInAnEventWithTheCauseAndLeavesTheClusterAsItWas) {
  MakeMaster("c");
  FailTasks("No space left on device");
  ASSERT_THAT(Take("s", "c"), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kAvailable);
  EXPECT_EQ(StatusOfSnapshot("s"), SnapshotStatus::kFailed);
  EXPECT_EQ(snapshot("s").trouble, "No space left on device");
  EXPECT_THAT(plane.NewEvents(), Contains("Snapshot failed for snapshot with ID 's' of cache "
                                          "cluster with ID 'c': No space left on device"));
  ASSERT_THAT(plane.Ask(DeleteSnapshot{"s"}), IsOk());
  plane.Settle();
  EXPECT_FALSE(Has("s"));
}

TEST_F(SnapshotTest, ASilentHostFailsTheBackupInsteadOfKeepingItsClusterSnapshotting) {
  MakeMaster("c");
  HoldTasks(true);
  ASSERT_THAT(Take("s", "c"), IsOk());
  Silence("c");
  EXPECT_EQ(StatusOfSnapshot("s"), SnapshotStatus::kFailed);
  EXPECT_NE(StatusOf("c"), ClusterStatus::kSnapshotting);
}

TEST_F(SnapshotTest, AGroupIsBackedUpFromAReplicaThatHasEverything) {
  Make(3, true);
  HoldTasks(true);
  ASSERT_THAT(plane.Ask(CreateSnapshot{"s", {}, "g", {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kSnapshotting);
  EXPECT_EQ(snapshot("s").origin.cluster, "g-002");
  EXPECT_EQ(StatusOf("g-002"), ClusterStatus::kSnapshotting);
  ExpectRefused(DeleteGroup{"g", false, {}}, Fault::kInvalidReplicationGroupState, _);
  ExpectRefused(TestFailover{"g", "0001"}, Fault::kInvalidReplicationGroupState, _);
  HoldTasks(false);
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), Contains("Snapshot succeeded for snapshot with ID 's' of "
                                          "replication group with ID 'g'"));
}

TEST_F(SnapshotTest, TheSnapshottingClusterIsPreferredAndTheLeaderIsTheLast) {
  Make(3, true);
  ASSERT_THAT(plane.Ask(Change([](ModifyGroup& r) { r.snapshotting_cluster = "g-003"; })), IsOk());
  ASSERT_THAT(plane.Ask(CreateSnapshot{"s", {}, "g", {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(snapshot("s").origin.cluster, "g-003");
  ExpectRefused(Change([](ModifyGroup& r) { r.snapshotting_cluster = "other"; }),
                Fault::kCacheClusterNotFound, _);
  // Without a replica that is fit, there is the primary.
  for (const std::string id : {"g-002", "g-003"}) SetProved(id, false);
  plane.Settle();
  ASSERT_THAT(plane.Ask(CreateSnapshot{"t", {}, "g", {}}), IsOk());
  plane.Settle();
  EXPECT_NE(snapshot("t").origin.cluster, "g-002");
}

TEST_F(SnapshotTest, AFailoverGoesOnWhileAReplicaIsBackedUp) {
  Make(2, true);
  HoldTasks(true);
  ASSERT_THAT(plane.Ask(CreateSnapshot{"s", {}, "g", {}}), IsOk());
  plane.Settle();
  ASSERT_EQ(StatusOf("g-002"), ClusterStatus::kSnapshotting);
  Kill("g-001");
  plane.Settle();
  EXPECT_EQ(leader(), "g-002");
  HoldTasks(false);
  plane.Settle();
  EXPECT_EQ(StatusOfSnapshot("s"), SnapshotStatus::kAvailable);
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(SnapshotTest, AFinalSnapshotComesBeforeTheDeletionWhichIsGivenUpWithoutIt) {
  MakeMaster("c");
  FailTasks("the disk is full");
  ASSERT_THAT(plane.Ask(DeleteCluster{"c", "last"}), IsOk());
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kDeleting);
  plane.Settle();
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(),
              Contains("The deletion was given up: its final snapshot last has failed"));
  FailTasks("");
  ASSERT_THAT(plane.Ask(DeleteCluster{"c", "last-2"}), IsOk());
  plane.Settle();
  EXPECT_FALSE(plane.has_cluster("c"));
  EXPECT_EQ(StatusOfSnapshot("last-2"), SnapshotStatus::kAvailable);
}

TEST_F(SnapshotTest, AGroupsFinalSnapshotIsItsPrimarys) {
  Make(3, true);
  ExpectRefused(DeleteGroup{"g", true, "last"}, Fault::kInvalidParameterCombination, _);
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", false, "last"}), IsOk());
  EXPECT_EQ(group().status, GroupStatus::kDeleting);
  plane.Settle();
  EXPECT_FALSE(plane.has_group("g"));
  EXPECT_EQ(snapshot("last").origin.cluster, "g-001");
  EXPECT_EQ(snapshot("last").origin.group, "g");
}

TEST_F(SnapshotTest, ADemotionWithAFinalSnapshotTakesThatFirst) {
  Make(2, true);
  MakeMaster("c");
  HoldTasks(true);
  ASSERT_THAT(plane.Ask(Demote{"c", "g", {}, {}, true, "last"}), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kSnapshotting);
  EXPECT_EQ(plane.cluster("c").group, "");
  HoldTasks(false);
  plane.Settle();
  EXPECT_EQ(plane.cluster("c").group, "g");
  EXPECT_EQ(StatusOfSnapshot("last"), SnapshotStatus::kAvailable);
}

TEST_F(SnapshotTest, AnExportThatFailsLeavesTheSnapshotAsItWas) {
  MakeMaster("c");
  TakeNow("s", "c");
  FailTasks("there is no bucket backups");
  ASSERT_THAT(plane.Ask(CopySnapshot{"s", "orders", "backups", {}}), IsOk());
  EXPECT_EQ(StatusOfSnapshot("s"), SnapshotStatus::kExporting);
  plane.Settle();
  EXPECT_EQ(StatusOfSnapshot("s"), SnapshotStatus::kAvailable);
  EXPECT_THAT(snapshot("s").trouble, HasSubstr("there is no bucket backups"));
  ExpectRefused(CopySnapshot{"s", "orders", "../x", {}}, Fault::kInvalidParameterValue,
                HasSubstr("TargetBucket"));
  ExpectRefused(CopySnapshot{"nope", "t", {}, {}}, Fault::kSnapshotNotFound, _);
  for (const std::string bad : {"arn:aws:s3:::b/x", "arn:aws:s3:::bucket/../x",
                                "arn:aws:s3:::bucket//x", "arn:aws:s3:::bucket"}) {
    ExpectRefused(CopySnapshot{bad, "t", {}, {}}, Fault::kInvalidParameterValue, _);
  }
}

TEST_F(SnapshotTest, ACopyIsASnapshotOfItsOwn) {
  MakeMaster("c");
  TakeNow("s", "c");
  ASSERT_THAT(plane.Ask(CopySnapshot{"s", "t", {}, {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOfSnapshot("t"), SnapshotStatus::kAvailable);
  EXPECT_NE(snapshot("t").file, snapshot("s").file);
  ASSERT_THAT(plane.Ask(DeleteSnapshot{"s"}), IsOk());
  plane.Settle();
  EXPECT_TRUE(Has("t"));
}

// --- restoring ---

CreateCluster Restored(const std::string& id, const std::string& from) {
  CreateCluster request;
  request.id = id;
  request.snapshot_name = from;
  return request;
}

TEST_F(SnapshotTest, AClusterOfASnapshotHasItsSettingsAndIsGivenItsFileUntilItServes) {
  MakeMaster("c", [](CreateCluster& request) { request.port = 7000; });
  TakeNow("s", "c");
  for (auto& [id, host] : plane.hosts()) host.first_phase = MemberPhase::kStarting;
  ASSERT_THAT(plane.Ask(Restored("r", "s")), IsOk());
  plane.Settle();
  ASSERT_TRUE(SpecOf("r").seed.has_value());
  EXPECT_EQ(SpecOf("r").seed->file, snapshot("s").file);
  EXPECT_EQ(SpecOf("r").seed->sha256, snapshot("s").facts.sha256);
  ExpectRefused(DeleteSnapshot{"s"}, Fault::kInvalidSnapshotState, HasSubstr("restored"));
  Engine("r").phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(StatusOf("r"), ClusterStatus::kAvailable);
  EXPECT_EQ(plane.cluster("r").port, 7000);
  EXPECT_FALSE(SpecOf("r").seed.has_value());
}

TEST_F(SnapshotTest, ADamagedSnapshotEndsInRestoreFailed) {
  MakeMaster("c");
  TakeNow("s", "c");
  for (auto& [id, host] : plane.hosts()) host.seeds_are_damaged = true;
  plane.ForgetEvents();
  ASSERT_THAT(plane.Ask(Restored("r", "s")), IsOk());
  plane.Settle();
  EXPECT_EQ(StatusOf("r"), ClusterStatus::kRestoreFailed);
  EXPECT_THAT(plane.NewEvents(), Contains("Restore from s failed for node 0001"));
  EXPECT_EQ(StatusOf("c"), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.Ask(DeleteCluster{"r", {}}), IsOk());
}

TEST_F(SnapshotTest, WhatDoesNotFitIsRefused) {
  MakeMaster("c");
  for (auto& [id, host] : plane.hosts()) host.facts.memory_bytes = int64_t{3} << 30;
  TakeNow("s", "c");
  ExpectRefused(Restored("r", "s"), Fault::kInvalidParameterValue, HasSubstr("3.0 GB"));
  CreateCluster larger = Restored("r", "s");
  larger.node_type = "cache.m5.large";
  EXPECT_THAT(plane.Ask(larger), IsOk());
  CreateCluster older = Restored("o", "s");
  older.node_type = "cache.m5.large";
  older.engine_version = "5.0.6";
  ExpectRefused(older, Fault::kInvalidParameterCombination, HasSubstr("older"));
  ExpectRefused(Restored("r2", "nope"), Fault::kSnapshotNotFound, _);
  CreateCluster both = Restored("r2", "s");
  both.snapshot_arns = {"arn:aws:s3:::bucket/key"};
  ExpectRefused(both, Fault::kInvalidParameterCombination, _);
}

TEST_F(SnapshotTest, AGroupOfASnapshotSeedsItsPrimaryAlone) {
  MakeMaster("c");
  TakeNow("s", "c");
  CreateGroup request = ec::testing::RedisGroup("g", 3);
  request.engine.reset();
  request.snapshot_name = "s";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_TRUE(plane.cluster("g-001").seed.has_value());
  EXPECT_FALSE(plane.cluster("g-002").seed.has_value());
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

}  // namespace
}  // namespace ec::core
