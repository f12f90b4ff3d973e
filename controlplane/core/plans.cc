#include "controlplane/core/plans.h"

#include <algorithm>

#include "common/check.h"
#include "controlplane/model/access.h"
#include "controlplane/model/faults.h"
#include "controlplane/model/parameters.h"
#include "controlplane/model/users.h"

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
    discovery.nodes.push_back({ToString(member->address.ip), member->address, member->id});
  }
  return discovery;
}

// What the member is to be in its group.
ReplicationSpec ReplicationOf(const model::State& state, const model::Group& group,
                              const Member& member) {
  const auto address_of = [&](MemberId id) { return state.records.members.at(id).address; };
  const bool is_leader = member.id == group.leader;
  const bool demoting = group.step == model::SwitchStep::kDemoting;
  ReplicationSpec spec;
  spec.epoch = group.epoch;
  spec.leads = is_leader && !demoting;
  if (!spec.leads) {
    // While the leader steps down it follows its successor, and so do the others already; the
    // successor itself goes on following it, and so stays read-only.
    const bool follows_successor = demoting && member.id != group.successor;
    spec.leader = address_of(follows_successor ? group.successor : group.leader);
    return spec;
  }
  spec.proof = group.proof;
  spec.paused = group.step == model::SwitchStep::kPausing;
  for (const model::ClusterId& cluster : group.members) {
    for (const MemberId id : state.records.clusters.at(cluster).members) {
      const Member& other = state.records.members.at(id);
      if (id == member.id || other.status == MemberStatus::kDeleting) continue;
      spec.followers.push_back(other.address);
    }
  }
  return spec;
}

const model::Group* GroupOf(const model::State& state, const Cluster& cluster) {
  return cluster.group.empty() ? nullptr : &state.records.groups.at(cluster.group);
}

// The addresses by which clients call the cluster's node, wherever they are. This machine's own are
// for those that come through a forwarded port.
std::vector<std::string> NamesOf(const model::State& state, const Cluster& cluster,
                                 const Member& member) {
  const model::Records& records = state.records;
  std::vector<Ip4> addresses = {member.address.ip};
  if (const model::Group* group = GroupOf(state, cluster)) {
    addresses.push_back(group->primary.address.ip);
    addresses.push_back(group->reader.address.ip);
  }
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  const auto vpc = records.vpcs.find(cluster.vpc);
  for (const Ip4 address : addresses) {
    add(ToString(address));
    if (vpc == records.vpcs.end()) continue;
    const auto inside = VpcBlocks{vpc->second.block, vpc->second.slice}.InBlock(address);
    if (inside) add(ToString(*inside));
  }
  if (records.installation.outside) add(records.installation.outside->host);
  add("127.0.0.1");
  add("localhost");
  return names;
}

// A follower that is created waits for its leader, so that its first attempt to follow succeeds.
bool WaitsForLeader(const model::State& state, const Cluster& cluster, const Member& member) {
  const model::Group* group = GroupOf(state, cluster);
  if (group == nullptr || group->leader == member.id) return false;
  if (member.status != MemberStatus::kCreating) return false;
  return state.records.members.at(group->leader).status == MemberStatus::kCreating;
}

