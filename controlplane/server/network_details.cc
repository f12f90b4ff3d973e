// What EC2's clients look at besides the network itself: network_details.proto.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert_network.h"
#include "controlplane/server/filters.h"
#include "controlplane/server/network.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

using model::Records;
using model::Vpc;

std::string YesOrNo(bool value) { return value ? "true" : "false"; }

Result<const Vpc*> FindVpc(const Records& records, const std::string& id) {
  const auto found = records.vpcs.find(id);
  if (found != records.vpcs.end()) return &found->second;
  return Status(Fault::kVpcNotFound, fmt::format("The vpc ID '{}' does not exist", id));
}

// Calls `add` with each thing that is wanted: by its id, or all of them, and as the filters say.
// The fault when one that is named is not there.
template <typename Things, typename Ids, typename Missing, typename Add>
Status Choose(const Things& things, const Ids& ids, const Filters& filters, Missing missing,
              Add add) {
  std::set<std::string> unseen(ids.begin(), ids.end());
  const bool all = unseen.empty();
  for (const auto& [id, thing, attributes] : things) {
    if (!all && unseen.erase(id) == 0) continue;
    if (Matches(filters, attributes)) add(thing);
  }
  return unseen.empty() ? Status() : missing(*unseen.begin());
}

template <typename Thing>
struct Found {
  std::string id;
  Thing thing;
  Attributes attributes;
};

// --- network interfaces ---

struct Interface {
  v1::NetworkInterface shown;
  std::vector<std::string> groups;
};

void Describe(const Records& records, const Interface& interface, v1::NetworkInterface* out) {
  *out = interface.shown;
  out->set_owner_id(records.installation.account);
  out->set_status("in-use");
  out->set_interface_type("interface");
  for (const std::string& id : interface.groups) {
    v1::InterfaceGroup* group = out->add_groups();
    group->set_group_id(id);
    group->set_group_name(records.security_groups.at(id).name);
  }
}

Attributes AttributesOf(const Interface& interface) {
  const v1::NetworkInterface& shown = interface.shown;
  Attributes attributes = {{"network-interface-id", shown.network_interface_id()},
                           {"subnet-id", shown.subnet_id()},
                           {"vpc-id", shown.vpc_id()},
                           {"availability-zone", shown.availability_zone()},
                           {"description", shown.description()},
                           {"status", "in-use"},
                           {"private-ip-address", shown.private_ip_address()},
                           {"addresses.private-ip-address", shown.private_ip_address()},
                           {"requester-managed", YesOrNo(shown.requester_managed())}};
  for (const std::string& group : interface.groups) attributes.emplace("group-id", group);
  return attributes;
}

// The subnet in whose part of the slice the address is; nullptr: in none.
const model::Subnet* SubnetWith(const Records& records, const Vpc& vpc, Ip4 address) {
  for (const auto& [id, subnet] : records.subnets) {
    if (subnet.vpc == vpc.id && model::InSlice(vpc, subnet.block).Contains(address)) return &subnet;
  }
  return nullptr;
}

std::vector<Found<Interface>> Interfaces(const Records& records) {
  std::vector<Found<Interface>> all;
  const auto add = [&](Interface interface, const model::Subnet& subnet) {
    interface.shown.set_subnet_id(subnet.id);
    interface.shown.set_vpc_id(subnet.vpc);
    interface.shown.set_availability_zone(subnet.zone);
    Attributes attributes = AttributesOf(interface);
    const std::string id = interface.shown.network_interface_id();
    all.push_back({id, std::move(interface), std::move(attributes)});
  };
  for (const auto& [id, member] : records.members) {
    const model::Cluster& cluster = records.clusters.at(member.cluster);
    const auto vpc = records.vpcs.find(cluster.vpc);
    if (vpc == records.vpcs.end()) continue;
    const model::Subnet* subnet = SubnetWith(records, vpc->second, member.address.ip);
    if (subnet == nullptr) continue;
    Interface interface;
    interface.shown.set_network_interface_id(
        model::Ec2Id("eni", fmt::format("{} {}", vpc->second.id, id)));
    interface.shown.set_description(fmt::format("ElastiCache {}+{}", cluster.id, member.node_id));
    // The VPC's own address, of which the slice has the last 16 bits.
    const uint32_t bits =
        (vpc->second.block.network.bits & 0xffff0000u) | (member.address.ip.bits & 0xffffu);
    interface.shown.set_private_ip_address(ToString(Ip4{bits}));
    interface.shown.set_requester_managed(true);
    interface.groups = cluster.security_groups;
    add(std::move(interface), *subnet);
  }
  for (const auto& [id, instance] : records.instances) {
    const auto subnet = records.subnets.find(instance.subnet);
    if (subnet == records.subnets.end()) continue;  // this machine itself
    Interface interface;
    interface.shown.set_network_interface_id(model::Ec2Id("eni", id));
    interface.shown.set_description("Instance " + id);
    interface.shown.set_private_ip_address(ToString(instance.address));
    interface.shown.set_requester_managed(false);
    interface.groups = instance.groups;
    add(std::move(interface), subnet->second);
  }
  return all;
}

