// Clusters and replication groups in a VPC: their subnets, addresses and security groups.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "controlplane/core/addresses.h"
#include "controlplane/core/default_network.h"
#include "controlplane/model/limits.h"
#include "tests/support/control_plane.h"
#include "tests/support/indexes.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Fault kValue = Fault::kInvalidParameterValue;

// Two VPCs beside the default one: "vpc-1" with subnets in zones a and b, "vpc-2" with one in a;
// each has a security group "sg-1" or "sg-2" of its own.
class ClusterNetworkTest : public ::testing::Test {
 protected:
  ClusterNetworkTest() {
    plane.AddHosts(3, 3);
    MakeVpc("1", {"a", "b"});
    MakeVpc("2", {"a"});
  }
  void MakeVpc(const std::string& number, const std::vector<std::string>& zones) {
    const std::string vpc = "vpc-" + number;
    EXPECT_THAT(Ask(CreateVpc{vpc, "sg-default-" + number, "10.0.0.0/16", {}}), IsOk());
    int third = 1;
    for (const std::string& zone : zones) {
      const std::string block = "10.0." + std::to_string(third++) + ".0/24";
      const CreateSubnet create{"subnet-" + number + zone, vpc, block, "us-east-1" + zone, {}};
      EXPECT_THAT(Ask(create), IsOk());
    }
    EXPECT_THAT(Ask(CreateSecurityGroup{"sg-" + number, "cache", "caches", vpc, {}}), IsOk());
  }
  Status Ask(const NetworkCommand& command) { return plane.Ask(command); }
  Status MakeGroup(const std::string& name, const std::vector<std::string>& subnets) {
    return plane.Ask(CreateSubnetGroup{name, "a test's", subnets, {}});
  }
  void Refused(const Command& command, Fault fault, const std::string& text) {
    ec::testing::ExpectRefused(plane, command, fault, HasSubstr(text));
  }
  static CreateCluster RedisIn(const std::string& id, const std::string& group) {
    CreateCluster request = Redis(id);
    request.subnet_group = group;
    return request;
  }
  const model::Records& records() const { return plane.records(); }

  ControlPlane plane;
};

TEST_F(ClusterNetworkTest, AClusterLivesInTheSubnetsOfItsGroup) {
  ASSERT_THAT(MakeGroup("shop", {"subnet-1a", "subnet-1b"}), IsOk());
  CreateCluster request = Memcached("mem", 6);
  request.subnet_group = "Shop";
  request.az_mode = "cross-az";
  ASSERT_THAT(plane.Ask(request), IsOk());
  const model::Cluster& cluster = plane.cluster("mem");
  EXPECT_EQ(cluster.vpc, "vpc-1");
  EXPECT_EQ(cluster.subnet_group, "shop");
  EXPECT_THAT(cluster.security_groups, ElementsAre("sg-default-1"));
  const model::Vpc& vpc = records().vpcs.at("vpc-1");
  const Cidr a = model::InSlice(vpc, *ParseCidr("10.0.1.0/24"));
  const Cidr b = model::InSlice(vpc, *ParseCidr("10.0.2.0/24"));
  for (const model::Member& node : plane.nodes("mem")) {
    const Cidr& block = node.zone == "us-east-1a" ? a : b;
    EXPECT_NE(node.zone, "us-east-1c") << "the group has no subnet there";
    EXPECT_TRUE(block.Contains(node.address.ip)) << ToString(node.address.ip);
    EXPECT_GE(node.address.ip.bits, block.First().bits + 4) << "EC2 keeps the first four";
  }
  EXPECT_TRUE(a.Contains(cluster.configuration->address.ip) ||
              b.Contains(cluster.configuration->address.ip));
  EXPECT_EQ(WrongIndex(plane.state), "");
}

TEST_F(ClusterNetworkTest, AZoneWithoutASubnetOfTheGroupIsRefused) {
  ASSERT_THAT(MakeGroup("shop", {"subnet-1a", "subnet-1b"}), IsOk());
  CreateCluster request = RedisIn("red", "shop");
  request.zone = "us-east-1c";
  Refused(request, kValue, "The subnets of cache subnet group shop are in us-east-1a, us-east-1b.");
}

