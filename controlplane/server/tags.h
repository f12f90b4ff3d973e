// The tag calls.
#pragma once

#include "common/status.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::server {

class ControllerLoop;

Status AddTagsToResource(ControllerLoop& loop, const v1::AddTagsToResourceRequest& request,
                         v1::AddTagsToResourceResponse* response);
Status ListTagsForResource(ControllerLoop& loop, const v1::ListTagsForResourceRequest& request,
                           v1::ListTagsForResourceResponse* response);
Status RemoveTagsFromResource(ControllerLoop& loop,
                              const v1::RemoveTagsFromResourceRequest& request,
                              v1::RemoveTagsFromResourceResponse* response);

}  // namespace ec::server
