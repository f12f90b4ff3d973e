// CreateCacheCluster: what is refused, with which words.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "controlplane/core/commands.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Matcher;
using ::testing::SizeIs;
using ::testing::StartsWith;

class CreateRefusals : public ::testing::Test {
 protected:
  CreateRefusals() { plane.AddHosts(3, 3); }

  void ExpectRefused(const CreateCluster& request, Fault fault,
                     const Matcher<const std::string&>& message) {
    SCOPED_TRACE(request.id);
    ec::testing::ExpectRefused(plane, request, fault, message);
  }

  ControlPlane plane;
};

struct Row {
  std::string rule;
  std::function<void(CreateCluster&)> change;
  Fault fault;
  Matcher<const std::string&> message;
};

constexpr Fault kValue = Fault::kInvalidParameterValue;
constexpr Fault kCombination = Fault::kInvalidParameterCombination;

std::string Text(const std::string& text) { return text; }  // the whole of the message

const Row kBadForEither[] = {
    {"malformed id", [](auto& r) { r.id = "fake_cluster"; }, kValue,
     StartsWith("The parameter CacheClusterIdentifier is not a valid identifier. ")},
    {"long id", [](auto& r) { r.id = std::string(51, 'a'); }, kValue, HasSubstr("50")},
    {"no engine", [](auto& r) { r.engine.reset(); }, kValue, HasSubstr("Engine")},
    {"unknown engine", [](auto& r) { r.engine = "mysql"; }, kValue, HasSubstr("'mysql'")},
    {"engine that is not installed", [](auto& r) { r.engine = "valkey"; }, kValue,
     HasSubstr("valkey-server")},
    {"unknown version", [](auto& r) { r.engine_version = "4.0.13"; }, kCombination,
     StartsWith("Cannot find version 4.0.13 for ")},
    {"no node type", [](auto& r) { r.node_type.reset(); }, kValue, HasSubstr("CacheNodeType")},
    {"unknown node type", [](auto& r) { r.node_type = "cache.x9.huge"; }, kValue,
     HasSubstr("'cache.x9.huge'")},
    {"no nodes", [](auto& r) { r.nodes = 0; }, kValue, HasSubstr("NumCacheNodes")},
    {"negative nodes", [](auto& r) { r.nodes = -1; }, kValue, HasSubstr("'-1'")},
    {"unknown AZ mode", [](auto& r) { r.az_mode = "many-az"; }, kValue, HasSubstr("AZMode")},
    {"unknown zone", [](auto& r) { r.zone = "us-east-1z"; }, kValue,
     AllOf(HasSubstr("PreferredAvailabilityZone"), HasSubstr("'us-east-1z'"))},
    {"unknown parameter group", [](auto& r) { r.parameter_group = "My-Group"; },
     Fault::kCacheParameterGroupNotFound, Text("CacheParameterGroup not found: My-Group")},
    {"unknown default group", [](auto& r) { r.parameter_group = "default.redis9"; },
     Fault::kCacheParameterGroupNotFound, Text("CacheParameterGroup not found: default.redis9")},
    {"unknown subnet group", [](auto& r) { r.subnet_group = "mine"; },
     Fault::kCacheSubnetGroupNotFound, HasSubstr("mine")},
    {"cache security groups", [](auto& r) { r.cache_security_groups = {"default"}; }, kValue,
     Text("Use of cache security groups is not permitted in this API version for your "
          "account.")},
    {"unknown security group", [](auto& r) { r.security_groups = {"sg-1"}; }, kValue,
     AllOf(HasSubstr("SecurityGroupIds"), HasSubstr("'sg-1'"))},
    {"cache security groups in a VPC",
     [](auto& r) {
       r.cache_security_groups = {"default"};
       r.subnet_group = "default";
     },
     kCombination,
     Text("Use of cache security groups is not permitted along with cache subnet group and/or "
          "security group Ids.")},
    {"malformed window", [](auto& r) { r.maintenance_window = "sunday"; }, kValue,
     HasSubstr("PreferredMaintenanceWindow")},
    {"short window", [](auto& r) { r.maintenance_window = "sun:05:00-sun:05:30"; }, kValue,
     HasSubstr("at least 60 minutes")},
    {"long window", [](auto& r) { r.maintenance_window = "sun:05:00-mon:05:30"; }, kValue,
     HasSubstr("at most 24 hours")},
    {"port 0", [](auto& r) { r.port = 0; }, kValue, HasSubstr("Port")},
    {"port 65536", [](auto& r) { r.port = 65536; }, kValue, HasSubstr("'65536'")},
    {"negative port", [](auto& r) { r.port = -6379; }, kValue, HasSubstr("Port")},
    {"IPv6", [](auto& r) { r.network_type = "ipv6"; }, kValue, HasSubstr("NetworkType")},
    {"dual stack", [](auto& r) { r.network_type = "dual_stack"; }, kValue,
     HasSubstr("'dual_stack'")},
    {"discovery by IPv6", [](auto& r) { r.ip_discovery = "ipv6"; }, kValue,
     HasSubstr("IpDiscovery")},
    {"malformed topic", [](auto& r) { r.notification_topic = "topic"; }, kValue,
     HasSubstr("NotificationTopicArn")},
    {"empty topic", [](auto& r) { r.notification_topic = "arn:aws:sns:"; }, kValue,
     HasSubstr("NotificationTopicArn")},
    {"tag without a key",
     [](auto& r) {
       r.tags = {{"", "x"}};
     },
     kValue, HasSubstr("Tags")},
    {"long tag key",
     [](auto& r) {
       r.tags = {{std::string(129, 'k'), ""}};
     },
     kValue, HasSubstr("128")},
    {"long tag value",
     [](auto& r) {
       r.tags = {{"k", std::string(257, 'v')}};
     },
     kValue, HasSubstr("256")},
    {"AWS's own tag",
     [](auto& r) {
       r.tags = {{"AWS:owner", ""}};
     },
     kValue, HasSubstr("aws:")},
    {"51 tags",
     [](auto& r) {
       for (int i = 0; i < 51; ++i) r.tags.emplace_back("k" + std::to_string(i), "");
     },
     Fault::kTagQuotaExceeded, HasSubstr("50")},
};

