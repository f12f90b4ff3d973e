// Security groups and their rules.
#include <fmt/format.h>

#include <algorithm>

#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert_network.h"
#include "controlplane/server/filters.h"
#include "controlplane/server/network.h"
#include "controlplane/server/network_rows.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

using model::Records;
using model::SecurityGroupRow;
using model::SecurityGroupRule;

Status NotFound(const std::string& id) {
  return {Fault::kSecurityGroupNotFound, fmt::format("The security group '{}' does not exist", id)};
}

// A group of the default VPC; only those go by name.
Result<const SecurityGroupRow*> FindByName(const Records& records, const std::string& name) {
  std::string vpc;
  for (const auto& [id, row] : records.vpcs) {
    if (row.is_default) vpc = id;
  }
  for (const auto& [id, group] : records.security_groups) {
    if (group.vpc == vpc && group.name == name) return &group;
  }
  return Status(
      Fault::kSecurityGroupNotFound,
      fmt::format("The security group '{}' does not exist in default VPC '{}'", name, vpc));
}

Attributes AttributesOf(const Records& records, const SecurityGroupRow& group) {
  Attributes attributes = {{"group-id", group.id},
                           {"group-name", group.name},
                           {"vpc-id", group.vpc},
                           {"description", group.description},
                           {"owner-id", records.installation.account}};
  AddTagAttributes(group.tags, &attributes);
  return attributes;
}

// A group's id, by its id or its name.
Result<std::string> GroupIdOf(ControllerLoop& loop, const std::string& id,
                              const std::string& name) {
  if (id.empty() == name.empty()) {
    return Status(Fault::kMissingParameter,
                  "The request must contain exactly one of the parameters GroupId and GroupName");
  }
  if (!id.empty()) return id;
  return loop.Read([&](const model::State& state) -> Result<std::string> {
    Result<const SecurityGroupRow*> group = FindByName(state.records, name);
    if (!group.ok()) return group.status();
    return (*group)->id;
  });
}

template <typename Request>
std::string GroupNameIn(const Request& request) {
  if constexpr (requires { request.group_name(); }) return request.group_name();
  return {};
}

// What is asked for in short joins what is asked for at length; groups get their ids.
template <typename Request>
Result<std::vector<core::Permission>> PermissionsIn(ControllerLoop& loop, const Request& request) {
  auto permissions = request.ip_permissions();
  if (request.has_ip_protocol() || request.has_cidr_ip() ||
      request.has_source_security_group_name()) {
    v1::IpPermission* one = permissions.Add();
    one->set_ip_protocol(request.has_ip_protocol() ? request.ip_protocol() : "-1");
    if (request.has_from_port()) one->set_from_port(request.from_port());
    if (request.has_to_port()) one->set_to_port(request.to_port());
    if (request.has_cidr_ip()) one->add_ip_ranges()->set_cidr_ip(request.cidr_ip());
    if (request.has_source_security_group_name()) {
      one->add_user_id_group_pairs()->set_group_name(request.source_security_group_name());
    }
  }
  for (v1::IpPermission& permission : permissions) {
    for (v1::UserIdGroupPair& pair : *permission.mutable_user_id_group_pairs()) {
      if (pair.has_group_id()) continue;
      Result<std::string> id = GroupIdOf(loop, {}, pair.group_name());
      if (!id.ok()) return id.status();
      pair.set_group_id(*id);
    }
  }
  return ToPermissions(permissions);
}

template <typename Request, typename Response>
Status Authorize(ControllerLoop& loop, const Request& request, bool egress, Response* response) {
  Result<std::string> id = GroupIdOf(loop, request.group_id(), GroupNameIn(request));
  if (!id.ok()) return id.status();
  Result<std::vector<core::Permission>> permissions = PermissionsIn(loop, request);
  if (!permissions.ok()) return permissions.status();
  Result<core::NetworkTags> tags =
      AddSpecifiedTags(request.tag_specifications(), "security-group-rule", {});
  if (!tags.ok()) return tags.status();
  core::AuthorizeSecurityGroup command{*id, egress, *permissions, *tags};
  std::vector<std::string> ids;
  for (const core::Permission& permission : command.permissions) ids.push_back(permission.rule);
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    const SecurityGroupRow& group = state.records.security_groups.at(*id);
    for (const SecurityGroupRule& rule : egress ? group.egress : group.ingress) {
      if (std::ranges::find(ids, rule.id) == ids.end()) continue;
      ToProto(state.records, group, rule, egress, response->add_security_group_rules());
    }
    response->set_return_(true);
  });
}

template <typename Request, typename Response>
Status Revoke(ControllerLoop& loop, const Request& request, bool egress, Response* response) {
  Result<std::string> id = GroupIdOf(loop, request.group_id(), GroupNameIn(request));
  if (!id.ok()) return id.status();
  Result<std::vector<core::Permission>> permissions = PermissionsIn(loop, request);
  if (!permissions.ok()) return permissions.status();
  if (permissions->empty() && request.security_group_rule_ids().empty()) {
    return {Fault::kMissingParameter, "The request must contain the parameter IpPermissions"};
  }
  core::RevokeSecurityGroup command{*id, egress, ToVector(request.security_group_rule_ids()),
                                    *permissions};
  return loop.Submit(core::Command(std::move(command)),
                     [&](const model::State&) { response->set_return_(true); });
}

