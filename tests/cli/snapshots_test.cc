// What `ecctl snapshot` and `ecctl clock` ask for and print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;

v1::Snapshot MakeSnapshot(const std::string& name, const std::string& status) {
  v1::Snapshot snapshot;
  snapshot.set_snapshot_name(name);
  snapshot.set_snapshot_status(status);
  snapshot.set_snapshot_source("manual");
  snapshot.set_cache_cluster_id("orders");
  snapshot.set_engine("redis");
  v1::NodeSnapshot* node = snapshot.add_node_snapshots();
  node->mutable_snapshot_create_time()->set_seconds(1'700'000'000);
  if (status != "available") return snapshot;
  node->set_size_bytes(12 << 20);
  node->set_memory_bytes(20 << 20);
  node->set_key_count(1234);
  node->set_sha256(std::string(64, 'a'));
  return snapshot;
}

class SnapshotCommands : public testing::Test {
 protected:
  SnapshotCommands() {
    service_.snapshots = [this](const auto& request, auto* response) {
      listed_ = request;
      *response->add_snapshots() = MakeSnapshot("s", "available");
      return grpc::Status::OK;
    };
    service_.create_snapshot = [this](const auto& request, auto* response) {
      created_ = request;
      *response->mutable_snapshot() = MakeSnapshot(request.snapshot_name(), "creating");
      return grpc::Status::OK;
    };
    service_.copy_snapshot = [this](const auto& request, auto* response) {
      copied_ = request;
      *response->mutable_snapshot() = MakeSnapshot("s", "copying");
      return grpc::Status::OK;
    };
    service_.create = [this](const auto& request, auto* response) {
      restored_ = request;
      *response->mutable_cache_cluster() = MakeCluster(request.cache_cluster_id(), "creating");
      return grpc::Status::OK;
    };
    service_.events = [](const auto&, auto*) { return grpc::Status::OK; };
    service_.clock = [](const auto&, auto* response) {
      response->mutable_clock()->mutable_time()->set_seconds(1'700'000'000);
      response->mutable_clock()->set_offset_ms(int64_t{36} * 86'400'000);
      return grpc::Status::OK;
    };
    service_.advance = [this](const auto& request, auto* response) {
      advanced_ = request;
      response->set_snapshots_taken(36);
      response->set_snapshots_expired(1);
      response->set_done(true);
      return grpc::Status::OK;
    };
    service_.set_clock = [this](const auto& request, auto*) {
      set_ = request;
      return grpc::Status::OK;
    };
  }
  std::string Run(const std::vector<std::string>& words) {
    const Ended ended = service_.Ecctl(words);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return ended.out;
  }

  FakeService service_;
  v1::DescribeSnapshotsRequest listed_;
  v1::CreateSnapshotRequest created_;
  v1::CopySnapshotRequest copied_;
  v1::CreateCacheClusterRequest restored_;
  v1::AdvanceClockRequest advanced_;
  v1::SetClockRequest set_;
};

TEST_F(SnapshotCommands, CreationNamesAClusterOrAGroup) {
  Run({"snapshot", "create", "s", "--cluster", "orders", "--tag", "a=b"});
  EXPECT_EQ(created_.ShortDebugString(),
            "cache_cluster_id: \"orders\" snapshot_name: \"s\" tags { key: \"a\" value: \"b\" }");
  Run({"snapshot", "create", "s", "--group", "carts"});
  EXPECT_EQ(created_.ShortDebugString(), "replication_group_id: \"carts\" snapshot_name: \"s\"");
  EXPECT_EQ(service_.Ecctl({"snapshot", "create", "s"}).exit, 2);
  const Ended waited = service_.Ecctl({"snapshot", "create", "s", "--cluster", "o", "--wait"});
  EXPECT_EQ(waited.exit, 0);
  EXPECT_THAT(waited.out, HasSubstr("available"));
}

TEST_F(SnapshotCommands, SizesAreForPeople) {
  EXPECT_THAT(Run({"snapshot", "list", "--cluster", "orders", "--kind", "manual"}),
              HasSubstr("12.0 MB"));
  EXPECT_EQ(listed_.ShortDebugString(), "cache_cluster_id: \"orders\" snapshot_source: \"user\"");
  const std::string shown = Run({"snapshot", "show", "s"});
  EXPECT_THAT(shown, HasSubstr("20.0 MB"));
  EXPECT_THAT(shown, HasSubstr("1234"));
}

TEST_F(SnapshotCommands, AFailureIsToldWithItsCause) {
  service_.snapshots = [](const auto&, auto* response) {
    *response->add_snapshots() = MakeSnapshot("s", "failed");
    response->mutable_snapshots(0)->set_trouble("No space left on device");
    return grpc::Status::OK;
  };
  const Ended ended = service_.Ecctl({"snapshot", "create", "s", "--cluster", "orders", "--wait"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("No space left on device"));
}

TEST_F(SnapshotCommands, ObjectsAreSpokenOfAsS3) {
  Run({"snapshot", "import", "s3://backups/orders.rdb", "mine"});
  EXPECT_EQ(copied_.source_snapshot_name(), "arn:aws:s3:::backups/orders.rdb");
  EXPECT_EQ(copied_.target_snapshot_name(), "mine");
  EXPECT_THAT(Run({"snapshot", "export", "s", "s3://backups/orders.rdb"}),
              HasSubstr("s3://backups/orders.rdb"));
  EXPECT_EQ(copied_.ShortDebugString(),
            "source_snapshot_name: \"s\" target_snapshot_name: \"orders\" "
            "target_bucket: \"backups\"");
}

TEST_F(SnapshotCommands, ARestoreLeavesTheSettingsToTheSnapshot) {
  Run({"snapshot", "restore", "s", "--cluster", "orders2"});
  EXPECT_EQ(restored_.ShortDebugString(), "cache_cluster_id: \"orders2\" snapshot_name: \"s\"");
  Run({"cluster", "create", "orders3", "--from-snapshot", "s"});
  EXPECT_FALSE(restored_.has_cache_node_type());
  EXPECT_EQ(restored_.snapshot_name(), "s");
  Run({"cluster", "create", "orders4", "--from-rdb", "s3://b-1/k.rdb"});
  EXPECT_EQ(restored_.snapshot_arns(0), "arn:aws:s3:::b-1/k.rdb");
}

TEST_F(SnapshotCommands, TheClockIsAdvancedByDurationsAndSetForwardsTheSameWay) {
  EXPECT_THAT(Run({"clock", "show"}), HasSubstr("36d ahead of the machine's"));
  EXPECT_THAT(Run({"clock", "advance", "36d"}), HasSubstr("36 snapshots taken, 1 expired"));
  EXPECT_EQ(advanced_.duration_ms(), int64_t{36} * 86'400'000);
  Run({"clock", "set", "2030-01-02"});
  EXPECT_EQ(advanced_.until().seconds(), 1'893'542'400);
  Run({"clock", "set", "2020-01-02T03:04:05Z"});
  EXPECT_EQ(set_.time().seconds(), 1'577'934'245);
  Run({"clock", "freeze"});
  EXPECT_TRUE(set_.frozen());
  Run({"clock", "set", "machine"});
  EXPECT_TRUE(set_.reset());
  EXPECT_EQ(service_.Ecctl({"clock", "advance", "soon"}).exit, 2);
  EXPECT_EQ(service_.Ecctl({"clock", "set", "noon"}).exit, 2);
}

}  // namespace
}  // namespace ec::cli
