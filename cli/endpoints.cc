// `ecctl endpoint`.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/cluster_view.h"
#include "cli/commands.h"
#include "cli/context.h"

namespace ec::cli {
namespace {

struct EndpointOptions {
  std::string cluster, group;
  std::string host;
};

Outcome ListEndpoints(Context& context, const EndpointOptions& options) {
  v1::DescribeEndpointsRequest request;
  if (!options.cluster.empty()) request.set_cache_cluster_id(options.cluster);
  if (!options.group.empty()) request.set_replication_group_id(options.group);
  v1::DescribeEndpointsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::DescribeEndpoints, request, &response));
  if (!options.host.empty()) {
    auto* endpoints = response.mutable_endpoints();
    endpoints->erase(std::remove_if(endpoints->begin(), endpoints->end(),
                                    [&](const auto& one) { return one.host_id() != options.host; }),
                     endpoints->end());
  }
  if (context.json()) {
    context.Print(response);
    return {};
  }
  Table table({"CLUSTER", "NODE", "KIND", "ENDPOINT", "HOST", "LISTENING", "OPEN", "ACCEPTED",
               "REFUSED", "CUT", "TROUBLE"});
  table.ColorStatusColumn(5);
  for (const v1::EndpointStatus& one : response.endpoints()) {
    const bool of_group = !one.has_cache_cluster_id();
    table.Add({of_group ? one.replication_group_id() : one.cache_cluster_id(),
               one.has_cache_node_id() ? one.cache_node_id() : "-", one.kind(),
               FormatEndpoint(one.endpoint()), one.host_id(), one.listening() ? "yes" : "no",
               std::to_string(one.connections_open()), std::to_string(one.connections_accepted()),
               std::to_string(one.connections_refused()), std::to_string(one.connections_cut()),
               one.trouble()});
  }
  context.Print(table, "There are no endpoints.");
  return {};
}

}  // namespace

void AddEndpointCommands(CommandLine& line) {
  CLI::App* endpoint =
      line.AddGroup(kClusterSection, "endpoint", "The addresses that clients connect to");
  auto options = std::make_shared<EndpointOptions>();
  line.AddCommand(
          endpoint, "list", "List the endpoints, with what their hosts count there",
          [options](Context& context) { return ListEndpoints(context, *options); },
          "Examples:\n"
          "  ecctl endpoint list\n"
          "  ecctl endpoint list --cluster demo\n"
          "  ecctl endpoint list --group orders\n")
      .Option("--cluster", "CLUSTER", &options->cluster, "Only those of this cache cluster")
      .Option("--group", "REPLICATION-GROUP", &options->group,
              "Only those of this replication group and its members")
      .Excludes("--cluster")
      .Option("--host", "HOST", &options->host, "Only those on this host");
}

}  // namespace ec::cli