// Calls `visit` with each rule of each group.
template <typename Visit>
void ForEachRule(const Records& records, Visit visit) {
  for (const auto& [id, group] : records.security_groups) {
    for (const SecurityGroupRule& rule : group.ingress) visit(group, rule, false);
    for (const SecurityGroupRule& rule : group.egress) visit(group, rule, true);
  }
}

}  // namespace

Status CreateSecurityGroup(ControllerLoop& loop, const v1::CreateSecurityGroupRequest& request,
                           v1::CreateSecurityGroupResponse* response) {
  Result<core::NetworkTags> tags = TagsFor(request, "security-group");
  if (!tags.ok()) return tags.status();
  core::CreateSecurityGroup command{NewEc2Id("sg"), request.group_name(), request.description(),
                                    EC_OPTIONAL(request, vpc_id), *tags};
  const std::string id = command.id;
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    const SecurityGroupRow& group = state.records.security_groups.at(id);
    response->set_group_id(id);
    SetTags(group.tags, response->mutable_tags());
    response->set_security_group_arn(Ec2Arn(state.records, "security-group", id));
  });
}

Status DescribeSecurityGroups(ControllerLoop& loop,
                              const v1::DescribeSecurityGroupsRequest& request,
                              v1::DescribeSecurityGroupsResponse* response) {
  EC_RETURN_IF_ERROR(CheckFilters(request.filters(),
                                  {"group-id", "group-name", "vpc-id", "description", "owner-id"}));
  return loop.Read([&](const model::State& state) -> Status {
    std::vector<std::string> ids = ToVector(request.group_ids());
    for (const std::string& name : request.group_names()) {
      Result<const SecurityGroupRow*> group = FindByName(state.records, name);
      if (!group.ok()) return group.status();
      ids.push_back((*group)->id);
    }
    const auto rows = FindRows(state.records.security_groups, ids, NotFound);
    if (!rows.ok()) return rows.status();
    for (const SecurityGroupRow* group : *rows) {
      if (!Matches(request.filters(), AttributesOf(state.records, *group))) continue;
      ToProto(state.records, *group, response->add_security_groups());
    }
    return {};
  });
}

Status DescribeSecurityGroupRules(ControllerLoop& loop,
                                  const v1::DescribeSecurityGroupRulesRequest& request,
                                  v1::DescribeSecurityGroupRulesResponse* response) {
  EC_RETURN_IF_ERROR(CheckFilters(request.filters(), {"group-id", "security-group-rule-id"}));
  return loop.Read([&](const model::State& state) -> Status {
    std::set<std::string> unseen(request.security_group_rule_ids().begin(),
                                 request.security_group_rule_ids().end());
    const bool all = unseen.empty();
    ForEachRule(state.records, [&](const auto& group, const auto& rule, bool egress) {
      if (!all && unseen.erase(rule.id) == 0) return;
      Attributes attributes = {{"group-id", group.id}, {"security-group-rule-id", rule.id}};
      AddTagAttributes(rule.tags, &attributes);
      if (!Matches(request.filters(), attributes)) return;
      ToProto(state.records, group, rule, egress, response->add_security_group_rules());
    });
    if (unseen.empty()) return {};
    return {Fault::kSecurityGroupRuleNotFound,
            fmt::format("The security group rule ID '{}' does not exist", *unseen.begin())};
  });
}

Status DeleteSecurityGroup(ControllerLoop& loop, const v1::DeleteSecurityGroupRequest& request,
                           v1::DeleteSecurityGroupResponse* response) {
  Result<std::string> id = GroupIdOf(loop, request.group_id(), request.group_name());
  if (!id.ok()) return id.status();
  response->set_group_id(*id);
  return loop.Submit(core::Command(core::NetworkCommand(core::DeleteSecurityGroup{*id})),
                     [&](const model::State&) { response->set_return_(true); });
}

Status AuthorizeSecurityGroupIngress(ControllerLoop& loop,
                                     const v1::AuthorizeSecurityGroupIngressRequest& request,
                                     v1::AuthorizeSecurityGroupIngressResponse* response) {
  return Authorize(loop, request, false, response);
}

Status RevokeSecurityGroupIngress(ControllerLoop& loop,
                                  const v1::RevokeSecurityGroupIngressRequest& request,
                                  v1::RevokeSecurityGroupIngressResponse* response) {
  return Revoke(loop, request, false, response);
}

Status AuthorizeSecurityGroupEgress(ControllerLoop& loop,
                                    const v1::AuthorizeSecurityGroupEgressRequest& request,
                                    v1::AuthorizeSecurityGroupEgressResponse* response) {
  return Authorize(loop, request, true, response);
}

Status RevokeSecurityGroupEgress(ControllerLoop& loop,
                                 const v1::RevokeSecurityGroupEgressRequest& request,
                                 v1::RevokeSecurityGroupEgressResponse* response) {
  return Revoke(loop, request, true, response);
}

}  // namespace ec::server
