// The network's records to the API's messages, and permissions back; whose errors they are.
#include "controlplane/server/convert_network.h"

#include <gtest/gtest.h>

#include <set>

#include "controlplane/server/grpc_status.h"
#include "ec/v1/error.pb.h"

namespace ec::server {
namespace {

Cidr Block(const char* text) { return *ParseCidr(text); }

class ConvertNetworkTest : public ::testing::Test {
 protected:
  ConvertNetworkTest() {
    model::Records& records = state_.records;
    records.installation.region = "us-east-1";
    records.installation.account = "123456789012";
    records.vpcs["vpc-1"] = {"vpc-1", Block("10.0.0.0/16"), Block("127.9.0.0/16")};
    records.subnets["subnet-1"] = {"subnet-1", "vpc-1", "us-east-1b", Block("10.0.1.0/24")};
    model::SecurityGroupRow group{"sg-1", "cache", "caches", "vpc-1"};
    group.ingress = {{"sgr-1", "tcp", 6379, 6379, Block("10.0.1.0/24"), {}, "office"},
                     {"sgr-2", "tcp", 6379, 6379, std::nullopt, "sg-1", {}},
                     {"sgr-3", "-1", -1, -1, Block("10.0.2.0/24"), {}, {}}};
    records.security_groups["sg-1"] = group;
  }
  model::State state_;
};

TEST_F(ConvertNetworkTest, RulesOfTheSamePortsAreOnePermission) {
  v1::Ec2SecurityGroup out;
  ToProto(state_.records, state_.records.security_groups.at("sg-1"), &out);
  ASSERT_EQ(out.ip_permissions_size(), 2);
  EXPECT_EQ(out.ip_permissions(0).from_port(), 6379);
  EXPECT_EQ(out.ip_permissions(0).ip_ranges(0).cidr_ip(), "10.0.1.0/24");
  EXPECT_EQ(out.ip_permissions(0).ip_ranges(0).description(), "office");
  EXPECT_EQ(out.ip_permissions(0).user_id_group_pairs(0).group_id(), "sg-1");
  EXPECT_EQ(out.ip_permissions(0).user_id_group_pairs(0).user_id(), "123456789012");
  EXPECT_EQ(out.ip_permissions(1).ip_protocol(), "-1");
  EXPECT_FALSE(out.ip_permissions(1).has_from_port());
  EXPECT_EQ(out.security_group_arn(), "arn:aws:ec2:us-east-1:123456789012:security-group/sg-1");
}

TEST_F(ConvertNetworkTest, APermissionWithSeveralSourcesIsSeveralRules) {
  google::protobuf::RepeatedPtrField<v1::IpPermission> permissions;
  v1::IpPermission* permission = permissions.Add();
  permission->set_ip_protocol("tcp");
  permission->set_from_port(1);
  permission->set_to_port(2);
  permission->add_ip_ranges()->set_cidr_ip("10.0.0.0/8");
  permission->add_ip_ranges()->set_cidr_ip("10.1.0.0/16");
  permission->add_user_id_group_pairs()->set_group_id("sg-1");
  permissions.Add()->set_ip_protocol("udp");  // without a source: refused where rules are judged
  const std::vector<core::Permission> list = ToPermissions(permissions);
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[1].block, "10.1.0.0/16");
  EXPECT_EQ(list[2].group, "sg-1");
  EXPECT_EQ(list[2].to_port, 2);
  EXPECT_EQ(list[3].protocol, "udp");
  std::set<std::string> ids;
  for (const core::Permission& one : list) ids.insert(one.rule);
  EXPECT_EQ(ids.size(), 4u);
}

TEST_F(ConvertNetworkTest, NewIdsHaveEc2sForm) {
  const std::string id = NewEc2Id("vpc");
  EXPECT_EQ(id.size(), 4u + 17u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef", 4), std::string::npos) << id;
  EXPECT_NE(id, NewEc2Id("vpc"));
}

TEST_F(ConvertNetworkTest, ASubnetCountsTheAddressesThatAreLeft) {
  v1::Ec2Subnet out;
  ToProto(state_, state_.records.subnets.at("subnet-1"), &out);
  EXPECT_EQ(out.available_ip_address_count(), 251);
  state_.addresses = {*ParseIp4("127.9.1.4"), *ParseIp4("127.9.1.254"), *ParseIp4("127.9.2.4")};
  ToProto(state_, state_.records.subnets.at("subnet-1"), &out);
  EXPECT_EQ(out.available_ip_address_count(), 249);
}

TEST_F(ConvertNetworkTest, AnInstanceSaysWhatItConnectsFrom) {
  model::InstanceRow instance{"i-1", "subnet-1", "vpc-1", *ParseIp4("10.0.1.5"), {"sg-1"}};
  v1::Instance out;
  ToProto(state_.records, instance, &out);
  EXPECT_EQ(out.loopback_address(), "127.9.1.5");
  EXPECT_EQ(out.availability_zone(), "us-east-1b");
  EXPECT_EQ(out.security_groups(0).group_name(), "cache");
  EXPECT_EQ(out.state().code(), 16);
  instance = {"i-localhost", "", "vpc-1", *ParseIp4("10.0.0.1"), {"sg-1"}};
  v1::Instance localhost;
  ToProto(state_.records, instance, &localhost);
  EXPECT_EQ(localhost.loopback_address(), "127.0.0.1");
  EXPECT_FALSE(localhost.has_subnet_id());
}

TEST_F(ConvertNetworkTest, ASubnetGroupNamesItsZones) {
  const model::CacheSubnetGroup group{"shop", "the shop's", "vpc-1", {"subnet-1"}};
  v1::CacheSubnetGroup out;
  ToProto(state_.records, group, &out);
  EXPECT_EQ(out.subnets(0).subnet_availability_zone().name(), "us-east-1b");
  EXPECT_EQ(out.arn(), "arn:aws:elasticache:us-east-1:123456789012:subnetgroup:shop");
}

TEST(Domain, ErrorsSayWhoseTheyAre) {
  const Status status(Fault::kInvalidParameterValue, "why");
  for (const std::string_view domain : {kElastiCacheDomain, kEc2Domain}) {
    v1::RpcStatus details;
    ASSERT_TRUE(details.ParseFromString(ToGrpc(status, domain).error_details()));
    v1::RpcErrorInfo info;
    ASSERT_TRUE(info.ParseFromString(details.details(0).value()));
    EXPECT_EQ(info.domain(), domain);
    EXPECT_EQ(info.reason(), "InvalidParameterValue");
  }
}

}  // namespace
}  // namespace ec::server
