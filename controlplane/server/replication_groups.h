// The replication group calls, and those that take a cluster into a group or out of one.
#pragma once

#include "common/status.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::server {

class ControllerLoop;

// As in cache_clusters.h: each may block until the controller has decided.
Status CreateReplicationGroup(ControllerLoop& loop,
                              const v1::CreateReplicationGroupRequest& request,
                              v1::CreateReplicationGroupResponse* response);
Status DescribeReplicationGroups(ControllerLoop& loop,
                                 const v1::DescribeReplicationGroupsRequest& request,
                                 v1::DescribeReplicationGroupsResponse* response);
Status ModifyReplicationGroup(ControllerLoop& loop,
                              const v1::ModifyReplicationGroupRequest& request,
                              v1::ModifyReplicationGroupResponse* response);
Status DeleteReplicationGroup(ControllerLoop& loop,
                              const v1::DeleteReplicationGroupRequest& request,
                              v1::DeleteReplicationGroupResponse* response);
Status IncreaseReplicaCount(ControllerLoop& loop, const v1::IncreaseReplicaCountRequest& request,
                            v1::IncreaseReplicaCountResponse* response);
Status DecreaseReplicaCount(ControllerLoop& loop, const v1::DecreaseReplicaCountRequest& request,
                            v1::DecreaseReplicaCountResponse* response);
Status TestFailover(ControllerLoop& loop, const v1::TestFailoverRequest& request,
                    v1::TestFailoverResponse* response);
Status SwitchoverReplicationGroup(ControllerLoop& loop,
                                  const v1::SwitchoverReplicationGroupRequest& request,
                                  v1::SwitchoverReplicationGroupResponse* response);
Status PromoteCacheCluster(ControllerLoop& loop, const v1::PromoteCacheClusterRequest& request,
                           v1::PromoteCacheClusterResponse* response);
Status DemoteCacheCluster(ControllerLoop& loop, const v1::DemoteCacheClusterRequest& request,
                          v1::DemoteCacheClusterResponse* response);

}  // namespace ec::server
