#include "controlplane/core/network_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/overloaded.h"
#include "controlplane/core/default_network.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

using model::InstanceRow;
using model::SecurityGroupRow;
using model::SecurityGroupRule;
using model::Subnet;
using model::Vpc;

// One slice of loopback each, of which 127.0.0.0/16 is the machine's own.
constexpr size_t kVpcsMax = 200;

// --- what is there --------------------------------------------------------------------------

Result<const Vpc*> MustFindVpc(const Draft& draft, const model::VpcId& id) {
  if (const Vpc* vpc = draft.FindVpc(id)) return vpc;
  return Status(Fault::kVpcNotFound, fmt::format("The vpc ID '{}' does not exist", id));
}

Result<const Subnet*> MustFindSubnet(const Draft& draft, const model::SubnetId& id) {
  if (const Subnet* subnet = draft.FindSubnet(id)) return subnet;
  return Status(Fault::kSubnetNotFound, fmt::format("The subnet ID '{}' does not exist", id));
}

Result<const SecurityGroupRow*> MustFindGroup(const Draft& draft,
                                              const model::SecurityGroupId& id) {
  if (const SecurityGroupRow* group = draft.FindSecurityGroup(id)) return group;
  return Status(Fault::kSecurityGroupNotFound,
                fmt::format("The security group '{}' does not exist", id));
}

Result<const InstanceRow*> MustFindInstance(const Draft& draft, const model::InstanceId& id) {
  if (const InstanceRow* instance = draft.FindInstance(id)) return instance;
  return Status(Fault::kInstanceNotFound, fmt::format("The instance ID '{}' does not exist", id));
}

std::map<std::string, std::string> TagMap(const NetworkTags& tags) {
  return {tags.begin(), tags.end()};
}

Status InUse(const std::string& kind, const std::string& id, const std::string& by) {
  return {Fault::kDependencyViolation,
          fmt::format("The {} '{}' has dependencies and cannot be deleted: {}.", kind, id, by)};
}

// --- VPCs and subnets -----------------------------------------------------------------------

std::optional<Cidr> FreeSlice(const Draft& draft) {
  std::set<uint32_t> used = {draft.installation().vpc.network.bits};
  for (const Vpc* vpc : draft.Vpcs()) used.insert(vpc->slice.network.bits);
  const uint32_t first = draft.installation().vpc.network.bits >> 16 & 0xffu;
  for (uint32_t i = 1; i < 255; ++i) {
    const uint32_t second = (first + i - 1) % 254 + 1;
    const uint32_t network = 127u << 24 | second << 16;
    if (!used.contains(network)) return Cidr{{network}, 16};
  }
  return std::nullopt;
}

// --- security groups ------------------------------------------------------------------------

SecurityGroupRule EverythingOutwards(const std::string& id) {
  return {id, "-1", -1, -1, Cidr{{0}, 0}, {}, {}};
}

bool SamePermission(const SecurityGroupRule& one, const SecurityGroupRule& other) {
  return one.protocol == other.protocol && one.from_port == other.from_port &&
         one.to_port == other.to_port && one.block == other.block && one.group == other.group;
}

Status Malformed(std::string message) { return {Fault::kPermissionMalformed, std::move(message)}; }

