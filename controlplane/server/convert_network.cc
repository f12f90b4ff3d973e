#include "controlplane/server/convert_network.h"

#include <fmt/format.h>

#include <iterator>
#include <random>

#include "controlplane/model/names.h"
#include "controlplane/server/convert.h"

namespace ec::server {
namespace {

using google::protobuf::RepeatedPtrField;
using model::Records;

constexpr int kRunning = 16;

int FreeAddressesOf(const model::State& state, const model::Subnet& subnet) {
  const model::Vpc& vpc = state.records.vpcs.at(subnet.vpc);
  const Cidr block = model::InSlice(vpc, subnet.block);
  const int64_t all = int64_t{block.Last().bits} - block.First().bits + 1;
  const auto used = std::distance(state.addresses.lower_bound(block.First()),
                                  state.addresses.upper_bound(block.Last()));
  return static_cast<int>(std::max<int64_t>(all - model::kSubnetAddressesReserved - used, 0));
}

// Rules of the same protocol and ports are one permission with several sources.
void AddPermission(const Records& records, const model::SecurityGroupRule& rule,
                   RepeatedPtrField<v1::IpPermission>* out) {
  const bool has_ports = rule.from_port >= 0;
  v1::IpPermission* permission = nullptr;
  for (v1::IpPermission& present : *out) {
    if (present.ip_protocol() != rule.protocol) continue;
    if (has_ports && (present.from_port() != rule.from_port || present.to_port() != rule.to_port)) {
      continue;
    }
    permission = &present;
  }
  if (permission == nullptr) {
    permission = out->Add();
    permission->set_ip_protocol(rule.protocol);
    if (has_ports) {
      permission->set_from_port(rule.from_port);
      permission->set_to_port(rule.to_port);
    }
  }
  if (rule.block) {
    v1::IpRange* range = permission->add_ip_ranges();
    range->set_cidr_ip(ToString(*rule.block));
    if (!rule.description.empty()) range->set_description(rule.description);
    return;
  }
  v1::UserIdGroupPair* pair = permission->add_user_id_group_pairs();
  pair->set_group_id(rule.group);
  pair->set_user_id(records.installation.account);
  if (!rule.description.empty()) pair->set_description(rule.description);
}

}  // namespace

std::string Ec2Arn(const Records& records, const std::string& kind, const std::string& id) {
  return fmt::format("arn:aws:ec2:{}:{}:{}/{}", records.installation.region,
                     records.installation.account, kind, id);
}

std::string NewEc2Id(const std::string& prefix) {
  std::random_device chance;
  std::string id = prefix + "-0";
  for (int i = 0; i < 2; ++i) id += fmt::format("{:08x}", chance());
  return id;
}

core::NetworkTags ToTags(const RepeatedPtrField<v1::Tag>& tags) {
  core::NetworkTags list;
  for (const v1::Tag& tag : tags) list.emplace_back(tag.key(), tag.value());
  return list;
}

Result<core::NetworkTags> AddSpecifiedTags(
    const RepeatedPtrField<v1::TagSpecification>& specifications, const std::string& type,
    core::NetworkTags tags) {
  for (const v1::TagSpecification& specification : specifications) {
    if (specification.resource_type() != type) {
      return Status(Fault::kInvalidParameterValue,
                    fmt::format("'{}' is not a valid taggable resource type for this operation, "
                                "which is about {}.",
                                specification.resource_type(), type));
    }
    for (const v1::Tag& tag : specification.tags()) tags.emplace_back(tag.key(), tag.value());
  }
  return tags;
}

// The region in short, and the zone's letter as a number.
std::string ZoneId(const std::string& zone) {
  std::string id;
  size_t begin = 0;
  for (size_t dash = zone.find('-'); dash != std::string::npos; dash = zone.find('-', begin)) {
    const std::string word = zone.substr(begin, dash - begin);
    begin = dash + 1;
    if (id.empty()) {
      id = word;
      continue;
    }
    id += word.substr(0, 1);  // "east" is e, "southeast" se
    for (const char* second : {"east", "west"}) {
      if (word.size() > 5 && word.ends_with(second)) id += *second;
    }
  }
  if (begin + 1 >= zone.size()) return zone;
  return fmt::format("{}{}-az{}", id, zone.substr(begin, zone.size() - begin - 1),
                     zone.back() - 'a' + 1);
}

void SetTags(const std::map<std::string, std::string>& tags, RepeatedPtrField<v1::Tag>* out) {
  for (const auto& [key, value] : tags) {
    v1::Tag* tag = out->Add();
    tag->set_key(key);
    tag->set_value(value);
  }
}

std::vector<core::Permission> ToPermissions(const RepeatedPtrField<v1::IpPermission>& permissions) {
  std::vector<core::Permission> list;
  for (const v1::IpPermission& permission : permissions) {
    const auto add = [&](const std::string& block, const std::string& group,
                         const std::string& description) {
      core::Permission one;
      one.rule = NewEc2Id("sgr");
      one.protocol = permission.ip_protocol();
      if (permission.has_from_port()) one.from_port = permission.from_port();
      if (permission.has_to_port()) one.to_port = permission.to_port();
      one.block = block;
      one.group = group;
      one.description = description;
      list.push_back(std::move(one));
    };
    for (const v1::IpRange& range : permission.ip_ranges()) {
      add(range.cidr_ip(), {}, range.description());
    }
    for (const v1::UserIdGroupPair& pair : permission.user_id_group_pairs()) {
      add({}, pair.group_id(), pair.description());
    }
    const bool elsewhere =
        !permission.ipv6_ranges().empty() || !permission.prefix_list_ids().empty();
    if (elsewhere) {
      add({}, {}, {});
      list.back().elsewhere = true;
    }
    // Without a source it is malformed, which is not for us to say.
    const bool has_source =
        !permission.ip_ranges().empty() || !permission.user_id_group_pairs().empty() || elsewhere;
    if (!has_source) add({}, {}, {});
  }
  return list;
}

void ToProto(const Records& records, const model::Vpc& vpc, v1::Vpc* out) {
  out->set_vpc_id(vpc.id);
  out->set_state("available");
  out->set_cidr_block(ToString(vpc.block));
  out->set_is_default(vpc.is_default);
  out->set_owner_id(records.installation.account);
  SetTags(vpc.tags, out->mutable_tags());
  out->set_instance_tenancy("default");
  out->set_dhcp_options_id(model::Ec2Id("dopt", vpc.id));
  v1::VpcCidrBlockAssociation* association = out->add_cidr_block_associations();
  association->set_association_id(model::Ec2Id("vpc-cidr-assoc", vpc.id));
  association->set_cidr_block(ToString(vpc.block));
  association->mutable_cidr_block_state()->set_state("associated");
  out->set_loopback_cidr_block(ToString(vpc.slice));
}

void ToProto(const model::State& state, const model::Subnet& subnet, v1::Ec2Subnet* out) {
  out->set_subnet_id(subnet.id);
  out->set_vpc_id(subnet.vpc);
  out->set_state("available");
  out->set_cidr_block(ToString(subnet.block));
  out->set_availability_zone(subnet.zone);
  out->set_available_ip_address_count(FreeAddressesOf(state, subnet));
  out->set_default_for_az(subnet.is_default);
  out->set_owner_id(state.records.installation.account);
  SetTags(subnet.tags, out->mutable_tags());
  out->set_subnet_arn(Ec2Arn(state.records, "subnet", subnet.id));
  out->set_availability_zone_id(ZoneId(subnet.zone));
  out->set_map_public_ip_on_launch(subnet.public_ip_on_launch);
  out->set_assign_ipv6_address_on_creation(false);
  out->set_enable_dns64(false);
  out->set_ipv6_native(false);
  out->set_map_customer_owned_ip_on_launch(false);
  v1::PrivateDnsNameOptions* names = out->mutable_private_dns_name_options_on_launch();
  names->set_hostname_type("ip-name");
  names->set_enable_resource_name_dns_a_record(false);
  names->set_enable_resource_name_dns_aaaa_record(false);
}

void ToProto(const Records& records, const model::SecurityGroupRow& group,
             v1::Ec2SecurityGroup* out) {
  out->set_group_id(group.id);
  out->set_group_name(group.name);
  out->set_description(group.description);
  out->set_vpc_id(group.vpc);
  out->set_owner_id(records.installation.account);
  for (const model::SecurityGroupRule& rule : group.ingress) {
    AddPermission(records, rule, out->mutable_ip_permissions());
  }
  for (const model::SecurityGroupRule& rule : group.egress) {
    AddPermission(records, rule, out->mutable_ip_permissions_egress());
  }
  SetTags(group.tags, out->mutable_tags());
  out->set_security_group_arn(Ec2Arn(records, "security-group", group.id));
}

void ToProto(const Records& records, const model::SecurityGroupRow& group,
             const model::SecurityGroupRule& rule, bool egress, v1::SecurityGroupRule* out) {
  out->set_security_group_rule_id(rule.id);
  out->set_group_id(group.id);
  out->set_group_owner_id(records.installation.account);
  out->set_is_egress(egress);
  out->set_ip_protocol(rule.protocol);
  out->set_from_port(rule.from_port);
  out->set_to_port(rule.to_port);
  if (rule.block) out->set_cidr_ipv4(ToString(*rule.block));
  if (!rule.block) {
    out->set_referenced_group_id(rule.group);
    v1::ReferencedSecurityGroup* referenced = out->mutable_referenced_group_info();
    referenced->set_group_id(rule.group);
    referenced->set_user_id(records.installation.account);
    referenced->set_vpc_id(group.vpc);
  }
  SetTags(rule.tags, out->mutable_tags());
  out->set_security_group_rule_arn(Ec2Arn(records, "security-group-rule", rule.id));
  if (!rule.description.empty()) out->set_description(rule.description);
}

void ToProto(const Records& records, const model::InstanceRow& instance, v1::Instance* out) {
  out->set_instance_id(instance.id);
  out->mutable_state()->set_code(kRunning);
  out->mutable_state()->set_name("running");
  out->set_private_ip_address(ToString(instance.address));
  const auto subnet = records.subnets.find(instance.subnet);
  if (subnet != records.subnets.end()) {
    out->set_subnet_id(instance.subnet);
    out->set_availability_zone(subnet->second.zone);
    out->mutable_placement()->set_availability_zone(subnet->second.zone);
  }
  out->set_vpc_id(instance.vpc);
  for (const model::SecurityGroupId& id : instance.groups) {
    v1::GroupIdentifier* group = out->add_security_groups();
    group->set_group_id(id);
    group->set_group_name(records.security_groups.at(id).name);
  }
  ToProto(instance.launched, out->mutable_launch_time());
  out->set_image_id("ami-00000000");
  out->set_instance_type("t3.micro");
  SetTags(instance.tags, out->mutable_tags());
  if (instance.network) out->set_source_cidr_block(ToString(*instance.network));
  out->set_loopback_address(ToString(model::SourceOf(records.vpcs.at(instance.vpc), instance)));
}

void ToProto(const Records& records, const model::CacheSubnetGroup& group,
             v1::CacheSubnetGroup* out) {
  out->set_cache_subnet_group_name(group.name);
  out->set_cache_subnet_group_description(group.description);
  out->set_vpc_id(group.vpc);
  for (const model::SubnetId& id : group.subnets) {
    v1::Subnet* subnet = out->add_subnets();
    subnet->set_subnet_identifier(id);
    subnet->mutable_subnet_availability_zone()->set_name(records.subnets.at(id).zone);
    subnet->add_supported_network_types("ipv4");
  }
  out->set_arn(model::ToString(model::Arn{records.installation.region, records.installation.account,
                                          std::string(model::kSubnetGroupArnKind), group.name}));
  out->add_supported_network_types("ipv4");
}

}  // namespace ec::server
