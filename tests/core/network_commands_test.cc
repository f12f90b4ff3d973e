// VPCs, subnets, security groups and instances: EC2's rules and errors.
#include "controlplane/core/network_commands.h"

#include <gmock/gmock.h>

#include <string>

#include "controlplane/core/default_network.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;

class NetworkCommandsTest : public ::testing::Test {
 protected:
  NetworkCommandsTest() {
    plane.AddHosts(3, 3);
    for (const auto& [id, vpc] : plane.records().vpcs) default_vpc = id;
  }
  Status Ask(const NetworkCommand& command) { return plane.Ask(command); }
  void ExpectRefused(const NetworkCommand& command, Fault fault, const std::string& text) {
    ec::testing::ExpectRefused(plane, command, fault, HasSubstr(text));
  }
  void MakeVpc() {
    ASSERT_THAT(Ask(CreateVpc{"vpc-1", "sg-default-1", "10.0.0.0/16", {}}), IsOk());
    ASSERT_THAT(Ask(CreateSubnet{"subnet-1", "vpc-1", "10.0.1.0/24", std::nullopt, {}}), IsOk());
    ASSERT_THAT(Ask(CreateSecurityGroup{"sg-1", "web", "web servers", "vpc-1", {}}), IsOk());
  }
  static Permission Tcp(int port, const std::string& block, const std::string& group = {}) {
    return {"sgr-" + std::to_string(port) + block + group, "tcp", port, port, block, group, {}};
  }
  const model::Records& records() const { return plane.records(); }

  ControlPlane plane;
  std::string default_vpc;
};

TEST_F(NetworkCommandsTest, ADefaultVpcWithASubnetPerZoneIsThereFromTheStart) {
  ASSERT_EQ(records().vpcs.size(), 1u);
  const model::Vpc& vpc = records().vpcs.at(default_vpc);
  EXPECT_TRUE(vpc.is_default);
  EXPECT_EQ(ToString(vpc.block), "172.31.0.0/16");
  EXPECT_EQ(vpc.slice, records().installation.vpc);
  EXPECT_EQ(records().subnets.size(), 3u);
  for (const auto& [id, subnet] : records().subnets) {
    EXPECT_TRUE(model::Within(subnet.block, vpc.block));
    const Cidr& slice = records().zones.at(subnet.zone).subnet;
    EXPECT_EQ(model::InSlice(vpc, subnet.block.First()), slice.First());
  }
  ASSERT_EQ(records().security_groups.size(), 1u);
  const model::SecurityGroupRow& group = records().security_groups.begin()->second;
  EXPECT_EQ(group.name, "default");
  ASSERT_EQ(group.ingress.size(), 1u);
  EXPECT_EQ(group.ingress[0].group, group.id) << "its members may talk to each other";
}

TEST_F(NetworkCommandsTest, AVpcHasASliceOfItsOwnAndADefaultGroup) {
  MakeVpc();
  ASSERT_THAT(Ask(CreateVpc{"vpc-2", "sg-default-2", "10.0.0.0/16", {}}), IsOk());
  const Cidr one = records().vpcs.at("vpc-1").slice;
  const Cidr two = records().vpcs.at("vpc-2").slice;
  const Cidr theirs = records().vpcs.at(default_vpc).slice;
  EXPECT_FALSE(model::Overlap(one, two));
  EXPECT_FALSE(model::Overlap(one, theirs));
  EXPECT_FALSE(model::Overlap(two, theirs));
  EXPECT_EQ(records().security_groups.at("sg-default-1").vpc, "vpc-1");
}

TEST_F(NetworkCommandsTest, AVpcGetsNoSliceThatAnotherInstallationHas) {
  MakeVpc();
  const Cidr next{{records().vpcs.at("vpc-1").slice.network.bits + (1u << 16)}, 16};
  CreateVpc request{"vpc-2", "sg-default-2", "10.0.0.0/16", {}};
  request.slices_taken = {next};
  ASSERT_THAT(Ask(request), IsOk());
  EXPECT_NE(records().vpcs.at("vpc-2").slice, next);
  ASSERT_THAT(Ask(CreateVpc{"vpc-3", "sg-default-3", "10.0.0.0/16", {}}), IsOk());
}

