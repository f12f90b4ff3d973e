// Security groups and their rules.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controlplane/core/default_network.h"
#include "controlplane/core/network_resources.h"
#include "controlplane/core/validate.h"

namespace ec::core {
namespace {

using model::InstanceRow;
using model::SecurityGroupRow;
using model::SecurityGroupRule;
using model::Vpc;

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
  if (permission.elsewhere) {
    return Malformed("IPv6 ranges and prefix lists are not emulated: no client comes from there.");
  }
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

}  // namespace

Status Obey(Draft& draft, const CreateSecurityGroup& request) {
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
  Result<std::map<std::string, std::string>> tags = CheckTags(request.tags);
  if (!tags.ok()) return tags.status();
  SecurityGroupRow group{request.id, request.name, request.description, (*vpc)->id};
  group.egress.push_back(EverythingOutwards(model::Ec2Id("sgr", group.id + " egress")));
  group.tags = *tags;
  draft.Put(std::move(group));
  return {};
}

Status Obey(Draft& draft, const DeleteSecurityGroup& request) {
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

Status Obey(Draft& draft, const AuthorizeSecurityGroup& request) {
  Result<const SecurityGroupRow*> found = MustFindGroup(draft, request.id);
  if (!found.ok()) return found.status();
  SecurityGroupRow group = **found;
  std::vector<SecurityGroupRule>& rules = request.egress ? group.egress : group.ingress;
  if (request.permissions.empty()) {
    return {Fault::kMissingParameter, "The request must contain the parameter IpPermissions"};
  }
  Result<std::map<std::string, std::string>> tags = CheckTags(request.tags);
  if (!tags.ok()) return tags.status();
  for (const Permission& permission : request.permissions) {
    Result<SecurityGroupRule> rule = RuleFrom(draft, group, permission);
    if (!rule.ok()) return rule.status();
    rule->tags = *tags;
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

Status Obey(Draft& draft, const RevokeSecurityGroup& request) {
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
    if (permission.elsewhere) {
      return {Fault::kPermissionNotFound,
              "The specified rule does not exist in this security group."};
    }
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

}  // namespace ec::core