TEST_F(CreateRefusals, RefusesABadRequestForEitherEngine) {
  for (const Row& row : kBadForEither) {
    for (CreateCluster request : {Redis("red"), Memcached("mem")}) {
      SCOPED_TRACE(row.rule);
      row.change(request);
      ExpectRefused(request, row.fault, row.message);
    }
  }
}

const Row kBadForRedis[] = {
    {"two nodes", [](auto& r) { r.nodes = 2; }, kValue,
     Text("Cannot create a Redis cluster with a NumCacheNodes parameter greater than 1.")},
    {"unknown version", [](auto& r) { r.engine_version = "4.0.13"; }, kCombination,
     StartsWith("Cannot find version 4.0.13 for redis")},
    {"older family's group",
     [](auto& r) {
       r.engine_version = "5.0.6";
       r.parameter_group = "default.redis3.2";
     },
     kCombination,
     Text("Expected a parameter group of family redis5.0 but found one of family redis3.2")},
    {"another engine's group", [](auto& r) { r.parameter_group = "default.memcached1.6"; },
     kCombination, HasSubstr("found one of family memcached1.6")},
    {"another family's cluster mode group",
     [](auto& r) { r.parameter_group = "default.redis3.2.cluster.on"; }, kCombination,
     HasSubstr("family redis3.2")},
    {"cluster mode", [](auto& r) { r.parameter_group = "default.redis7.cluster.on"; }, kCombination,
     Text("Cluster mode should be disabled in parameter group, but found it is enabled.")},
    {"zones", [](auto& r) { r.zones = {"us-east-1a"}; }, kCombination,
     HasSubstr("PreferredAvailabilityZones")},
    {"cross-az", [](auto& r) { r.az_mode = "cross-az"; }, kCombination, HasSubstr("cross-az")},
    {"encryption", [](auto& r) { r.transit_encryption = true; }, kCombination,
     Text("Encryption feature is not supported for engine REDIS.")},
    {"token", [](auto& r) { r.auth_token = "secret-secret-secret"; }, kCombination,
     HasSubstr("AuthToken")},
    {"archives", [](auto& r) { r.snapshot_arns = {"arn:aws:s3:::b/k.rdb"}; }, kValue,
     HasSubstr("SnapshotArns")},
    {"snapshot", [](auto& r) { r.snapshot_name = "backup"; }, Fault::kSnapshotNotFound,
     HasSubstr("backup")},
    {"group", [](auto& r) { r.replication_group_id = "Group"; }, Fault::kReplicationGroupNotFound,
     HasSubstr("Group")},
    {"group without engine",
     [](auto& r) {
       r.replication_group_id = "Group";
       r.engine.reset();
       r.node_type.reset();
     },
     Fault::kReplicationGroupNotFound, HasSubstr("Group")},
    {"retention of 36 days", [](auto& r) { r.snapshot_retention = 36; }, kValue,
     HasSubstr("SnapshotRetentionLimit")},
    {"negative retention", [](auto& r) { r.snapshot_retention = -1; }, kValue, HasSubstr("'-1'")},
    {"backups of the smallest type",
     [](auto& r) {
       r.node_type = "cache.t1.micro";
       r.snapshot_retention = 1;
     },
     Fault::kSnapshotFeatureNotSupported, HasSubstr("cache.t1.micro")},
    {"malformed snapshot window", [](auto& r) { r.snapshot_window = "5-6"; }, kValue,
     HasSubstr("SnapshotWindow")},
    {"overlapping windows",
     [](auto& r) {
       r.maintenance_window = "wed:05:00-wed:06:00";
       r.snapshot_window = "05:30-06:30";
     },
     kCombination,
     AllOf(HasSubstr("05:30-06:30"), HasSubstr("wed:05:00-wed:06:00"), HasSubstr("overlaps"))},
};