TEST_F(NetworkCommandsTest, ABlockThatEc2WouldNotTakeIsRefused) {
  ExpectRefused(CreateVpc{"v", "s", "10.0.0.1/16", {}}, Fault::kInvalidParameterValue,
                "10.0.0.1/16");
  ExpectRefused(CreateVpc{"v", "s", "10.0.0.0/8", {}}, Fault::kInvalidVpcRange, "10.0.0.0/8");
  MakeVpc();
  ExpectRefused(CreateSubnet{"s", "vpc-1", "10.1.0.0/24", std::nullopt, {}},
                Fault::kInvalidSubnetRange, "10.1.0.0/24");
  ExpectRefused(CreateSubnet{"s", "vpc-1", "10.0.1.128/25", std::nullopt, {}},
                Fault::kSubnetConflict, "conflicts with another subnet");
  ExpectRefused(CreateSubnet{"s", "vpc-1", "10.0.2.0/24", "eu-west-1a", {}},
                Fault::kInvalidParameterValue, "eu-west-1a");
  ExpectRefused(CreateSubnet{"s", "vpc-9", "10.0.2.0/24", std::nullopt, {}}, Fault::kVpcNotFound,
                "The vpc ID 'vpc-9' does not exist");
}

TEST_F(NetworkCommandsTest, WhatIsInUseCannotBeDeleted) {
  MakeVpc();
  ASSERT_THAT(Ask(RunInstance{"i-1", "subnet-1", {"sg-1"}, std::nullopt, {}}), IsOk());
  ASSERT_THAT(Ask(AuthorizeSecurityGroup{"sg-default-1", false, {Tcp(80, "", "sg-1")}}), IsOk());
  ExpectRefused(DeleteVpc{"vpc-1"}, Fault::kDependencyViolation, "subnet-1");
  ExpectRefused(DeleteSubnet{"subnet-1"}, Fault::kDependencyViolation, "i-1");
  ExpectRefused(DeleteSecurityGroup{"sg-1"}, Fault::kDependencyViolation, "sg-default-1");
  ASSERT_THAT(Ask(RevokeSecurityGroup{"sg-default-1", false, {}, {Tcp(80, "", "sg-1")}}), IsOk());
  ExpectRefused(DeleteSecurityGroup{"sg-1"}, Fault::kDependencyViolation, "i-1");
  ExpectRefused(DeleteSecurityGroup{"sg-default-1"}, Fault::kCannotDelete, "default");
  ExpectRefused(DeleteVpc{default_vpc}, Fault::kDependencyViolation, "default VPC");
  ASSERT_THAT(Ask(TerminateInstance{"i-1"}), IsOk());
  ASSERT_THAT(Ask(DeleteSecurityGroup{"sg-1"}), IsOk());
  ASSERT_THAT(Ask(DeleteSubnet{"subnet-1"}), IsOk());
  ASSERT_THAT(Ask(DeleteVpc{"vpc-1"}), IsOk());
  EXPECT_FALSE(records().security_groups.contains("sg-default-1"));
}

TEST_F(NetworkCommandsTest, APermissionIsThereOnceAndGoesByItsIdOrItsText) {
  MakeVpc();
  ASSERT_THAT(Ask(AuthorizeSecurityGroup{
                  "sg-1", false, {Tcp(6379, "10.0.0.0/16"), Tcp(11211, "", "sg-default-1")}}),
              IsOk());
  ExpectRefused(AuthorizeSecurityGroup{"sg-1", false, {Tcp(6379, "10.0.0.0/16")}},
                Fault::kPermissionDuplicate,
                "peer: 10.0.0.0/16, tcp, from port: 6379, to port: 6379, ALLOW");
  const auto& rules = records().security_groups.at("sg-1").ingress;
  ASSERT_EQ(rules.size(), 2u);
  ASSERT_THAT(Ask(RevokeSecurityGroup{"sg-1", false, {rules[0].id}, {}}), IsOk());
  ExpectRefused(RevokeSecurityGroup{"sg-1", false, {"sgr-9"}, {}}, Fault::kPermissionNotFound,
                "sgr-9");
  ASSERT_THAT(Ask(RevokeSecurityGroup{"sg-1", false, {}, {Tcp(11211, "", "sg-default-1")}}),
              IsOk());
  EXPECT_TRUE(rules.empty());
}

