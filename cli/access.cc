// `ecctl access`: who may connect, and why.
#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "cli/cluster_view.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/endpoint_choice.h"

namespace ec::cli {
namespace {

struct AccessOptions {
  std::string from;
  EndpointChoice to;
};

// A cluster or a group by its id, or an endpoint by ADDRESS:PORT.
Outcome FindEndpoint(Context& context, const EndpointChoice& to, v1::Endpoint* endpoint) {
  const size_t colon = to.id.find(':');
  if (colon == std::string::npos) {
    ChosenEndpoint chosen;
    EC_RETURN_UNLESS_OK(FindEndpoint(context, to, &chosen));
    *endpoint = chosen.endpoint;
    return {};
  }
  const std::string port = to.id.substr(colon + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size()) {
    return UsageError(fmt::format("'{}' is neither an id nor ADDRESS:PORT", to.id));
  }
  endpoint->set_address(to.id.substr(0, colon));
  endpoint->set_port(number);
  return {};
}

// Like 'kubectl auth can-i': the answer is also the exit code.
Outcome ExplainAccess(Context& context, const AccessOptions& options) {
  v1::ExplainAccessRequest request;
  request.set_from(options.from);
  EC_RETURN_UNLESS_OK(FindEndpoint(context, options.to, request.mutable_endpoint()));
  v1::ExplainAccessResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::ExplainAccess, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("{}: from {} to {}", response.admitted() ? "yes" : "no",
                          response.source_address(), FormatEndpoint(request.endpoint())));
    PrintLine(response.explanation());
  }
  if (response.admitted()) return {};
  return Refused({});
}

}  // namespace

void AddAccessCommands(CommandLine& line) {
  CLI::App* access = line.AddGroup(kNetworkSection, "access", "Who may connect, and why");
  auto options = std::make_shared<AccessOptions>();
  Command command = line.AddCommand(
      access, "explain", "Say whether a source may connect to an endpoint, and by which rule",
      [options](Context& context) { return ExplainAccess(context, *options); },
      "Exits with 1 if it may not.\n\n"
      "Examples:\n"
      "  ecctl access explain --from i-web --to orders\n"
      "  ecctl access explain --from i-web --to pages --config\n"
      "  ecctl access explain --from 127.0.0.1 --to 127.185.0.4:6379\n");
  command
      .Option(
          "--from", "INSTANCE", &options->from,
          "An instance, a cache node as CLUSTER/NODE, or the address that connections come from")
      .Required()
      .Option("--to", "CLUSTER|GROUP", &options->to.id,
              "A cache cluster, a replication group, or ADDRESS:PORT")
      .Required();
  AddEndpointOptions(command, &options->to);
}

}  // namespace ec::cli
