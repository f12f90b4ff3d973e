// `ecctl vpc`, `subnet`, `security-group`, `instance` and `subnet-group`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Text(const google::protobuf::Message& message) {
  std::string text = message.ShortDebugString();
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

void Name(const std::string& name, google::protobuf::RepeatedPtrField<v1::Tag>* tags) {
  v1::Tag* tag = tags->Add();
  tag->set_key("Name");
  tag->set_value(name);
}

// A default VPC, and "shop" with a subnet "shop-a" and a group "web"; both VPCs have a `default`.
class NetworkCommands : public testing::Test {
 protected:
  NetworkCommands() {
    service_.vpcs = [](const auto& request, auto* response) {
      for (const char* id : {"vpc-1", "vpc-2"}) {
        if (request.vpc_ids_size() > 0 && request.vpc_ids(0) != id) continue;
        v1::Vpc* vpc = response->add_vpcs();
        vpc->set_vpc_id(id);
        vpc->set_cidr_block("10.0.0.0/16");
        vpc->set_is_default(vpc->vpc_id() == "vpc-1");
        vpc->set_loopback_cidr_block("127.9.0.0/16");
        if (!vpc->is_default()) Name("shop", vpc->mutable_tags());
      }
      return grpc::Status::OK;
    };
    service_.subnets = [](const auto&, auto* response) {
      v1::Ec2Subnet* subnet = response->add_subnets();
      subnet->set_subnet_id("subnet-2a");
      subnet->set_vpc_id("vpc-2");
      subnet->set_availability_zone("us-east-1a");
      subnet->set_cidr_block("10.0.1.0/24");
      Name("shop-a", subnet->mutable_tags());
      return grpc::Status::OK;
    };
    service_.security_groups = [](const auto& request, auto* response) {
      const auto add = [&](const char* id, const char* name, const char* vpc) {
        if (request.group_ids_size() > 0 && request.group_ids(0) != id) return;
        v1::Ec2SecurityGroup* group = response->add_security_groups();
        group->set_group_id(id);
        group->set_group_name(name);
        group->set_vpc_id(vpc);
        group->set_description("a group");
      };
      add("sg-1", "default", "vpc-1");
      add("sg-2", "default", "vpc-2");
      add("sg-3", "web", "vpc-2");
      return grpc::Status::OK;
    };
  }
  FakeService service_;
};

TEST_F(NetworkCommands, AVpcIsMadeWithItsNameAsATag) {
  v1::CreateVpcRequest seen;
  service_.create_vpc = [&](const auto& request, auto* response) {
    seen = request;
    response->mutable_vpc()->set_vpc_id("vpc-9");
    return grpc::Status::OK;
  };
  const Ended ended =
      service_.Ecctl({"vpc", "create", "10.0.0.0/16", "--name", "shop", "--tag", "a=b"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("vpc-9"));
  EXPECT_EQ(Text(seen),
            "cidr_block: \"10.0.0.0/16\" tags { key: \"Name\" value: \"shop\" } "
            "tags { key: \"a\" value: \"b\" }");
}

TEST_F(NetworkCommands, VpcsAreListedAndShownWithWhatIsInThem) {
  EXPECT_THAT(service_.Ecctl({"vpc", "list"}).out,
              AllOf(HasSubstr("vpc-1"), HasSubstr("shop"), HasSubstr("127.9.0.0/16")));
  EXPECT_THAT(service_.Ecctl({"vpc", "list", "-o", "json"}).out,
              HasSubstr("\"vpc_id\": \"vpc-1\""));
  service_.instances = [](const auto& request, auto* response) {
    EXPECT_EQ(request.filters(0).values(0), "vpc-2");
    response->add_instances()->set_instance_id("i-web");
    return grpc::Status::OK;
  };
  EXPECT_THAT(service_.Ecctl({"vpc", "show", "shop"}).out,
              AllOf(HasSubstr("subnet-2a"), HasSubstr("sg-3"), HasSubstr("i-web")));
}

TEST_F(NetworkCommands, ANameThatMeansNothingOrSeveralThingsIsRefused) {
  EXPECT_THAT(service_.Ecctl({"vpc", "show", "nobody"}).err, HasSubstr("there is no VPC 'nobody'"));
  EXPECT_THAT(service_.Ecctl({"security-group", "show", "default"}).err,
              HasSubstr("'default' can mean several of the security groups: sg-1, sg-2"));
  service_.rules = [](const auto&, auto*) { return grpc::Status::OK; };
  EXPECT_THAT(service_.Ecctl({"security-group", "show", "default", "--vpc", "shop"}).out,
              HasSubstr("sg-2"));
}

TEST_F(NetworkCommands, ASubnetTakesItsVpcByName) {
  v1::CreateSubnetRequest seen;
  service_.create_subnet = [&](const auto& request, auto*) {
    seen = request;
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"subnet", "create", "shop", "10.0.2.0/24", "--zone", "z"}).exit, 0);
  EXPECT_EQ(Text(seen), "vpc_id: \"vpc-2\" cidr_block: \"10.0.2.0/24\" availability_zone: \"z\"");
}

