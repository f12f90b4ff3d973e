#include "cli/network_completion.h"

#include "cli/network_lookup.h"

namespace ec::cli {
namespace {

using Candidates = std::vector<Candidate>;

Candidates Vpcs(Context& context) {
  v1::DescribeVpcsResponse response;
  Candidates candidates;
  if (!context.Call(&v1::Network::Stub::DescribeVpcs, {}, &response).ok()) return candidates;
  for (const v1::Vpc& vpc : response.vpcs()) {
    const std::string name = vpc.is_default() ? "default" : NameTag(vpc.tags());
    candidates.push_back({vpc.vpc_id(), name + " " + vpc.cidr_block()});
    if (!name.empty()) candidates.push_back({name, vpc.cidr_block()});
  }
  return candidates;
}

Candidates Subnets(Context& context) {
  v1::DescribeSubnetsResponse response;
  Candidates candidates;
  if (!context.Call(&v1::Network::Stub::DescribeSubnets, {}, &response).ok()) return candidates;
  for (const v1::Ec2Subnet& subnet : response.subnets()) {
    const std::string what = subnet.availability_zone() + " " + subnet.cidr_block();
    candidates.push_back({subnet.subnet_id(), what});
    const std::string name = NameTag(subnet.tags());
    if (!name.empty()) candidates.push_back({name, what});
  }
  return candidates;
}

Candidates SecurityGroups(Context& context) {
  v1::DescribeSecurityGroupsResponse response;
  Candidates candidates;
  if (!context.Call(&v1::Network::Stub::DescribeSecurityGroups, {}, &response).ok()) {
    return candidates;
  }
  for (const v1::Ec2SecurityGroup& group : response.security_groups()) {
    candidates.push_back({group.group_id(), group.group_name() + " of " + group.vpc_id()});
    if (group.group_name() != "default") {
      candidates.push_back({group.group_name(), group.description()});
    }
  }
  return candidates;
}

Candidates Instances(Context& context) {
  v1::DescribeInstancesResponse response;
  Candidates candidates;
  if (!context.Call(&v1::Network::Stub::DescribeInstances, {}, &response).ok()) return candidates;
  for (const v1::Instance& instance : response.instances()) {
    candidates.push_back({instance.instance_id(), instance.private_ip_address()});
    const std::string name = NameTag(instance.tags());
    if (!name.empty()) candidates.push_back({name, instance.private_ip_address()});
  }
  return candidates;
}

Candidates SubnetGroups(Context& context) {
  v1::DescribeCacheSubnetGroupsResponse response;
  Candidates candidates;
  if (!FindSubnetGroups(context, &response).ok()) return candidates;
  for (const v1::CacheSubnetGroup& group : response.cache_subnet_groups()) {
    candidates.push_back({group.cache_subnet_group_name(), group.cache_subnet_group_description()});
  }
  return candidates;
}

}  // namespace

std::optional<Candidates> NetworkValues(Context& context, const std::string& kind) {
  if (kind == "VPC") return Vpcs(context);
  if (kind == "SUBNET" || kind == "SUBNETS") return Subnets(context);
  if (kind == "SECURITY-GROUP" || kind == "SECURITY-GROUPS" || kind == "CIDR|SECURITY-GROUPS") {
    return SecurityGroups(context);
  }
  if (kind == "INSTANCE") return Instances(context);
  if (kind == "SUBNET-GROUP") return SubnetGroups(context);
  return std::nullopt;
}

}  // namespace ec::cli