TEST_F(NetworkCommandsTest, APermissionThatMeansNothingIsRefused) {
  MakeVpc();
  const auto ask = [](Permission permission) {
    return AuthorizeSecurityGroup{"sg-1", false, {std::move(permission)}};
  };
  ExpectRefused(ask({"r", "carrier-pigeon", 1, 1, "10.0.0.0/16", "", ""}),
                Fault::kPermissionMalformed, "carrier-pigeon");
  ExpectRefused(ask({"r", "tcp", 2, 1, "10.0.0.0/16", "", ""}), Fault::kPermissionMalformed,
                "(2:1)");
  ExpectRefused(ask({"r", "tcp", 1, 70000, "10.0.0.0/16", "", ""}), Fault::kPermissionMalformed,
                "70000");
  ExpectRefused(ask({"r", "tcp", 1, 1, "10.0.0.1/16", "", ""}), Fault::kPermissionMalformed,
                "10.0.0.1/16");
  ExpectRefused(ask({"r", "tcp", 1, 1, "", "", ""}), Fault::kPermissionMalformed, "either");
  ExpectRefused(ask({"r", "tcp", 1, 1, "", "sg-9", ""}), Fault::kSecurityGroupNotFound, "sg-9");
  ASSERT_THAT(Ask(CreateVpc{"vpc-2", "sg-default-2", "10.9.0.0/16", {}}), IsOk());
  ExpectRefused(ask({"r", "tcp", 1, 1, "", "sg-default-2", ""}), Fault::kSecurityGroupNotFound,
                "different networks");
}

TEST_F(NetworkCommandsTest, AnInstanceHasAFreeAddressOfItsSubnet) {
  MakeVpc();
  ASSERT_THAT(Ask(RunInstance{"i-1", "subnet-1", {}, std::nullopt, {}}), IsOk());
  ASSERT_THAT(Ask(RunInstance{"i-2", "subnet-1", {"sg-1"}, "10.0.1.77", {}}), IsOk());
  const model::InstanceRow& first = records().instances.at("i-1");
  EXPECT_EQ(ToString(first.address), "10.0.1.4") << "EC2 keeps the first four";
  EXPECT_EQ(first.groups, std::vector<std::string>{"sg-default-1"});
  ExpectRefused(RunInstance{"i-3", "subnet-1", {}, "10.0.1.77", {}}, Fault::kIpAddressInUse,
                "10.0.1.77");
  ExpectRefused(RunInstance{"i-3", "subnet-1", {}, "10.0.1.3", {}}, Fault::kInvalidParameterValue,
                "10.0.1.3");
  ExpectRefused(RunInstance{"i-3", "subnet-1", {}, "10.0.2.9", {}}, Fault::kInvalidParameterValue,
                "10.0.2.9");
}

TEST_F(NetworkCommandsTest, AFullSubnetSaysSo) {
  MakeVpc();
  ASSERT_THAT(Ask(CreateSubnet{"subnet-2", "vpc-1", "10.0.2.0/28", std::nullopt, {}}), IsOk());
  for (int i = 0; i < 11; ++i) {
    ASSERT_THAT(Ask(RunInstance{"i-" + std::to_string(i), "subnet-2", {}, std::nullopt, {}}),
                IsOk());
  }
  ExpectRefused(RunInstance{"i-x", "subnet-2", {}, std::nullopt, {}},
                Fault::kInsufficientFreeAddresses, "subnet-2");
}

}  // namespace
}  // namespace ec::core
