#include "controlplane/server/replication_groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/model/names.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert.h"
#include "controlplane/server/pages.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

core::CreateGroup Parse(const v1::CreateReplicationGroupRequest& request) {
  core::CreateGroup command;
  command.id = request.replication_group_id();
  command.description = request.replication_group_description();
  command.primary_cluster = EC_OPTIONAL(request, primary_cluster_id);
  command.automatic_failover = EC_OPTIONAL(request, automatic_failover_enabled);
  command.multi_az = EC_OPTIONAL(request, multi_az_enabled);
  command.clusters = EC_OPTIONAL(request, num_cache_clusters);
  command.zones = ToVector(request.preferred_cache_cluster_azs());
  command.node_groups = EC_OPTIONAL(request, num_node_groups);
  command.replicas_per_node_group = EC_OPTIONAL(request, replicas_per_node_group);
  command.node_type = EC_OPTIONAL(request, cache_node_type);
  command.engine = EC_OPTIONAL(request, engine);
  command.engine_version = EC_OPTIONAL(request, engine_version);
  command.parameter_group = EC_OPTIONAL(request, cache_parameter_group_name);
  command.subnet_group = EC_OPTIONAL(request, cache_subnet_group_name);
  command.cache_security_groups = ToVector(request.cache_security_group_names());
  command.security_groups = ToVector(request.security_group_ids());
  for (const v1::Tag& tag : request.tags()) command.tags.emplace_back(tag.key(), tag.value());
  command.snapshot_arns = ToVector(request.snapshot_arns());
  command.snapshot_name = EC_OPTIONAL(request, snapshot_name);
  command.maintenance_window = EC_OPTIONAL(request, preferred_maintenance_window);
  command.port = EC_OPTIONAL(request, port);
  command.notification_topic = EC_OPTIONAL(request, notification_topic_arn);
  command.auto_minor_version_upgrade = EC_OPTIONAL(request, auto_minor_version_upgrade);
  command.snapshot_retention = EC_OPTIONAL(request, snapshot_retention_limit);
  command.snapshot_window = EC_OPTIONAL(request, snapshot_window);
  command.auth_token = EC_OPTIONAL(request, auth_token);
  command.user_groups = ToVector(request.user_group_ids());
  command.transit_encryption = EC_OPTIONAL(request, transit_encryption_enabled);
  command.transit_encryption_mode = EC_OPTIONAL(request, transit_encryption_mode);
  command.at_rest_encryption = EC_OPTIONAL(request, at_rest_encryption_enabled);
  command.network_type = EC_OPTIONAL(request, network_type);
  command.ip_discovery = EC_OPTIONAL(request, ip_discovery);
  command.cluster_mode = EC_OPTIONAL(request, cluster_mode);
  return command;
}

core::ModifyGroup Parse(const v1::ModifyReplicationGroupRequest& request) {
  core::ModifyGroup command;
  command.id = request.replication_group_id();
  command.description = EC_OPTIONAL(request, replication_group_description);
  command.primary_cluster = EC_OPTIONAL(request, primary_cluster_id);
  command.automatic_failover = EC_OPTIONAL(request, automatic_failover_enabled);
  command.multi_az = EC_OPTIONAL(request, multi_az_enabled);
  command.transit_encryption = EC_OPTIONAL(request, transit_encryption_enabled);
  command.transit_encryption_mode = EC_OPTIONAL(request, transit_encryption_mode);
  command.node_type = EC_OPTIONAL(request, cache_node_type);
  command.engine = EC_OPTIONAL(request, engine);
  command.engine_version = EC_OPTIONAL(request, engine_version);
  command.cache_security_groups = ToVector(request.cache_security_group_names());
  command.security_groups = ToVector(request.security_group_ids());
  command.maintenance_window = EC_OPTIONAL(request, preferred_maintenance_window);
  command.notification_topic = EC_OPTIONAL(request, notification_topic_arn);
  command.notification_status = EC_OPTIONAL(request, notification_topic_status);
  command.parameter_group = EC_OPTIONAL(request, cache_parameter_group_name);
  command.auto_minor_version_upgrade = EC_OPTIONAL(request, auto_minor_version_upgrade);
  command.snapshot_retention = EC_OPTIONAL(request, snapshot_retention_limit);
  command.snapshot_window = EC_OPTIONAL(request, snapshot_window);
  command.snapshotting_cluster = EC_OPTIONAL(request, snapshotting_cluster_id);
  command.apply_immediately = request.apply_immediately();
  command.auth_token = EC_OPTIONAL(request, auth_token);
  command.auth_token_strategy = EC_OPTIONAL(request, auth_token_update_strategy);
  command.add_user_groups = ToVector(request.user_group_ids_to_add());
  command.remove_user_groups = ToVector(request.user_group_ids_to_remove());
  command.remove_all_user_groups = request.remove_user_groups();
  return command;
}

