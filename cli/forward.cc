// `ecctl forward`.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/endpoint_choice.h"
#include "cli/forwarder.h"
#include "cli/instance_lookup.h"

namespace ec::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr size_t kConnectionsMax = 20'000;
constexpr rlim_t kFilesForOthers = 64;

struct ForwardOptions {
  EndpointChoice choice;
  std::string instance;
  std::optional<int> port;
};

// ADDRESS:PORT, as the instance would dial it.
Outcome ParseDestination(const std::string& text, const InstanceNetwork& network,
                         Address* destination) {
  const size_t colon = text.find(':');
  const auto ip = ParseIp4(text.substr(0, colon));
  const std::string port = text.substr(colon + 1);
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (!ip || error != std::errc() || end != port.data() + port.size() || number == 0) {
    return UsageError(fmt::format("'{}' is neither an id nor ADDRESS:PORT", text));
  }
  const Ip4 found = LoopbackOf(network, *ip).value_or(*ip);
  if (found.bits >> 24 != 127) {
    return Refused(fmt::format("{} is no address of the VPC of {} ({}), nor one of loopback",
                               ToString(*ip), network.id, ToString(network.block)));
  }
  *destination = {found, number};
  return {};
}

Outcome FindDestination(Context& context, const EndpointChoice& choice,
                        const InstanceNetwork& network, Address* destination) {
  if (choice.id.find(':') != std::string::npos) {
    if (choice.config || choice.reader || !choice.node.empty()) {
      return UsageError("--node, --config and --reader are for a cluster or group, not an address");
    }
    return ParseDestination(choice.id, network, destination);
  }
  if (ParseIp4(choice.id)) return UsageError(fmt::format("{} has no port", choice.id));
  ChosenEndpoint chosen;
  EC_RETURN_UNLESS_OK(FindEndpointOnLoopback(context, choice, &chosen));
  const v1::Endpoint& endpoint = chosen.endpoint;
  return ParseDestination(fmt::format("{}:{}", endpoint.address(), endpoint.port()), network,
                          destination);
}

// As many as there can be files for.
size_t ConnectionsMax() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 1;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const rlim_t left = files.rlim_cur - std::min(files.rlim_cur, kFilesForOthers);
  return std::clamp<size_t>(left / 2, 1, kConnectionsMax);
}

std::string Announcement(bool json, uint16_t port, Address destination,
                         const InstanceNetwork& network) {
  if (!json) {
    return fmt::format("Forwarding 127.0.0.1:{} to {} as {} ({}). Ctrl-C ends it.", port,
                       ToString(destination), network.id, ToString(network.source));
  }
  return nlohmann::json{{"local_address", "127.0.0.1"},
                        {"local_port", port},
                        {"endpoint_address", ToString(destination.ip)},
                        {"endpoint_port", destination.port},
                        {"instance_id", network.id},
                        {"source_address", ToString(network.source)}}
      .dump();
}

Outcome Forward(Context& context, const ForwardOptions& options) {
  InstanceNetwork network;
  EC_RETURN_UNLESS_OK(FindInstanceNetwork(context, options.instance, &network));
  Address destination;
  EC_RETURN_UNLESS_OK(FindDestination(context, options.choice, network, &destination));
  Forwarder forwarder({.source = network.source,
                       .destination = destination,
                       .patience = context.global().timeout.value_or(kPatience),
                       .connections_max = ConnectionsMax()},
                      [](const std::string& text) { PrintNote("ecctl: " + text); });
  const auto port = static_cast<uint16_t>(options.port.value_or(0));
  if (const int error = forwarder.Listen(port); error != 0) {
    return Refused(fmt::format("cannot listen on 127.0.0.1:{}: {}", port, std::strerror(error)));
  }
  if (!PrintLineNow(Announcement(context.json(), forwarder.port(), destination, network))) {
    return {};  // said at the end of the program
  }
  forwarder.Run();
  return {};
}

}  // namespace

void AddForwardCommand(CommandLine& line) {
  auto options = std::make_shared<ForwardOptions>();
  Command command =
      line.AddTopCommand(
              kClusterSection, "forward",
              "Open a local port whose traffic comes from an instance, until Ctrl-C",
              [options](Context& context) { return Forward(context, *options); },
              "For clients that cannot run under 'ecctl instance run', such as one in a debugger "
              "or\na container. --timeout is for each connection to the endpoint (default 5s).\n"
              "With --output json: one line that says what is forwarded.\n\n"
              "Examples:\n"
              "  ecctl forward orders --as i-web\n"
              "  ecctl forward orders --reader --as i-web --port 6380\n"
              "  ecctl forward 10.0.1.5:6379 --as i-web\n")
          .Argument("ENDPOINT", "CLUSTER|GROUP", &options->choice.id,
                    "A cache cluster, a replication group, or ADDRESS:PORT as the instance dials "
                    "it");
  AddEndpointOptions(command, &options->choice);
  command.Option("--as", "INSTANCE", &options->instance, "The instance, by its id or name")
      .Required()
      .Option("--port", "PORT", &options->port, "The local port (default: a free one)")
      .Within(0, 65535);
}

}  // namespace ec::cli