TEST_F(NetworkCommands, DeletingAsksFirst) {
  int calls = 0;
  service_.remove_vpc = [&](const auto&, auto*) {
    ++calls;
    return AwsError("DependencyViolation", "The vpc 'vpc-2' has dependencies",
                    grpc::StatusCode::FAILED_PRECONDITION);
  };
  EXPECT_EQ(service_.Ecctl({"vpc", "delete", "shop"}).exit, 2);
  EXPECT_EQ(calls, 0);
  const Ended refused = service_.Ecctl({"vpc", "delete", "shop", "--yes"});
  EXPECT_EQ(refused.exit, 1);
  EXPECT_THAT(refused.err, HasSubstr("DependencyViolation: The vpc 'vpc-2' has dependencies"));
}

TEST_F(NetworkCommands, ARuleHasBlocksAndGroupsAsSources) {
  v1::AuthorizeSecurityGroupIngressRequest seen;
  service_.authorize = [&](const auto& request, auto* response) {
    seen = request;
    v1::SecurityGroupRule* rule = response->add_security_group_rules();
    rule->set_security_group_rule_id("sgr-1");
    rule->set_from_port(6379);
    rule->set_to_port(6379);
    return grpc::Status::OK;
  };
  const Ended ended =
      service_.Ecctl({"security-group", "authorize", "web", "--port", "6379", "--from",
                      "10.0.1.0/24,10.0.2.5,default,sg-7", "--description", "office"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("sgr-1"));
  EXPECT_EQ(Text(seen),
            "group_id: \"sg-3\" ip_permissions { ip_protocol: \"tcp\" from_port: 6379 "
            "to_port: 6379 ip_ranges { cidr_ip: \"10.0.1.0/24\" description: \"office\" } "
            "ip_ranges { cidr_ip: \"10.0.2.5/32\" description: \"office\" } "
            "user_id_group_pairs { group_id: \"sg-2\" description: \"office\" } "
            "user_id_group_pairs { group_id: \"sg-7\" description: \"office\" } }");
  EXPECT_EQ(
      service_
          .Ecctl({"security-group", "authorize", "web", "--port", "70000", "--from", "10.0.0.0/8"})
          .exit,
      2);
  EXPECT_EQ(service_.Ecctl({"security-group", "authorize", "web", "--port", "6379"}).exit, 2);
}

TEST_F(NetworkCommands, ARuleIsRevokedByItsIdOrAsItWasAuthorized) {
  v1::RevokeSecurityGroupIngressRequest seen;
  service_.revoke = [&](const auto& request, auto*) {
    seen = request;
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"security-group", "revoke", "sg-3", "--rule", "sgr-1,sgr-2"}).exit, 0);
  EXPECT_EQ(Text(seen),
            "group_id: \"sg-3\" security_group_rule_ids: \"sgr-1\" "
            "security_group_rule_ids: \"sgr-2\"");
  EXPECT_EQ(
      service_
          .Ecctl({"security-group", "revoke", "sg-3", "--protocol", "all", "--from", "10.0.0.0/8"})
          .exit,
      0);
  EXPECT_EQ(Text(seen),
            "group_id: \"sg-3\" ip_permissions { ip_protocol: \"-1\" ip_ranges { cidr_ip: "
            "\"10.0.0.0/8\" } }");
  EXPECT_EQ(service_.Ecctl({"security-group", "revoke", "sg-3"}).exit, 2);
}