// The number of replicas that the request asks for: by itself, or in ReplicaConfiguration.
// `optional`: it may also say nothing of it.
template <typename Request>
Result<std::optional<int>> CountIn(const Request& request, bool optional) {
  using Count = std::optional<int>;
  const int shards = request.replica_configuration_size();
  if (request.has_new_replica_count() && shards > 0) {
    return Status(Fault::kInvalidParameterCombination,
                  "NewReplicaCount cannot be combined with ReplicaConfiguration.");
  }
  if (shards == 0) {
    if (optional || request.has_new_replica_count()) {
      return Count(EC_OPTIONAL(request, new_replica_count));
    }
    return Status(Fault::kInvalidParameterCombination,
                  "Give one of NewReplicaCount and ReplicaConfiguration.");
  }
  const v1::ConfigureShard& shard = request.replica_configuration(0);
  if (shards > 1 || (shard.node_group_id() != "0001" && shard.node_group_id() != "1")) {
    return Status(Fault::kInvalidParameterValue,
                  "ReplicaConfiguration must have one element, for the one node group 0001.");
  }
  if (!shard.has_new_replica_count()) {
    return Status(Fault::kMissingParameter,
                  "The request must contain the parameter ReplicaConfiguration.NewReplicaCount.");
  }
  return Count(shard.new_replica_count());
}

// AWS names the zones of all members that there are to be; those of the present ones are taken
// away, and the zones of the new ones are left.
Result<std::vector<std::string>> NewZones(const model::Records& records, const std::string& id,
                                          const v1::ConfigureShard& shard) {
  std::vector<std::string> zones = ToVector(shard.preferred_availability_zones());
  if (zones.empty()) return zones;
  Result<const model::Group*> group = FindGroup(records, id);
  if (!group.ok()) return group.status();
  if (static_cast<int>(zones.size()) != shard.new_replica_count() + 1) {
    return Status(Fault::kInvalidParameterValue,
                  fmt::format("PreferredAvailabilityZones must name {} zones, one for the primary "
                              "and one for each replica; it names {}.",
                              shard.new_replica_count() + 1, zones.size()));
  }
  for (const auto& [member_id, member] : records.members) {
    if (member.node_id.empty() || !(*group)->members.contains(member.cluster)) continue;
    const auto found = std::ranges::find(zones, member.zone);
    if (found == zones.end()) {
      return Status(Fault::kInvalidParameterValue,
                    fmt::format("PreferredAvailabilityZones must name the zones of all members: "
                                "{} is in {}.",
                                member.cluster, member.zone));
    }
    zones.erase(found);
  }
  return zones;
}

// Submits the command and answers with the group as it then is.
Status SubmitForGroup(ControllerLoop& loop, const std::string& id, core::Command command,
                      v1::ReplicationGroup* response) {
  return loop.Submit(std::move(command), [&](const model::State& state) {
    Result<const model::Group*> group = FindGroup(state.records, id);
    if (group.ok()) ToProto(state, **group, response);
  });
}

void SetCluster(const model::State& state, const std::string& id, v1::CacheCluster* response) {
  const auto found = state.records.clusters.find(model::Lower(id));
  if (found != state.records.clusters.end()) ToProto(state, found->second, false, response);
}

}  // namespace

Status CreateReplicationGroup(ControllerLoop& loop,
                              const v1::CreateReplicationGroupRequest& request,
                              v1::CreateReplicationGroupResponse* response) {
  return SubmitForGroup(loop, request.replication_group_id(), Parse(request),
                        response->mutable_replication_group());
}

Status ModifyReplicationGroup(ControllerLoop& loop,
                              const v1::ModifyReplicationGroupRequest& request,
                              v1::ModifyReplicationGroupResponse* response) {
  return SubmitForGroup(loop, request.replication_group_id(), Parse(request),
                        response->mutable_replication_group());
}

Status DeleteReplicationGroup(ControllerLoop& loop,
                              const v1::DeleteReplicationGroupRequest& request,
                              v1::DeleteReplicationGroupResponse* response) {
  core::DeleteGroup command{request.replication_group_id(), request.retain_primary_cluster(),
                            EC_OPTIONAL(request, final_snapshot_identifier)};
  return SubmitForGroup(loop, request.replication_group_id(), std::move(command),
                        response->mutable_replication_group());
}

