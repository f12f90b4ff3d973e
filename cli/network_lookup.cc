#include "cli/network_lookup.h"

#include <fmt/format.h>

#include <utility>

#include "cli/tags.h"

namespace ec::cli {
namespace {

constexpr int kPageSize = 100;

// The one of `rows` that the word means, by `means`; `noun` is what to call it in the error.
template <typename Row, typename Means, typename IdOf>
Outcome PickOne(const google::protobuf::RepeatedPtrField<Row>& rows, const std::string& noun,
                const std::string& word, Means means, IdOf id_of, Row* out) {
  std::vector<std::string> found;
  for (const Row& row : rows) {
    if (!means(row)) continue;
    found.push_back(id_of(row));
    *out = row;
  }
  if (found.size() == 1) return {};
  if (found.empty()) return Refused(fmt::format("there is no {} '{}'", noun, word));
  return Refused(fmt::format("'{}' can mean several of the {}s: {}; give the id", word, noun,
                             fmt::join(found, ", ")));
}

bool HasForm(const std::string& word, const std::string& prefix) {
  return word.starts_with(prefix) && word.size() > prefix.size();
}

}  // namespace

std::string NameTag(const google::protobuf::RepeatedPtrField<v1::Tag>& tags) {
  for (const v1::Tag& tag : tags) {
    if (tag.key() == "Name") return tag.value();
  }
  return {};
}

Outcome SetTags(const std::vector<std::string>& words, const std::string& name,
                google::protobuf::RepeatedPtrField<v1::Tag>* tags) {
  if (!name.empty()) {
    v1::Tag* tag = tags->Add();
    tag->set_key("Name");
    tag->set_value(name);
  }
  for (const std::string& word : words) EC_RETURN_UNLESS_OK(ParseTag(word, tags->Add()));
  return {};
}

Outcome FindVpc(Context& context, const std::string& word, v1::Vpc* vpc) {
  v1::DescribeVpcsRequest request;
  const bool is_id = HasForm(word, "vpc-");
  if (is_id) request.add_vpc_ids(word);
  v1::DescribeVpcsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeVpcs, request, &response));
  const auto means = [&](const v1::Vpc& one) {
    return is_id || NameTag(one.tags()) == word || (word == "default" && one.is_default());
  };
  return PickOne(
      response.vpcs(), "VPC", word, means, [](const v1::Vpc& one) { return one.vpc_id(); }, vpc);
}

Outcome FindSubnet(Context& context, const std::string& word, v1::Ec2Subnet* subnet) {
  v1::DescribeSubnetsRequest request;
  const bool is_id = HasForm(word, "subnet-");
  if (is_id) request.add_subnet_ids(word);
  v1::DescribeSubnetsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeSubnets, request, &response));
  const auto means = [&](const v1::Ec2Subnet& one) { return is_id || NameTag(one.tags()) == word; };
  return PickOne(
      response.subnets(), "subnet", word, means,
      [](const v1::Ec2Subnet& one) { return one.subnet_id(); }, subnet);
}

Outcome FindSecurityGroup(Context& context, const std::string& word, const std::string& vpc,
                          v1::Ec2SecurityGroup* group) {
  v1::DescribeSecurityGroupsRequest request;
  const bool is_id = HasForm(word, "sg-");
  if (is_id) request.add_group_ids(word);
  v1::DescribeSecurityGroupsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeSecurityGroups, request, &response));
  const auto means = [&](const v1::Ec2SecurityGroup& one) {
    if (is_id) return true;
    if (!vpc.empty() && one.vpc_id() != vpc) return false;
    return one.group_name() == word || NameTag(one.tags()) == word;
  };
  return PickOne(
      response.security_groups(), "security group", word, means,
      [](const v1::Ec2SecurityGroup& one) { return one.group_id(); }, group);
}

Outcome FindInstance(Context& context, const std::string& word, v1::Instance* instance) {
  v1::DescribeInstancesRequest request;
  const bool is_id = HasForm(word, "i-");
  if (is_id) request.add_instance_ids(word);
  v1::DescribeInstancesResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Network::Stub::DescribeInstances, request, &response));
  const auto means = [&](const v1::Instance& one) { return is_id || NameTag(one.tags()) == word; };
  return PickOne(
      response.instances(), "instance", word, means,
      [](const v1::Instance& one) { return one.instance_id(); }, instance);
}

Outcome FindVpcId(Context& context, const std::string& word, std::string* id) {
  *id = word;
  if (HasForm(word, "vpc-")) return {};
  v1::Vpc vpc;
  EC_RETURN_UNLESS_OK(FindVpc(context, word, &vpc));
  *id = vpc.vpc_id();
  return {};
}

Outcome FindSubnetId(Context& context, const std::string& word, std::string* id) {
  *id = word;
  if (HasForm(word, "subnet-")) return {};
  v1::Ec2Subnet subnet;
  EC_RETURN_UNLESS_OK(FindSubnet(context, word, &subnet));
  *id = subnet.subnet_id();
  return {};
}

Outcome FindSecurityGroupId(Context& context, const std::string& word, const std::string& vpc,
                            std::string* id) {
  *id = word;
  if (HasForm(word, "sg-")) return {};
  v1::Ec2SecurityGroup group;
  EC_RETURN_UNLESS_OK(FindSecurityGroup(context, word, vpc, &group));
  *id = group.group_id();
  return {};
}

Outcome FindInstanceId(Context& context, const std::string& word, std::string* id) {
  *id = word;
  if (HasForm(word, "i-")) return {};
  v1::Instance instance;
  EC_RETURN_UNLESS_OK(FindInstance(context, word, &instance));
  *id = instance.instance_id();
  return {};
}

Outcome ResolveSecurityGroups(Context& context, const std::string& vpc,
                              google::protobuf::RepeatedPtrField<std::string>* groups) {
  for (std::string& word : *groups) {
    std::string id;
    EC_RETURN_UNLESS_OK(FindSecurityGroupId(context, word, vpc, &id));
    word = std::move(id);
  }
  return {};
}

Outcome ResolveSubnets(Context& context, google::protobuf::RepeatedPtrField<std::string>* subnets) {
  for (std::string& word : *subnets) {
    std::string id;
    EC_RETURN_UNLESS_OK(FindSubnetId(context, word, &id));
    word = std::move(id);
  }
  return {};
}

Outcome FindSubnetGroups(Context& context, v1::DescribeCacheSubnetGroupsResponse* response) {
  v1::DescribeCacheSubnetGroupsRequest request;
  request.set_max_records(kPageSize);
  do {
    v1::DescribeCacheSubnetGroupsResponse page;
    EC_RETURN_UNLESS_OK(
        context.Call(&v1::ElastiCache::Stub::DescribeCacheSubnetGroups, request, &page));
    request.set_marker(page.marker());
    response->mutable_cache_subnet_groups()->MergeFrom(page.cache_subnet_groups());
  } while (!request.marker().empty());
  return {};
}

}  // namespace ec::cli