TEST_F(ClusterNetworkTest, ASmallSubnetIsUsedUpAndThenTheNextOneOfTheZone) {
  ASSERT_THAT(Ask(CreateSubnet{"subnet-x", "vpc-1", "10.0.9.0/28", "us-east-1a", {}}), IsOk());
  ASSERT_THAT(Ask(CreateSubnet{"subnet-y", "vpc-1", "10.0.9.16/28", "us-east-1a", {}}), IsOk());
  ASSERT_THAT(MakeGroup("small", {"subnet-x", "subnet-y"}), IsOk());
  ASSERT_THAT(Ask(RunInstance{"i-first", "subnet-x", {}, "10.0.9.4", {}}), IsOk());
  std::set<Ip4> used;
  for (int i = 0; i < 21; ++i) {
    const std::string id = "red-" + std::to_string(i);
    ASSERT_THAT(plane.Ask(RedisIn(id, "small")), IsOk()) << i;
    EXPECT_TRUE(used.insert(plane.node(id, "0001").address.ip).second);
  }
  const model::Vpc& vpc = records().vpcs.at("vpc-1");
  EXPECT_FALSE(used.contains(model::InSlice(vpc, *ParseIp4("10.0.9.4")))) << "the instance has it";
  Refused(RedisIn("one-more", "small"), Fault::kInsufficientCapacity, "no free address");
  Refused(NetworkCommand(RunInstance{"i-x", "subnet-x", {}, std::nullopt, {}}),
          Fault::kInsufficientFreeAddresses, "subnet-x");
  Refused(NetworkCommand(RunInstance{"i-x", "subnet-x", {}, "10.0.9.5", {}}),
          Fault::kIpAddressInUse, "10.0.9.5");
}

TEST_F(ClusterNetworkTest, AReplicationGroupHasAllItsAddressesFromItsSubnets) {
  ASSERT_THAT(MakeGroup("shop", {"subnet-1a", "subnet-1b"}), IsOk());
  CreateGroup request = RedisGroup("g", 4);
  request.subnet_group = "shop";
  request.security_groups = {"sg-1"};
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  const Cidr slice = records().vpcs.at("vpc-1").slice;
  const model::Group& group = plane.group("g");
  EXPECT_TRUE(slice.Contains(group.primary.address.ip));
  EXPECT_TRUE(slice.Contains(group.reader.address.ip));
  for (const model::ClusterId& id : group.members) {
    EXPECT_TRUE(slice.Contains(plane.node(id, "0001").address.ip));
    EXPECT_NE(plane.node(id, "0001").zone, "us-east-1c");
    EXPECT_EQ(plane.cluster(id).vpc, "vpc-1");
    EXPECT_THAT(plane.cluster(id).security_groups, ElementsAre("sg-1"));
  }
  IncreaseReplicas increase{"g", 5, {}, true};
  ASSERT_THAT(plane.Ask(increase), IsOk());
  plane.Settle();
  EXPECT_TRUE(slice.Contains(plane.node("g-005", "0001").address.ip));
}

TEST_F(ClusterNetworkTest, AMasterOfAnotherVpcCannotBeDemotedIntoAGroup) {
  ASSERT_THAT(MakeGroup("shop", {"subnet-1a"}), IsOk());
  ASSERT_THAT(plane.Ask(RedisIn("red", "shop")), IsOk());
  ASSERT_THAT(plane.Ask(RedisGroup("g", 1)), IsOk());
  plane.Settle();
  Demote demote;
  demote.cluster = "red";
  demote.group = "g";
  demote.accept_data_loss = true;
  Refused(demote, Fault::kInvalidParameterCombination, "are in different VPCs");
}

