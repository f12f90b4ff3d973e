// CreateCacheCluster: what is accepted, and what it becomes.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "controlplane/core/commands.h"
#include "controlplane/model/windows.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary

class CreateClusterTest : public ::testing::Test {
 protected:
  CreateClusterTest() { plane.AddHosts(3, 3); }

  ControlPlane plane;
};

TEST_F(CreateClusterTest, MakesAClusterAndItsMemberInOneEdit) {
  CreateCluster request = Redis("My-Redis");
  request.engine_version = "7.0";
  request.maintenance_window = "Sun:08:00-Sun:09:00";
  request.snapshot_window = "05:00-06:00";
  request.snapshot_retention = 5;
  request.port = 7001;
  plane.AddSecurityGroup("sg-0123456789abcdef0");
  plane.AddSecurityGroup("sg-1");
  request.security_groups = {"sg-0123456789abcdef0", "sg-1"};
  request.notification_topic = "arn:aws:sns:us-east-1:000000000000:topic";
  request.auto_minor_version_upgrade = false;
  request.tags = {{"owner", "me"}, {"stage", ""}};
  const model::Records before = plane.records();
  ASSERT_THAT(plane.Ask(request), IsOk());

  model::Edit edit;
  edit.revision = before.revision + 1;
  edit.installation = before.installation;
  edit.installation->next_id = 2;
  model::Subnet subnet = plane.DefaultSubnet("us-east-1a");
  subnet.next_offset = 1;
  subnet.revision = edit.revision;
  edit.subnets[subnet.id] = subnet;
  model::Cluster cluster;
  cluster.id = "my-redis";
  cluster.engine = EngineKind::kRedis;
  cluster.engine_version = "7.0.7";
  cluster.family = "redis7";
  cluster.node_type = "cache.t3.micro";
  cluster.port = 7001;
  cluster.node_count = 1;
  cluster.created = plane.now.wall;
  cluster.maintenance_window = "sun:08:00-sun:09:00";
  cluster.parameter_group = "default.redis7";
  cluster.subnet_group = "default";
  cluster.vpc = plane.DefaultVpc();
  cluster.security_groups = {"sg-0123456789abcdef0", "sg-1"};
  cluster.auto_minor_version_upgrade = false;
  cluster.snapshot_retention = 5;
  cluster.snapshot_window = "05:00-06:00";
  cluster.next_backup = model::NextOpening(model::DailyWindow{300, 60}, plane.now.wall);
  cluster.notification = model::Notification{"arn:aws:sns:us-east-1:000000000000:topic", true};
  cluster.tags = {{"owner", "me"}, {"stage", ""}};
  cluster.members = {1};
  cluster.revision = edit.revision;
  edit.clusters["my-redis"] = cluster;
  model::Member member;
  member.id = 1;
  member.cluster = "my-redis";
  member.node_id = "0001";
  member.host = "host-0";
  member.zone = "us-east-1a";
  member.address = {*ParseIp4("127.10.0.4"), 7001};
  member.created = plane.now.wall;
  member.revision = edit.revision;
  edit.members[1] = member;
  EXPECT_EQ(plane.decision.edit, edit);
}

TEST_F(CreateClusterTest, FillsInWhatIsLeftOut) {
  const struct {
    CreateCluster request;
    std::string version, group;
    uint16_t port;
  } rows[] = {{Redis("red"), "7.1.0", "default.redis7", 6379},
              {Memcached("mem"), "1.6.22", "default.memcached1.6", 11211}};
  for (const auto& row : rows) {
    ASSERT_THAT(plane.Ask(row.request), IsOk());
    const model::Cluster& cluster = plane.cluster(row.request.id);
    EXPECT_EQ(cluster.status, model::ClusterStatus::kCreating);
    EXPECT_EQ(cluster.engine_version, row.version);
    EXPECT_EQ(cluster.parameter_group, row.group);
    EXPECT_EQ(cluster.port, row.port);
    EXPECT_EQ(cluster.node_count, 1);
    EXPECT_EQ(cluster.subnet_group, "default");
    EXPECT_EQ(cluster.vpc, plane.DefaultVpc());
    EXPECT_EQ(cluster.security_groups, std::vector{plane.DefaultGroup()});
    EXPECT_TRUE(cluster.auto_minor_version_upgrade);
    EXPECT_EQ(cluster.snapshot_retention, 0);
    EXPECT_FALSE(cluster.notification);
    EXPECT_FALSE(cluster.cross_zone);
    EXPECT_TRUE(cluster.pending.empty());
    EXPECT_TRUE(model::ParseMaintenanceWindow(cluster.maintenance_window).ok());
  }
  EXPECT_TRUE(model::ParseSnapshotWindow(plane.cluster("red").snapshot_window).ok());
  EXPECT_EQ(plane.cluster("mem").snapshot_window, "");
}

