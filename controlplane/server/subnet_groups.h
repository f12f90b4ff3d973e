// The cache subnet group calls, and the refusal of EC2-Classic's cache security groups.
#pragma once

#include "common/status.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::server {

class ControllerLoop;

Status CreateCacheSubnetGroup(ControllerLoop& loop,
                              const v1::CreateCacheSubnetGroupRequest& request,
                              v1::CreateCacheSubnetGroupResponse* response);
Status DescribeCacheSubnetGroups(ControllerLoop& loop,
                                 const v1::DescribeCacheSubnetGroupsRequest& request,
                                 v1::DescribeCacheSubnetGroupsResponse* response);
Status ModifyCacheSubnetGroup(ControllerLoop& loop,
                              const v1::ModifyCacheSubnetGroupRequest& request,
                              v1::ModifyCacheSubnetGroupResponse* response);
Status DeleteCacheSubnetGroup(ControllerLoop& loop,
                              const v1::DeleteCacheSubnetGroupRequest& request,
                              v1::DeleteCacheSubnetGroupResponse* response);

// The answer to all five calls about cache security groups.
Status RefuseCacheSecurityGroups();

}  // namespace ec::server