TEST_F(ClusterNetworkTest, SecurityGroupsAreThoseOfTheVpcAndAtMostFive) {
  CreateCluster request = Redis("red");
  request.security_groups = {"sg-1"};
  Refused(request, kValue, "belongs to VPC vpc-1");
  request.security_groups = {"sg-nobody"};
  Refused(request, kValue, "'sg-nobody'");
  std::vector<std::string> ids;
  for (int i = 0; i < 6; ++i) {
    ids.push_back("sg-" + std::to_string(10 + i));
    plane.AddSecurityGroup(ids.back());
  }
  request.security_groups = ids;
  Refused(request, kValue, "at most 5");
  request.security_groups.pop_back();
  request.security_groups.push_back(ids.front());  // once more
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(plane.cluster("red").security_groups.size(), 5u);
}

TEST_F(ClusterNetworkTest, OtherSecurityGroupsTakeEffectAtOnceAndReachTheHosts) {
  plane.AddSecurityGroup("sg-a");
  ASSERT_THAT(plane.Ask(RedisGroup("g", 2)), IsOk());
  plane.Settle();
  plane.ForgetEvents();
  ModifyGroup modify;
  modify.id = "g";
  modify.security_groups = {"sg-a"};
  ASSERT_THAT(plane.Ask(modify), IsOk());
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Applied change to security group", "Applied change to security group"));
  EXPECT_EQ(plane.group("g").revision, records().revision) << "its endpoints' plans have changed";
  for (const model::ClusterId& id : plane.group("g").members) {
    EXPECT_THAT(plane.cluster(id).security_groups, ElementsAre("sg-a"));
    EXPECT_EQ(plane.node(id, "0001").revision, records().revision);
  }
  modify.security_groups = {"sg-1"};
  Refused(modify, kValue, "belongs to VPC vpc-1");
  Refused(NetworkCommand(DeleteSecurityGroup{"sg-a"}), Fault::kDependencyViolation, "g-001");
}

TEST_F(ClusterNetworkTest, ClustersThatAreOlderThanVpcsComeIntoTheDefaultOne) {
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  model::Records old = records();
  old.vpcs.clear();
  old.subnets.clear();
  old.subnet_groups.clear();
  old.security_groups.clear();
  old.clusters.at("red").vpc.clear();
  old.clusters.at("red").security_groups = {"sg-0123"};  // was recorded, and never looked at
  plane.state = model::Begin(std::move(old), plane.now.instant);
  ASSERT_THAT(plane.Ask(Prepare{}), IsOk());
  EXPECT_EQ(plane.cluster("red").vpc, plane.DefaultVpc());
  EXPECT_THAT(plane.cluster("red").security_groups, ElementsAre(plane.DefaultGroup()));
}

TEST_F(ClusterNetworkTest, AResetLeavesWhatIsThereFromTheStart) {
  ASSERT_THAT(plane.Ask(Prepare{}), IsOk());
  ASSERT_THAT(MakeGroup("shop", {"subnet-1a"}), IsOk());
  ASSERT_THAT(plane.Ask(RedisIn("red", "shop")), IsOk());
  ASSERT_THAT(Ask(RunInstance{"i-web", "subnet-1a", {}, std::nullopt, {}}), IsOk());
  const Permission everybody{"sgr-x", "tcp", 6379, 6379, "0.0.0.0/0", "", ""};
  ASSERT_THAT(Ask(AuthorizeSecurityGroup{plane.DefaultGroup(), false, {everybody}}), IsOk());
  const model::VpcId vpc = plane.DefaultVpc();
  ASSERT_THAT(plane.Ask(Reset{}), IsOk());
  EXPECT_EQ(records().vpcs.size(), 1u);
  EXPECT_EQ(plane.DefaultVpc(), vpc);
  EXPECT_EQ(records().subnets.size(), 3u);
  EXPECT_EQ(records().subnet_groups.size(), 1u);
  EXPECT_EQ(records().subnet_groups.at("default").subnets.size(), 3u);
  ASSERT_EQ(records().security_groups.size(), 1u);
  EXPECT_EQ(records().security_groups.at(plane.DefaultGroup()).ingress.size(), 1u);
  ASSERT_EQ(records().instances.size(), 1u);
  EXPECT_TRUE(records().instances.contains("i-localhost"));
  EXPECT_EQ(WrongIndex(plane.state), "");
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
}

}  // namespace
}  // namespace ec::core
