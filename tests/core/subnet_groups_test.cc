// Cache subnet groups: ElastiCache's rules and errors.
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
class SubnetGroupsTest : public ::testing::Test {
 protected:
  SubnetGroupsTest() {
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

TEST_F(SubnetGroupsTest, TheDefaultOneHasTheDefaultSubnetsOfAllZones) {
  const model::CacheSubnetGroup& group = records().subnet_groups.at("default");
  EXPECT_EQ(group.vpc, plane.DefaultVpc());
  EXPECT_THAT(group.subnets, ElementsAre(plane.DefaultSubnet("us-east-1a").id,
                                         plane.DefaultSubnet("us-east-1b").id,
                                         plane.DefaultSubnet("us-east-1c").id));
}

TEST_F(SubnetGroupsTest, TakesNamesInAnyLetterCaseAndKeepsThemInLowerCase) {
  ASSERT_THAT(MakeGroup("Shop-1", {"subnet-1a", "subnet-1b", "subnet-1a"}), IsOk());
  const model::CacheSubnetGroup& group = records().subnet_groups.at("shop-1");
  EXPECT_EQ(group.vpc, "vpc-1");
  EXPECT_THAT(group.subnets, ElementsAre("subnet-1a", "subnet-1b"));
  ASSERT_THAT(plane.Ask(ModifySubnetGroup{"SHOP-1", "another text", {}}), IsOk());
  EXPECT_EQ(records().subnet_groups.at("shop-1").description, "another text");
  ASSERT_THAT(plane.Ask(DeleteSubnetGroup{"ShoP-1"}), IsOk());
  EXPECT_FALSE(records().subnet_groups.contains("shop-1"));
}

TEST_F(SubnetGroupsTest, ABadRequestIsRefusedAsAwsDoes) {
  ASSERT_THAT(MakeGroup("shop", {"subnet-1a"}), IsOk());
  Refused(CreateSubnetGroup{"SHOP", "d", {"subnet-1a"}, {}}, Fault::kCacheSubnetGroupAlreadyExists,
          "CacheSubnetGroup already exists: shop");
  Refused(CreateSubnetGroup{"Default", "d", {"subnet-1a"}, {}},
          Fault::kCacheSubnetGroupAlreadyExists, "default");
  Refused(CreateSubnetGroup{"a_b", "d", {"subnet-1a"}, {}}, kValue, "CacheSubnetGroupName");
  Refused(CreateSubnetGroup{"", "d", {"subnet-1a"}, {}}, kValue, "CacheSubnetGroupName");
  Refused(CreateSubnetGroup{"x", "", {"subnet-1a"}, {}}, kValue, "CacheSubnetGroupDescription");
  Refused(CreateSubnetGroup{"x", "d", {}, {}}, kValue, "SubnetIds");
  Refused(CreateSubnetGroup{"x", "d", {"subnet-1a", "subnet-9"}, {}}, kValue,
          "Some input subnets in :[subnet-9] are invalid.");
  Refused(CreateSubnetGroup{"x", "d", {"subnet-1a", "subnet-2a"}, {}}, Fault::kInvalidSubnet,
          "must be of one VPC");
  Refused(ModifySubnetGroup{"nobody", "d", {}}, Fault::kCacheSubnetGroupNotFound,
          "CacheSubnetGroup not found: nobody");
  Refused(ModifySubnetGroup{"shop", {}, {}}, Fault::kInvalidParameterCombination,
          "No modifications were requested");
  Refused(DeleteSubnetGroup{"nobody"}, Fault::kCacheSubnetGroupNotFound, "nobody");
}

TEST_F(SubnetGroupsTest, QuotasAreAws) {
  std::vector<std::string> subnets;
  for (size_t i = 0; i <= model::kSubnetsPerGroupMax; ++i) {
    const std::string id = "subnet-more-" + std::to_string(i);
    const std::string block = "10.0." + std::to_string(100 + i) + ".0/28";
    ASSERT_THAT(Ask(CreateSubnet{id, "vpc-1", block, std::nullopt, {}}), IsOk());
    subnets.push_back(id);
  }
  Refused(CreateSubnetGroup{"x", "d", subnets, {}}, Fault::kCacheSubnetQuota, "20 subnets");
  subnets.pop_back();
  ASSERT_THAT(MakeGroup("x", subnets), IsOk());
  while (records().subnet_groups.size() < model::kSubnetGroupsMax) {
    const std::string name = "g" + std::to_string(records().subnet_groups.size());
    ASSERT_THAT(MakeGroup(name, {"subnet-1a"}), IsOk());
  }
  Refused(CreateSubnetGroup{"last", "d", {"subnet-1a"}, {}}, Fault::kCacheSubnetGroupQuota, "300");
}

TEST_F(SubnetGroupsTest, TheDefaultOneKeepsItsSubnetsAndStays) {
  Refused(ModifySubnetGroup{"default", {}, {"subnet-1a"}}, kValue, "default VPC");
  Refused(DeleteSubnetGroup{"default"}, kValue, "cannot be deleted");
  ASSERT_THAT(plane.Ask(ModifySubnetGroup{"default", "mine", {}}), IsOk());
}

TEST_F(SubnetGroupsTest, WhatIsInUseStays) {
  ASSERT_THAT(MakeGroup("shop", {"subnet-1a", "subnet-1b"}), IsOk());
  CreateCluster request = RedisIn("red", "shop");
  request.zone = "us-east-1a";
  ASSERT_THAT(plane.Ask(request), IsOk());
  Refused(DeleteSubnetGroup{"shop"}, Fault::kCacheSubnetGroupInUse, "red");
  Refused(ModifySubnetGroup{"shop", {}, {"subnet-1b"}}, Fault::kSubnetInUse, "subnet-1a");
  Refused(NetworkCommand(DeleteSubnet{"subnet-1b"}), Fault::kDependencyViolation, "shop");
  ASSERT_THAT(plane.Ask(ModifySubnetGroup{"shop", {}, {"subnet-1a"}}), IsOk());
  ASSERT_THAT(Ask(DeleteSubnet{"subnet-1b"}), IsOk()) << "it is in no group any more";
  plane.Settle();
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(ModifySubnetGroup{"shop", {}, {"subnet-2a"}}), IsOk())
      << "an empty group may go to another VPC";
  EXPECT_EQ(records().subnet_groups.at("shop").vpc, "vpc-2");
  ASSERT_THAT(plane.Ask(DeleteSubnetGroup{"shop"}), IsOk());
}

TEST_F(SubnetGroupsTest, HaveTags) {
  ASSERT_THAT(plane.Ask(CreateSubnetGroup{"shop", "d", {"subnet-1a"}, {{"a", "b"}}}), IsOk());
  const std::string arn = "arn:aws:elasticache:us-east-1:000000000000:subnetgroup:Shop";
  ASSERT_THAT(plane.Ask(AddTags{arn, {{"c", "d"}}}), IsOk());
  ASSERT_THAT(plane.Ask(RemoveTags{arn, {"a"}}), IsOk());
  EXPECT_EQ(records().subnet_groups.at("shop").tags.size(), 1u);
  EXPECT_EQ(records().subnet_groups.at("shop").tags.at("c"), "d");
  Refused(RemoveTags{arn, {"a"}}, Fault::kTagNotFound, "Cache subnet group shop");
  Refused(AddTags{"arn:aws:elasticache:us-east-1:000000000000:subnetgroup:none", {{"c", "d"}}},
          Fault::kCacheSubnetGroupNotFound, "none");
}

}  // namespace
}  // namespace ec::core
