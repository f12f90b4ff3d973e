// Where a cluster can live: in the subnets of its cache subnet group.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "controlplane/core/draft.h"

namespace ec::core {

// The zones of the cluster's subnets, whether they have a host or not.
std::set<std::string> ZonesOf(const Draft& draft, const model::Cluster& cluster);

// A free address for a node or an endpoint of the cluster in the zone, of the first of its subnets
// there that has one.
std::optional<Ip4> FindAddress(const Draft& draft, const model::Cluster& cluster,
                               const std::string& zone, const std::set<Ip4>& but_not);

// Takes an address that FindAddress() has found for the same cluster.
void UseAddress(Draft& draft, const model::Cluster& cluster, Ip4 ip);

// Whether a node or an endpoint of the cluster, or of its replication group, lives in the subnet.
bool LivesIn(const Draft& draft, const model::Cluster& cluster, const model::Subnet& subnet);

}  // namespace ec::core
