#include "controlplane/server/convert.h"

#include <algorithm>
#include <set>
#include <vector>

#include "controlplane/model/names.h"
#include "controlplane/model/users.h"

namespace ec::server {
namespace {

using model::Cluster;
using model::ClusterStatus;
using model::Member;
using model::MemberStatus;

std::vector<const Member*> NodesOf(const model::Records& records, const Cluster& cluster) {
  std::vector<const Member*> nodes;
  for (const MemberId id : cluster.members) {
    const Member& member = records.members.at(id);
    if (!member.node_id.empty()) nodes.push_back(&member);
  }
  std::ranges::sort(nodes, {}, [](const Member* node) { return node->node_id; });
  return nodes;
}

// Whether parameters have changed that its engine takes at a reboot only.
bool AwaitsReboot(const model::Records& records, const Member& node) {
  const Cluster& cluster = records.clusters.at(node.cluster);
  uint64_t since = cluster.parameter_group_since;
  const auto group = records.parameter_groups.find(cluster.parameter_group);
  if (group != records.parameter_groups.end()) {
    since = std::max(since, group->second.reboot_since);
  }
  return node.parameters_revision != 0 && since > node.parameters_revision;
}

void SetParameterStatus(const model::Records& records, const Cluster& cluster,
                        const std::vector<const Member*>& nodes,
                        v1::CacheParameterGroupStatus* out) {
  out->set_cache_parameter_group_name(cluster.parameter_group);
  for (const Member* node : nodes) {
    if (AwaitsReboot(records, *node)) out->add_cache_node_ids_to_reboot(node->node_id);
  }
  out->set_parameter_apply_status(out->cache_node_ids_to_reboot().empty() ? "in-sync"
                                                                          : "pending-reboot");
}

void SetNode(const model::State& state, const Member& member, v1::CacheNode* out) {
  out->set_cache_node_id(member.node_id);
  out->set_cache_node_status(StatusName(member.status));
  server::ToProto(member.created, out->mutable_cache_node_create_time());
  SetEndpoint(state.records, member.id, member.address, out->mutable_endpoint());
  out->set_parameter_group_status(AwaitsReboot(state.records, member) ? "pending-reboot"
                                                                      : "in-sync");
  out->set_customer_availability_zone(member.zone);
  if (!member.installed_version.empty()) {
    out->set_installed_engine_version(member.installed_version);
  }
  out->set_host_id(member.host);
  const MemberReport* report = ReportOf(state, member);
  if (report != nullptr && report->pid != 0) out->set_engine_pid(report->pid);
  if (!member.trouble.empty()) out->set_trouble(member.trouble);
}

// The one zone of all nodes, or "Multiple".
std::string ZoneOf(const std::vector<const Member*>& nodes) {
  std::set<std::string> zones;
  for (const Member* node : nodes) zones.insert(node->zone);
  if (zones.empty()) return {};
  return zones.size() == 1 ? *zones.begin() : "Multiple";
}

void SetPending(const model::Pending& pending, v1::PendingModifiedValues* out) {
  if (pending.nodes) out->set_num_cache_nodes(*pending.nodes);
  for (const std::string& id : pending.remove) out->add_cache_node_ids_to_remove(id);
  if (pending.version) out->set_engine_version(*pending.version);
}

}  // namespace

void SetEndpoint(const model::Records& records, EndpointId id, const Address& address,
                 v1::Endpoint* out) {
  const auto outside = records.outside_ports.find(id);
  if (records.installation.outside && outside != records.outside_ports.end()) {
    out->set_address(records.installation.outside->host);
    out->set_port(outside->second);
    return;
  }
  out->set_address(ToString(address.ip));
  out->set_port(address.port);
}

const MemberReport* ReportOf(const model::State& state, const Member& member) {
  const auto sighting = state.sightings.find(member.host);
  if (sighting == state.sightings.end()) return nullptr;
  const auto report = sighting->second.members.find(member.id);
  return report == sighting->second.members.end() ? nullptr : &report->second;
}

void ToProto(WallTime time, google::protobuf::Timestamp* out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  out->set_seconds(seconds.time_since_epoch().count());
  out->set_nanos(static_cast<int32_t>(std::chrono::nanoseconds(time - seconds).count()));
}

std::string StatusName(ClusterStatus status) {
  switch (status) {
    case ClusterStatus::kRebooting:
      return "rebooting cluster nodes";
    case ClusterStatus::kRecovering:
      return "modifying";
    default:
      return std::string(NameOf(status));
  }
}

std::string StatusName(MemberStatus status) {
  switch (status) {
    case MemberStatus::kRecovering:  // AWS replaces such a node: the new one is being created
      return "creating";
    default:
      return std::string(NameOf(status));
  }
}

std::string ArnOf(const model::Records& records, const Cluster& cluster) {
  return model::ToString(model::Arn{records.installation.region, records.installation.account,
                                    std::string(model::kClusterArnKind), cluster.id});
}

void ToProto(const model::State& state, const Cluster& cluster, bool with_nodes,
             v1::CacheCluster* out) {
  const model::Records& records = state.records;
  const std::vector<const Member*> nodes = NodesOf(records, cluster);
  const bool creating = cluster.status == ClusterStatus::kCreating;
  out->set_cache_cluster_id(cluster.id);
  // Like AWS, an endpoint is shown only once there is something behind it.
  if (cluster.configuration && !creating) {
    SetEndpoint(records, cluster.configuration->id, cluster.configuration->address,
                out->mutable_configuration_endpoint());
  }
  out->set_cache_node_type(cluster.node_type);
  out->set_engine(std::string(NameOf(cluster.engine)));
  out->set_engine_version(cluster.engine_version);
  out->set_cache_cluster_status(StatusName(cluster.status));
  out->set_num_cache_nodes(cluster.node_count);
  if (const std::string zone = ZoneOf(nodes); !zone.empty()) {
    out->set_preferred_availability_zone(zone);
  }
  ToProto(cluster.created, out->mutable_cache_cluster_create_time());
  out->set_preferred_maintenance_window(cluster.maintenance_window);
  SetPending(cluster.pending, out->mutable_pending_modified_values());
  if (cluster.notification) {
    out->mutable_notification_configuration()->set_topic_arn(cluster.notification->topic_arn);
    out->mutable_notification_configuration()->set_topic_status(
        cluster.notification->active ? "active" : "inactive");
  }
  SetParameterStatus(records, cluster, nodes, out->mutable_cache_parameter_group());
  out->set_cache_subnet_group_name(cluster.subnet_group);
  if (with_nodes && !creating) {
    for (const Member* node : nodes) SetNode(state, *node, out->add_cache_nodes());
  }
  out->set_auto_minor_version_upgrade(cluster.auto_minor_version_upgrade);
  for (const std::string& group : cluster.security_groups) {
    v1::SecurityGroupMembership* membership = out->add_security_groups();
    membership->set_security_group_id(group);
    membership->set_status("active");
  }
  if (SpeaksRedis(cluster.engine)) {
    out->set_snapshot_retention_limit(cluster.snapshot_retention);
    out->set_snapshot_window(cluster.snapshot_window);
  }
  const model::AccessControl& access = model::AccessControlOf(records, cluster);
  out->set_auth_token_enabled(!access.token.empty());
  if (access.token_changed) {
    ToProto(*access.token_changed, out->mutable_auth_token_last_modified_date());
  }
  out->set_transit_encryption_enabled(cluster.transit_encryption);
  if (cluster.transit_encryption) out->set_transit_encryption_mode("required");
  out->set_at_rest_encryption_enabled(false);
  out->set_arn(ArnOf(records, cluster));
  out->set_replication_group_log_delivery_enabled(false);
  out->set_network_type("ipv4");
  out->set_ip_discovery("ipv4");
  if (!cluster.group.empty()) out->set_replication_group_id(cluster.group);
  if (!cluster.vpc.empty()) out->set_vpc_id(cluster.vpc);
}

void ToProto(const model::Event& event, v1::Event* out) {
  out->set_source_identifier(event.source_id);
  out->set_source_type(event.source_type);
  out->set_message(event.message);
  ToProto(event.date, out->mutable_date());
  out->set_serial(event.serial);
}

void ToProto(const model::NodeType& type, v1::CacheNodeType* out) {
  out->set_cache_node_type(type.name);
  out->set_vcpu(type.vcpu);
  if (type.memory_gib) out->set_memory_gib(*type.memory_gib);
  if (type.redis_maxmemory_bytes) out->set_redis_maxmemory_bytes(*type.redis_maxmemory_bytes);
  if (type.memcached_max_cache_memory_mb) {
    out->set_memcached_max_cache_memory_mb(
        static_cast<int32_t>(*type.memcached_max_cache_memory_mb));
  }
  out->set_generation(type.generation);
  out->set_backups_supported(type.backups_supported);
}

}  // namespace ec::server
