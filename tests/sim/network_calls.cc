#include "tests/sim/network_calls.h"

#include <fmt/format.h>

namespace ec::sim {

std::string NetworkCalls::NewId(const std::string& prefix) {
  return fmt::format("{}-{:04}", prefix, next_++);
}

template <typename Row>
std::optional<std::string> NetworkCalls::SomeId(const std::map<std::string, Row>& rows) {
  if (rows.empty()) return std::nullopt;
  auto it = rows.begin();
  std::advance(it, dice_.Between(0, static_cast<int64_t>(rows.size()) - 1));
  return it->first;
}

core::Permission NetworkCalls::SomePermission() {
  core::Permission permission;
  permission.rule = NewId("sgr");
  permission.protocol = dice_.Chance(80) ? "tcp" : "-1";
  if (permission.protocol == "tcp" && dice_.Chance(70)) {
    const bool right = dice_.Chance(70);
    permission.from_port = right ? 6379 : 1;
    permission.to_port = right ? 11211 : 1000;
  }
  const auto group = SomeId(world_.records().security_groups);
  if (group && dice_.Chance(40)) {
    permission.group = *group;
  } else {
    permission.block = dice_.Chance(40)   ? "0.0.0.0/0"
                       : dice_.Chance(50) ? "10.0.0.0/16"
                                          : "172.31.0.0/20";
  }
  return permission;
}

core::NetworkCommand NetworkCalls::Create() {
  const model::Records& records = world_.records();
  const auto vpc = SomeId(records.vpcs);
  switch (dice_.Between(1, 6)) {
    case 1:
      // All have the same block: a private address says nothing about whose it is.
      return core::CreateVpc{NewId("vpc"), NewId("sg"), "10.0.0.0/16", {}};
    case 2:
      return core::CreateSubnet{
          NewId("subnet"),
          vpc.value_or("vpc-none"),
          fmt::format("10.0.{}.0/24", dice_.Between(0, 9)),
          fmt::format("us-east-1{}", static_cast<char>('a' + dice_.Between(0, 2))),
          {}};
    case 3:
      return core::CreateSecurityGroup{NewId("sg"), NewId("group"), "simulated", vpc, {}};
    default:
      core::RunInstance run;
      run.id = NewId("i");
      if (dice_.Chance(70)) run.subnet = SomeId(records.subnets);
      return run;
  }
}

core::NetworkCommand NetworkCalls::Remove() {
  const model::Records& records = world_.records();
  switch (dice_.Between(1, 5)) {
    case 1:
      return core::DeleteVpc{SomeId(records.vpcs).value_or("vpc-none")};
    case 2:
      return core::DeleteSubnet{SomeId(records.subnets).value_or("subnet-none")};
    case 3:
      return core::DeleteSecurityGroup{SomeId(records.security_groups).value_or("sg-none")};
    default:
      return core::TerminateInstance{SomeId(records.instances).value_or("i-none")};
  }
}

core::NetworkCommand NetworkCalls::ChangeRules() {
  const model::Records& records = world_.records();
  const std::string group = SomeId(records.security_groups).value_or("sg-none");
  const auto found = records.security_groups.find(group);
  if (dice_.Chance(40) && found != records.security_groups.end() &&
      !found->second.ingress.empty()) {
    return core::RevokeSecurityGroup{group, false, {found->second.ingress.front().id}, {}};
  }
  return core::AuthorizeSecurityGroup{group, false, {SomePermission()}};
}

core::Command NetworkCalls::Some() {
  const model::Records& records = world_.records();
  switch (dice_.Between(1, 10)) {
    case 1:
    case 2:
    case 3:
    case 4:
      return Create();
    case 5:
      return Remove();
    case 6:
      if (const auto instance = SomeId(records.instances)) {
        const model::VpcId& vpc = records.instances.at(*instance).vpc;
        return core::NetworkCommand(core::ModifyInstanceGroups{*instance, SomeGroups(vpc)});
      }
      return Create();
    case 7:
      return core::CreateSubnetGroup{
          NewId("subnets"), "simulated", {SomeId(records.subnets).value_or("subnet-none")}, {}};
    default:
      return ChangeRules();
  }
}

void NetworkCalls::Place(core::CreateCluster* request) {
  const auto group = SomeId(world_.records().subnet_groups);
  if (!group || dice_.Chance(50)) return;
  request->subnet_group = *group;
  if (dice_.Chance(50)) {
    request->security_groups = SomeGroups(world_.records().subnet_groups.at(*group).vpc);
  }
}

std::vector<std::string> NetworkCalls::SomeGroups(const model::VpcId& vpc) {
  std::vector<std::string> groups;
  for (const auto& [id, group] : world_.records().security_groups) {
    const bool fits = group.vpc == vpc || dice_.OneIn(20);
    if (fits && groups.size() < 3 && dice_.Chance(60)) groups.push_back(id);
  }
  return groups;
}

}  // namespace ec::sim
