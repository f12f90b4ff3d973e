#include "controlplane/core/default_network.h"

#include <algorithm>

#include "common/check.h"

namespace ec::core {
namespace {

using model::SecurityGroupRow;
using model::Subnet;
using model::Vpc;

const Cidr kDefaultBlock{{0xac1f0000u}, 16};  // [AWS]: 172.31.0.0/16

// The same for this installation whenever it is asked for, and another one elsewhere.
std::string Id(const Draft& draft, const char* prefix, const std::string& what) {
  return model::Ec2Id(prefix, ToString(draft.installation().vpc) + " default " + what);
}

}  // namespace

const Vpc* FindDefaultVpc(const Draft& draft) {
  for (const Vpc* vpc : draft.Vpcs()) {
    if (vpc->is_default) return vpc;
  }
  return nullptr;
}

const SecurityGroupRow* FindDefaultGroup(const Draft& draft, const model::VpcId& vpc) {
  for (const SecurityGroupRow* group : draft.SecurityGroups()) {
    if (group->vpc == vpc && group->name == model::kDefaultGroupName) return group;
  }
  return nullptr;
}

void EnsureDefaultVpc(Draft& draft) {
  if (FindDefaultVpc(draft) != nullptr) return;
  Vpc vpc;
  vpc.id = Id(draft, "vpc", "");
  vpc.block = kDefaultBlock;
  vpc.slice = draft.installation().vpc;
  vpc.is_default = true;
  SecurityGroupRow group;
  group.id = Id(draft, "sg", "");
  group.name = model::kDefaultGroupName;
  group.description = "default VPC security group";
  group.vpc = vpc.id;
  // [AWS]: members of the group may talk to each other, and to everybody outside.
  group.ingress.push_back({Id(draft, "sgr", "ingress"), "-1", -1, -1, std::nullopt, group.id, {}});
  group.egress.push_back({Id(draft, "sgr", "egress"), "-1", -1, -1, Cidr{{0}, 0}, {}, {}});
  // Clusters that are older than VPCs were here.
  for (const model::ClusterId& id : draft.Clusters()) {
    if (!draft.FindCluster(id)->vpc.empty()) continue;
    model::Cluster& cluster = draft.EditCluster(id);
    cluster.vpc = vpc.id;
    cluster.security_groups = {group.id};  // theirs were never looked at
  }
  draft.Put(std::move(vpc));
  draft.Put(std::move(group));
}

void EnsureDefaultSubnet(Draft& draft, const model::Zone& zone) {
  const Vpc* const vpc = FindDefaultVpc(draft);
  EC_CHECK(vpc != nullptr);
  const bool there = std::ranges::any_of(draft.Subnets(), [&](const Subnet* subnet) {
    return subnet->is_default && subnet->zone == zone.name;
  });
  if (there) return;
  Subnet subnet;
  subnet.id = Id(draft, "subnet", zone.name);
  subnet.vpc = vpc->id;
  subnet.zone = zone.name;
  // The same as the zone's part of the slice.
  subnet.block = {{vpc->block.network.bits | (zone.subnet.network.bits & 0xffffu)},
                  zone.subnet.prefix};
  subnet.is_default = true;
  model::CacheSubnetGroup group;
  group.name = model::kDefaultSubnetGroup;
  group.description = "Default CacheSubnetGroup";
  group.vpc = vpc->id;
  if (const auto* present = draft.FindSubnetGroup(group.name)) group = *present;
  group.subnets.push_back(subnet.id);
  draft.Put(std::move(subnet));
  draft.Put(std::move(group));
}

void EnsureLocalhost(Draft& draft, bool with_localhost) {
  const bool there = draft.FindInstance(model::kLocalhostInstance) != nullptr;
  if (there == with_localhost) return;
  if (!with_localhost) {
    draft.DropInstance(model::kLocalhostInstance);
    return;
  }
  const Vpc* const vpc = FindDefaultVpc(draft);
  EC_CHECK(vpc != nullptr);
  model::InstanceRow localhost;
  localhost.id = model::kLocalhostInstance;
  localhost.vpc = vpc->id;
  // The VPC's router in AWS: an address that no subnet gives out.
  localhost.address = {vpc->block.network.bits + 1};
  localhost.groups = {FindDefaultGroup(draft, vpc->id)->id};
  localhost.launched = draft.now().wall;
  draft.Put(std::move(localhost));
}

void ResetNetwork(Draft& draft) {
  const bool with_localhost = draft.FindInstance(model::kLocalhostInstance) != nullptr;
  std::map<model::SubnetId, uint32_t> offsets;
  for (const Subnet* subnet : draft.Subnets()) offsets[subnet->id] = subnet->next_offset;
  const auto drop = [&](const auto& rows, auto drop_one) {
    for (const auto* row : rows) drop_one(*row);
  };
  drop(draft.Instances(), [&](const auto& row) { draft.DropInstance(std::string(row.id)); });
  drop(draft.SubnetGroups(),
       [&](const auto& row) { draft.DropSubnetGroup(std::string(row.name)); });
  drop(draft.SecurityGroups(),
       [&](const auto& row) { draft.DropSecurityGroup(std::string(row.id)); });
  drop(draft.Subnets(), [&](const auto& row) { draft.DropSubnet(std::string(row.id)); });
  drop(draft.Vpcs(), [&](const auto& row) { draft.DropVpc(std::string(row.id)); });
  EnsureDefaultVpc(draft);
  for (const model::Zone* zone : draft.Zones()) EnsureDefaultSubnet(draft, *zone);
  for (const Subnet* subnet : draft.Subnets()) {  // an address rests, whatever happens
    Subnet kept = *subnet;
    kept.next_offset = offsets[kept.id];
    draft.Put(std::move(kept));
  }
  EnsureLocalhost(draft, with_localhost);
}

}  // namespace ec::core