MemberSpec SpecOf(const model::State& state, const Cluster& cluster, const Member& member) {
  const model::NodeType& type = state.records.node_types.at(cluster.node_type);
  MemberSpec spec;
  spec.id = member.id;
  spec.engine = cluster.engine;
  spec.generation = member.generation;
  spec.label = cluster.id + "/" + member.node_id;
  const auto group = state.records.parameter_groups.find(cluster.parameter_group);
  spec.parameters = group == state.records.parameter_groups.end()
                        ? model::DefaultParameters(cluster.family)
                        : model::WithValues(cluster.family, group->second.values);
  spec.memory_max_bytes = model::MemoryMaxBytes(type, cluster.engine, spec.parameters);
  spec.threads = type.vcpu;
  spec.address = member.address;
  spec.condemned = member.condemned;
  // What it has taken in since would be lost to it: from its first service on it is gone.
  if (member.status == MemberStatus::kCreating &&
      (cluster.group.empty() || GroupOf(state, cluster)->leader == member.id)) {
    spec.seed = cluster.seed;
  }
  if (cluster.transit_encryption) spec.tls = TlsSpec{NamesOf(state, cluster, member), {}, {}, {}};
  spec.access = model::EngineAccessOf(state.records, cluster);
  if (const model::Group* shard = GroupOf(state, cluster)) {
    spec.replication = ReplicationOf(state, *shard, member);
  }
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

EndpointSpec ConfigurationOf(const model::State& state, const Cluster& cluster) {
  EndpointSpec spec;
  spec.id = cluster.configuration->id;
  spec.listen = cluster.configuration->address;
  spec.target = TargetOf(state, cluster);
  spec.discovery = DiscoveryOf(state, cluster);
  spec.door = model::DoorOf(state.records, cluster, spec.listen);
  return spec;
}

// The second face of an endpoint: what clients from elsewhere connect to.
EndpointSpec OutsideFace(const model::State& state, const model::OutsidePorts& outside,
                         EndpointSpec spec) {
  const auto port_of = [&](EndpointId id) -> uint16_t {
    const auto found = state.records.outside_ports.find(id);
    return found == state.records.outside_ports.end() ? 0 : found->second;
  };
  spec.source = spec.listen.ip;
  spec.listen = {outside.listen, port_of(spec.id)};
  spec.id = model::OutsideOf(spec.id);
  spec.relayed = true;
  if (!spec.discovery) return spec;
  for (Discovery::Node& node : spec.discovery->nodes) {
    node.host = outside.host;
    node.address = {ParseIp4(outside.host).value_or(outside.listen), port_of(node.member)};
  }
  return spec;
}

void AddEndpoint(const model::State& state, EndpointSpec spec, PlanUpdate* update) {
  const auto& outside = state.records.installation.outside;
  if (outside && state.records.outside_ports.contains(spec.id)) {
    update->endpoints.push_back(OutsideFace(state, *outside, spec));
  }
  update->endpoints.push_back(std::move(spec));
}

void AddMember(const model::State& state, const Member& member, PlanUpdate* update) {
  if (member.status == MemberStatus::kDeleting) {
    update->gone_members.push_back(member.id);
    update->gone_endpoints.push_back(member.id);
    return;
  }
  const Cluster& cluster = state.records.clusters.at(member.cluster);
  if (WaitsForLeader(state, cluster, member)) return;
  update->members.push_back(SpecOf(state, cluster, member));
  EndpointSpec endpoint;
  endpoint.id = member.id;
  endpoint.listen = member.address;
  endpoint.target = member.id;
  endpoint.discovery = DiscoveryOf(state, cluster);
  endpoint.encrypted = cluster.transit_encryption;
  endpoint.door = model::DoorOf(state.records, cluster, member.address);
  AddEndpoint(state, std::move(endpoint), update);
}

// Its endpoints are closed, and its members are going.
bool IsLeaving(const model::Group& group) {
  return group.status == model::GroupStatus::kDeleting ||
         group.status == model::GroupStatus::kCreateFailed;
}

EndpointSpec PrimaryOf(const model::State& state, const model::Group& group) {
  EndpointSpec spec;
  spec.id = group.primary.id;
  spec.listen = group.primary.address;
  const bool demoting = group.step == model::SwitchStep::kDemoting;
  spec.target = demoting ? group.successor : group.leader;
  // While the leader steps down, connections wait for the epoch in which the successor leads.
  spec.leads_since = demoting ? group.epoch + 1 : group.epoch;
  spec.door = model::DoorOf(state.records, group, group.primary.address);
  spec.encrypted = group.transit_encryption;
  return spec;
}

// Those that have what the leader has; without any, the leader.
EndpointSpec ReaderOf(const model::State& state, const model::Group& group) {
  EndpointSpec spec;
  spec.id = group.reader.id;
  spec.listen = group.reader.address;
  spec.door = model::DoorOf(state.records, group, group.reader.address);
  for (const model::ClusterId& cluster : group.members) {
    for (const MemberId id : state.records.clusters.at(cluster).members) {
      const Member& member = state.records.members.at(id);
      if (!member.in_sync || member.status != MemberStatus::kAvailable) continue;
      if (id != group.leader) spec.spread.push_back(member.address);
    }
  }
  if (spec.spread.empty()) spec.spread.push_back(state.records.members.at(group.leader).address);
  return spec;
}

}  // namespace

