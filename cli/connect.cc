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
#include "cli/endpoint_choice.h"
#include "cli/instance_lookup.h"
#include "cli/instance_runner.h"
#include "cli/memcached_session.h"
#include "cli/tls.h"

namespace ec::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);

struct ConnectOptions {
  EndpointChoice choice;
  std::string instance;
};

// redis-cli knows the protocol, history and completion better than we could.
Outcome RedisCli(Context& context, const ChosenEndpoint& chosen, std::vector<std::string>* words) {
  *words = {"redis-cli", "-h", chosen.endpoint.address(), "-p",
            std::to_string(chosen.endpoint.port())};
  if (chosen.encrypted) {
    std::string authority;
    EC_RETURN_UNLESS_OK(PlaceAuthority(context, &authority));
    words->insert(words->end(), {"--tls", "--cacert", authority});
  }
  words->insert(words->end(), context.passed_on().begin(), context.passed_on().end());
  return {};
}

Outcome Become(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  execvp(argv[0], argv.data());
  return Refused(fmt::format("cannot run {}: {}", words[0], std::strerror(errno)));
}

Outcome TalkTo(Context& context, const std::string& what, const v1::Endpoint& endpoint,
               std::optional<Ip4> source) {
  const Duration patience = context.global().timeout.value_or(kPatience);
  UniqueFd socket;
  EC_RETURN_UNLESS_OK(ConnectTo(endpoint.address(), endpoint.port(), source, patience, &socket));
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

Outcome ConnectAs(Context& context, const ConnectOptions& options) {
  InstanceRunner runner;
  EC_RETURN_UNLESS_OK(runner.Start());
  InstanceNetwork network;
  EC_RETURN_UNLESS_OK(FindInstanceNetwork(context, options.instance, &network));
  ChosenEndpoint chosen;
  EC_RETURN_UNLESS_OK(FindEndpointOnLoopback(context, options.choice, &chosen));
  if (chosen.is_memcached) {
    return TalkTo(context, options.choice.id, chosen.endpoint, network.source);
  }
  std::vector<std::string> words;
  EC_RETURN_UNLESS_OK(RedisCli(context, chosen, &words));
  return runner.Run(network, words);
}

Outcome Connect(Context& context, const ConnectOptions& options) {
  if (!options.instance.empty()) return ConnectAs(context, options);
  ChosenEndpoint chosen;
  EC_RETURN_UNLESS_OK(FindEndpoint(context, options.choice, &chosen));
  if (chosen.is_memcached) {
    return TalkTo(context, options.choice.id, chosen.endpoint, std::nullopt);
  }
  std::vector<std::string> words;
  EC_RETURN_UNLESS_OK(RedisCli(context, chosen, &words));
  return Become(std::move(words));
}

}  // namespace

void AddConnectCommand(CommandLine& line) {
  auto options = std::make_shared<ConnectOptions>();
  Command command =
      line.AddTopCommand(
              kClusterSection, "connect", "Talk to a cache node: redis-cli, or lines to Memcached",
              [options](Context& context) { return Connect(context, *options); },
              "What follows -- is passed on: to redis-cli, or as one command to Memcached. Lines "
              "may\nalso be piped in. To an encrypted group, redis-cli speaks TLS.\n\n"
              "Examples:\n"
              "  ecctl connect demo\n"
              "  ecctl connect demo -- SET greeting hello\n"
              "  ecctl connect orders --reader -- GET greeting\n"
              "  ecctl connect orders --as i-web -- GET greeting\n"
              "  ecctl connect pages --node 0002 -- stats\n"
              "  ecctl connect pages --config -- config get cluster\n"
              "  printf 'set a 0 0 2\\nhi\\nget a\\n' | ecctl connect pages\n")
          .Argument("ID", "CLUSTER|GROUP", &options->choice.id,
                    "The cache cluster, or the replication group: its primary endpoint")
          .PassesOn();
  AddEndpointOptions(command, &options->choice);
  command.Option("--as", "INSTANCE", &options->instance,
                 "Connect from this instance, by its id or name");
}

}  // namespace ec::cli
