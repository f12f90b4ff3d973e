#include "controlplane/core/plans.h"

#include <algorithm>

#include "common/check.h"
#include "controlplane/model/parameters.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::Member;
using model::MemberStatus;

std::vector<const Member*> ListedMembers(const model::State& state, const Cluster& cluster) {
  std::vector<const Member*> listed;
  for (const MemberId id : cluster.members) {
    const Member& member = state.records.members.at(id);
    if (member.listed) listed.push_back(&member);
  }
  std::ranges::sort(listed, {}, [](const Member* member) { return member->node_id; });
  return listed;
}

std::optional<Discovery> DiscoveryOf(const model::State& state, const Cluster& cluster) {
  if (cluster.engine != EngineKind::kMemcached) return std::nullopt;
  Discovery discovery;
  discovery.version = cluster.discovery_version;
  for (const Member* member : ListedMembers(state, cluster)) {
    discovery.nodes.push_back({ToString(member->address.ip), member->address});
  }
  return discovery;
}

MemberSpec SpecOf(const model::State& state, const Cluster& cluster, const Member& member) {
  const model::NodeType& type = state.records.node_types.at(cluster.node_type);
  MemberSpec spec;
  spec.id = member.id;
  spec.engine = cluster.engine;
  spec.generation = member.generation;
  spec.label = cluster.id + "/" + member.node_id;
  spec.parameters = model::DefaultParameters(cluster.family);
  spec.memory_max_bytes = model::MemoryMaxBytes(type, cluster.engine, spec.parameters);
  spec.threads = type.vcpu;
  return spec;
}

// The first node of the cluster on the endpoint's host that is not about to leave.
MemberId TargetOf(const model::State& state, const Cluster& cluster) {
  const Member* best = nullptr;
  for (const MemberId id : cluster.members) {
    const Member& member = state.records.members.at(id);
    if (member.host != cluster.configuration->host) continue;
    if (member.status == MemberStatus::kDeleting) continue;
    if (best == nullptr || member.node_id < best->node_id) best = &member;
  }
  return best == nullptr ? 0 : best->id;
}

void AddMember(const model::State& state, const Member& member, PlanUpdate* update) {
  if (member.status == MemberStatus::kDeleting) {
    update->gone_members.push_back(member.id);
    update->gone_endpoints.push_back(member.id);
    return;
  }
  const Cluster& cluster = state.records.clusters.at(member.cluster);
  update->members.push_back(SpecOf(state, cluster, member));
  update->endpoints.push_back({member.id, member.address, member.id, DiscoveryOf(state, cluster)});
}

}  // namespace

PlanUpdate PlanSince(const model::State& state, const HostId& host, uint64_t base) {
  PlanUpdate update;
  update.revision = state.records.revision;
  update.base = base;
  if (base < state.gone_since || base > state.records.revision) update.base = 0;
  const auto found = state.hosts.find(host);
  if (found == state.hosts.end()) return update;
  const model::HostIndex& index = found->second;
  for (auto it = index.members.lower_bound({update.base + 1, 0}); it != index.members.end(); ++it) {
    AddMember(state, state.records.members.at(it->second), &update);
  }
  for (auto it = index.configurations.lower_bound({update.base + 1, ""});
       it != index.configurations.end(); ++it) {
    const Cluster& cluster = state.records.clusters.at(it->second);
    update.endpoints.push_back({cluster.configuration->id, cluster.configuration->address,
                                TargetOf(state, cluster), DiscoveryOf(state, cluster)});
  }
  if (update.base == 0) {  // what is not in it is gone
    update.gone_members.clear();
    update.gone_endpoints.clear();
    return update;
  }
  for (const model::Gone& gone : index.gone) {
    if (gone.revision <= update.base) continue;
    if (!gone.endpoint) update.gone_members.push_back(gone.id);
    update.gone_endpoints.push_back(gone.id);
  }
  return update;
}

std::set<HostId> HostsTouched(const model::State& state, const model::Edit& edit) {
  std::set<HostId> hosts;
  for (const auto& [id, change] : edit.members) {
    if (change) hosts.insert(change->host);
    const auto old = state.records.members.find(id);
    if (old != state.records.members.end()) hosts.insert(old->second.host);
  }
  for (const auto& [id, change] : edit.clusters) {
    if (change && change->configuration) hosts.insert(change->configuration->host);
    const auto old = state.records.clusters.find(id);
    if (old != state.records.clusters.end() && old->second.configuration) {
      hosts.insert(old->second.configuration->host);
    }
  }
  return hosts;
}

}  // namespace ec::core
