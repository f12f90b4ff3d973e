// The text of the answers to Memcached's discovery commands, as ElastiCache gives them. Pure.
#pragma once

#include <string>

#include "common/host_plan.h"

namespace ec::endpoint {

struct DiscoveryReplies {
  std::string config;           // to: config get cluster
  std::string legacy;           // to: get AmazonElastiCache:cluster
  std::string legacy_with_cas;  // to: gets AmazonElastiCache:cluster; the cas is the list's version
  friend bool operator==(const DiscoveryReplies&, const DiscoveryReplies&) = default;
};

// The same list with the nodes as they are called in their VPC.
Discovery InVpc(Discovery discovery, const VpcBlocks& vpc);

DiscoveryReplies RepliesFor(const Discovery& discovery);

}  // namespace ec::endpoint
