// `ecctl cluster`: list, show, delete, reboot. Create and modify are in cluster_changes.cc.
#include "cli/clusters.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/cluster_view.h"
#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/setting_options.h"
#include "cli/wait.h"

namespace ec::cli {
namespace {

constexpr int kEventsShown = 5;

struct ClusterOptions {
  std::string id;
  bool yes = false;
  bool wait = false;
  std::vector<std::string> nodes;
  std::optional<std::string> final_snapshot;
};

Outcome ListClusters(Context& context) {
  v1::DescribeCacheClustersResponse response;
  EC_RETURN_UNLESS_OK(FindClusters(context, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  std::vector<const v1::CacheCluster*> clusters;
  for (const v1::CacheCluster& cluster : response.cache_clusters()) clusters.push_back(&cluster);
  context.Print(ClusterTable(context, clusters),
                "There are no cache clusters. Create one with 'ecctl cluster create demo --wait'.");
  return {};
}

// A cluster that is not available keeps its tags to itself, and events are an extra: neither is
// missed when it cannot be had.
Outcome ShowCluster(Context& context, const std::string& id) {
  v1::DescribeCacheClustersResponse response;
  EC_RETURN_UNLESS_OK(FindCluster(context, id, response.add_cache_clusters()));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  const v1::CacheCluster& cluster = response.cache_clusters(0);
  v1::ListTagsForResourceRequest tags_request;
  tags_request.set_resource_name(cluster.arn());
  v1::ListTagsForResourceResponse tags;
  if (!context.Call(&v1::ElastiCache::Stub::ListTagsForResource, tags_request, &tags).ok()) {
    tags.Clear();
  }
  v1::DescribeEventsRequest events_request;
  events_request.set_source_type(kClusterSource);
  events_request.set_source_identifier(cluster.cache_cluster_id());
  v1::DescribeEventsResponse events;
  if (!FindEvents(context, events_request, &events).ok()) events.Clear();
  const int skipped = std::max(events.events_size() - kEventsShown, 0);
  PrintLine(ClusterText(context, cluster, {tags.tag_list().begin(), tags.tag_list().end()},
                        {events.events().begin() + skipped, events.events().end()}));
  return {};
}

Outcome DeleteCluster(Context& context, const ClusterOptions& options) {
  EC_RETURN_UNLESS_OK(
      Confirm(fmt::format("Delete cache cluster {} and all its data?", options.id), options.yes));
  uint64_t last_serial = 0;
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  v1::DeleteCacheClusterRequest request;
  request.set_cache_cluster_id(options.id);
  if (options.final_snapshot) request.set_final_snapshot_identifier(*options.final_snapshot);
  v1::DeleteCacheClusterResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DeleteCacheCluster, request, &response));
  if (options.wait) {
    v1::CacheCluster last = response.cache_cluster();
    EC_RETURN_UNLESS_OK(WaitForCluster(context,
                                       {response.cache_cluster().cache_cluster_id(), "deletion",
                                        /*until_gone=*/true, last_serial},
                                       &last));
    *response.mutable_cache_cluster() = std::move(last);
  }
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Cache cluster {} {}.", options.id,
                          options.wait ? "has been deleted" : "is being deleted"));
  }
  return {};
}

Outcome RebootCluster(Context& context, const ClusterOptions& options) {
  v1::RebootCacheClusterRequest request;
  request.set_cache_cluster_id(options.id);
  for (const std::string& node : options.nodes) request.add_cache_node_ids_to_reboot(node);
  if (options.nodes.empty()) {
    v1::CacheCluster cluster;
    EC_RETURN_UNLESS_OK(FindCluster(context, options.id, &cluster));
    for (const v1::CacheNode& node : cluster.cache_nodes()) {
      request.add_cache_node_ids_to_reboot(node.cache_node_id());
    }
  }
  uint64_t last_serial = 0;
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  v1::RebootCacheClusterResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::RebootCacheCluster, request, &response));
  return FinishChange(context, "reboot", options.wait, last_serial, &response);
}

}  // namespace

void AddClusterCommands(CommandLine& line) {
  CLI::App* cluster = line.AddGroup(kClusterSection, "cluster",
                                    "Create, look at and change cache "
                                    "clusters");
  AddCreateCommand(line, cluster);
  line.AddCommand(cluster, "list", "List the cache clusters", ListClusters,
                  "Examples:\n"
                  "  ecctl cluster list\n"
                  "  ecctl cluster list -o json | jq -r '.cache_clusters[].cache_cluster_id'\n");

  auto options = std::make_shared<ClusterOptions>();
  line.AddCommand(
          cluster, "show", "Show a cache cluster, its nodes, tags and last events",
          [options](Context& context) { return ShowCluster(context, options->id); },
          "Examples:\n"
          "  ecctl cluster show demo\n"
          "  ecctl cluster show demo -o json\n")
      .Argument("ID", "CLUSTER", &options->id, "The cache cluster");
  AddModifyCommand(line, cluster);
  line.AddCommand(
          cluster, "delete", "Delete a cache cluster and all its data",
          [options](Context& context) { return DeleteCluster(context, *options); },
          "Examples:\n"
          "  ecctl cluster delete demo\n"
          "  ecctl cluster delete demo --yes --wait\n"
          "  ecctl cluster delete demo --final-snapshot demo-last --yes --wait\n")
      .Argument("ID", "CLUSTER", &options->id, "The cache cluster")
      .Option("--final-snapshot", "NAME", &options->final_snapshot,
              "Take a snapshot of this name first; without it nothing is deleted")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation")
      .Flag("--wait", &options->wait, kWaitText);
  line.AddCommand(
          cluster, "reboot", "Restart cache nodes, empty",
          [options](Context& context) { return RebootCluster(context, *options); },
          "Examples:\n"
          "  ecctl cluster reboot demo --wait\n"
          "  ecctl cluster reboot demo --nodes 0001,0002\n")
      .Argument("ID", "CLUSTER", &options->id, "The cache cluster")
      .List("--nodes", "NODES", &options->nodes, "The nodes to restart (default: all)")
      .Flag("--wait", &options->wait, kWaitText);
  AddRoleCommands(line, cluster);
}

}  // namespace ec::cli
