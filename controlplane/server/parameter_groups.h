// Cache parameter groups: proto in, one command or one look at the records, proto out.
#pragma once

#include "common/status.h"
#include "ec/v1/parameter_groups.pb.h"

namespace ec::server {

class ControllerLoop;

Status CreateCacheParameterGroup(ControllerLoop& loop,
                                 const v1::CreateCacheParameterGroupRequest& request,
                                 v1::CreateCacheParameterGroupResponse* response);
Status DescribeCacheParameterGroups(ControllerLoop& loop,
                                    const v1::DescribeCacheParameterGroupsRequest& request,
                                    v1::DescribeCacheParameterGroupsResponse* response);
Status DescribeCacheParameters(ControllerLoop& loop,
                               const v1::DescribeCacheParametersRequest& request,
                               v1::DescribeCacheParametersResponse* response);
Status ModifyCacheParameterGroup(ControllerLoop& loop,
                                 const v1::ModifyCacheParameterGroupRequest& request,
                                 v1::ModifyCacheParameterGroupResponse* response);
Status ResetCacheParameterGroup(ControllerLoop& loop,
                                const v1::ResetCacheParameterGroupRequest& request,
                                v1::ResetCacheParameterGroupResponse* response);
Status DeleteCacheParameterGroup(ControllerLoop& loop,
                                 const v1::DeleteCacheParameterGroupRequest& request,
                                 v1::DeleteCacheParameterGroupResponse* response);
Status DescribeEngineDefaultParameters(ControllerLoop& loop,
                                       const v1::DescribeEngineDefaultParametersRequest& request,
                                       v1::DescribeEngineDefaultParametersResponse* response);

}  // namespace ec::server
