// What is on offer: engine versions and node types.
#pragma once

#include "common/status.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::server {

class ControllerLoop;

Status DescribeCacheEngineVersions(ControllerLoop& loop,
                                   const v1::DescribeCacheEngineVersionsRequest& request,
                                   v1::DescribeCacheEngineVersionsResponse* response);
Status DescribeCacheNodeTypes(ControllerLoop& loop,
                              const v1::DescribeCacheNodeTypesRequest& request,
                              v1::DescribeCacheNodeTypesResponse* response);

}  // namespace ec::server
