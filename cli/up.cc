// `ecctl up`: brings an installation up on this machine, or what is missing of it.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/installation.h"
#include "cli/interrupt.h"
#include "cli/status.h"
#include "cli/text.h"
#include "cli/up_settings.h"
#include "common/netns.h"

namespace ec::cli {
namespace {

constexpr Duration kUpTimeout = std::chrono::seconds(60);
constexpr Duration kPollInterval = std::chrono::milliseconds(3);

// One `up` at work.
struct Startup {
  Context& context;
  std::string dir;
  Installation installation;
  Instant deadline;
  Progress progress;
  std::vector<Child> unready;  // started by us and not known to work yet
};

// Gives up what was started and is not ready, so that nothing is left that `down` cannot find.
void StopUnready(Startup* startup) {
  constexpr Duration kPatience = std::chrono::seconds(3);
  for (const Child& child : startup->unready) SendSignal(child.pidfd, SIGTERM);
  const Instant deadline = startup->context.now().instant + kPatience;
  for (const Child& child : startup->unready) StopChild(child, deadline);
}

// Bound without SO_REUSEPORT, since with it two servers could share the port unnoticed.
Outcome CheckPortIsFree(const std::string& address, const std::string& option) {
  const UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(PortOf(address)));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (probe && setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      bind(probe.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0) {
    return {};
  }
  if (errno != EADDRINUSE) {
    return Refused(fmt::format("cannot listen on {}: {}", address, std::strerror(errno)));
  }
  return Refused(
      fmt::format("port {} is in use by another program: stop that, or choose another "
                  "port with {} when an installation is made",
                  PortOf(address), option));
}

Outcome EndedEarly(const std::string& who, const Child& child, const std::string& log_file) {
  const int exit = ExitOf(child).value_or(0);
  const std::string words = LastWords(child);
  return Refused(fmt::format("{} could not start (exit code {}): {}", who, exit,
                             words.empty() ? "see " + log_file : words));
}

std::vector<std::string> ControlPlaneCommand(const Startup& startup) {
  const Installation& installation = startup.installation;
  const std::string dir = ControlPlaneDirectory(startup.dir);
  std::vector<std::string> argv = {ProgramPath("ec-controlplane"),
                                   "--dir",
                                   dir,
                                   "--listen",
                                   installation.grpc_address.value_or("127.0.0.1:0"),
                                   "--http-listen",
                                   installation.http_address.value_or("127.0.0.1:0"),
                                   "--region",
                                   installation.region,
                                   "--account",
                                   installation.account,
                                   "--log-level",
                                   installation.log_level,
                                   "--log-file",
                                   dir + "/controlplane.log"};
  const auto add = [&](const char* flag, const std::optional<std::string>& value) {
    if (value) argv.insert(argv.end(), {flag, *value});
  };
  add("--advertise", installation.advertise);
  add("--listen-ip", installation.listen_ip);
  add("--ports", installation.ports);
  add("--netns", installation.netns);
  add("--deny", installation.deny);
  add("--credentials", installation.credentials);
  if (installation.credentials) argv.push_back("--require-signature");
  for (const std::string& host : installation.allow_hosts) {
    argv.insert(argv.end(), {"--allow-host", host});
  }
  if (installation.strict_versions) argv.push_back("--strict-versions");
  if (installation.region_nodes_max) {
    argv.push_back("--region-nodes-max");
    argv.push_back(std::to_string(*installation.region_nodes_max));
  }
  if (!installation.localhost_instance.value_or(true)) {
    argv.push_back("--no-localhost-instance");
  }
  return argv;
}

std::vector<std::string> AgentCommand(const Startup& startup, const std::string& zone) {
  const std::string dir = HostDirectory(startup.dir, zone);
  std::vector<std::string> argv = {ProgramPath("ec-nodeagent"),
                                   "--dir",
                                   dir,
                                   "--host",
                                   zone,
                                   "--zone",
                                   zone,
                                   "--control-plane",
                                   *startup.installation.grpc_address,
                                   "--members-max",
                                   std::to_string(startup.installation.members_max),
                                   "--log-level",
                                   startup.installation.log_level,
                                   "--log-file",
                                   dir + "/agent.log",
                                   "--snapshots",
                                   SnapshotsDirectory(startup.dir),
                                   "--buckets",
                                   BucketsDirectory(startup.dir)};
  const auto add = [&](const char* flag, const std::optional<std::string>& value) {
    if (value) argv.insert(argv.end(), {flag, *value});
  };
  add("--carry", startup.installation.carry);
  add("--memcached-carry", startup.installation.memcached_carry);
  add("--deny", startup.installation.deny);
  add("--netns", startup.installation.netns);
  return argv;
}

// Waits for the next look. An outcome says why there will be none.
Outcome NextLook(const Startup& startup, const std::string& waiting_for) {
  if (!Pause(kPollInterval)) {
    return Interrupted(
        "interrupted: what is ready keeps running; 'ecctl up' goes on from here, "
        "'ecctl down' stops it");
  }
  if (startup.context.now().instant < startup.deadline) return {};
  return TimedOut(
      fmt::format("{} is not ready in time; see the logs in {}", waiting_for, startup.dir));
}

// Afterwards the installation has its address.
Outcome StartControlPlane(Startup* startup) {
  const std::optional<ControlPlaneRecord> record = ReadControlPlane(startup->dir);
  if (record && OpenProcess(record->process)) {
    startup->installation.grpc_address = record->address;
    if (!record->http_address.empty()) startup->installation.http_address = record->http_address;
    startup->progress.Line(fmt::format("control plane    already running at {}", record->address));
    return {};
  }
  const Instant began = startup->context.now().instant;
  const std::string dir = ControlPlaneDirectory(startup->dir);
  EC_RETURN_UNLESS_OK(MakeDirectory(dir));
  if (startup->installation.grpc_address) {
    EC_RETURN_UNLESS_OK(CheckPortIsFree(*startup->installation.grpc_address, "--port"));
  }
  if (startup->installation.http_address) {
    EC_RETURN_UNLESS_OK(CheckPortIsFree(*startup->installation.http_address, "--http-port"));
  }
  Child child;
  EC_RETURN_UNLESS_OK(
      StartInBackground(ControlPlaneCommand(*startup), dir + "/controlplane.out", &child));
  startup->unready.push_back(std::move(child));
  const Child& started = startup->unready.back();
  while (true) {
    const bool ended = HasEnded(started.pidfd);
    // An earlier control plane's record may still lie there: only the child's own counts.
    const std::optional<ControlPlaneRecord> ready = ReadControlPlane(startup->dir);
    if (ended) return EndedEarly("the control plane", started, dir + "/controlplane.log");
    if (ready && ready->process == started.process) {
      startup->installation.grpc_address = ready->address;
      if (!ready->http_address.empty()) startup->installation.http_address = ready->http_address;
      break;
    }
    startup->progress.Live("starting the control plane");
    EC_RETURN_UNLESS_OK(NextLook(*startup, "the control plane"));
  }
  startup->unready.clear();
  startup->progress.Line(fmt::format("control plane    ready at {} ({})",
                                     *startup->installation.grpc_address,
                                     FormatDuration(startup->context.now().instant - began)));
  return {};
}

// The agents that do not run are started; `agents` says which process each host's agent is, and
// `already` which of them ran before.
Outcome StartAgents(Startup* startup, std::map<std::string, ProcessId>* agents,
                    std::set<std::string>* already) {
  for (const std::string& zone : startup->installation.zones) {
    const std::string dir = HostDirectory(startup->dir, zone);
    const std::optional<AgentRecord> record = ReadAgent(dir);
    if (record && OpenProcess(record->process)) {
      (*agents)[zone] = record->process;
      already->insert(zone);
      continue;
    }
    EC_RETURN_UNLESS_OK(MakeDirectory(dir));
    Child child;
    EC_RETURN_UNLESS_OK(
        StartInBackground(AgentCommand(*startup, zone), dir + "/agent.out", &child));
    (*agents)[zone] = child.process;
    startup->unready.push_back(std::move(child));
  }
  return {};
}

// A host is ready when the control plane says so of this very agent, and `down` could find it.
bool IsReady(const Startup& startup, const std::string& zone, const ProcessId& agent,
             const v1::DescribeHostsResponse& hosts) {
  const auto is_it = [&](const v1::Host& host) {
    return host.host_id() == zone && host.status() == "ready" && host.pid() == agent.pid;
  };
  if (std::none_of(hosts.hosts().begin(), hosts.hosts().end(), is_it)) return false;
  const std::optional<AgentRecord> record = ReadAgent(HostDirectory(startup.dir, zone));
  return record && record->process == agent;
}

// Notices at once when there is nothing more to wait for.
Outcome CheckAlive(const Startup& startup, const std::map<std::string, ProcessId>& waiting,
                   bool control_plane_answers) {
  for (const auto& [host, agent] : waiting) {
    if (OpenProcess(agent)) continue;
    const std::string log = HostDirectory(startup.dir, host) + "/agent.log";
    const std::string who = fmt::format("the agent of host {}", host);
    for (const Child& child : startup.unready) {
      if (child.process == agent) return EndedEarly(who, child, log);
    }
    return Refused(fmt::format("{} has ended; see {}", who, log));
  }
  if (control_plane_answers) return {};
  const std::optional<ControlPlaneRecord> record = ReadControlPlane(startup.dir);
  if (record && OpenProcess(record->process)) return {};
  return Refused(fmt::format("the control plane has ended; see {}/controlplane.log",
                             ControlPlaneDirectory(startup.dir)));
}

Outcome AwaitHosts(Startup* startup, Instant began, std::map<std::string, ProcessId> waiting,
                   const std::set<std::string>& already) {
  Client client(*startup->installation.grpc_address, "", std::chrono::seconds(1));
  while (true) {
    v1::DescribeHostsResponse hosts;
    const Outcome asked = client.Call(&v1::Emulator::Stub::DescribeHosts, {}, &hosts);
    EC_RETURN_UNLESS_OK(CheckAlive(*startup, waiting, asked.ok()));
    for (auto agent = waiting.begin(); agent != waiting.end();) {
      if (!asked.ok() || !IsReady(*startup, agent->first, agent->second, hosts)) {
        ++agent;
        continue;
      }
      const std::string how =
          already.contains(agent->first)
              ? "already running"
              : fmt::format("ready ({})", FormatDuration(startup->context.now().instant - began));
      startup->progress.Line(fmt::format("host {:<11} {}", agent->first, how));
      std::erase_if(startup->unready,
                    [&](const Child& child) { return child.process == agent->second; });
      agent = waiting.erase(agent);
    }
    if (waiting.empty()) return {};
    startup->progress.Live(fmt::format("starting host {}", waiting.begin()->first));
    const Outcome next = NextLook(*startup, fmt::format("host {}", waiting.begin()->first));
    if (next.exit == ExitCode::kTimedOut && !asked.ok()) return asked;
    EC_RETURN_UNLESS_OK(next);
  }
}

Outcome StartAll(Startup* startup, bool is_new) {
  const Outcome started = StartControlPlane(startup);
  if (!started.ok()) {
    // Settings under which nothing has ever run bind nobody: a taken port can be chosen anew.
    if (is_new) unlink(InstallationFile(startup->dir).c_str());
    return started;
  }
  EC_RETURN_UNLESS_OK(WriteInstallation(startup->dir, startup->installation));
  const Instant began = startup->context.now().instant;
  std::map<std::string, ProcessId> agents;
  std::set<std::string> already;
  EC_RETURN_UNLESS_OK(StartAgents(startup, &agents, &already));
  return AwaitHosts(startup, began, std::move(agents), already);
}

void PrintNextSteps(const Startup& startup) {
  const Installation& installation = startup.installation;
  std::string env;  // what makes the following commands mean this installation
  if (!startup.context.IsDefaultDirectory()) {
    env = fmt::format("  eval \"$(ecctl --dir {} env)\"\n", ShellQuote(startup.dir));
  }
  PrintLine(fmt::format(
      "The emulator is up.\n"
      "  AWS_ENDPOINT_URL=http://{}\n"
      "  gRPC address  {}\n"
      "  region        {} (account {})\n"
      "  hosts         {}\n"
      "  directory     {}\n"
      "\n"
      "Next steps:\n"
      "{}"
      "  ecctl cluster create demo --wait\n"
      "  ecctl connect demo\n"
      "  ecctl down",
      installation.http_address.value_or("-"), *installation.grpc_address, installation.region,
      installation.account, fmt::join(installation.zones, ", "), startup.dir, env));
}

// The two belong together, and the file is found from wherever the next `up` is called.
Outcome CheckCredentials(UpOptions* options) {
  if (options->credentials.has_value() != options->require_signature) {
    return UsageError("--require-signature and --credentials FILE go together");
  }
  if (!options->credentials) return {};
  const std::string given = *options->credentials;
  EC_RETURN_UNLESS_OK(MakeAbsolute(given, &*options->credentials));
  if (access(options->credentials->c_str(), R_OK) == 0) return {};
  return UsageError(fmt::format("cannot read {}: {}", given, std::strerror(errno)));
}

Outcome Up(Context& context, UpOptions options) {
  Startup startup{context, {}, {}, context.Deadline(kUpTimeout), {}, {}};
  EC_RETURN_UNLESS_OK(context.Directory(&startup.dir));
  std::optional<Installation> recorded;
  EC_RETURN_UNLESS_OK(ReadInstallation(startup.dir, &recorded));
  EC_RETURN_UNLESS_OK(CheckCredentials(&options));
  Installation proposed = Propose(options, context.IsDefaultDirectory());
  if (options.netns) proposed.netns = NetnsPrefix(startup.dir);
  // What is wrong with the words themselves is said before anything is made.
  if (!recorded) EC_RETURN_UNLESS_OK(CheckNames(proposed));

  const InterruptScope interrupt_scope;
  EC_RETURN_UNLESS_OK(MakeDirectory(startup.dir));
  EC_RETURN_UNLESS_OK(MakeDirectory(BucketsDirectory(startup.dir)));
  UniqueFd lock;
  EC_RETURN_UNLESS_OK(LockInstallation(startup.dir, startup.deadline, &lock));
  EC_RETURN_UNLESS_OK(ReadInstallation(startup.dir, &recorded));
  if (recorded) {
    EC_RETURN_UNLESS_OK(CheckSame(options, startup.dir, *recorded));
    startup.installation = *recorded;
  } else {
    EC_RETURN_UNLESS_OK(CheckNames(proposed));
    startup.installation = proposed;
    EC_RETURN_UNLESS_OK(WriteInstallation(startup.dir, startup.installation));
  }
  const Outcome outcome = StartAll(&startup, !recorded);
  if (!outcome.ok()) {
    StopUnready(&startup);
    return outcome;
  }
  if (context.json()) {
    PrintView(context, LookAt(startup.dir, startup.installation, kCallTimeout));
  } else {
    PrintNextSteps(startup);
  }
  return {};
}

}  // namespace

void AddUpCommand(CommandLine& line) {
  auto options = std::make_shared<UpOptions>();
  line.AddTopCommand(
          kMachineSection, "up", "Start the emulator on this machine, or what is missing of it",
          [options](Context& context) { return Up(context, *options); },
          "What already runs is left alone. The settings hold from the first start on, until\n"
          "'ecctl down --discard' removes the installation.\n\n"
          "Examples:\n"
          "  ecctl up\n"
          "  ecctl up --region eu-west-1 --zones eu-west-1a,eu-west-1b\n"
          "  ecctl up --dir /tmp/second --port 0\n")
      .Option("--port", "PORT", &options->port,
              "gRPC port on 127.0.0.1; 0 takes any free one (default 7379; with --dir 0)")
      .Within(0, 65535)
      .Option("--http-port", "PORT", &options->http_port,
              "Port of the HTTP gateway for AWS's clients (default 7380; with --dir 0)")
      .Within(0, 65535)
      .Option("--credentials", "FILE", &options->credentials,
              "Access keys of those who may call the gateway, in the form of ~/.aws/credentials; "
              "with --require-signature")
      .Flag("--require-signature", &options->require_signature,
            "The gateway answers only requests that one of the credentials has signed")
      .List("--allow-hosts", "NAMES", &options->allow_hosts,
            "Host names by which the gateway may be called, besides loopback's")
      .List("--zones", "ZONES", &options->zones,
            "Availability zones, one host each (default: a, b and c of the region)")
      .Option("--region", "REGION", &options->region, "Region (default us-east-1)")
      .Option("--account", "ID", &options->account, "Account id (default 000000000000)")
      .Flag("--strict-versions", &options->strict_versions,
            "Refuse engine versions that the installed programs do not match")
      .Option("--region-nodes-max", "N", &options->region_nodes_max,
              "Most cache nodes in the region (default: AWS's quota)")
      .Within(1, 100'000)
      .Option("--members-max", "N", &options->members_max,
              "Most cache nodes per host (default 100)")
      .Within(1, 10'000)
      .Option("--carry", "HOW", &options->carry,
              "How connections get to the engines: hand-over, relay (default hand-over)")
      .OneOf({"hand-over", "relay"})
      .Option(
          "--memcached-carry", "HOW", &options->memcached_carry,
          "The same for Memcached's nodes: first-bytes hands over all but connections that begin "
          "with a discovery command, relay answers those anywhere (default first-bytes)")
      .OneOf({"first-bytes", "relay"})
      .Option("--deny", "HOW", &options->deny,
              "What clients see that may not connect: reset, or drop, so that they run into their "
              "own time limit as on AWS (default reset)")
      .OneOf({"reset", "drop"})
      .Option("--advertise", "HOST", &options->advertise,
              "For containers and other machines: serve every endpoint at a port of this machine "
              "as well, which they call by this name or address")
      .Option("--listen-ip", "IP", &options->listen_ip,
              "With --advertise: where the ports are opened, 0.0.0.0 for everywhere (default "
              "127.0.0.1)")
      .Option("--ports", "FIRST-LAST", &options->ports,
              "With --advertise: the range of ports (default 7400-8399)")
      .Flag("--netns", &options->netns,
            "As root: every VPC and every instance is a network namespace, where the VPC's own "
            "addresses hold; 'ip netns exec' enters it")
      .OnOff("localhost-instance", &options->localhost_instance,
             "127.0.0.1 is the instance i-localhost of the default VPC (default: it is)")
      .Option("--log-level", "LEVEL", &options->log_level, "Of the daemons (default info)")
      .OneOf({"debug", "info", "warning", "error"});
}

}  // namespace ec::cli
