// The network's part of a draft: its rows, and addresses.
#include <utility>

#include "controlplane/core/draft.h"
#include "controlplane/core/draft_rows.h"

namespace ec::core {

const model::Vpc* Draft::FindVpc(const model::VpcId& id) const {
  return rows::Find(edit_.vpcs, state_.records.vpcs, id);
}

std::vector<const model::Vpc*> Draft::Vpcs() const {
  return rows::Rows(edit_.vpcs, state_.records.vpcs);
}

void Draft::Put(model::Vpc row) {
  const model::VpcId id = row.id;
  edit_.vpcs[id] = std::move(row);
}

void Draft::DropVpc(const model::VpcId& id) { edit_.vpcs[id] = std::nullopt; }

const model::Subnet* Draft::FindSubnet(const model::SubnetId& id) const {
  return rows::Find(edit_.subnets, state_.records.subnets, id);
}

std::vector<const model::Subnet*> Draft::Subnets() const {
  return rows::Rows(edit_.subnets, state_.records.subnets);
}

void Draft::Put(model::Subnet row) {
  const model::SubnetId id = row.id;
  edit_.subnets[id] = std::move(row);
}

void Draft::DropSubnet(const model::SubnetId& id) { edit_.subnets[id] = std::nullopt; }

const model::SecurityGroupRow* Draft::FindSecurityGroup(const model::SecurityGroupId& id) const {
  return rows::Find(edit_.security_groups, state_.records.security_groups, id);
}

std::vector<const model::SecurityGroupRow*> Draft::SecurityGroups() const {
  return rows::Rows(edit_.security_groups, state_.records.security_groups);
}

void Draft::Put(model::SecurityGroupRow row) {
  const model::SecurityGroupId id = row.id;
  edit_.security_groups[id] = std::move(row);
}

void Draft::DropSecurityGroup(const model::SecurityGroupId& id) {
  edit_.security_groups[id] = std::nullopt;
}

const model::InstanceRow* Draft::FindInstance(const model::InstanceId& id) const {
  return rows::Find(edit_.instances, state_.records.instances, id);
}

std::vector<const model::InstanceRow*> Draft::Instances() const {
  return rows::Rows(edit_.instances, state_.records.instances);
}

void Draft::Put(model::InstanceRow row) {
  const model::InstanceId id = row.id;
  edit_.instances[id] = std::move(row);
}

void Draft::DropInstance(const model::InstanceId& id) { edit_.instances[id] = std::nullopt; }

const model::ParameterGroup* Draft::FindParameterGroup(
    const model::ParameterGroupName& name) const {
  return rows::Find(edit_.parameter_groups, state_.records.parameter_groups, name);
}

std::vector<const model::ParameterGroup*> Draft::ParameterGroups() const {
  return rows::Rows(edit_.parameter_groups, state_.records.parameter_groups);
}

void Draft::Put(model::ParameterGroup row) {
  const model::ParameterGroupName name = row.name;
  edit_.parameter_groups[name] = std::move(row);
}

void Draft::DropParameterGroup(const model::ParameterGroupName& name) {
  edit_.parameter_groups[name] = std::nullopt;
}

const model::CacheSubnetGroup* Draft::FindSubnetGroup(const model::SubnetGroupName& name) const {
  return rows::Find(edit_.subnet_groups, state_.records.subnet_groups, name);
}

std::vector<const model::CacheSubnetGroup*> Draft::SubnetGroups() const {
  return rows::Rows(edit_.subnet_groups, state_.records.subnet_groups);
}

void Draft::Put(model::CacheSubnetGroup row) {
  const model::SubnetGroupName name = row.name;
  edit_.subnet_groups[name] = std::move(row);
}

void Draft::DropSubnetGroup(const model::SubnetGroupName& name) {
  edit_.subnet_groups[name] = std::nullopt;
}

bool Draft::IsInUse(Ip4 ip) const {
  return state_.addresses.contains(ip) || addresses_.contains(ip);
}

std::optional<Ip4> Draft::FindAddress(const model::Subnet& subnet,
                                      const std::set<Ip4>& but_not) const {
  const Cidr block = model::InSlice(*FindVpc(subnet.vpc), subnet.block);
  const uint32_t size = block.Last().bits - block.First().bits + 1;
  if (size <= model::kSubnetAddressesReserved) return std::nullopt;
  const uint32_t usable = size - model::kSubnetAddressesReserved;
  for (uint32_t tried = 0; tried < usable; ++tried) {
    const uint32_t offset = (subnet.next_offset + tried) % usable;
    const Ip4 ip{block.First().bits + model::kSubnetAddressesReservedFirst + offset};
    if (!IsInUse(ip) && !but_not.contains(ip)) return ip;
  }
  return std::nullopt;
}

void Draft::UseAddress(const model::SubnetId& id, Ip4 ip) {
  EC_CHECK(!IsInUse(ip));
  addresses_.insert(ip);
  model::Subnet subnet = *FindSubnet(id);
  const Cidr block = model::InSlice(*FindVpc(subnet.vpc), subnet.block);
  EC_CHECK(block.Contains(ip));
  subnet.next_offset = ip.bits - block.First().bits - model::kSubnetAddressesReservedFirst + 1;
  Put(std::move(subnet));
}

void Draft::FinishNetwork() {
  const auto finish = [&](auto& changes, const auto& present) {
    rows::KeepRevisions(changes, present);  // a row may have been dropped and made anew
    rows::DropUnchanged(changes, present, {});
    rows::Stamp(changes, edit_.revision);
  };
  finish(edit_.vpcs, state_.records.vpcs);
  finish(edit_.subnets, state_.records.subnets);
  finish(edit_.security_groups, state_.records.security_groups);
  finish(edit_.instances, state_.records.instances);
  finish(edit_.subnet_groups, state_.records.subnet_groups);
  finish(edit_.parameter_groups, state_.records.parameter_groups);
}

}  // namespace ec::core