TEST_F(CreateClusterTest, GivesAMemcachedAConfigurationEndpointOfItsOwnAndARedisNone) {
  ASSERT_THAT(plane.Ask(Memcached("mem", 2)), IsOk());
  const auto& configuration = plane.cluster("mem").configuration;
  ASSERT_TRUE(configuration.has_value());
  EXPECT_EQ(configuration->host, plane.node("mem", "0001").host);
  EXPECT_EQ(configuration->address.port, 11211);
  for (const model::Member& node : plane.nodes("mem")) {
    EXPECT_NE(configuration->address.ip, node.address.ip);
    EXPECT_NE(configuration->id, node.id);
  }
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  EXPECT_FALSE(plane.cluster("red").configuration);
}

TEST_F(CreateClusterTest, TakesWordsInAnyLetterCase) {
  CreateCluster request = Memcached("MEM");
  request.engine = "Memcached";
  request.node_type = "Cache.T3.Micro";
  request.parameter_group = "Default.Memcached1.6";
  request.subnet_group = "Default";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("mem").node_type, "cache.t3.micro");
  EXPECT_EQ(plane.cluster("mem").parameter_group, "default.memcached1.6");
}

TEST_F(CreateClusterTest, TakesTheEdgesOfEveryRange) {
  plane.AddHost("large", 'a', 100);
  const std::function<void(CreateCluster&)> changes[] = {
      [](CreateCluster& r) { r.port = 1; },
      [](CreateCluster& r) { r.port = 65535; },
      [](CreateCluster& r) { r.nodes = 1; },
      [](CreateCluster& r) { r.nodes = 40; },
      [](CreateCluster& r) { r.network_type = "ipv4"; },
      [](CreateCluster& r) { r.ip_discovery = "ipv4"; },
      [](CreateCluster& r) { r.az_mode = "single-az"; },
      [](CreateCluster& r) { r.snapshot_retention = 0; },  // Terraform sends it for Memcached too
      [](CreateCluster& r) { r.transit_encryption = false; },
      [](CreateCluster& r) {
        r.tags = {{std::string(128, 'k'), std::string(256, 'v')}};
      },
      // 128 and 256 characters, of two and three bytes each.
      [](CreateCluster& r) {
        r.tags = {{"", ""}};
        for (int i = 0; i < 128; ++i) r.tags[0].first += "\xc3\xa4";
        for (int i = 0; i < 256; ++i) r.tags[0].second += "\xe2\x82\xac";
      },
      [](CreateCluster& r) {
        for (int i = 0; i < 50; ++i) r.tags.emplace_back("k" + std::to_string(i), "");
      },
  };
  int number = 0;
  for (const auto& change : changes) {
    CreateCluster request = Memcached("m" + std::to_string(number++));
    change(request);
    EXPECT_THAT(plane.Ask(request), IsOk()) << request.id;
  }
  for (const int days : {0, 1, 35}) {
    CreateCluster request = Redis("r" + std::to_string(days));
    request.snapshot_retention = days;
    EXPECT_THAT(plane.Ask(request), IsOk()) << days;
  }
}

TEST_F(CreateClusterTest, TakesTheLastValueOfATagThatIsNamedTwice) {
  CreateCluster request = Redis("red");
  request.tags = {{"k", "1"}, {"k", "2"}};
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("red").tags, (std::map<std::string, std::string>{{"k", "2"}}));
}

TEST_F(CreateClusterTest, KeepsChosenWindowsThatLieOutsideTheRegionsHours) {
  CreateCluster request = Redis("red");
  request.maintenance_window = "mon:20:00-mon:21:00";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("red").maintenance_window, "mon:20:00-mon:21:00");
}

}  // namespace
}  // namespace ec::core
