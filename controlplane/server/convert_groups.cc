// Replication groups to the API's messages.
#include <fmt/format.h>

#include <algorithm>

#include "controlplane/model/names.h"
#include "controlplane/server/convert.h"

namespace ec::server {
namespace {

using model::Cluster;
using model::Group;
using model::Member;
using model::Records;

constexpr char kNodeGroupId[] = "0001";

const Member* FindMember(const Records& records, MemberId id) {
  const auto found = records.members.find(id);
  return found == records.members.end() ? nullptr : &found->second;
}

// A group's clusters have one node each; null while another member takes its place.
const Member* NodeOf(const Records& records, const Cluster& cluster) {
  for (const MemberId id : cluster.members) {
    const Member* member = FindMember(records, id);
    if (member != nullptr && !member->node_id.empty()) return member;
  }
  return nullptr;
}

// The cluster that stands for the group's settings: the leader's, or any when there is no leader.
const Cluster* SettingsOf(const Records& records, const Group& group) {
  const Member* leader = FindMember(records, group.leader);
  if (leader != nullptr) {
    const auto found = records.clusters.find(leader->cluster);
    if (found != records.clusters.end()) return &found->second;
  }
  for (const model::ClusterId& id : group.members) {
    const auto found = records.clusters.find(id);
    if (found != records.clusters.end()) return &found->second;
  }
  return nullptr;
}

// Null unless the member's engine has taken on a role, so that its offset means something.
const ReplicationReport* ReplicationOf(const model::State& state, const Member& member) {
  const MemberReport* report = ReportOf(state, member);
  if (report == nullptr || !report->replication || report->replication->epoch == 0) return nullptr;
  return &*report->replication;
}

void SetReplication(const model::State& state, const Group& group, const Member& member,
                    v1::NodeGroupMember* out) {
  const ReplicationReport* own = ReplicationOf(state, member);
  if (own != nullptr) out->set_replication_offset(own->offset);
  if (member.id == group.leader) return;
  out->set_in_sync(member.in_sync);
  const Member* leader = FindMember(state.records, group.leader);
  if (own == nullptr || leader == nullptr) return;
  const ReplicationReport* lead = ReplicationOf(state, *leader);
  // Offsets of two epochs may belong to two histories, which nothing can be told from.
  if (lead == nullptr || lead->epoch != own->epoch) return;
  out->set_lag_bytes(std::max<int64_t>(lead->offset - own->offset, 0));
}

void SetMember(const model::State& state, const Group& group, const Cluster& cluster,
               v1::NodeGroupMember* out) {
  out->set_cache_cluster_id(cluster.id);
  out->set_cache_cluster_status(StatusName(cluster.status));
  const Member* member = NodeOf(state.records, cluster);
  if (member == nullptr) return;
  out->set_cache_node_id(member->node_id);
  out->set_preferred_availability_zone(member->zone);
  if (cluster.status != model::ClusterStatus::kCreating) {
    SetEndpoint(state.records, member->id, member->address, out->mutable_read_endpoint());
  }
  out->set_current_role(member->id == group.leader ? "primary" : "replica");
  SetReplication(state, group, *member, out);
  out->set_host_id(member->host);
  const MemberReport* report = ReportOf(state, *member);
  if (report != nullptr && report->pid != 0) out->set_engine_pid(report->pid);
  if (!member->trouble.empty()) out->set_trouble(member->trouble);
}

void SetNodeGroup(const model::State& state, const Group& group, v1::NodeGroup* out) {
  out->set_node_group_id(kNodeGroupId);
  out->set_status(std::string(NameOf(group.status)));
  // Like AWS, an endpoint is shown only once there is something behind it.
  if (group.status != model::GroupStatus::kCreating) {
    SetEndpoint(state.records, group.primary.id, group.primary.address,
                out->mutable_primary_endpoint());
    SetEndpoint(state.records, group.reader.id, group.reader.address,
                out->mutable_reader_endpoint());
  }
  for (const model::ClusterId& id : group.members) {
    const auto cluster = state.records.clusters.find(id);
    if (cluster == state.records.clusters.end()) continue;
    SetMember(state, group, cluster->second, out->add_node_group_members());
  }
}

void SetPending(const Records& records, const Group& group,
                v1::ReplicationGroupPendingModifiedValues* out) {
  const Member* successor =
      group.step == model::SwitchStep::kNone ? nullptr : FindMember(records, group.successor);
  if (successor != nullptr) {
    out->set_primary_cluster_id(successor->cluster);
  } else if (group.pending_primary) {
    out->set_primary_cluster_id(*group.pending_primary);
  }
}

// A change of user groups shows as pending until every engine has been told.
void SetAccess(const Group& group, v1::ReplicationGroup* out) {
  const model::AccessControl& access = group.access;
  out->set_auth_token_enabled(!access.token.empty());
  if (access.token_changed) {
    ToProto(*access.token_changed, out->mutable_auth_token_last_modified_date());
  }
  v1::ReplicationGroupPendingModifiedValues* pending = out->mutable_pending_modified_values();
  switch (access.change) {
    case model::AccessChange::kNone:
      break;
    case model::AccessChange::kSettingToken:
      pending->set_auth_token_status("SETTING");
      break;
    case model::AccessChange::kRotatingToken:
      pending->set_auth_token_status("ROTATING");
      break;
    case model::AccessChange::kUserGroups:
      if (!access.user_group.empty()) {
        pending->mutable_user_groups()->add_user_group_ids_to_add(access.user_group);
      }
      if (!access.former_user_group.empty()) {
        pending->mutable_user_groups()->add_user_group_ids_to_remove(access.former_user_group);
      }
      break;
  }
  const bool pends = access.change == model::AccessChange::kUserGroups;
  const std::string& present = pends ? access.former_user_group : access.user_group;
  if (!present.empty()) out->add_user_group_ids(present);
}

void SetSettings(const Cluster& cluster, v1::ReplicationGroup* out) {
  out->set_engine(std::string(NameOf(cluster.engine)));
  out->set_cache_node_type(cluster.node_type);
  out->set_snapshot_retention_limit(cluster.snapshot_retention);
  out->set_snapshot_window(cluster.snapshot_window);
  out->set_auto_minor_version_upgrade(cluster.auto_minor_version_upgrade);
  if (!cluster.vpc.empty()) out->set_vpc_id(cluster.vpc);
  out->set_cache_subnet_group_name(cluster.subnet_group);
  for (const std::string& group : cluster.security_groups) {
    v1::SecurityGroupMembership* membership = out->add_security_groups();
    membership->set_security_group_id(group);
    membership->set_status("active");
  }
}

}  // namespace

std::string ArnOf(const Records& records, const Group& group) {
  return model::ToString(model::Arn{records.installation.region, records.installation.account,
                                    std::string(model::kGroupArnKind), group.id});
}

Result<const Group*> FindGroup(const Records& records, const std::string& id) {
  const auto found = records.groups.find(model::Lower(id));
  if (found != records.groups.end()) return &found->second;
  return Status(Fault::kReplicationGroupNotFound,
                fmt::format("ReplicationGroup not found: {}", id));
}

void ToProto(const model::State& state, const Group& group, v1::ReplicationGroup* out) {
  out->set_replication_group_id(group.id);
  out->set_description(group.description);
  out->set_status(std::string(NameOf(group.status)));
  SetPending(state.records, group, out->mutable_pending_modified_values());
  for (const model::ClusterId& id : group.members) out->add_member_clusters(id);
  SetNodeGroup(state, group, out->add_node_groups());
  out->set_automatic_failover(group.automatic_failover ? "enabled" : "disabled");
  out->set_multi_az(group.multi_az ? "enabled" : "disabled");
  if (const Cluster* cluster = SettingsOf(state.records, group); cluster != nullptr) {
    SetSettings(*cluster, out);
  }
  out->set_cluster_enabled(false);
  SetAccess(group, out);
  out->set_transit_encryption_enabled(group.transit_encryption);
  if (group.transit_encryption) out->set_transit_encryption_mode("required");
  out->set_at_rest_encryption_enabled(false);
  out->set_arn(ArnOf(state.records, group));
  ToProto(group.created, out->mutable_replication_group_create_time());
  out->set_data_tiering("disabled");
  out->set_network_type("ipv4");
  out->set_ip_discovery("ipv4");
  out->set_cluster_mode("disabled");
  if (!group.snapshotting.empty()) out->set_snapshotting_cluster_id(group.snapshotting);
  out->set_epoch(group.epoch);
  if (group.lost_bytes) out->set_last_failover_lost_bytes(*group.lost_bytes);
  if (group.lost_ms) out->set_last_failover_lost_ms(*group.lost_ms);
  const auto changes = state.leader_changes.find(group.id);
  const bool any = changes != state.leader_changes.end();
  out->set_failovers(any ? changes->second.failovers : 0);
  out->set_planned_failovers(any ? changes->second.planned : 0);
  if (!group.trouble.empty()) out->set_trouble(group.trouble);
}

}  // namespace ec::server
