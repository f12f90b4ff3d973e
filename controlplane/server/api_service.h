// The public API as gRPC services. Every override is one line: what a call does stands in the file
// of its resource; here it gets its check of required members, its log line and its status.
#pragma once

#include <functional>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "controlplane/server/faults.h"
#include "controlplane/tls/authority.h"
#include "ec/v1/elasticache.grpc.pb.h"
#include "ec/v1/emulator.grpc.pb.h"

namespace ec::server {

class AgentHub;
class ControllerLoop;

class ElastiCacheService : public v1::ElastiCache::Service {
 public:
  ElastiCacheService(ControllerLoop& loop, const Clock& clock) : loop_(loop), clock_(clock) {}

  grpc::Status CreateCacheCluster(grpc::ServerContext* context,
                                  const v1::CreateCacheClusterRequest* request,
                                  v1::CreateCacheClusterResponse* response) override;
  grpc::Status DescribeCacheClusters(grpc::ServerContext* context,
                                     const v1::DescribeCacheClustersRequest* request,
                                     v1::DescribeCacheClustersResponse* response) override;
  grpc::Status ModifyCacheCluster(grpc::ServerContext* context,
                                  const v1::ModifyCacheClusterRequest* request,
                                  v1::ModifyCacheClusterResponse* response) override;
  grpc::Status DeleteCacheCluster(grpc::ServerContext* context,
                                  const v1::DeleteCacheClusterRequest* request,
                                  v1::DeleteCacheClusterResponse* response) override;
  grpc::Status RebootCacheCluster(grpc::ServerContext* context,
                                  const v1::RebootCacheClusterRequest* request,
                                  v1::RebootCacheClusterResponse* response) override;
  grpc::Status CreateReplicationGroup(grpc::ServerContext* context,
                                      const v1::CreateReplicationGroupRequest* request,
                                      v1::CreateReplicationGroupResponse* response) override;
  grpc::Status DescribeReplicationGroups(grpc::ServerContext* context,
                                         const v1::DescribeReplicationGroupsRequest* request,
                                         v1::DescribeReplicationGroupsResponse* response) override;
  grpc::Status ModifyReplicationGroup(grpc::ServerContext* context,
                                      const v1::ModifyReplicationGroupRequest* request,
                                      v1::ModifyReplicationGroupResponse* response) override;
  grpc::Status DeleteReplicationGroup(grpc::ServerContext* context,
                                      const v1::DeleteReplicationGroupRequest* request,
                                      v1::DeleteReplicationGroupResponse* response) override;
  grpc::Status IncreaseReplicaCount(grpc::ServerContext* context,
                                    const v1::IncreaseReplicaCountRequest* request,
                                    v1::IncreaseReplicaCountResponse* response) override;
  grpc::Status DecreaseReplicaCount(grpc::ServerContext* context,
                                    const v1::DecreaseReplicaCountRequest* request,
                                    v1::DecreaseReplicaCountResponse* response) override;
  grpc::Status TestFailover(grpc::ServerContext* context, const v1::TestFailoverRequest* request,
                            v1::TestFailoverResponse* response) override;
  grpc::Status PromoteCacheCluster(grpc::ServerContext* context,
                                   const v1::PromoteCacheClusterRequest* request,
                                   v1::PromoteCacheClusterResponse* response) override;
  grpc::Status DemoteCacheCluster(grpc::ServerContext* context,
                                  const v1::DemoteCacheClusterRequest* request,
                                  v1::DemoteCacheClusterResponse* response) override;
  grpc::Status SwitchoverReplicationGroup(
      grpc::ServerContext* context, const v1::SwitchoverReplicationGroupRequest* request,
      v1::SwitchoverReplicationGroupResponse* response) override;
  grpc::Status DescribeCacheEngineVersions(
      grpc::ServerContext* context, const v1::DescribeCacheEngineVersionsRequest* request,
      v1::DescribeCacheEngineVersionsResponse* response) override;
  grpc::Status ListAllowedNodeTypeModifications(
      grpc::ServerContext* context, const v1::ListAllowedNodeTypeModificationsRequest* request,
      v1::ListAllowedNodeTypeModificationsResponse* response) override;
  grpc::Status DescribeEvents(grpc::ServerContext* context,
                              const v1::DescribeEventsRequest* request,
                              v1::DescribeEventsResponse* response) override;
  grpc::Status AddTagsToResource(grpc::ServerContext* context,
                                 const v1::AddTagsToResourceRequest* request,
                                 v1::AddTagsToResourceResponse* response) override;
  grpc::Status ListTagsForResource(grpc::ServerContext* context,
                                   const v1::ListTagsForResourceRequest* request,
                                   v1::ListTagsForResourceResponse* response) override;
  grpc::Status RemoveTagsFromResource(grpc::ServerContext* context,
                                      const v1::RemoveTagsFromResourceRequest* request,
                                      v1::RemoveTagsFromResourceResponse* response) override;
  grpc::Status CreateCacheSubnetGroup(grpc::ServerContext* context,
                                      const v1::CreateCacheSubnetGroupRequest* request,
                                      v1::CreateCacheSubnetGroupResponse* response) override;
  grpc::Status DescribeCacheSubnetGroups(grpc::ServerContext* context,
                                         const v1::DescribeCacheSubnetGroupsRequest* request,
                                         v1::DescribeCacheSubnetGroupsResponse* response) override;
  grpc::Status ModifyCacheSubnetGroup(grpc::ServerContext* context,
                                      const v1::ModifyCacheSubnetGroupRequest* request,
                                      v1::ModifyCacheSubnetGroupResponse* response) override;
  grpc::Status DeleteCacheSubnetGroup(grpc::ServerContext* context,
                                      const v1::DeleteCacheSubnetGroupRequest* request,
                                      v1::DeleteCacheSubnetGroupResponse* response) override;
  grpc::Status CreateCacheSecurityGroup(grpc::ServerContext* context,
                                        const v1::CreateCacheSecurityGroupRequest* request,
                                        v1::CreateCacheSecurityGroupResponse* response) override;
  grpc::Status DescribeCacheSecurityGroups(
      grpc::ServerContext* context, const v1::DescribeCacheSecurityGroupsRequest* request,
      v1::DescribeCacheSecurityGroupsResponse* response) override;
  grpc::Status AuthorizeCacheSecurityGroupIngress(
      grpc::ServerContext* context, const v1::AuthorizeCacheSecurityGroupIngressRequest* request,
      v1::AuthorizeCacheSecurityGroupIngressResponse* response) override;
  grpc::Status RevokeCacheSecurityGroupIngress(
      grpc::ServerContext* context, const v1::RevokeCacheSecurityGroupIngressRequest* request,
      v1::RevokeCacheSecurityGroupIngressResponse* response) override;
  grpc::Status DeleteCacheSecurityGroup(grpc::ServerContext* context,
                                        const v1::DeleteCacheSecurityGroupRequest* request,
                                        v1::DeleteCacheSecurityGroupResponse* response) override;
  grpc::Status CreateSnapshot(grpc::ServerContext* context,
                              const v1::CreateSnapshotRequest* request,
                              v1::CreateSnapshotResponse* response) override;
  grpc::Status DescribeSnapshots(grpc::ServerContext* context,
                                 const v1::DescribeSnapshotsRequest* request,
                                 v1::DescribeSnapshotsResponse* response) override;
  grpc::Status DeleteSnapshot(grpc::ServerContext* context,
                              const v1::DeleteSnapshotRequest* request,
                              v1::DeleteSnapshotResponse* response) override;
  grpc::Status CopySnapshot(grpc::ServerContext* context, const v1::CopySnapshotRequest* request,
                            v1::CopySnapshotResponse* response) override;
  grpc::Status CreateUser(grpc::ServerContext* context, const v1::CreateUserRequest* request,
                          v1::User* response) override;
  grpc::Status DescribeUsers(grpc::ServerContext* context, const v1::DescribeUsersRequest* request,
                             v1::DescribeUsersResponse* response) override;
  grpc::Status ModifyUser(grpc::ServerContext* context, const v1::ModifyUserRequest* request,
                          v1::User* response) override;
  grpc::Status DeleteUser(grpc::ServerContext* context, const v1::DeleteUserRequest* request,
                          v1::User* response) override;
  grpc::Status CreateUserGroup(grpc::ServerContext* context,
                               const v1::CreateUserGroupRequest* request,
                               v1::UserGroup* response) override;
  grpc::Status DescribeUserGroups(grpc::ServerContext* context,
                                  const v1::DescribeUserGroupsRequest* request,
                                  v1::DescribeUserGroupsResponse* response) override;
  grpc::Status ModifyUserGroup(grpc::ServerContext* context,
                               const v1::ModifyUserGroupRequest* request,
                               v1::UserGroup* response) override;
  grpc::Status DeleteUserGroup(grpc::ServerContext* context,
                               const v1::DeleteUserGroupRequest* request,
                               v1::UserGroup* response) override;
  grpc::Status CreateCacheParameterGroup(grpc::ServerContext* context,
                                         const v1::CreateCacheParameterGroupRequest* request,
                                         v1::CreateCacheParameterGroupResponse* response) override;
  grpc::Status DescribeCacheParameterGroups(
      grpc::ServerContext* context, const v1::DescribeCacheParameterGroupsRequest* request,
      v1::DescribeCacheParameterGroupsResponse* response) override;
  grpc::Status DescribeCacheParameters(grpc::ServerContext* context,
                                       const v1::DescribeCacheParametersRequest* request,
                                       v1::DescribeCacheParametersResponse* response) override;
  grpc::Status ModifyCacheParameterGroup(grpc::ServerContext* context,
                                         const v1::ModifyCacheParameterGroupRequest* request,
                                         v1::ModifyCacheParameterGroupResponse* response) override;
  grpc::Status ResetCacheParameterGroup(grpc::ServerContext* context,
                                        const v1::ResetCacheParameterGroupRequest* request,
                                        v1::ResetCacheParameterGroupResponse* response) override;
  grpc::Status DeleteCacheParameterGroup(grpc::ServerContext* context,
                                         const v1::DeleteCacheParameterGroupRequest* request,
                                         v1::DeleteCacheParameterGroupResponse* response) override;
  grpc::Status DescribeEngineDefaultParameters(
      grpc::ServerContext* context, const v1::DescribeEngineDefaultParametersRequest* request,
      v1::DescribeEngineDefaultParametersResponse* response) override;
  grpc::Status DescribeCacheNodeTypes(grpc::ServerContext* context,
                                      const v1::DescribeCacheNodeTypesRequest* request,
                                      v1::DescribeCacheNodeTypesResponse* response) override;

