// The cache cluster calls: proto in, one command or one look at the records, proto out.
#pragma once

#include "common/status.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::server {

class ControllerLoop;

// Each is called on a gRPC thread and may block until the controller has decided and the store has
// the result. ApiService gives each call its log line and its conversion to grpc::Status.
Status CreateCacheCluster(ControllerLoop& loop, const v1::CreateCacheClusterRequest& request,
                          v1::CreateCacheClusterResponse* response);
Status DescribeCacheClusters(ControllerLoop& loop, const v1::DescribeCacheClustersRequest& request,
                             v1::DescribeCacheClustersResponse* response);
Status ModifyCacheCluster(ControllerLoop& loop, const v1::ModifyCacheClusterRequest& request,
                          v1::ModifyCacheClusterResponse* response);
Status DeleteCacheCluster(ControllerLoop& loop, const v1::DeleteCacheClusterRequest& request,
                          v1::DeleteCacheClusterResponse* response);
Status RebootCacheCluster(ControllerLoop& loop, const v1::RebootCacheClusterRequest& request,
                          v1::RebootCacheClusterResponse* response);
Status ListAllowedNodeTypeModifications(ControllerLoop& loop,
                                        const v1::ListAllowedNodeTypeModificationsRequest& request,
                                        v1::ListAllowedNodeTypeModificationsResponse* response);

}  // namespace ec::server