Result<std::string> ParseProtocol(const std::string& text) {
  if (text == "-1" || text == "all") return std::string("-1");
  if (text == "6") return std::string("tcp");
  if (text == "17") return std::string("udp");
  if (text == "1") return std::string("icmp");
  if (text == "tcp" || text == "udp" || text == "icmp") return text;
  const bool is_number = !text.empty() && text.size() <= 3 &&
                         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (is_number && std::stoi(text) <= 255) return text;
  return Malformed(fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", text));
}

Status ReadPorts(const Permission& permission, SecurityGroupRule* rule) {
  const bool has_ports = rule->protocol == "tcp" || rule->protocol == "udp";
  if (!has_ports) return {};  // of other protocols they mean nothing, or everything
  if (!permission.from_port && !permission.to_port) {
    rule->from_port = 0;
    rule->to_port = 65535;
    return {};
  }
  if (!permission.from_port || !permission.to_port) {
    return Malformed("FromPort and ToPort must be given together.");
  }
  for (const int port : {*permission.from_port, *permission.to_port}) {
    if (port >= 0 && port <= 65535) continue;
    return Malformed(fmt::format("Invalid value '{}' for port. Must be 0 to 65535.", port));
  }
  if (*permission.from_port > *permission.to_port) {
    return Malformed(fmt::format("Invalid TCP/UDP port range ({}:{})", *permission.from_port,
                                 *permission.to_port));
  }
  rule->from_port = *permission.from_port;
  rule->to_port = *permission.to_port;
  return {};
}

Result<SecurityGroupRule> RuleFrom(const Draft& draft, const SecurityGroupRow& group,
                                   const Permission& permission) {
  SecurityGroupRule rule;
  rule.id = permission.rule;
  rule.description = permission.description;
  Result<std::string> protocol = ParseProtocol(permission.protocol);
  if (!protocol.ok()) return protocol.status();
  rule.protocol = *protocol;
  EC_RETURN_IF_ERROR(ReadPorts(permission, &rule));
  if (permission.block.empty() == permission.group.empty()) {
    return Malformed("A permission must name either a CIDR block or a security group.");
  }
  if (!permission.block.empty()) {
    rule.block = ParseCidr(permission.block);
    if (rule.block) return rule;
    return Malformed(fmt::format("CIDR block {} is malformed", permission.block));
  }
  Result<const SecurityGroupRow*> source = MustFindGroup(draft, permission.group);
  if (!source.ok()) return source.status();
  if ((*source)->vpc != group.vpc) {
    return Status(Fault::kSecurityGroupNotFound,
                  fmt::format("You have specified two resources that belong to different networks: "
                              "'{}' and '{}'",
                              group.id, permission.group));
  }
  rule.group = permission.group;
  return rule;
}

std::string Describe(const SecurityGroupRule& rule) {
  const std::string peer = rule.block ? ToString(*rule.block) : rule.group;
  if (rule.from_port < 0) return fmt::format("peer: {}, {}, ALLOW", peer, rule.protocol);
  return fmt::format("peer: {}, {}, from port: {}, to port: {}, ALLOW", peer, rule.protocol,
                     rule.from_port, rule.to_port);
}

// All of these are groups of that VPC, and not too many.
Status CheckGroups(const Draft& draft, const model::VpcId& vpc,
                   const std::vector<model::SecurityGroupId>& groups) {
  if (groups.size() > static_cast<size_t>(model::kGroupsPerInterfaceMax)) {
    return BadValue("SecurityGroupId", std::to_string(groups.size()),
                    fmt::format("At most {} groups.", model::kGroupsPerInterfaceMax));
  }
  for (const model::SecurityGroupId& id : groups) {
    Result<const SecurityGroupRow*> group = MustFindGroup(draft, id);
    if (!group.ok()) return group.status();
    if ((*group)->vpc == vpc) continue;
    return {Fault::kSecurityGroupNotFound,
            fmt::format("The security group '{}' does not exist in VPC '{}'", id, vpc)};
  }
  return {};
}

// --- instances ------------------------------------------------------------------------------

// The addresses that stand for nodes and endpoints count as well: they live in the same slice.
bool IsTaken(const Draft& draft, const Vpc& vpc, Ip4 address) {
  if (draft.IsInUse(InSlice(vpc, address))) return true;
  return std::ranges::any_of(draft.Instances(), [&](const InstanceRow* instance) {
    return instance->vpc == vpc.id && instance->address == address;
  });
}

bool IsUsable(const Subnet& subnet, Ip4 address) {
  return subnet.block.Contains(address) && address.bits >= subnet.block.First().bits + 4 &&
         address != subnet.block.Last();
}

Result<Ip4> FreeAddress(const Draft& draft, const Vpc& vpc, const Subnet& subnet) {
  const uint32_t usable =
      subnet.block.Last().bits - subnet.block.First().bits + 1 - model::kSubnetAddressesReserved;
  for (uint32_t tried = 0; tried < usable; ++tried) {
    const uint32_t offset = (subnet.next_offset + tried) % usable;
    const Ip4 address{subnet.block.First().bits + 4 + offset};
    if (!IsTaken(draft, vpc, address)) return address;
  }
  return Status(Fault::kInsufficientFreeAddresses,
                fmt::format("There are not enough free addresses in subnet '{}' to satisfy the "
                            "requested number of instances.",
                            subnet.id));
}

Result<Ip4> AddressFor(const Draft& draft, const RunInstance& request, const Vpc& vpc,
                       const Subnet& subnet) {
  if (!request.address) return FreeAddress(draft, vpc, subnet);
  const auto address = ParseIp4(*request.address);
  if (!address || !IsUsable(subnet, *address)) {
    return BadValue("PrivateIpAddress", *request.address,
                    fmt::format("It must be an address of subnet {} that EC2 does not keep to "
                                "itself.",
                                ToString(subnet.block)));
  }
  if (!IsTaken(draft, vpc, *address)) return *address;
  return Status(Fault::kIpAddressInUse, fmt::format("Address {} is in use.", *request.address));
}

Result<const Subnet*> SubnetFor(const Draft& draft, const RunInstance& request) {
  if (request.subnet) return MustFindSubnet(draft, *request.subnet);
  for (const Subnet* subnet : draft.Subnets()) {
    if (subnet->is_default) return subnet;
  }
  return Status(Fault::kSubnetNotFound, "There is no default subnet: name one.");
}

Status Create(Draft& draft, const CreateVpc& request) {
  const auto block = ParseCidr(request.block);
  if (!block) {
    return BadValue("CidrBlock", request.block, "This is not a valid CIDR block.");
  }
  if (block->prefix < 16 || block->prefix > 28) {
    return {Fault::kInvalidVpcRange, fmt::format("The CIDR '{}' is invalid.", request.block)};
  }
  const auto slice = FreeSlice(draft);
  if (!slice || draft.Vpcs().size() >= kVpcsMax) {
    return {Fault::kVpcLimitExceeded, "The maximum number of VPCs has been reached."};
  }
  draft.Put(Vpc{request.id, *block, *slice, false, TagMap(request.tags)});
  SecurityGroupRow group{request.default_group, model::kDefaultGroupName,
                         "default VPC security group", request.id};
  group.ingress.push_back({model::Ec2Id("sgr", group.id + " ingress"),
                           "-1",
                           -1,
                           -1,
                           std::nullopt,
                           request.default_group,
                           {}});
  group.egress.push_back(EverythingOutwards(model::Ec2Id("sgr", group.id + " egress")));
  draft.Put(std::move(group));
  return {};
}

Status Delete(Draft& draft, const DeleteVpc& request) {
  Result<const Vpc*> vpc = MustFindVpc(draft, request.id);
  if (!vpc.ok()) return vpc.status();
  if ((*vpc)->is_default) {
    return InUse("vpc", request.id, "it is the default VPC, where cache clusters live");
  }
  for (const Subnet* subnet : draft.Subnets()) {
    if (subnet->vpc == request.id) return InUse("vpc", request.id, "subnet " + subnet->id);
  }
  for (const SecurityGroupRow* group : draft.SecurityGroups()) {
    if (group->vpc != request.id || group->name == model::kDefaultGroupName) continue;
    return InUse("vpc", request.id, "security group " + group->id);
  }
  if (const SecurityGroupRow* group = FindDefaultGroup(draft, request.id)) {
    draft.DropSecurityGroup(model::SecurityGroupId(group->id));
  }
  draft.DropVpc(request.id);
  return {};
}

Status Create(Draft& draft, const CreateSubnet& request) {
  Result<const Vpc*> vpc = MustFindVpc(draft, request.vpc);
  if (!vpc.ok()) return vpc.status();
  const auto block = ParseCidr(request.block);
  if (!block) return BadValue("CidrBlock", request.block, "This is not a valid CIDR block.");
  if (!model::Within(*block, (*vpc)->block) || block->prefix > 28) {
    return {Fault::kInvalidSubnetRange, fmt::format("The CIDR '{}' is invalid.", request.block)};
  }
  for (const Subnet* other : draft.Subnets()) {
    if (other->vpc != request.vpc || !model::Overlap(*block, other->block)) continue;
    return {Fault::kSubnetConflict,
            fmt::format("The CIDR '{}' conflicts with another subnet", request.block)};
  }
  const std::string zone = request.zone.value_or(draft.installation().region + "a");
  if (!model::IsZoneOf(zone, draft.installation().region)) {
    return BadValue("availabilityZone", zone,
                    "Subnets can currently only be created in zones of "
                    "this region.");
  }
  draft.Put(Subnet{request.id, request.vpc, zone, *block, false, 0, TagMap(request.tags)});
  return {};
}

Status Delete(Draft& draft, const DeleteSubnet& request) {
  Result<const Subnet*> subnet = MustFindSubnet(draft, request.id);
  if (!subnet.ok()) return subnet.status();
  if ((*subnet)->is_default) {
    return InUse("subnet", request.id, "cache nodes live in the default subnets");
  }
  for (const InstanceRow* instance : draft.Instances()) {
    if (instance->subnet == request.id) return InUse("subnet", request.id, instance->id);
  }
  draft.DropSubnet(request.id);
  return {};
}

Status Create(Draft& draft, const CreateSecurityGroup& request) {
  const Vpc* fallback = FindDefaultVpc(draft);
  Result<const Vpc*> vpc =
      MustFindVpc(draft, request.vpc.value_or(fallback == nullptr ? "" : fallback->id));
  if (!vpc.ok()) return vpc.status();
  if (request.name.empty() || request.name.size() > 255 || request.name.starts_with("sg-")) {
    return BadValue("GroupName", request.name,
                    "It must have 1 to 255 characters and must not begin with sg-.");
  }
  if (request.description.empty() || request.description.size() > 255) {
    return BadValue("GroupDescription", request.description, "It must have 1 to 255 characters.");
  }
  if (request.name == model::kDefaultGroupName) {
    return {Fault::kSecurityGroupReserved, "Cannot use reserved security group name: default"};
  }
  int count = 0;
  for (const SecurityGroupRow* other : draft.SecurityGroups()) {
    if (other->vpc != (*vpc)->id) continue;
    ++count;
    if (other->name != request.name) continue;
    return {Fault::kSecurityGroupDuplicate,
            fmt::format("The security group '{}' already exists for VPC '{}'", request.name,
                        (*vpc)->id)};
  }
  if (count >= model::kSecurityGroupsPerVpcMax) {
    return {Fault::kSecurityGroupLimitExceeded,
            "The maximum number of security groups has been reached."};
  }
  SecurityGroupRow group{request.id, request.name, request.description, (*vpc)->id};
  group.egress.push_back(EverythingOutwards(model::Ec2Id("sgr", group.id + " egress")));
  group.tags = TagMap(request.tags);
  draft.Put(std::move(group));
  return {};
}

Status Delete(Draft& draft, const DeleteSecurityGroup& request) {
  Result<const SecurityGroupRow*> found = MustFindGroup(draft, request.id);
  if (!found.ok()) return found.status();
  const SecurityGroupRow& group = **found;
  if (group.name == model::kDefaultGroupName) {
    return {Fault::kCannotDelete,
            fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted by a user",
                        group.id)};
  }
  const auto in_use = [&](const std::string& by) {
    return Status(Fault::kDependencyViolation,
                  fmt::format("resource {} has a dependent object: {}", group.id, by));
  };
  for (const SecurityGroupRow* other : draft.SecurityGroups()) {
    if (other->id == group.id) continue;
    for (const auto& rules : {other->ingress, other->egress}) {
      for (const SecurityGroupRule& rule : rules) {
        if (rule.group == group.id) return in_use(other->id);
      }
    }
  }
  const auto has = [&](const std::vector<std::string>& groups) {
    return std::ranges::find(groups, group.id) != groups.end();
  };
  for (const InstanceRow* instance : draft.Instances()) {
    if (has(instance->groups)) return in_use(instance->id);
  }
  for (const model::ClusterId& id : draft.Clusters()) {
    if (has(draft.FindCluster(id)->security_groups)) return in_use("cache cluster " + id);
  }
  draft.DropSecurityGroup(request.id);
  return {};
}

