// ModifyCacheCluster: what is refused, with which words.
#include "tests/core/modify_fixture.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Matcher;
using ::testing::StartsWith;

constexpr Fault kValue = Fault::kInvalidParameterValue;
constexpr Fault kCombination = Fault::kInvalidParameterCombination;

std::string Text(const std::string& text) { return text; }  // the whole of the message

struct Row {
  std::string rule;
  std::function<void(ModifyCluster&)> change;
  Fault fault;
  Matcher<const std::string&> message;
};

const Row kBadForEither[] = {
    {"nothing", [](auto&) {}, kCombination, Text("No modifications were requested")},
    {"nothing, at once", [](auto& r) { r.apply_immediately = true; }, kCombination,
     Text("No modifications were requested")},
    {"another node type", [](auto& r) { r.node_type = "cache.m5.large"; }, kValue,
     AllOf(HasSubstr("CacheNodeType"), HasSubstr("'cache.m5.large'"))},
    {"another engine", [](auto& r) { r.engine = "valkey"; }, kCombination, HasSubstr("valkey")},
    {"token", [](auto& r) { r.auth_token = "secret-secret-secret"; }, kCombination,
     HasSubstr("AuthToken")},
    {"discovery by IPv6", [](auto& r) { r.ip_discovery = "ipv6"; }, kValue,
     HasSubstr("IpDiscovery")},
    {"malformed window", [](auto& r) { r.maintenance_window = "sunday"; }, kValue,
     HasSubstr("PreferredMaintenanceWindow")},
    {"short window", [](auto& r) { r.maintenance_window = "sun:05:00-sun:05:30"; }, kValue,
     HasSubstr("at least 60 minutes")},
    {"malformed topic", [](auto& r) { r.notification_topic = "topic"; }, kValue,
     HasSubstr("NotificationTopicArn")},
    {"unknown topic status",
     [](auto& r) {
       r.notification_topic = "arn:aws:sns:us-east-1:0:t";
       r.notification_status = "on";
     },
     kValue, HasSubstr("NotificationTopicStatus")},
    {"topic status without a topic", [](auto& r) { r.notification_status = "inactive"; },
     kCombination, HasSubstr("NotificationTopicStatus")},
    {"cache security groups", [](auto& r) { r.cache_security_groups = {"default"}; }, kValue,
     Text("Use of cache security groups is not permitted in this API version for your "
          "account.")},
    {"malformed security group", [](auto& r) { r.security_groups = {"default"}; }, kValue,
     HasSubstr("SecurityGroupIds")},
    {"unknown version", [](auto& r) { r.engine_version = "4.0.13"; }, kCombination,
     StartsWith("Cannot find version 4.0.13 for ")},
    {"unknown parameter group", [](auto& r) { r.parameter_group = "mine"; },
     Fault::kCacheParameterGroupNotFound, Text("CacheParameterGroup not found: mine")},
    {"negative retention", [](auto& r) { r.snapshot_retention = -1; }, kValue,
     HasSubstr("SnapshotRetentionLimit")},
};

TEST_F(ModifyClusterTest, RefusesABadRequestForEitherEngine) {
  for (const Row& row : kBadForEither) {
    for (const std::string id : {"red", "mem"}) {
      SCOPED_TRACE(row.rule + " of " + id);
      ExpectRefused(Change(id, row.change), row.fault, row.message);
    }
  }
}

const Row kBadForRedis[] = {
    {"two nodes", [](auto& r) { r.nodes = 2; }, kValue, HasSubstr("NumCacheNodes")},
    {"no node", [](auto& r) { r.nodes = 0; }, kValue, HasSubstr("NumCacheNodes")},
    {"AZ mode", [](auto& r) { r.az_mode = "cross-az"; }, kCombination, HasSubstr("AZMode")},
    {"new zones", [](auto& r) { r.new_zones = {"us-east-1b"}; }, kCombination,
     HasSubstr("NewAvailabilityZones")},
    {"nodes to remove", [](auto& r) { r.remove = {"0001"}; }, kCombination,
     HasSubstr("CacheNodeIdsToRemove")},
    {"malformed snapshot window", [](auto& r) { r.snapshot_window = "5-6"; }, kValue,
     HasSubstr("SnapshotWindow")},
    {"long retention", [](auto& r) { r.snapshot_retention = 36; }, kValue,
     HasSubstr("SnapshotRetentionLimit")},
    {"snapshots during maintenance", [](auto& r) { r.snapshot_window = "05:30-06:30"; },
     kCombination, HasSubstr("overlaps")},
    {"maintenance during snapshots", [](auto& r) { r.maintenance_window = "mon:09:30-mon:10:30"; },
     kCombination, HasSubstr("overlaps")},
    {"older version", [](auto& r) { r.engine_version = "6.0"; }, kCombination,
     AllOf(HasSubstr("6.2.6"), HasSubstr("6.0.5"))},
    {"new family without its group", [](auto& r) { r.engine_version = "7.1"; }, kCombination,
     HasSubstr("default.redis7")},
    {"new family with the old group",
     [](auto& r) {
       r.engine_version = "7.1";
       r.parameter_group = "default.redis6.x";
     },
     kCombination,
     Text("Expected a parameter group of family redis7 but found one of family redis6.x")},
    {"cluster mode", [](auto& r) { r.parameter_group = "default.redis6.x.cluster.on"; },
     kCombination,
     Text("Cluster mode should be disabled in parameter group, but found it is enabled.")},
};

