// `ecctl connect`: talks to a cache node, or to a group, with its own protocol.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cli/cluster_view.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/lookup.h"
#include "cli/memcached_session.h"

namespace ec::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);

struct ConnectOptions {
  std::string id;
  std::string node;
  bool config = false;
  bool reader = false;
};

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

// The endpoint of the group that the options ask for.
Outcome FindEndpoint(const ConnectOptions& options, const v1::ReplicationGroup& group,
                     v1::Endpoint* endpoint) {
  if (options.config || !options.node.empty()) {
    return UsageError(fmt::format(
        "{} is a replication group: --node and --config are for a cache cluster", options.id));
  }
  for (const v1::NodeGroup& node_group : group.node_groups()) {
    *endpoint = options.reader ? node_group.reader_endpoint() : node_group.primary_endpoint();
  }
  if (endpoint->has_address()) return {};
  return Refused(fmt::format("{} has no {} endpoint yet: it is {}", options.id,
                             options.reader ? "reader" : "primary", group.status()));
}

// The endpoint that the options ask for.
Outcome FindEndpoint(const ConnectOptions& options, const v1::CacheCluster& cluster,
                     v1::Endpoint* endpoint) {
  if (options.config) {
    *endpoint = cluster.configuration_endpoint();
    if (endpoint->has_address()) return {};
    return Refused(fmt::format("{} has no configuration endpoint: its engine is {}", options.id,
                               cluster.engine()));
  }
  for (const v1::CacheNode& node : cluster.cache_nodes()) {
    if (!options.node.empty() && node.cache_node_id() != options.node) continue;
    *endpoint = node.endpoint();
    if (endpoint->has_address()) return {};
    return Refused(fmt::format("node {} of {} has no endpoint yet: it is {}", node.cache_node_id(),
                               options.id, node.cache_node_status()));
  }
  if (options.node.empty()) {
    return Refused(
        fmt::format("{} has no nodes yet: it is {}", options.id, cluster.cache_cluster_status()));
  }
  return Refused(fmt::format("{} has no node {}", options.id, options.node));
}

// Becomes redis-cli, which knows the protocol, history and completion better than we could.
Outcome BecomeRedisCli(const v1::Endpoint& endpoint, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"redis-cli", "-h", endpoint.address(), "-p",
                                    std::to_string(endpoint.port())};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  execvp(argv[0], argv.data());
  return Refused(fmt::format("cannot run redis-cli: {}", std::strerror(errno)));
}

Outcome TalkTo(Context& context, const std::string& what, const v1::Endpoint& endpoint) {
  const Duration patience = context.global().timeout.value_or(kPatience);
  UniqueFd socket;
  EC_RETURN_UNLESS_OK(ConnectTo(endpoint.address(), endpoint.port(), patience, &socket));
  if (context.passed_on().empty()) {
    if (isatty(STDIN_FILENO) == 1) {
      PrintNote(fmt::format("Connected to {} at {}. 'quit' or Ctrl-D ends the session.", what,
                            FormatEndpoint(endpoint)));
    }
    return TalkMemcached(std::move(socket), STDIN_FILENO, patience);
  }
  // One command, as if it had been piped in. A pipe holds more than any line that Memcached takes.
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return Refused(std::strerror(errno));
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const std::string command = fmt::format("{}\n", fmt::join(context.passed_on(), " "));
  if (command.size() > 2048) return UsageError("the command is longer than a line of Memcached");
  if (write(writing.get(), command.data(), command.size()) < 0) {
    return Refused(std::strerror(errno));
  }
  writing.reset();
  return TalkMemcached(std::move(socket), reading.get(), patience);
}

Outcome Connect(Context& context, const ConnectOptions& options) {
  Target target;
  EC_RETURN_UNLESS_OK(FindTarget(context, options.id, &target));
  v1::Endpoint endpoint;
  if (target.is_group) {
    EC_RETURN_UNLESS_OK(FindEndpoint(options, target.group, &endpoint));
    return BecomeRedisCli(endpoint, context.passed_on());
  }
  if (options.reader) {
    return Refused(
        fmt::format("{} is a cache cluster: only a group has a reader endpoint", options.id));
  }
  const v1::CacheCluster& cluster = target.cluster;
  EC_RETURN_UNLESS_OK(FindEndpoint(options, cluster, &endpoint));
  if (cluster.engine() != "memcached") return BecomeRedisCli(endpoint, context.passed_on());
  return TalkTo(context, options.id, endpoint);
}

}  // namespace

void AddConnectCommand(CommandLine& line) {
  auto options = std::make_shared<ConnectOptions>();
  line.AddTopCommand(
          kClusterSection, "connect", "Talk to a cache node: redis-cli, or lines to Memcached",
          [options](Context& context) { return Connect(context, *options); },
          "What follows -- is passed on: to redis-cli, or as one command to Memcached. Lines may\n"
          "also be piped in.\n\n"
          "Examples:\n"
          "  ecctl connect demo\n"
          "  ecctl connect demo -- SET greeting hello\n"
          "  ecctl connect orders --reader -- GET greeting\n"
          "  ecctl connect pages --node 0002 -- stats\n"
          "  ecctl connect pages --config -- config get cluster\n"
          "  printf 'set a 0 0 2\\nhi\\nget a\\n' | ecctl connect pages\n")
      .Argument("ID", "CLUSTER|GROUP", &options->id,
                "The cache cluster, or the replication group: its primary endpoint")
      .Option("--node", "NODE", &options->node, "The node (default: the first)")
      .Flag("--config", &options->config, "Memcached: the configuration endpoint")
      .Flag("--reader", &options->reader, "Of a replication group: the reader endpoint")
      .PassesOn();
}

}  // namespace ec::cli
