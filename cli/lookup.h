// Asks the control plane about clusters and events: whole answers, where the API gives pages.
#pragma once

#include <cstdint>
#include <string>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// Whether the service knows no such cluster, or no such group.
bool IsNotFound(const Outcome& outcome);

// As the service keeps ids.
std::string LowerCase(std::string id);
// As it keeps the words that say how something is done.
std::string UpperCase(std::string word);

// With its nodes.
Outcome FindCluster(Context& context, const std::string& id, v1::CacheCluster* cluster);

// All clusters, with their nodes: every page in one response.
Outcome FindClusters(Context& context, v1::DescribeCacheClustersResponse* response);

Outcome FindGroup(Context& context, const std::string& id, v1::ReplicationGroup* group);

// All groups: every page in one response.
Outcome FindGroups(Context& context, v1::DescribeReplicationGroupsResponse* response);

// All events that the request asks for: every page in one response.
Outcome FindEvents(Context& context, v1::DescribeEventsRequest request,
                   v1::DescribeEventsResponse* response);

// The source types of events.
inline constexpr char kClusterSource[] = "cache-cluster";
inline constexpr char kGroupSource[] = "replication-group";

// The number of the newest event of this cluster or group, or of all when the id is empty; 0: none
// yet. Events with higher numbers are those that happen after the call.
Outcome FindLastSerial(Context& context, const std::string& source_type, const std::string& id,
                       uint64_t* serial);
inline Outcome FindLastSerial(Context& context, uint64_t* serial) {
  return FindLastSerial(context, {}, {}, serial);
}

}  // namespace ec::cli
