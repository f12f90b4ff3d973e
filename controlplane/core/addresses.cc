#include "controlplane/core/addresses.h"

#include <algorithm>
#include <vector>

#include "common/check.h"

namespace ec::core {
namespace {

std::vector<const model::Subnet*> SubnetsOf(const Draft& draft, const model::Cluster& cluster) {
  std::vector<const model::Subnet*> subnets;
  const model::CacheSubnetGroup* group = draft.FindSubnetGroup(cluster.subnet_group);
  if (group == nullptr) return subnets;
  for (const model::SubnetId& id : group->subnets) subnets.push_back(draft.FindSubnet(id));
  return subnets;
}

}  // namespace

std::set<std::string> ZonesOf(const Draft& draft, const model::Cluster& cluster) {
  std::set<std::string> zones;
  for (const model::Subnet* subnet : SubnetsOf(draft, cluster)) zones.insert(subnet->zone);
  return zones;
}

std::optional<Ip4> FindAddress(const Draft& draft, const model::Cluster& cluster,
                               const std::string& zone, const std::set<Ip4>& but_not) {
  for (const model::Subnet* subnet : SubnetsOf(draft, cluster)) {
    if (subnet->zone != zone) continue;
    if (const auto ip = draft.FindAddress(*subnet, but_not)) return ip;
  }
  return std::nullopt;
}

void UseAddress(Draft& draft, const model::Cluster& cluster, Ip4 ip) {
  for (const model::Subnet* subnet : SubnetsOf(draft, cluster)) {
    if (!model::InSlice(*draft.FindVpc(subnet->vpc), subnet->block).Contains(ip)) continue;
    draft.UseAddress(model::SubnetId(subnet->id), ip);
    return;
  }
  EC_CHECK(false);  // the address is of none of the cluster's subnets
}

bool LivesIn(const Draft& draft, const model::Cluster& cluster, const model::Subnet& subnet) {
  if (cluster.vpc != subnet.vpc) return false;
  const Cidr block = model::InSlice(*draft.FindVpc(subnet.vpc), subnet.block);
  if (cluster.configuration && block.Contains(cluster.configuration->address.ip)) return true;
  if (const model::Group* group = draft.FindGroup(cluster.group)) {
    if (block.Contains(group->primary.address.ip)) return true;
    if (block.Contains(group->reader.address.ip)) return true;
  }
  return std::ranges::any_of(cluster.members, [&](MemberId id) {
    return block.Contains(draft.FindMember(id)->address.ip);
  });
}

}  // namespace ec::core
