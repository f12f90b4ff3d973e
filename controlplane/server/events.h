// Events, as AWS's clients page through them.
#pragma once

#include "common/status.h"
#include "common/time.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::server {

class ControllerLoop;

Status DescribeEvents(ControllerLoop& loop, WallTime now, const v1::DescribeEventsRequest& request,
                      v1::DescribeEventsResponse* response);

}  // namespace ec::server