Status Authorize(Draft& draft, const AuthorizeSecurityGroup& request) {
  Result<const SecurityGroupRow*> found = MustFindGroup(draft, request.id);
  if (!found.ok()) return found.status();
  SecurityGroupRow group = **found;
  std::vector<SecurityGroupRule>& rules = request.egress ? group.egress : group.ingress;
  if (request.permissions.empty()) {
    return {Fault::kMissingParameter, "The request must contain the parameter IpPermissions"};
  }
  for (const Permission& permission : request.permissions) {
    Result<SecurityGroupRule> rule = RuleFrom(draft, group, permission);
    if (!rule.ok()) return rule.status();
    const bool there = std::ranges::any_of(
        rules, [&](const SecurityGroupRule& other) { return SamePermission(*rule, other); });
    if (there) {
      return {Fault::kPermissionDuplicate,
              fmt::format("the specified rule \"{}\" already exists", Describe(*rule))};
    }
    rules.push_back(*rule);
  }
  if (rules.size() > static_cast<size_t>(model::kRulesPerGroupMax)) {
    return {Fault::kRulesLimitExceeded,
            "The maximum number of rules per security group has been reached."};
  }
  draft.Put(std::move(group));
  return {};
}

Status Revoke(Draft& draft, const RevokeSecurityGroup& request) {
  Result<const SecurityGroupRow*> found = MustFindGroup(draft, request.id);
  if (!found.ok()) return found.status();
  SecurityGroupRow group = **found;
  std::vector<SecurityGroupRule>& rules = request.egress ? group.egress : group.ingress;
  for (const std::string& id : request.rules) {
    if (std::erase_if(rules, [&](const SecurityGroupRule& rule) { return rule.id == id; }) != 0) {
      continue;
    }
    return {Fault::kPermissionNotFound,
            fmt::format("The specified rule '{}' does not exist in this security group.", id)};
  }
  for (const Permission& permission : request.permissions) {
    Result<SecurityGroupRule> wanted = RuleFrom(draft, group, permission);
    if (!wanted.ok()) return wanted.status();
    const auto same = [&](const SecurityGroupRule& rule) { return SamePermission(rule, *wanted); };
    if (std::erase_if(rules, same) != 0) continue;
    return {Fault::kPermissionNotFound,
            "The specified rule does not exist in this security group."};
  }
  draft.Put(std::move(group));
  return {};
}

