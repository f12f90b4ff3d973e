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

Attributes AttributesOf(const SecurityGroupRow& group) {
  Attributes attributes = {{"group-id", group.id},
                           {"group-name", group.name},
                           {"vpc-id", group.vpc},
                           {"description", group.description}};
  AddTagAttributes(group.tags, &attributes);
  return attributes;
}

template <typename Request, typename Response>
Status Authorize(ControllerLoop& loop, const Request& request, bool egress, Response* response) {
  core::AuthorizeSecurityGroup command{request.group_id(), egress,
                                       ToPermissions(request.ip_permissions())};
  std::vector<std::string> ids;
  for (const core::Permission& permission : command.permissions) ids.push_back(permission.rule);
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    const SecurityGroupRow& group = state.records.security_groups.at(request.group_id());
    for (const SecurityGroupRule& rule : egress ? group.egress : group.ingress) {
      if (std::ranges::find(ids, rule.id) == ids.end()) continue;
      ToProto(state.records, group, rule, egress, response->add_security_group_rules());
    }
    response->set_return_(true);
  });
}

template <typename Request, typename Response>
Status Revoke(ControllerLoop& loop, const Request& request, bool egress, Response* response) {
  if (request.ip_permissions().empty() && request.security_group_rule_ids().empty()) {
    return {Fault::kMissingParameter, "The request must contain the parameter IpPermissions"};
  }
  core::RevokeSecurityGroup command{request.group_id(), egress,
                                    ToVector(request.security_group_rule_ids()),
                                    ToPermissions(request.ip_permissions())};
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
  core::CreateSecurityGroup command{NewEc2Id("sg"), request.group_name(), request.description(),
                                    EC_OPTIONAL(request, vpc_id), ToTags(request.tags())};
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
  EC_RETURN_IF_ERROR(
      CheckFilters(request.filters(), {"group-id", "group-name", "vpc-id", "description"}));
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
      if (!Matches(request.filters(), AttributesOf(*group))) continue;
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
      const Attributes attributes = {{"group-id", group.id}, {"security-group-rule-id", rule.id}};
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
  std::string id = request.group_id();
  if (id.empty() == request.group_name().empty()) {
    return {Fault::kMissingParameter,
            "The request must contain exactly one of the parameters GroupId and GroupName"};
  }
  if (id.empty()) {
    const Status found = loop.Read([&](const model::State& state) -> Status {
      Result<const SecurityGroupRow*> group = FindByName(state.records, request.group_name());
      if (group.ok()) id = (*group)->id;
      return group.status();
    });
    EC_RETURN_IF_ERROR(found);
  }
  response->set_group_id(id);
  return loop.Submit(core::Command(core::NetworkCommand(core::DeleteSecurityGroup{id})),
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