// --- network ACLs and route tables: one each, which every VPC has from its beginning ---

v1::NetworkAcl AclOf(const Records& records, const Vpc& vpc) {
  v1::NetworkAcl acl;
  acl.set_network_acl_id(model::Ec2Id("acl", vpc.id));
  acl.set_vpc_id(vpc.id);
  acl.set_is_default(true);
  acl.set_owner_id(records.installation.account);
  const auto add = [&](int number, const std::string& action, bool egress) {
    v1::NetworkAclEntry* entry = acl.add_entries();
    entry->set_rule_number(number);
    entry->set_protocol("-1");
    entry->set_rule_action(action);
    entry->set_egress(egress);
    entry->set_cidr_block("0.0.0.0/0");
  };
  for (const bool egress : {true, false}) {
    add(100, "allow", egress);
    add(32767, "deny", egress);  // what no other rule lets through
  }
  for (const auto& [id, subnet] : records.subnets) {
    if (subnet.vpc != vpc.id) continue;
    v1::NetworkAclAssociation* association = acl.add_associations();
    association->set_network_acl_association_id(model::Ec2Id("aclassoc", id));
    association->set_network_acl_id(acl.network_acl_id());
    association->set_subnet_id(id);
  }
  return acl;
}

v1::RouteTable RouteTableOf(const Records& records, const Vpc& vpc) {
  v1::RouteTable table;
  table.set_route_table_id(model::Ec2Id("rtb", vpc.id));
  table.set_vpc_id(vpc.id);
  table.set_owner_id(records.installation.account);
  v1::Route* route = table.add_routes();
  route->set_destination_cidr_block(ToString(vpc.block));
  route->set_gateway_id("local");
  route->set_state("active");
  route->set_origin("CreateRouteTable");
  v1::RouteTableAssociation* association = table.add_associations();
  association->set_route_table_association_id(model::Ec2Id("rtbassoc", vpc.id));
  association->set_route_table_id(table.route_table_id());
  association->set_main(true);
  association->mutable_association_state()->set_state("associated");
  return table;
}

// --- tags ---

void ForEachTagged(const Records& records,
                   const std::function<void(const std::string& id, const std::string& type,
                                            const std::map<std::string, std::string>&)>& visit) {
  for (const auto& [id, row] : records.vpcs) visit(id, "vpc", row.tags);
  for (const auto& [id, row] : records.subnets) visit(id, "subnet", row.tags);
  for (const auto& [id, row] : records.instances) visit(id, "instance", row.tags);
  for (const auto& [id, row] : records.security_groups) {
    visit(id, "security-group", row.tags);
    for (const auto* rules : {&row.ingress, &row.egress}) {
      for (const auto& rule : *rules) visit(rule.id, "security-group-rule", rule.tags);
    }
  }
}

}  // namespace

Status DescribeVpcAttribute(ControllerLoop& loop, const v1::DescribeVpcAttributeRequest& request,
                            v1::DescribeVpcAttributeResponse* response) {
  return loop.Read([&](const model::State& state) -> Status {
    Result<const Vpc*> vpc = FindVpc(state.records, request.vpc_id());
    if (!vpc.ok()) return vpc.status();
    response->set_vpc_id(request.vpc_id());
    const std::string& attribute = request.attribute();
    if (attribute == "enableDnsSupport") {
      response->mutable_enable_dns_support()->set_value((*vpc)->dns_support);
    } else if (attribute == "enableDnsHostnames") {
      response->mutable_enable_dns_hostnames()->set_value((*vpc)->dns_hostnames);
    } else if (attribute == "enableNetworkAddressUsageMetrics") {
      response->mutable_enable_network_address_usage_metrics()->set_value((*vpc)->usage_metrics);
    } else {
      return {Fault::kInvalidParameterValue,
              fmt::format("Value ({}) for parameter attribute is invalid. Unknown attribute.",
                          attribute)};
    }
    return {};
  });
}