TEST_F(NetworkCommands, AnInstanceTakesItsGroupsByNameOfItsVpc) {
  v1::RunInstancesRequest seen;
  service_.run_instances = [&](const auto& request, auto* response) {
    seen = request;
    response->add_instances()->set_instance_id("i-web");
    return grpc::Status::OK;
  };
  const Ended ended = service_.Ecctl({"instance", "create", "i-web", "--subnet", "shop-a",
                                      "--security-group", "web,default", "--address", "10.0.1.9"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("i-web"));
  EXPECT_EQ(Text(seen),
            "subnet_id: \"subnet-2a\" security_group_ids: \"sg-3\" security_group_ids: \"sg-2\" "
            "private_ip_address: \"10.0.1.9\" instance_id: \"i-web\"");
}

TEST_F(NetworkCommands, InstancesGetOtherGroupsAndGoTogether) {
  service_.instances = [](const auto&, auto* response) {
    v1::Instance* instance = response->add_instances();
    instance->set_instance_id("i-web");
    instance->set_vpc_id("vpc-2");
    instance->set_loopback_address("127.9.1.4");
    return grpc::Status::OK;
  };
  v1::ModifyInstanceAttributeRequest modified;
  service_.modify_instance = [&](const auto& request, auto*) {
    modified = request;
    return grpc::Status::OK;
  };
  const Ended ended = service_.Ecctl({"instance", "set-groups", "i-web", "default", "web"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("127.9.1.4"));
  EXPECT_EQ(Text(modified), "instance_id: \"i-web\" groups: \"sg-2\" groups: \"sg-3\"");
  v1::TerminateInstancesRequest gone;
  service_.terminate = [&](const auto& request, auto*) {
    gone = request;
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"instance", "delete", "i-web", "i-batch", "--yes"}).exit, 0);
  EXPECT_EQ(Text(gone), "instance_ids: \"i-web\" instance_ids: \"i-batch\"");
}

TEST_F(NetworkCommands, ASubnetGroupTakesSubnetsByName) {
  v1::CreateCacheSubnetGroupRequest seen;
  service_.create_subnet_group = [&](const auto& request, auto* response) {
    seen = request;
    response->mutable_cache_subnet_group()->set_cache_subnet_group_name("shop");
    return grpc::Status::OK;
  };
  const Ended ended =
      service_.Ecctl({"subnet-group", "create", "shop", "--subnets", "shop-a,subnet-9"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(Text(seen),
            "cache_subnet_group_name: \"shop\" cache_subnet_group_description: \"shop\" "
            "subnet_ids: \"subnet-2a\" subnet_ids: \"subnet-9\"");
}

TEST_F(NetworkCommands, AClusterTakesSecurityGroupsByName) {
  v1::CreateCacheClusterRequest created;
  service_.create = [&](const auto& request, auto*) {
    created = request;
    return grpc::Status::OK;
  };
  EXPECT_EQ(
      service_
          .Ecctl({"cluster", "create", "demo", "--subnet-group", "shop", "--security-group", "web"})
          .exit,
      0);
  EXPECT_EQ(created.cache_subnet_group_name(), "shop");
  EXPECT_EQ(created.security_group_ids(0), "sg-3");
  v1::ModifyReplicationGroupRequest modified;
  service_.modify_group = [&](const auto& request, auto*) {
    modified = request;
    return grpc::Status::OK;
  };
  EXPECT_EQ(service_.Ecctl({"group", "modify", "g", "--security-group", "sg-1,web"}).exit, 0);
  ASSERT_EQ(modified.security_group_ids_size(), 2);
  EXPECT_EQ(modified.security_group_ids(1), "sg-3");
}

TEST_F(NetworkCommands, NamesAndIdsAreCompleted) {
  EXPECT_THAT(service_.Ecctl({"__complete", "vpc", "show", ""}).out,
              AllOf(HasSubstr("vpc-2"), HasSubstr("shop"), HasSubstr("default")));
  EXPECT_THAT(service_.Ecctl({"__complete", "security-group", "show", "w"}).out, HasSubstr("web"));
  EXPECT_THAT(
      service_.Ecctl({"__complete", "subnet-group", "create", "x", "--subnets", "shop"}).out,
      HasSubstr("shop-a"));
}

}  // namespace
}  // namespace ec::cli