TEST_F(CreateRefusals, RefusesWhatIsNotForRedis) {
  for (const Row& row : kBadForRedis) {
    SCOPED_TRACE(row.rule);
    CreateCluster request = Redis("red");
    row.change(request);
    ExpectRefused(request, row.fault, row.message);
  }
}

const Row kBadForMemcached[] = {
    {"41 nodes", [](auto& r) { r.nodes = 41; }, Fault::kNodeQuotaForClusterExceeded,
     Text("Cluster node quota exceeded. Each cluster can have at most 40 nodes in this "
          "region.")},
    {"retention", [](auto& r) { r.snapshot_retention = 1; }, kCombination,
     HasSubstr("SnapshotRetentionLimit")},
    {"negative retention", [](auto& r) { r.snapshot_retention = -1; }, kValue,
     HasSubstr("SnapshotRetentionLimit")},
    {"snapshot window", [](auto& r) { r.snapshot_window = "05:00-06:00"; }, kCombination,
     HasSubstr("SnapshotWindow")},
    {"snapshot", [](auto& r) { r.snapshot_name = "backup"; }, kCombination,
     HasSubstr("SnapshotName")},
    {"archives", [](auto& r) { r.snapshot_arns = {"arn:aws:s3:::b/k.rdb"}; }, kCombination,
     HasSubstr("SnapshotArns")},
    {"group", [](auto& r) { r.replication_group_id = "group"; }, kCombination,
     HasSubstr("ReplicationGroupId")},
    {"token", [](auto& r) { r.auth_token = "secret-secret-secret"; }, kCombination,
     HasSubstr("AuthToken")},
    {"encryption", [](auto& r) { r.transit_encryption = true; }, kCombination,
     HasSubstr("ncryption")},
    {"tiered node type", [](auto& r) { r.node_type = "cache.r6gd.xlarge"; }, kCombination,
     AllOf(HasSubstr("cache.r6gd.xlarge"), HasSubstr("memcached"))},
    {"cross-az of one node", [](auto& r) { r.az_mode = "cross-az"; }, kCombination,
     HasSubstr("cross-az")},
    {"zone beside zones",
     [](auto& r) {
       r.zone = "us-east-1a";
       r.zones = {"us-east-1a"};
     },
     kCombination, HasSubstr("exclude each other")},
    {"zone with cross-az",
     [](auto& r) {
       r.nodes = 2;
       r.az_mode = "cross-az";
       r.zone = "us-east-1a";
     },
     kCombination, HasSubstr("PreferredAvailabilityZone")},
    {"fewer zones than nodes",
     [](auto& r) {
       r.nodes = 3;
       r.zones = {"us-east-1a", "us-east-1b"};
     },
     kCombination, AllOf(HasSubstr("2 zones"), HasSubstr("3 cache nodes"))},
    {"more zones than nodes",
     [](auto& r) {
       r.zones = {"us-east-1a", "us-east-1b"};
     },
     kCombination, HasSubstr("must be equal")},
    {"several zones in a single one",
     [](auto& r) {
       r.nodes = 2;
       r.az_mode = "single-az";
       r.zones = {"us-east-1a", "us-east-1b"};
     },
     kCombination, HasSubstr("single-az")},
    {"one zone across several",
     [](auto& r) {
       r.nodes = 2;
       r.az_mode = "cross-az";
       r.zones = {"us-east-1a", "us-east-1a"};
     },
     kCombination, HasSubstr("cross-az")},
    {"one unknown zone of two",
     [](auto& r) {
       r.nodes = 2;
       r.zones = {"us-east-1a", "us-west-2a"};
     },
     kValue, HasSubstr("'us-west-2a'")},
};