TEST_F(ModifyClusterTest, RefusesWhatIsNotForRedis) {
  for (const Row& row : kBadForRedis) {
    SCOPED_TRACE(row.rule);
    ExpectRefused(Change("red", row.change), row.fault, row.message);
  }
}

const Row kBadForMemcached[] = {
    {"retention", [](auto& r) { r.snapshot_retention = 1; }, kCombination,
     HasSubstr("SnapshotRetentionLimit")},
    {"snapshot window", [](auto& r) { r.snapshot_window = "05:00-06:00"; }, kCombination,
     HasSubstr("SnapshotWindow")},
    {"unknown AZ mode", [](auto& r) { r.az_mode = "many-az"; }, kValue, HasSubstr("AZMode")},
    {"41 nodes", [](auto& r) { r.nodes = 41; }, Fault::kNodeQuotaForClusterExceeded,
     Text("Cluster node quota exceeded. Each cluster can have at most 40 nodes in this "
          "region.")},
    {"no node",
     [](auto& r) {
       r.nodes = 0;
       r.remove = {"0001", "0002", "0003"};
     },
     kValue, HasSubstr("at least 1")},
    {"zones without a number", [](auto& r) { r.new_zones = {"us-east-1b"}; }, kCombination,
     HasSubstr("NumCacheNodes")},
    {"nodes to remove without a number", [](auto& r) { r.remove = {"0001"}; }, kCombination,
     HasSubstr("NumCacheNodes")},
    {"fewer without names", [](auto& r) { r.nodes = 1; }, kCombination,
     AllOf(HasSubstr("CacheNodeIdsToRemove"), HasSubstr("2 "))},
    {"fewer with too few names",
     [](auto& r) {
       r.nodes = 1;
       r.remove = {"0002"};
     },
     kCombination, HasSubstr("CacheNodeIdsToRemove")},
    {"fewer with too many names",
     [](auto& r) {
       r.nodes = 2;
       r.remove = {"0002", "0003"};
     },
     kCombination, HasSubstr("CacheNodeIdsToRemove")},
    {"unknown node",
     [](auto& r) {
       r.nodes = 2;
       r.remove = {"0004"};
     },
     kValue, AllOf(HasSubstr("'0004'"), HasSubstr("0001, 0002, 0003"))},
    {"node named twice",
     [](auto& r) {
       r.nodes = 1;
       r.remove = {"0002", "0002"};
     },
     kValue, HasSubstr("twice")},
    {"fewer in new zones",
     [](auto& r) {
       r.nodes = 2;
       r.remove = {"0003"};
       r.new_zones = {"us-east-1b"};
     },
     kCombination, HasSubstr("NewAvailabilityZones")},
    {"more with nodes to remove",
     [](auto& r) {
       r.nodes = 4;
       r.remove = {"0001"};
     },
     kCombination, HasSubstr("CacheNodeIdsToRemove")},
    {"more with too few zones",
     [](auto& r) {
       r.nodes = 5;
       r.new_zones = {"us-east-1b"};
     },
     kCombination, AllOf(HasSubstr("NewAvailabilityZones"), HasSubstr("equal"))},
    {"more with too many zones",
     [](auto& r) {
       r.nodes = 4;
       r.new_zones = {"us-east-1b", "us-east-1c"};
     },
     kCombination, HasSubstr("NewAvailabilityZones")},
    {"more in an unknown zone",
     [](auto& r) {
       r.nodes = 4;
       r.new_zones = {"us-east-1z"};
     },
     kValue, HasSubstr("'us-east-1z'")},
    {"the same number with nodes to remove",
     [](auto& r) {
       r.nodes = 3;
       r.remove = {"0001"};
     },
     kCombination, HasSubstr("CacheNodeIdsToRemove")},
    {"the same number in new zones",
     [](auto& r) {
       r.nodes = 3;
       r.new_zones = {"us-east-1b"};
     },
     kCombination, HasSubstr("NewAvailabilityZones")},
    {"older version", [](auto& r) { r.engine_version = "1.4.34"; }, kCombination,
     AllOf(HasSubstr("1.5.16"), HasSubstr("1.4.34"))},
    {"new family without its group", [](auto& r) { r.engine_version = "1.6.22"; }, kCombination,
     HasSubstr("default.memcached1.6")},
    {"another family's group", [](auto& r) { r.parameter_group = "default.memcached1.6"; },
     kCombination,
     Text("Expected a parameter group of family memcached1.5 but found one of family "
          "memcached1.6")},
};

