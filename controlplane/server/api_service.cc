#include "controlplane/server/api_service.h"

#include "controlplane/server/access.h"
#include "controlplane/server/cache_clusters.h"
#include "controlplane/server/catalogue.h"
#include "controlplane/server/clock.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/emulator.h"
#include "controlplane/server/events.h"
#include "controlplane/server/grpc_status.h"
#include "controlplane/server/node_metrics.h"
#include "controlplane/server/parameter_groups.h"
#include "controlplane/server/replication_groups.h"
#include "controlplane/server/serve.h"
#include "controlplane/server/snapshots.h"
#include "controlplane/server/subnet_groups.h"
#include "controlplane/server/tags.h"
#include "controlplane/server/users.h"

namespace ec::server {

grpc::Status ElastiCacheService::CreateCacheCluster(grpc::ServerContext*,
                                                    const v1::CreateCacheClusterRequest* request,
                                                    v1::CreateCacheClusterResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "CreateCacheCluster", *request,
               [&] { return server::CreateCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheClusters(
    grpc::ServerContext*, const v1::DescribeCacheClustersRequest* request,
    v1::DescribeCacheClustersResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheClusters", *request,
               [&] { return server::DescribeCacheClusters(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyCacheCluster(grpc::ServerContext*,
                                                    const v1::ModifyCacheClusterRequest* request,
                                                    v1::ModifyCacheClusterResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ModifyCacheCluster", *request,
               [&] { return server::ModifyCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteCacheCluster(grpc::ServerContext*,
                                                    const v1::DeleteCacheClusterRequest* request,
                                                    v1::DeleteCacheClusterResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DeleteCacheCluster", *request,
               [&] { return server::DeleteCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::RebootCacheCluster(grpc::ServerContext*,
                                                    const v1::RebootCacheClusterRequest* request,
                                                    v1::RebootCacheClusterResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "RebootCacheCluster", *request,
               [&] { return server::RebootCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CreateReplicationGroup(
    grpc::ServerContext*, const v1::CreateReplicationGroupRequest* request,
    v1::CreateReplicationGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "CreateReplicationGroup", *request,
               [&] { return server::CreateReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeReplicationGroups(
    grpc::ServerContext*, const v1::DescribeReplicationGroupsRequest* request,
    v1::DescribeReplicationGroupsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeReplicationGroups", *request,
               [&] { return server::DescribeReplicationGroups(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyReplicationGroup(
    grpc::ServerContext*, const v1::ModifyReplicationGroupRequest* request,
    v1::ModifyReplicationGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ModifyReplicationGroup", *request,
               [&] { return server::ModifyReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteReplicationGroup(
    grpc::ServerContext*, const v1::DeleteReplicationGroupRequest* request,
    v1::DeleteReplicationGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DeleteReplicationGroup", *request,
               [&] { return server::DeleteReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::IncreaseReplicaCount(
    grpc::ServerContext*, const v1::IncreaseReplicaCountRequest* request,
    v1::IncreaseReplicaCountResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "IncreaseReplicaCount", *request,
               [&] { return server::IncreaseReplicaCount(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DecreaseReplicaCount(
    grpc::ServerContext*, const v1::DecreaseReplicaCountRequest* request,
    v1::DecreaseReplicaCountResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DecreaseReplicaCount", *request,
               [&] { return server::DecreaseReplicaCount(loop_, *request, response); });
}

grpc::Status ElastiCacheService::TestFailover(grpc::ServerContext*,
                                              const v1::TestFailoverRequest* request,
                                              v1::TestFailoverResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "TestFailover", *request,
               [&] { return server::TestFailover(loop_, *request, response); });
}

grpc::Status ElastiCacheService::PromoteCacheCluster(grpc::ServerContext*,
                                                     const v1::PromoteCacheClusterRequest* request,
                                                     v1::PromoteCacheClusterResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "PromoteCacheCluster", *request,
               [&] { return server::PromoteCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DemoteCacheCluster(grpc::ServerContext*,
                                                    const v1::DemoteCacheClusterRequest* request,
                                                    v1::DemoteCacheClusterResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DemoteCacheCluster", *request,
               [&] { return server::DemoteCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::SwitchoverReplicationGroup(
    grpc::ServerContext*, const v1::SwitchoverReplicationGroupRequest* request,
    v1::SwitchoverReplicationGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "SwitchoverReplicationGroup", *request,
               [&] { return server::SwitchoverReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheEngineVersions(
    grpc::ServerContext*, const v1::DescribeCacheEngineVersionsRequest* request,
    v1::DescribeCacheEngineVersionsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheEngineVersions", *request,
               [&] { return server::DescribeCacheEngineVersions(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ListAllowedNodeTypeModifications(
    grpc::ServerContext*, const v1::ListAllowedNodeTypeModificationsRequest* request,
    v1::ListAllowedNodeTypeModificationsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ListAllowedNodeTypeModifications", *request,
               [&] { return server::ListAllowedNodeTypeModifications(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeEvents(grpc::ServerContext*,
                                                const v1::DescribeEventsRequest* request,
                                                v1::DescribeEventsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeEvents", *request, [&] {
    return server::DescribeEvents(loop_, EmulatedTime(loop_, clock_), *request, response);
  });
}

grpc::Status ElastiCacheService::AddTagsToResource(grpc::ServerContext*,
                                                   const v1::AddTagsToResourceRequest* request,
                                                   v1::AddTagsToResourceResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "AddTagsToResource", *request,
               [&] { return server::AddTagsToResource(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ListTagsForResource(grpc::ServerContext*,
                                                     const v1::ListTagsForResourceRequest* request,
                                                     v1::ListTagsForResourceResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ListTagsForResource", *request,
               [&] { return server::ListTagsForResource(loop_, *request, response); });
}

grpc::Status ElastiCacheService::RemoveTagsFromResource(
    grpc::ServerContext*, const v1::RemoveTagsFromResourceRequest* request,
    v1::RemoveTagsFromResourceResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "RemoveTagsFromResource", *request,
               [&] { return server::RemoveTagsFromResource(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CreateUser(grpc::ServerContext*,
                                            const v1::CreateUserRequest* request,
                                            v1::User* response) {
  return Serve(clock_, kElastiCacheDomain, "CreateUser", *request,
               [&] { return server::CreateUser(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeUsers(grpc::ServerContext*,
                                               const v1::DescribeUsersRequest* request,
                                               v1::DescribeUsersResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeUsers", *request,
               [&] { return server::DescribeUsers(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyUser(grpc::ServerContext*,
                                            const v1::ModifyUserRequest* request,
                                            v1::User* response) {
  return Serve(clock_, kElastiCacheDomain, "ModifyUser", *request,
               [&] { return server::ModifyUser(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteUser(grpc::ServerContext*,
                                            const v1::DeleteUserRequest* request,
                                            v1::User* response) {
  return Serve(clock_, kElastiCacheDomain, "DeleteUser", *request,
               [&] { return server::DeleteUser(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CreateUserGroup(grpc::ServerContext*,
                                                 const v1::CreateUserGroupRequest* request,
                                                 v1::UserGroup* response) {
  return Serve(clock_, kElastiCacheDomain, "CreateUserGroup", *request,
               [&] { return server::CreateUserGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeUserGroups(grpc::ServerContext*,
                                                    const v1::DescribeUserGroupsRequest* request,
                                                    v1::DescribeUserGroupsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeUserGroups", *request,
               [&] { return server::DescribeUserGroups(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyUserGroup(grpc::ServerContext*,
                                                 const v1::ModifyUserGroupRequest* request,
                                                 v1::UserGroup* response) {
  return Serve(clock_, kElastiCacheDomain, "ModifyUserGroup", *request,
               [&] { return server::ModifyUserGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteUserGroup(grpc::ServerContext*,
                                                 const v1::DeleteUserGroupRequest* request,
                                                 v1::UserGroup* response) {
  return Serve(clock_, kElastiCacheDomain, "DeleteUserGroup", *request,
               [&] { return server::DeleteUserGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CreateCacheParameterGroup(
    grpc::ServerContext*, const v1::CreateCacheParameterGroupRequest* request,
    v1::CreateCacheParameterGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "CreateCacheParameterGroup", *request,
               [&] { return server::CreateCacheParameterGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheParameterGroups(
    grpc::ServerContext*, const v1::DescribeCacheParameterGroupsRequest* request,
    v1::DescribeCacheParameterGroupsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheParameterGroups", *request,
               [&] { return server::DescribeCacheParameterGroups(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheParameters(
    grpc::ServerContext*, const v1::DescribeCacheParametersRequest* request,
    v1::DescribeCacheParametersResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheParameters", *request,
               [&] { return server::DescribeCacheParameters(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyCacheParameterGroup(
    grpc::ServerContext*, const v1::ModifyCacheParameterGroupRequest* request,
    v1::ModifyCacheParameterGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ModifyCacheParameterGroup", *request,
               [&] { return server::ModifyCacheParameterGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ResetCacheParameterGroup(
    grpc::ServerContext*, const v1::ResetCacheParameterGroupRequest* request,
    v1::ResetCacheParameterGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ResetCacheParameterGroup", *request,
               [&] { return server::ResetCacheParameterGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteCacheParameterGroup(
    grpc::ServerContext*, const v1::DeleteCacheParameterGroupRequest* request,
    v1::DeleteCacheParameterGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DeleteCacheParameterGroup", *request,
               [&] { return server::DeleteCacheParameterGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeEngineDefaultParameters(
    grpc::ServerContext*, const v1::DescribeEngineDefaultParametersRequest* request,
    v1::DescribeEngineDefaultParametersResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeEngineDefaultParameters", *request,
               [&] { return server::DescribeEngineDefaultParameters(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheNodeTypes(
    grpc::ServerContext*, const v1::DescribeCacheNodeTypesRequest* request,
    v1::DescribeCacheNodeTypesResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheNodeTypes", *request,
               [&] { return server::DescribeCacheNodeTypes(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CreateCacheSubnetGroup(
    grpc::ServerContext*, const v1::CreateCacheSubnetGroupRequest* request,
    v1::CreateCacheSubnetGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "CreateCacheSubnetGroup", *request,
               [&] { return server::CreateCacheSubnetGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheSubnetGroups(
    grpc::ServerContext*, const v1::DescribeCacheSubnetGroupsRequest* request,
    v1::DescribeCacheSubnetGroupsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheSubnetGroups", *request,
               [&] { return server::DescribeCacheSubnetGroups(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyCacheSubnetGroup(
    grpc::ServerContext*, const v1::ModifyCacheSubnetGroupRequest* request,
    v1::ModifyCacheSubnetGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ModifyCacheSubnetGroup", *request,
               [&] { return server::ModifyCacheSubnetGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteCacheSubnetGroup(
    grpc::ServerContext*, const v1::DeleteCacheSubnetGroupRequest* request,
    v1::DeleteCacheSubnetGroupResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DeleteCacheSubnetGroup", *request,
               [&] { return server::DeleteCacheSubnetGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CreateCacheSecurityGroup(
    grpc::ServerContext*, const v1::CreateCacheSecurityGroupRequest* request,
    v1::CreateCacheSecurityGroupResponse*) {
  return Serve(clock_, kElastiCacheDomain, "CreateCacheSecurityGroup", *request,
               RefuseCacheSecurityGroups);
}

grpc::Status ElastiCacheService::DescribeCacheSecurityGroups(
    grpc::ServerContext*, const v1::DescribeCacheSecurityGroupsRequest* request,
    v1::DescribeCacheSecurityGroupsResponse*) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheSecurityGroups", *request,
               RefuseCacheSecurityGroups);
}

grpc::Status ElastiCacheService::AuthorizeCacheSecurityGroupIngress(
    grpc::ServerContext*, const v1::AuthorizeCacheSecurityGroupIngressRequest* request,
    v1::AuthorizeCacheSecurityGroupIngressResponse*) {
  return Serve(clock_, kElastiCacheDomain, "AuthorizeCacheSecurityGroupIngress", *request,
               RefuseCacheSecurityGroups);
}

grpc::Status ElastiCacheService::RevokeCacheSecurityGroupIngress(
    grpc::ServerContext*, const v1::RevokeCacheSecurityGroupIngressRequest* request,
    v1::RevokeCacheSecurityGroupIngressResponse*) {
  return Serve(clock_, kElastiCacheDomain, "RevokeCacheSecurityGroupIngress", *request,
               RefuseCacheSecurityGroups);
}

grpc::Status ElastiCacheService::DeleteCacheSecurityGroup(
    grpc::ServerContext*, const v1::DeleteCacheSecurityGroupRequest* request,
    v1::DeleteCacheSecurityGroupResponse*) {
  return Serve(clock_, kElastiCacheDomain, "DeleteCacheSecurityGroup", *request,
               RefuseCacheSecurityGroups);
}

grpc::Status ElastiCacheService::CreateSnapshot(grpc::ServerContext*,
                                                const v1::CreateSnapshotRequest* request,
                                                v1::CreateSnapshotResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "CreateSnapshot", *request,
               [&] { return server::CreateSnapshot(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeSnapshots(grpc::ServerContext*,
                                                   const v1::DescribeSnapshotsRequest* request,
                                                   v1::DescribeSnapshotsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeSnapshots", *request,
               [&] { return server::DescribeSnapshots(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteSnapshot(grpc::ServerContext*,
                                                const v1::DeleteSnapshotRequest* request,
                                                v1::DeleteSnapshotResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DeleteSnapshot", *request,
               [&] { return server::DeleteSnapshot(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CopySnapshot(grpc::ServerContext*,
                                              const v1::CopySnapshotRequest* request,
                                              v1::CopySnapshotResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "CopySnapshot", *request,
               [&] { return server::CopySnapshot(loop_, *request, response); });
}

grpc::Status EmulatorService::DescribeHosts(grpc::ServerContext*,
                                            const v1::DescribeHostsRequest* request,
                                            v1::DescribeHostsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeHosts", *request, [&] {
    return server::DescribeHosts(loop_, clock_.now().instant, *request, response);
  });
}

grpc::Status EmulatorService::DescribeEndpoints(grpc::ServerContext*,
                                                const v1::DescribeEndpointsRequest* request,
                                                v1::DescribeEndpointsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeEndpoints", *request,
               [&] { return server::DescribeEndpoints(loop_, *request, response); });
}

grpc::Status EmulatorService::DescribeCacheNodeMetrics(
    grpc::ServerContext*, const v1::DescribeCacheNodeMetricsRequest* request,
    v1::DescribeCacheNodeMetricsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeCacheNodeMetrics", *request, [&] {
    return server::DescribeCacheNodeMetrics(loop_, agents_, *request, response);
  });
}

grpc::Status EmulatorService::ExplainAccess(grpc::ServerContext*,
                                            const v1::ExplainAccessRequest* request,
                                            v1::ExplainAccessResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ExplainAccess", *request,
               [&] { return server::ExplainAccess(loop_, *request, response); });
}

grpc::Status EmulatorService::AddFault(grpc::ServerContext*, const v1::AddFaultRequest* request,
                                       v1::AddFaultResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "AddFault", *request,
               [&] { return server::AddFault(loop_, fault_numbers_, *request, response); });
}

grpc::Status EmulatorService::DescribeFaults(grpc::ServerContext*,
                                             const v1::DescribeFaultsRequest* request,
                                             v1::DescribeFaultsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeFaults", *request,
               [&] { return server::DescribeFaults(loop_, *request, response); });
}

grpc::Status EmulatorService::ClearFaults(grpc::ServerContext*,
                                          const v1::ClearFaultsRequest* request,
                                          v1::ClearFaultsResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "ClearFaults", *request,
               [&] { return server::ClearFaults(loop_, *request, response); });
}

grpc::Status EmulatorService::DescribeClock(grpc::ServerContext*,
                                            const v1::DescribeClockRequest* request,
                                            v1::DescribeClockResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "DescribeClock", *request,
               [&] { return server::DescribeClock(loop_, clock_, *request, response); });
}

grpc::Status EmulatorService::SetClock(grpc::ServerContext*, const v1::SetClockRequest* request,
                                       v1::SetClockResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "SetClock", *request,
               [&] { return server::SetClock(loop_, clock_, *request, response); });
}

grpc::Status EmulatorService::AdvanceClock(grpc::ServerContext* context,
                                           const v1::AdvanceClockRequest* request,
                                           grpc::ServerWriter<v1::AdvanceClockResponse>* writer) {
  return Serve(clock_, kElastiCacheDomain, "AdvanceClock", *request, [&] {
    return server::AdvanceClock(
        loop_, clock_, *request,
        [&](const v1::AdvanceClockResponse& response) { return writer->Write(response); },
        [&] { return context->IsCancelled(); });
  });
}

grpc::Status EmulatorService::GetCertificateAuthority(
    grpc::ServerContext*, const v1::GetCertificateAuthorityRequest* request,
    v1::GetCertificateAuthorityResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "GetCertificateAuthority", *request,
               [&] { return server::GetCertificateAuthority(authority_, *request, response); });
}

grpc::Status EmulatorService::GetVersion(grpc::ServerContext*, const v1::GetVersionRequest* request,
                                         v1::GetVersionResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "GetVersion", *request,
               [&] { return server::GetVersion(loop_, *request, response); });
}

grpc::Status EmulatorService::Reset(grpc::ServerContext*, const v1::ResetRequest* request,
                                    v1::ResetResponse* response) {
  return Serve(clock_, kElastiCacheDomain, "Reset", *request,
               [&] { return server::Reset(loop_, *request, response); });
}

grpc::Status EmulatorService::WatchEvents(grpc::ServerContext* context,
                                          const v1::WatchEventsRequest* request,
                                          grpc::ServerWriter<v1::Event>* writer) {
  return ToGrpc(server::WatchEvents(
      loop_, *request, [&](const v1::Event& event) { return writer->Write(event); },
      [&] { return context->IsCancelled(); }));
}

}  // namespace ec::server