Status Run(Draft& draft, const RunInstance& request) {
  Result<const Subnet*> subnet = SubnetFor(draft, request);
  if (!subnet.ok()) return subnet.status();
  Subnet changed = **subnet;
  const Vpc& vpc = *draft.FindVpc(changed.vpc);
  std::vector<model::SecurityGroupId> groups = request.groups;
  if (groups.empty()) groups = {FindDefaultGroup(draft, vpc.id)->id};
  EC_RETURN_IF_ERROR(CheckGroups(draft, vpc.id, groups));
  Result<Ip4> address = AddressFor(draft, request, vpc, changed);
  if (!address.ok()) return address.status();
  if (!request.address) changed.next_offset = address->bits - changed.block.First().bits - 3;
  InstanceRow instance{request.id,       changed.id,          vpc.id, *address, std::move(groups),
                       draft.now().wall, TagMap(request.tags)};
  draft.Put(std::move(changed));
  draft.Put(std::move(instance));
  return {};
}

Status Terminate(Draft& draft, const TerminateInstance& request) {
  Result<const InstanceRow*> instance = MustFindInstance(draft, request.id);
  if (!instance.ok()) return instance.status();
  draft.DropInstance(request.id);
  return {};
}

Status Modify(Draft& draft, const ModifyInstanceGroups& request) {
  Result<const InstanceRow*> found = MustFindInstance(draft, request.id);
  if (!found.ok()) return found.status();
  if (request.groups.empty()) {
    return {Fault::kMissingParameter, "The request must contain the parameter GroupId"};
  }
  InstanceRow instance = **found;
  EC_RETURN_IF_ERROR(CheckGroups(draft, instance.vpc, request.groups));
  instance.groups = request.groups;
  draft.Put(std::move(instance));
  return {};
}

}  // namespace

Status Obey(Draft& draft, const NetworkCommand& command) {
  return std::visit(
      Overloaded{
          [&](const CreateVpc& request) { return Create(draft, request); },
          [&](const DeleteVpc& request) { return Delete(draft, request); },
          [&](const CreateSubnet& request) { return Create(draft, request); },
          [&](const DeleteSubnet& request) { return Delete(draft, request); },
          [&](const CreateSecurityGroup& request) { return Create(draft, request); },
          [&](const DeleteSecurityGroup& request) { return Delete(draft, request); },
          [&](const AuthorizeSecurityGroup& request) { return Authorize(draft, request); },
          [&](const RevokeSecurityGroup& request) { return Revoke(draft, request); },
          [&](const RunInstance& request) { return Run(draft, request); },
          [&](const TerminateInstance& request) { return Terminate(draft, request); },
          [&](const ModifyInstanceGroups& request) { return Modify(draft, request); },
      },
      command);
}

}  // namespace ec::core