Status DescribeReplicationGroups(ControllerLoop& loop,
                                 const v1::DescribeReplicationGroupsRequest& request,
                                 v1::DescribeReplicationGroupsResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  return loop.Read([&](const model::State& state) -> Status {
    const auto& groups = state.records.groups;
    if (request.has_replication_group_id()) {
      Result<const model::Group*> group = FindGroup(state.records, request.replication_group_id());
      if (!group.ok()) return group.status();
      ToProto(state, **group, response->add_replication_groups());
      return {};
    }
    // The marker is the last id of the page before.
    auto it = request.marker().empty() ? groups.begin() : groups.upper_bound(request.marker());
    for (; it != groups.end() && response->replication_groups_size() < *size; ++it) {
      ToProto(state, it->second, response->add_replication_groups());
    }
    if (it != groups.end()) response->set_marker(std::prev(it)->first);
    return {};
  });
}

Status IncreaseReplicaCount(ControllerLoop& loop, const v1::IncreaseReplicaCountRequest& request,
                            v1::IncreaseReplicaCountResponse* response) {
  const Result<std::optional<int>> count = CountIn(request, /*optional=*/false);
  if (!count.ok()) return count.status();
  core::IncreaseReplicas command{
      request.replication_group_id(), *count, {}, request.apply_immediately()};
  if (request.replica_configuration_size() > 0) {
    Result<std::vector<std::string>> zones = loop.Read([&](const model::State& state) {
      return NewZones(state.records, request.replication_group_id(),
                      request.replica_configuration(0));
    });
    if (!zones.ok()) return zones.status();
    command.zones = std::move(*zones);
  }
  return SubmitForGroup(loop, request.replication_group_id(), std::move(command),
                        response->mutable_replication_group());
}

Status DecreaseReplicaCount(ControllerLoop& loop, const v1::DecreaseReplicaCountRequest& request,
                            v1::DecreaseReplicaCountResponse* response) {
  const bool names = request.replicas_to_remove_size() > 0;
  const Result<std::optional<int>> count = CountIn(request, /*optional=*/names);
  if (!count.ok()) return count.status();
  for (const v1::ConfigureShard& shard : request.replica_configuration()) {
    if (shard.preferred_availability_zones_size() > 0) {
      return {Fault::kInvalidParameterValue,
              "PreferredAvailabilityZones is not emulated here; name ReplicasToRemove instead."};
    }
  }
  core::DecreaseReplicas command{request.replication_group_id(), *count,
                                 ToVector(request.replicas_to_remove()),
                                 request.apply_immediately()};
  return SubmitForGroup(loop, request.replication_group_id(), std::move(command),
                        response->mutable_replication_group());
}

Status TestFailover(ControllerLoop& loop, const v1::TestFailoverRequest& request,
                    v1::TestFailoverResponse* response) {
  core::TestFailover command{request.replication_group_id(), request.node_group_id()};
  return SubmitForGroup(loop, request.replication_group_id(), std::move(command),
                        response->mutable_replication_group());
}

Status SwitchoverReplicationGroup(ControllerLoop& loop,
                                  const v1::SwitchoverReplicationGroupRequest& request,
                                  v1::SwitchoverReplicationGroupResponse* response) {
  core::Switchover command{request.replication_group_id(), EC_OPTIONAL(request, cache_cluster_id)};
  return SubmitForGroup(loop, request.replication_group_id(), std::move(command),
                        response->mutable_replication_group());
}

Status PromoteCacheCluster(ControllerLoop& loop, const v1::PromoteCacheClusterRequest& request,
                           v1::PromoteCacheClusterResponse* response) {
  core::Promote command{request.cache_cluster_id(), request.force()};
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    SetCluster(state, request.cache_cluster_id(), response->mutable_cache_cluster());
  });
}

Status DemoteCacheCluster(ControllerLoop& loop, const v1::DemoteCacheClusterRequest& request,
                          v1::DemoteCacheClusterResponse* response) {
  core::Demote command{request.cache_cluster_id(),
                       EC_OPTIONAL(request, replication_group_id),
                       EC_OPTIONAL(request, primary_cluster_id),
                       EC_OPTIONAL(request, new_replication_group_id),
                       request.accept_data_loss(),
                       EC_OPTIONAL(request, final_snapshot_identifier)};
  const std::string group_id = request.has_replication_group_id()
                                   ? request.replication_group_id()
                                   : request.new_replication_group_id();
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    SetCluster(state, request.cache_cluster_id(), response->mutable_cache_cluster());
    Result<const model::Group*> group = FindGroup(state.records, group_id);
    if (group.ok()) ToProto(state, **group, response->mutable_replication_group());
  });
}

}  // namespace ec::server
