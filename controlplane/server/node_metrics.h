// What engines say of themselves, asked for when somebody looks.
#pragma once

#include "common/status.h"
#include "ec/v1/emulator.pb.h"

namespace ec::server {

class AgentHub;
class ControllerLoop;

// Waits for the agents, a second at most.
Status DescribeCacheNodeMetrics(ControllerLoop& loop, AgentHub& agents,
                                const v1::DescribeCacheNodeMetricsRequest& request,
                                v1::DescribeCacheNodeMetricsResponse* response);

}  // namespace ec::server