TEST_F(CreateRefusals, RefusesWhatIsNotForMemcached) {
  for (const Row& row : kBadForMemcached) {
    SCOPED_TRACE(row.rule);
    CreateCluster request = Memcached("mem");
    row.change(request);
    ExpectRefused(request, row.fault, row.message);
  }
}

TEST_F(CreateRefusals, RefusesANameThatIsTakenInAnyLetterCase) {
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  ExpectRefused(Memcached("RED"), Fault::kCacheClusterAlreadyExists, HasSubstr("red"));
  plane.Settle();
  ExpectRefused(Redis("red"), Fault::kCacheClusterAlreadyExists, HasSubstr("red"));
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());  // it is not gone yet
  ExpectRefused(Redis("red"), Fault::kCacheClusterAlreadyExists, HasSubstr("red"));
  plane.Settle();
  EXPECT_THAT(plane.Ask(Redis("red")), IsOk());
}

TEST_F(CreateRefusals, RefusesASecondOfOneNameInTheSameStep) {
  const std::vector<Status> verdicts = plane.Step({Command(Redis("red")), Command(Redis("red"))});
  EXPECT_THAT(verdicts[0], IsOk());
  EXPECT_THAT(verdicts[1], Fails(Fault::kCacheClusterAlreadyExists, HasSubstr("red")));
  EXPECT_THAT(plane.decision.edit.members, SizeIs(1));
}

TEST_F(CreateRefusals, RefusesMoreNodesThanTheRegionMayHave) {
  plane.settings.region_nodes_max = 5;
  ASSERT_THAT(plane.Ask(Memcached("mem", 4)), IsOk());
  ExpectRefused(Memcached("more", 2), Fault::kNodeQuotaForCustomerExceeded, HasSubstr("5"));
  EXPECT_THAT(plane.Ask(Redis("red")), IsOk());
  ExpectRefused(Redis("one-more"), Fault::kNodeQuotaForCustomerExceeded, HasSubstr("5"));
}

TEST(CreateCluster, IsRefusedForWantOfCapacityBeforeAnyHostHasRegistered) {
  ControlPlane plane;
  ExpectRefused(plane, Redis("red"), Fault::kInsufficientCapacity, HasSubstr("redis-server"));
}

TEST(CreateCluster, OffersOnlyInstalledVersionsWhenToldTo) {
  ControlPlane plane;
  plane.settings.strict_versions = true;
  plane.AddHosts(1);  // redis 7.0.15, memcached 1.6.18
  CreateCluster request = Redis("red");
  request.engine_version = "7.1";
  ExpectRefused(plane, request, Fault::kInvalidParameterCombination,
                AllOf(StartsWith("Cannot find version 7.1 for redis"), HasSubstr("7.0")));
  request.engine_version = "7.0.5";
  EXPECT_THAT(plane.Ask(request), IsOk());
  ASSERT_THAT(plane.Ask(Redis("newest")), IsOk());
  EXPECT_EQ(plane.cluster("newest").engine_version, "7.0.7");
}

TEST(CreateCluster, TakesValkeyWhereItIsInstalled) {
  ControlPlane plane;
  FakeHost& host = plane.AddHost("host-0", 'a');
  host.hello.engines[EngineKind::kValkey] = "8.0.1";
  plane.Register(host);
  CreateCluster request = Redis("val");
  request.engine = "valkey";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("val").engine_version, "8.0.1");
  EXPECT_EQ(plane.cluster("val").parameter_group, "default.valkey8");
  request.id = "encrypted";
  request.transit_encryption = true;
  ExpectRefused(plane, request, Fault::kInvalidParameterCombination,
                Text("Encryption feature is not supported for engine VALKEY."));
}

}  // namespace
}  // namespace ec::core
