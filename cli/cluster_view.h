// How cache clusters and their events look on a terminal.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

std::string FormatEndpoint(const v1::Endpoint& endpoint);  // "127.10.0.5:6379", or "-"

std::string FormatSecurityGroups(
    const google::protobuf::RepeatedPtrField<v1::SecurityGroupMembership>& groups);

// One row per cluster.
Table ClusterTable(const Context& context, const std::vector<const v1::CacheCluster*>& clusters);

// Everything about one cluster, in paragraphs. Sections without content are left out.
std::string ClusterText(const Context& context, const v1::CacheCluster& cluster,
                        const std::vector<v1::Tag>& tags, const std::vector<v1::Event>& events);

Table EventTable(const std::vector<v1::Event>& events);

}  // namespace ec::cli