TEST_F(ModifyClusterTest, RefusesWhatIsNotForMemcached) {
  for (const Row& row : kBadForMemcached) {
    SCOPED_TRACE(row.rule);
    ExpectRefused(Change("mem", row.change), row.fault, row.message);
  }
}

TEST_F(ModifyClusterTest, RefusesBackupsOfTheSmallestNodeType) {
  CreateCluster request = Redis("tiny");
  request.node_type = "cache.t1.micro";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  ExpectRefused(Change("tiny", [](auto& r) { r.snapshot_retention = 1; }),
                Fault::kSnapshotFeatureNotSupported, HasSubstr("cache.t1.micro"));
}

TEST_F(ModifyClusterTest, RefusesSingleAzWhileNodesSpanZones) {
  CreateCluster request = Memcached("wide", 2);
  request.az_mode = "cross-az";
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  ExpectRefused(Change("wide", [](auto& r) { r.az_mode = "single-az"; }), kCombination,
                HasSubstr("single-az"));
}

TEST_F(ModifyClusterTest, RefusesAnUnknownOrMalformedCluster) {
  const auto change = [](auto& r) { r.auto_minor_version_upgrade = false; };
  ExpectRefused(Change("Absent", change), Fault::kCacheClusterNotFound,
                Text("CacheCluster not found: absent"));
  ExpectRefused(Change("no_id", change), kValue, HasSubstr("is not a valid identifier."));
}

TEST_F(ModifyClusterTest, IsForAvailableClustersOnly) {
  const auto change = [](auto& r) { r.auto_minor_version_upgrade = false; };
  const auto expect_refused = [&](const std::string& id) {
    SCOPED_TRACE(NameOf(plane.cluster(id).status));
    ExpectRefused(Change(id, change), Fault::kInvalidCacheClusterState,
                  HasSubstr("not in available state"));
  };
  ASSERT_THAT(plane.Ask(Redis("new")), IsOk());
  expect_refused("new");
  plane.Settle();
  ASSERT_THAT(plane.Ask(RebootCluster{"new", {"0001"}}), IsOk());
  expect_refused("new");
  plane.Settle();
  ASSERT_THAT(plane.Ask(DeleteCluster{"new", {}}), IsOk());
  expect_refused("new");
  ASSERT_THAT(plane.Ask(Now("mem", [](auto& r) { r.nodes = 4; })), IsOk());
  expect_refused("mem");
  const model::Member& node = plane.node("red", "0001");
  plane.HostOf(node).members.at(node.id).phase = MemberPhase::kDown;
  plane.Report(plane.HostOf(node));
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kRecovering);
  expect_refused("red");
}

TEST_F(ModifyClusterTest, RefusesGrowthBeyondTheRegionsQuotaOrCapacity) {
  plane.settings.region_nodes_max = 5;
  ExpectRefused(Resize(5), Fault::kNodeQuotaForCustomerExceeded, HasSubstr("5"));
  plane.settings.region_nodes_max = 300;
  plane.host("host-0").hello.members_max = 4;  // three nodes and the Redis are on it
  plane.Register(plane.host("host-0"));
  plane.Report(plane.host("host-0"));
  ExpectRefused(Resize(4), Fault::kInsufficientCapacity, HasSubstr("us-east-1a"));
}

}  // namespace
}  // namespace ec::core
