#include "cli/endpoint_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/cluster_view.h"
#include "cli/lookup.h"
#include "common/address.h"

namespace ec::cli {
namespace {

// What the id names: a cluster, or else a group.
struct Target {
  v1::CacheCluster cluster;
  v1::ReplicationGroup group;
  bool is_group = false;
};

Outcome FindTarget(Context& context, const std::string& id, Target* target) {
  const Outcome found = FindCluster(context, id, &target->cluster);
  if (!IsNotFound(found)) return found;
  target->is_group = FindGroup(context, id, &target->group).ok();
  return target->is_group ? Outcome{} : found;
}

Outcome EndpointOf(const EndpointChoice& choice, const v1::ReplicationGroup& group,
                   v1::Endpoint* endpoint) {
  if (choice.config || !choice.node.empty()) {
    return UsageError(fmt::format(
        "{} is a replication group: --node and --config are for a cache cluster", choice.id));
  }
  for (const v1::NodeGroup& node_group : group.node_groups()) {
    *endpoint = choice.reader ? node_group.reader_endpoint() : node_group.primary_endpoint();
  }
  if (endpoint->has_address()) return {};
  return Refused(fmt::format("{} has no {} endpoint yet: it is {}", choice.id,
                             choice.reader ? "reader" : "primary", group.status()));
}

Outcome EndpointOf(const EndpointChoice& choice, const v1::CacheCluster& cluster,
                   v1::Endpoint* endpoint) {
  if (choice.reader) {
    return Refused(
        fmt::format("{} is a cache cluster: only a group has a reader endpoint", choice.id));
  }
  if (choice.config) {
    *endpoint = cluster.configuration_endpoint();
    if (endpoint->has_address()) return {};
    return Refused(fmt::format("{} has no configuration endpoint: its engine is {}", choice.id,
                               cluster.engine()));
  }
  for (const v1::CacheNode& node : cluster.cache_nodes()) {
    if (!choice.node.empty() && node.cache_node_id() != choice.node) continue;
    *endpoint = node.endpoint();
    if (endpoint->has_address()) return {};
    return Refused(fmt::format("node {} of {} has no endpoint yet: it is {}", node.cache_node_id(),
                               choice.id, node.cache_node_status()));
  }
  if (choice.node.empty()) {
    return Refused(
        fmt::format("{} has no nodes yet: it is {}", choice.id, cluster.cache_cluster_status()));
  }
  return Refused(fmt::format("{} has no node {}", choice.id, choice.node));
}

}  // namespace

Outcome FindEndpoint(Context& context, const EndpointChoice& choice, ChosenEndpoint* chosen) {
  Target target;
  EC_RETURN_UNLESS_OK(FindTarget(context, choice.id, &target));
  chosen->encrypted = target.is_group ? target.group.transit_encryption_enabled()
                                      : target.cluster.transit_encryption_enabled();
  if (target.is_group) return EndpointOf(choice, target.group, &chosen->endpoint);
  chosen->is_memcached = target.cluster.engine() == "memcached";
  return EndpointOf(choice, target.cluster, &chosen->endpoint);
}

Outcome FindEndpointOnLoopback(Context& context, const EndpointChoice& choice,
                               ChosenEndpoint* chosen) {
  EC_RETURN_UNLESS_OK(FindEndpoint(context, choice, chosen));
  v1::Endpoint* const endpoint = &chosen->endpoint;
  const auto ip = ParseIp4(endpoint->address());
  if (ip && ip->bits >> 24 == 127) return {};
  v1::DescribeEndpointsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::DescribeEndpoints, {}, &response));
  const auto is_outside = [&](const v1::EndpointStatus& one) {
    return FormatEndpoint(one.endpoint()) == FormatEndpoint(*endpoint);
  };
  const auto& all = response.endpoints();
  const auto outside = std::ranges::find_if(all, is_outside);
  if (outside == all.end()) return {};
  // The same thing's other face.
  const auto inside = std::ranges::find_if(all, [&](const v1::EndpointStatus& one) {
    return outside->kind().starts_with(one.kind()) && !is_outside(one) &&
           one.cache_cluster_id() == outside->cache_cluster_id() &&
           one.cache_node_id() == outside->cache_node_id() &&
           one.replication_group_id() == outside->replication_group_id();
  });
  if (inside != all.end()) *endpoint = inside->endpoint();
  return {};
}

void AddEndpointOptions(Command command, EndpointChoice* choice) {
  command.Option("--node", "NODE", &choice->node, "The node (default: the first)")
      .Flag("--config", &choice->config, "Memcached: the configuration endpoint")
      .Flag("--reader", &choice->reader, "Of a replication group: the reader endpoint");
}

}  // namespace ec::cli
