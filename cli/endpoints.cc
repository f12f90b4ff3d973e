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
  Table table({"CLUSTER", "NODE", "KIND", "ENDPOINT", "IN-VPC", "HOST", "LISTENING", "CARRY",
               "ACCEPTED", "HANDED-OVER", "RELAYED", "OPEN", "REFUSED", "CUT", "TROUBLE"});
  table.ColorStatusColumn(6);
  for (const v1::EndpointStatus& one : response.endpoints()) {
    const bool of_group = !one.has_cache_cluster_id();
    table.Add({of_group ? one.replication_group_id() : one.cache_cluster_id(),
               one.has_cache_node_id() ? one.cache_node_id() : "-", one.kind(),
               FormatEndpoint(one.endpoint()), one.has_vpc_address() ? one.vpc_address() : "-",
               one.host_id(), one.listening() ? "yes" : "no", one.has_carry() ? one.carry() : "-",
               std::to_string(one.connections_accepted()),
               std::to_string(one.connections_handed_over()),
               std::to_string(one.connections_relayed()), std::to_string(one.connections_open()),
               std::to_string(one.connections_refused()), std::to_string(one.connections_cut()),
               one.trouble()});
  }
  context.Print(table, "There are no endpoints.");
  return {};
}

std::string CarryText(const std::string& carry) {
  if (carry == "hand-over") return "hand-over: the engine gets the client's own connection";
  if (carry == "first-bytes") {
    return "first-bytes: handed over, unless a discovery command comes first";
  }
  if (carry == "relay") return "relay: the agent copies bytes";
  return carry;
}

std::string EndpointText(const v1::EndpointStatus& one) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<16}{}\n", name, value);
  };
  line("Endpoint", FormatEndpoint(one.endpoint()));
  line("In its VPC", one.vpc_address());
  line("Kind", one.kind());
  line("Cluster", one.cache_cluster_id());
  line("Node", one.cache_node_id());
  line("Host", one.host_id());
  line("Listening", one.listening() ? "yes" : "no");
  line("Trouble", one.trouble());
  line("Carry", CarryText(one.carry()));
  out += "\nConnections since the agent started\n";
  line("Accepted", std::to_string(one.connections_accepted()));
  line("Handed over", std::to_string(one.connections_handed_over()));
  line("Relayed", std::to_string(one.connections_relayed()));
  line("Open at agent", std::to_string(one.connections_open()));
  const uint64_t full = one.connections_refused_full();
  const uint64_t outside = one.connections_refused_outside();
  const uint64_t by_rules = one.connections_refused_by_rules();
  const uint64_t by_fault = one.connections_refused_by_fault();
  line("Refused",
       fmt::format("{} (from outside the VPC: {}, by no rule admitted: {}, by a fault: "
                   "{}, no engine: {}, agent full: {})",
                   one.connections_refused(), outside, by_rules, by_fault,
                   one.connections_refused() - full - outside - by_rules - by_fault, full));
  if (one.connections_dropped() > 0) {
    line("Not answered",
         fmt::format("{} attempts (from outside the VPC: {}, by no rule admitted: {})",
                     one.connections_dropped(), one.connections_dropped_outside(),
                     one.connections_dropped_by_rules()));
  }
  line("Cut", std::to_string(one.connections_cut()));
  out.pop_back();
  return out;
}

// Endpoints are known by their addresses; the port may be left out.
Outcome ShowEndpoint(Context& context, const std::string& wanted) {
  v1::DescribeEndpointsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::DescribeEndpoints, {}, &response));
  for (const v1::EndpointStatus& one : response.endpoints()) {
    if (wanted != FormatEndpoint(one.endpoint()) && wanted != one.endpoint().address()) continue;
    if (context.json()) {
      context.Print(one);
    } else {
      PrintLine(EndpointText(one));
    }
    return {};
  }
  return Refused(fmt::format("there is no endpoint {}; see 'ecctl endpoint list'", wanted));
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
  auto wanted = std::make_shared<std::string>();
  line.AddCommand(
          endpoint, "show",
          "Show one endpoint: how connections are carried, and what became of them",
          [wanted](Context& context) { return ShowEndpoint(context, *wanted); },
          "Examples:\n"
          "  ecctl endpoint show 127.185.0.4:6379\n"
          "  ecctl endpoint show 127.185.0.4 -o json\n")
      .Argument("endpoint", "ADDRESS[:PORT]", wanted.get(),
                "Its address, as 'endpoint list' has it");
}

}  // namespace ec::cli