Status ModifyVpcAttribute(ControllerLoop& loop, const v1::ModifyVpcAttributeRequest& request,
                          v1::ModifyVpcAttributeResponse*) {
  core::ModifyVpc command{request.vpc_id()};
  if (request.has_enable_dns_support()) command.dns_support = request.enable_dns_support().value();
  if (request.has_enable_dns_hostnames()) {
    command.dns_hostnames = request.enable_dns_hostnames().value();
  }
  if (request.has_enable_network_address_usage_metrics()) {
    command.usage_metrics = request.enable_network_address_usage_metrics().value();
  }
  const int given = command.dns_support.has_value() + command.dns_hostnames.has_value() +
                    command.usage_metrics.has_value();
  if (given != 1) {
    return {Fault::kMissingParameter,
            "The request must contain exactly one of EnableDnsSupport, EnableDnsHostnames and "
            "EnableNetworkAddressUsageMetrics"};
  }
  return loop.Submit(core::Command(core::NetworkCommand(command)));
}

Status ModifySubnetAttribute(ControllerLoop& loop, const v1::ModifySubnetAttributeRequest& request,
                             v1::ModifySubnetAttributeResponse*) {
  if (!request.has_map_public_ip_on_launch()) {
    return {Fault::kMissingParameter,
            "The request must contain MapPublicIpOnLaunch: no other attribute is emulated"};
  }
  const core::ModifySubnet command{request.subnet_id(), request.map_public_ip_on_launch().value()};
  return loop.Submit(core::Command(core::NetworkCommand(command)));
}

Status DescribeAvailabilityZones(ControllerLoop& loop,
                                 const v1::DescribeAvailabilityZonesRequest& request,
                                 v1::DescribeAvailabilityZonesResponse* response) {
  EC_RETURN_IF_ERROR(
      CheckFilters(request.filters(), {"zone-name", "zone-id", "state", "region-name",
                                       "opt-in-status", "group-name", "zone-type"}));
  return loop.Read([&](const model::State& state) -> Status {
    const std::string& region = state.records.installation.region;
    std::set<std::string> unseen(request.zone_names().begin(), request.zone_names().end());
    unseen.insert(request.zone_ids().begin(), request.zone_ids().end());
    const bool all = unseen.empty();
    for (const auto& [name, zone] : state.records.zones) {
      const bool is_named = unseen.erase(name) + unseen.erase(ZoneId(name)) > 0;
      if (!all && !is_named) continue;
      const Attributes attributes = {{"zone-name", name},
                                     {"zone-id", ZoneId(name)},
                                     {"state", "available"},
                                     {"region-name", region},
                                     {"group-name", region},
                                     {"opt-in-status", "opt-in-not-required"},
                                     {"zone-type", "availability-zone"}};
      if (!Matches(request.filters(), attributes)) continue;
      v1::Ec2AvailabilityZone* out = response->add_availability_zones();
      out->set_zone_name(name);
      out->set_zone_state("available");
      out->set_region_name(region);
      out->set_zone_id(ZoneId(name));
      out->set_opt_in_status("opt-in-not-required");
      out->set_group_name(region);
      out->set_network_border_group(region);
      out->set_zone_type("availability-zone");
    }
    if (unseen.empty()) return {};
    return {Fault::kInvalidParameterValue,
            fmt::format("Invalid availability zone: [{}]", *unseen.begin())};
  });
}

Status DescribeNetworkInterfaces(ControllerLoop& loop,
                                 const v1::DescribeNetworkInterfacesRequest& request,
                                 v1::DescribeNetworkInterfacesResponse* response) {
  EC_RETURN_IF_ERROR(
      CheckFilters(request.filters(),
                   {"network-interface-id", "subnet-id", "vpc-id", "availability-zone",
                    "description", "status", "private-ip-address", "addresses.private-ip-address",
                    "requester-managed", "group-id", "attachment.instance-id",
                    "attachment.instance-owner-id", "attachment.status", "interface-type"}));
  return loop.Read([&](const model::State& state) {
    const auto missing = [](const std::string& id) {
      return Status(Fault::kInterfaceNotFound,
                    fmt::format("The networkInterface ID '{}' does not exist", id));
    };
    return Choose(Interfaces(state.records), request.network_interface_ids(), request.filters(),
                  missing, [&](const Interface& interface) {
                    Describe(state.records, interface, response->add_network_interfaces());
                  });
  });
}

