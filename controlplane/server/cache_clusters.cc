#include "controlplane/server/cache_clusters.h"

#include <fmt/format.h>

#include "controlplane/model/names.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert.h"
#include "controlplane/server/pages.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

core::CreateCluster Parse(const v1::CreateCacheClusterRequest& request) {
  core::CreateCluster command;
  command.id = request.cache_cluster_id();
  command.replication_group_id = EC_OPTIONAL(request, replication_group_id);
  command.az_mode = EC_OPTIONAL(request, az_mode);
  command.zone = EC_OPTIONAL(request, preferred_availability_zone);
  command.zones = ToVector(request.preferred_availability_zones());
  command.nodes = EC_OPTIONAL(request, num_cache_nodes);
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
  command.transit_encryption = EC_OPTIONAL(request, transit_encryption_enabled);
  command.network_type = EC_OPTIONAL(request, network_type);
  command.ip_discovery = EC_OPTIONAL(request, ip_discovery);
  return command;
}

core::ModifyCluster Parse(const v1::ModifyCacheClusterRequest& request) {
  core::ModifyCluster command;
  command.id = request.cache_cluster_id();
  command.nodes = EC_OPTIONAL(request, num_cache_nodes);
  command.remove = ToVector(request.cache_node_ids_to_remove());
  command.az_mode = EC_OPTIONAL(request, az_mode);
  command.new_zones = ToVector(request.new_availability_zones());
  command.cache_security_groups = ToVector(request.cache_security_group_names());
  command.security_groups = ToVector(request.security_group_ids());
  command.maintenance_window = EC_OPTIONAL(request, preferred_maintenance_window);
  command.notification_topic = EC_OPTIONAL(request, notification_topic_arn);
  command.notification_status = EC_OPTIONAL(request, notification_topic_status);
  command.parameter_group = EC_OPTIONAL(request, cache_parameter_group_name);
  command.apply_immediately = request.apply_immediately();
  command.engine = EC_OPTIONAL(request, engine);
  command.engine_version = EC_OPTIONAL(request, engine_version);
  command.auto_minor_version_upgrade = EC_OPTIONAL(request, auto_minor_version_upgrade);
  command.snapshot_retention = EC_OPTIONAL(request, snapshot_retention_limit);
  command.snapshot_window = EC_OPTIONAL(request, snapshot_window);
  command.node_type = EC_OPTIONAL(request, cache_node_type);
  command.auth_token = EC_OPTIONAL(request, auth_token);
  command.auth_token_strategy = EC_OPTIONAL(request, auth_token_update_strategy);
  command.ip_discovery = EC_OPTIONAL(request, ip_discovery);
  return command;
}

// Submits the command and answers with the cluster as it then is.
template <typename Command>
Status SubmitFor(ControllerLoop& loop, Command command, v1::CacheCluster* response) {
  const std::string id = model::Lower(command.id);
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    const auto found = state.records.clusters.find(id);
    if (found != state.records.clusters.end()) {
      ToProto(state, found->second, false, response);
    }
  });
}

}  // namespace

Status CreateCacheCluster(ControllerLoop& loop, const v1::CreateCacheClusterRequest& request,
                          v1::CreateCacheClusterResponse* response) {
  return SubmitFor(loop, Parse(request), response->mutable_cache_cluster());
}

Status ModifyCacheCluster(ControllerLoop& loop, const v1::ModifyCacheClusterRequest& request,
                          v1::ModifyCacheClusterResponse* response) {
  return SubmitFor(loop, Parse(request), response->mutable_cache_cluster());
}

Status DeleteCacheCluster(ControllerLoop& loop, const v1::DeleteCacheClusterRequest& request,
                          v1::DeleteCacheClusterResponse* response) {
  core::DeleteCluster command{request.cache_cluster_id(),
                              EC_OPTIONAL(request, final_snapshot_identifier)};
  return SubmitFor(loop, std::move(command), response->mutable_cache_cluster());
}

Status RebootCacheCluster(ControllerLoop& loop, const v1::RebootCacheClusterRequest& request,
                          v1::RebootCacheClusterResponse* response) {
  core::RebootCluster command{request.cache_cluster_id(),
                              ToVector(request.cache_node_ids_to_reboot())};
  return SubmitFor(loop, std::move(command), response->mutable_cache_cluster());
}

Status DescribeCacheClusters(ControllerLoop& loop, const v1::DescribeCacheClustersRequest& request,
                             v1::DescribeCacheClustersResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  const bool with_nodes = request.show_cache_node_info();
  const bool only_alone = request.show_cache_clusters_not_in_replication_groups();
  return loop.Read([&](const model::State& state) -> Status {
    const auto& clusters = state.records.clusters;
    if (request.has_cache_cluster_id()) {
      Result<std::string> id = model::ParseClusterId(request.cache_cluster_id());
      if (!id.ok()) return id.status();
      const auto found = clusters.find(*id);
      if (found == clusters.end()) {
        return {Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", *id)};
      }
      ToProto(state, found->second, with_nodes, response->add_cache_clusters());
      return {};
    }
    // The marker is the last id of the page before.
    auto it = request.marker().empty() ? clusters.begin() : clusters.upper_bound(request.marker());
    for (; it != clusters.end(); ++it) {
      if (only_alone && !it->second.group.empty()) continue;
      if (response->cache_clusters_size() == *size) {
        response->set_marker(response->cache_clusters(*size - 1).cache_cluster_id());
        break;
      }
      ToProto(state, it->second, with_nodes, response->add_cache_clusters());
    }
    return {};
  });
}

Status ListAllowedNodeTypeModifications(ControllerLoop& loop,
                                        const v1::ListAllowedNodeTypeModificationsRequest& request,
                                        v1::ListAllowedNodeTypeModificationsResponse*) {
  if (request.has_cache_cluster_id() == request.has_replication_group_id()) {
    return {Fault::kInvalidParameterCombination,
            "Give exactly one of CacheClusterId and ReplicationGroupId."};
  }
  if (request.has_replication_group_id()) {
    return loop.Read([&](const model::State& state) {
      return FindGroup(state.records, request.replication_group_id()).status();
    });
  }
  Result<std::string> id = model::ParseClusterId(request.cache_cluster_id());
  if (!id.ok()) return id.status();
  return loop.Read([&](const model::State& state) -> Status {
    if (state.records.clusters.contains(*id)) return {};  // nothing is allowed: both lists empty
    return {Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", *id)};
  });
}

}  // namespace ec::server