 private:
  ControllerLoop& loop_;
  const Clock& clock_;
};

class EmulatorService : public v1::Emulator::Service {
 public:
  EmulatorService(ControllerLoop& loop, AgentHub& agents, const Clock& clock,
                  tls::Authority& authority)
      : loop_(loop), agents_(agents), clock_(clock), authority_(authority) {}

  grpc::Status WatchEvents(grpc::ServerContext* context, const v1::WatchEventsRequest* request,
                           grpc::ServerWriter<v1::Event>* writer) override;
  grpc::Status DescribeHosts(grpc::ServerContext* context, const v1::DescribeHostsRequest* request,
                             v1::DescribeHostsResponse* response) override;
  grpc::Status DescribeEndpoints(grpc::ServerContext* context,
                                 const v1::DescribeEndpointsRequest* request,
                                 v1::DescribeEndpointsResponse* response) override;
  grpc::Status DescribeCacheNodeMetrics(grpc::ServerContext* context,
                                        const v1::DescribeCacheNodeMetricsRequest* request,
                                        v1::DescribeCacheNodeMetricsResponse* response) override;
  grpc::Status ExplainAccess(grpc::ServerContext* context, const v1::ExplainAccessRequest* request,
                             v1::ExplainAccessResponse* response) override;
  grpc::Status AddFault(grpc::ServerContext* context, const v1::AddFaultRequest* request,
                        v1::AddFaultResponse* response) override;
  grpc::Status DescribeFaults(grpc::ServerContext* context,
                              const v1::DescribeFaultsRequest* request,
                              v1::DescribeFaultsResponse* response) override;
  grpc::Status ClearFaults(grpc::ServerContext* context, const v1::ClearFaultsRequest* request,
                           v1::ClearFaultsResponse* response) override;
  grpc::Status DescribeClock(grpc::ServerContext* context, const v1::DescribeClockRequest* request,
                             v1::DescribeClockResponse* response) override;
  grpc::Status SetClock(grpc::ServerContext* context, const v1::SetClockRequest* request,
                        v1::SetClockResponse* response) override;
  grpc::Status AdvanceClock(grpc::ServerContext* context, const v1::AdvanceClockRequest* request,
                            grpc::ServerWriter<v1::AdvanceClockResponse>* writer) override;
  grpc::Status GetCertificateAuthority(grpc::ServerContext* context,
                                       const v1::GetCertificateAuthorityRequest* request,
                                       v1::GetCertificateAuthorityResponse* response) override;
  grpc::Status GetVersion(grpc::ServerContext* context, const v1::GetVersionRequest* request,
                          v1::GetVersionResponse* response) override;
  grpc::Status Reset(grpc::ServerContext* context, const v1::ResetRequest* request,
                     v1::ResetResponse* response) override;

 private:
  ControllerLoop& loop_;
  AgentHub& agents_;
  const Clock& clock_;
  tls::Authority& authority_;
  FaultNumbers fault_numbers_;
};

}  // namespace ec::server