PlanUpdate PlanSince(const model::State& state, const HostId& host, uint64_t base) {
  PlanUpdate update;
  update.revision = state.records.revision;
  update.base = base;
  if (base < state.gone_since || base > state.records.revision) update.base = 0;
  if (state.access && (update.base == 0 || state.access->revision > update.base)) {
    update.network = state.access;
  }
  const auto faults = state.faults.find(host);
  if (faults != state.faults.end() && faults->second &&
      (update.base == 0 || faults->second->revision > update.base)) {
    update.faults = faults->second;
  }
  const auto tasks = state.tasks.find(host);
  if (tasks != state.tasks.end() && tasks->second &&
      (update.base == 0 || tasks->second->revision > update.base)) {
    update.tasks = tasks->second;
  }
  const auto found = state.hosts.find(host);
  if (found == state.hosts.end()) return update;
  const model::HostIndex& index = found->second;
  for (auto it = index.members.lower_bound({update.base + 1, 0}); it != index.members.end(); ++it) {
    AddMember(state, state.records.members.at(it->second), &update);
  }
  for (auto it = index.configurations.lower_bound({update.base + 1, ""});
       it != index.configurations.end(); ++it) {
    const Cluster& cluster = state.records.clusters.at(it->second);
    AddEndpoint(state, ConfigurationOf(state, cluster), &update);
  }
  for (auto it = index.groups.lower_bound({update.base + 1, ""}); it != index.groups.end(); ++it) {
    const model::Group& group = state.records.groups.at(it->second);
    if (IsLeaving(group)) {
      update.gone_endpoints.push_back(group.primary.id);
      update.gone_endpoints.push_back(group.reader.id);
      continue;
    }
    if (group.primary.host == host) AddEndpoint(state, PrimaryOf(state, group), &update);
    if (group.reader.host == host) AddEndpoint(state, ReaderOf(state, group), &update);
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
  if (!state.records.installation.outside) return update;
  for (size_t i = 0, count = update.gone_endpoints.size(); i < count; ++i) {
    update.gone_endpoints.push_back(model::OutsideOf(update.gone_endpoints[i]));
  }
  return update;
}

std::set<HostId> HostsTouched(const model::State& state, const model::Edit& edit) {
  std::set<HostId> hosts;
  if (model::ChangesAccess(state.records, edit) || model::ChangesFaults(state.records, edit)) {
    for (const auto& [id, host] : state.records.hosts) hosts.insert(id);
  }
  for (const auto& [name, change] : edit.snapshots) {
    if (change && change->work.task != 0) hosts.insert(change->work.host);
    const auto old = state.records.snapshots.find(name);
    if (old != state.records.snapshots.end()) hosts.insert(old->second.work.host);
  }
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
  const auto add_group = [&](const model::Group& group) {
    hosts.insert(group.primary.host);
    hosts.insert(group.reader.host);
  };
  for (const auto& [id, change] : edit.groups) {
    if (change) add_group(*change);
    if (const auto old = state.records.groups.find(id); old != state.records.groups.end()) {
      add_group(old->second);
    }
  }
  return hosts;
}

}  // namespace ec::core
