// Asks the control plane about clusters and events: whole answers, where the API gives pages.
#pragma once

#include <cstdint>
#include <string>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// With its nodes.
Outcome FindCluster(Context& context, const std::string& id, v1::CacheCluster* cluster);

// All clusters, with their nodes: every page in one response.
Outcome FindClusters(Context& context, v1::DescribeCacheClustersResponse* response);

// All events that the request asks for: every page in one response.
Outcome FindEvents(Context& context, v1::DescribeEventsRequest request,
                   v1::DescribeEventsResponse* response);

// The number of the newest event of this cluster, or of all when the id is empty; 0: none yet.
// Events with higher numbers are those that happen after the call.
Outcome FindLastSerial(Context& context, const std::string& cluster_id, uint64_t* serial);

}  // namespace ec::cli