Status DescribeNetworkAcls(ControllerLoop& loop, const v1::DescribeNetworkAclsRequest& request,
                           v1::DescribeNetworkAclsResponse* response) {
  EC_RETURN_IF_ERROR(CheckFilters(request.filters(), {"network-acl-id", "vpc-id", "default",
                                                      "association.subnet-id", "owner-id"}));
  return loop.Read([&](const model::State& state) {
    std::vector<Found<v1::NetworkAcl>> acls;
    for (const auto& [id, vpc] : state.records.vpcs) {
      v1::NetworkAcl acl = AclOf(state.records, vpc);
      Attributes attributes = {{"network-acl-id", acl.network_acl_id()},
                               {"vpc-id", id},
                               {"default", "true"},
                               {"owner-id", acl.owner_id()}};
      for (const auto& association : acl.associations()) {
        attributes.emplace("association.subnet-id", association.subnet_id());
      }
      acls.push_back({acl.network_acl_id(), acl, std::move(attributes)});
    }
    const auto missing = [](const std::string& id) {
      return Status(Fault::kNetworkAclNotFound,
                    fmt::format("The networkAcl ID '{}' does not exist", id));
    };
    return Choose(acls, request.network_acl_ids(), request.filters(), missing,
                  [&](const v1::NetworkAcl& acl) { *response->add_network_acls() = acl; });
  });
}

Status DescribeRouteTables(ControllerLoop& loop, const v1::DescribeRouteTablesRequest& request,
                           v1::DescribeRouteTablesResponse* response) {
  EC_RETURN_IF_ERROR(CheckFilters(
      request.filters(), {"route-table-id", "vpc-id", "association.main",
                          "association.route-table-id", "association.subnet-id", "owner-id"}));
  return loop.Read([&](const model::State& state) {
    std::vector<Found<v1::RouteTable>> tables;
    for (const auto& [id, vpc] : state.records.vpcs) {
      v1::RouteTable table = RouteTableOf(state.records, vpc);
      Attributes attributes = {{"route-table-id", table.route_table_id()},
                               {"vpc-id", id},
                               {"association.main", "true"},
                               {"association.route-table-id", table.route_table_id()},
                               {"owner-id", table.owner_id()}};
      tables.push_back({table.route_table_id(), table, std::move(attributes)});
    }
    const auto missing = [](const std::string& id) {
      return Status(Fault::kRouteTableNotFound,
                    fmt::format("The routeTable ID '{}' does not exist", id));
    };
    return Choose(tables, request.route_table_ids(), request.filters(), missing,
                  [&](const v1::RouteTable& table) { *response->add_route_tables() = table; });
  });
}

Status DescribeAccountAttributes(ControllerLoop& loop,
                                 const v1::DescribeAccountAttributesRequest& request,
                                 v1::DescribeAccountAttributesResponse* response) {
  return loop.Read([&](const model::State& state) -> Status {
    std::string default_vpc = "none";
    for (const auto& [id, vpc] : state.records.vpcs) {
      if (vpc.is_default) default_vpc = id;
    }
    const auto& wanted = request.attribute_names();
    const auto add = [&](const std::string& name, const std::string& value) {
      if (!wanted.empty() && std::ranges::find(wanted, name) == wanted.end()) return;
      v1::AccountAttribute* attribute = response->add_account_attributes();
      attribute->set_attribute_name(name);
      attribute->add_attribute_values()->set_attribute_value(value);
    };
    add("supported-platforms", "VPC");
    add("default-vpc", default_vpc);
    return {};
  });
}

Status CreateTags(ControllerLoop& loop, const v1::CreateTagsRequest& request,
                  v1::CreateTagsResponse*) {
  core::TagNetwork command{ToVector(request.resources()), ToTags(request.tags())};
  return loop.Submit(core::Command(core::NetworkCommand(std::move(command))));
}

Status DeleteTags(ControllerLoop& loop, const v1::DeleteTagsRequest& request,
                  v1::DeleteTagsResponse*) {
  core::UntagNetwork command{ToVector(request.resources()), {}};
  for (const v1::Tag& tag : request.tags()) {
    command.tags.emplace_back(tag.key(), EC_OPTIONAL(tag, value));
  }
  return loop.Submit(core::Command(core::NetworkCommand(std::move(command))));
}

Status DescribeTags(ControllerLoop& loop, const v1::DescribeTagsRequest& request,
                    v1::DescribeTagsResponse* response) {
  EC_RETURN_IF_ERROR(
      CheckFilters(request.filters(), {"resource-id", "resource-type", "key", "value"}));
  return loop.Read([&](const model::State& state) -> Status {
    ForEachTagged(state.records, [&](const std::string& id, const std::string& type,
                                     const std::map<std::string, std::string>& tags) {
      for (const auto& [key, value] : tags) {
        const Attributes attributes = {
            {"resource-id", id}, {"resource-type", type}, {"key", key}, {"value", value}};
        if (!Matches(request.filters(), attributes)) continue;
        v1::TagDescription* out = response->add_tags();
        out->set_resource_id(id);
        out->set_resource_type(type);
        out->set_key(key);
        out->set_value(value);
      }
    });
    return {};
  });
}

}  // namespace ec::server
