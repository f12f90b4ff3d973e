#include "controlplane/model/access.h"

#include <algorithm>

namespace ec::model {
namespace {

const Vpc* VpcOf(const Records& records, const Cluster& cluster) {
  const auto found = records.vpcs.find(cluster.vpc);
  return found == records.vpcs.end() ? nullptr : &found->second;
}

// A cluster that names no groups has its VPC's default one, as in AWS.
std::vector<SecurityGroupId> GroupsOf(const Records& records, const Cluster& cluster,
                                      const VpcId& vpc) {
  if (!cluster.security_groups.empty()) return cluster.security_groups;
  for (const auto& [id, group] : records.security_groups) {
    if (group.vpc == vpc && group.name == kDefaultGroupName) return {id};
  }
  return {};
}

// Only rules for TCP admit a client of a cache.
bool ConcernsTcp(const SecurityGroupRule& rule) {
  return rule.protocol == "tcp" || rule.protocol == "-1";
}

ec::SecurityGroup GroupFrom(const SecurityGroupRow& row) {
  ec::SecurityGroup group{row.id, row.vpc, {}};
  for (const SecurityGroupRule& rule : row.ingress) {
    if (!ConcernsTcp(rule)) continue;
    IngressRule& added = group.ingress.emplace_back();
    added.id = rule.id;
    if (rule.from_port >= 0) added.from_port = static_cast<uint16_t>(rule.from_port);
    if (rule.to_port >= 0) added.to_port = static_cast<uint16_t>(rule.to_port);
    added.block = rule.block;
    added.group = rule.group;
  }
  return group;
}

// The address that this one of its slice stands for.
Ip4 InBlock(const Vpc& vpc, Ip4 address) {
  return {(vpc.block.network.bits & 0xffff0000u) | (address.bits & 0xffffu)};
}

}  // namespace

Network AccessOf(const Records& records) {
  Network network;
  network.revision = records.revision;
  for (const auto& [id, vpc] : records.vpcs) network.vpcs[id] = {vpc.block, vpc.slice};
  for (const auto& [id, row] : records.security_groups) network.groups[id] = GroupFrom(row);
  for (const auto& [id, row] : records.instances) {
    const Ip4 source = SourceOf(records.vpcs.at(row.vpc), row);
    network.instances.push_back({id, row.vpc, source, row.address, row.groups, row.network});
  }
  for (const auto& [id, member] : records.members) {
    const auto found = records.clusters.find(member.cluster);
    const Vpc* const vpc =
        found == records.clusters.end() ? nullptr : VpcOf(records, found->second);
    if (vpc == nullptr) continue;
    const Cluster& cluster = found->second;
    network.instances.push_back({cluster.id + "/" + member.node_id, vpc->id, member.address.ip,
                                 InBlock(*vpc, member.address.ip),
                                 GroupsOf(records, cluster, vpc->id)});
  }
  return network;
}

bool ChangesAccess(const Records& records, const Edit& edit) {
  if (!edit.vpcs.empty() || !edit.security_groups.empty() || !edit.instances.empty()) return true;
  for (const auto& [id, change] : edit.members) {
    const auto old = records.members.find(id);
    if (!change || old == records.members.end()) return true;
    if (change->address != old->second.address || change->node_id != old->second.node_id) {
      return true;
    }
  }
  return std::ranges::any_of(edit.clusters, [&](const auto& entry) {
    const auto& [id, change] = entry;
    const auto old = records.clusters.find(id);
    return change && old != records.clusters.end() &&
           (change->vpc != old->second.vpc ||
            change->security_groups != old->second.security_groups);
  });
}

Door DoorOf(const Records& records, const Group& group, Address address) {
  const ClusterId& leader = records.members.at(group.leader).cluster;
  return DoorOf(records, records.clusters.at(leader), address);
}

Door DoorOf(const Records& records, const Cluster& cluster, Address address) {
  Door door;
  door.port = address.port;
  door.peers.push_back(address.ip);
  if (const Vpc* const vpc = VpcOf(records, cluster)) {
    door.vpc = vpc->id;
    door.groups = GroupsOf(records, cluster, vpc->id);
  }
  if (cluster.group.empty()) return door;
  const Group& group = records.groups.at(cluster.group);
  // Its endpoint for readers connects to the members on their behalf.
  door.peers.push_back(group.reader.address.ip);
  for (const ClusterId& id : group.members) {
    for (const MemberId member : records.clusters.at(id).members) {
      door.peers.push_back(records.members.at(member).address.ip);
    }
  }
  return door;
}

namespace {

// The door of the first endpoint of which this is true.
template <typename Is>
std::optional<Door> FindDoorIf(const Records& records, Is is) {
  for (const auto& [id, member] : records.members) {
    if (!is(id, member.address)) continue;
    return DoorOf(records, records.clusters.at(member.cluster), member.address);
  }
  for (const auto& [id, cluster] : records.clusters) {
    if (!cluster.configuration) continue;
    const ConfigurationEndpoint& endpoint = *cluster.configuration;
    if (is(endpoint.id, endpoint.address)) return DoorOf(records, cluster, endpoint.address);
  }
  for (const auto& [id, group] : records.groups) {
    for (const GroupEndpoint* endpoint : {&group.primary, &group.reader}) {
      if (is(endpoint->id, endpoint->address)) return DoorOf(records, group, endpoint->address);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Door> FindDoor(const Records& records, Address address) {
  return FindDoorIf(records, [&](EndpointId, Address other) { return other == address; });
}

std::optional<Door> FindDoor(const Records& records, EndpointId endpoint) {
  return FindDoorIf(records, [&](EndpointId other, Address) { return other == endpoint; });
}

}  // namespace ec::model
