// ec-controlplane: flags, wiring, signals.
#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <sys/random.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "common/check.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/process.h"
#include "controlplane/direct_api.h"
#include "controlplane/gateway/browser_guard.h"
#include "controlplane/gateway/http_server.h"
#include "controlplane/server/agent_hub.h"
#include "controlplane/server/api_service.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/identity.h"
#include "controlplane/server/namespace_keeper.h"
#include "controlplane/server/network_service.h"
#include "controlplane/server/vpc_slice.h"
#include "controlplane/store/sqlite_store.h"

namespace ec {
namespace {

struct Flags : DaemonFlags {
  std::string listen = "127.0.0.1:7379";
  std::string http_listen;
  std::vector<std::string> allow_hosts;
  std::string credentials_file;
  bool require_signature = false;
  std::string region = "us-east-1";
  std::string account = "000000000000";
  std::string vpc = "auto";
  bool localhost_instance = true;
  std::string advertise;
  std::string listen_ip = "127.0.0.1";
  std::string ports = "7400-8399";
  std::string deny = "reset";
  core::Settings settings;
};

constexpr int kMessageBytesMax = 16 << 20;

std::optional<int> ParseFlags(int argc, char** argv, Flags* flags) {
  CLI::App app{"emucache's control plane: keeps the records and tells the node agents what to be."};
  app.set_version_flag("--version", EC_VERSION);
  AddDaemonFlags(&app, flags);
  app.add_option("--listen", flags->listen, "Address of the gRPC API; port 0 is any free one")
      ->capture_default_str();
  app.add_option("--http-listen", flags->http_listen,
                 "Address of the HTTP gateway, for AWS's clients; port 0 is any free one "
                 "[127.0.0.1:7380; any free port where the gRPC API has one]");
  app.add_option("--allow-host", flags->allow_hosts,
                 "Host name by which clients may call the gateway, besides loopback's; * is any");
  auto* credentials = app.add_option("--credentials", flags->credentials_file,
                                     "File with access keys, in the form of ~/.aws/credentials")
                          ->check(CLI::ExistingFile);
  app.add_flag("--require-signature", flags->require_signature,
               "The gateway answers only requests that one of the credentials has signed")
      ->needs(credentials);
  app.add_option("--region", flags->region, "Region, at the first start")->capture_default_str();
  app.add_option("--account", flags->account, "Account id, at the first start")
      ->capture_default_str();
  app.add_option("--vpc", flags->vpc,
                 "Slice of loopback for endpoints, such as 127.10.0.0/16, at the first start; "
                 "'auto' is a free one")
      ->capture_default_str();
  app.add_flag("--localhost-instance,!--no-localhost-instance", flags->localhost_instance,
               "127.0.0.1 is the instance i-localhost of the default VPC (the default)");
  app.add_option("--advertise", flags->advertise,
                 "Serve every endpoint at a port of this machine as well, which clients call by "
                 "this name or address");
  app.add_option("--listen-ip", flags->listen_ip,
                 "With --advertise: where the ports are opened; 0.0.0.0 is everywhere")
      ->capture_default_str();
  app.add_option("--ports", flags->ports, "With --advertise: the range, FIRST-LAST")
      ->capture_default_str();
  app.add_option("--netns", flags->settings.netns,
                 "Make every VPC and every instance a network namespace, whose name begins so; "
                 "needs root");
  app.add_option(
         "--deny", flags->deny,
         "With --netns: what an instance is told that calls another VPC: 'reset', that this "
         "cannot be, or 'drop', nothing")
      ->check(CLI::IsMember({"reset", "drop"}))
      ->capture_default_str();
  app.add_flag("--strict-versions", flags->settings.strict_versions,
               "Offer only engine versions whose major and minor number is installed");
  app.add_option("--region-nodes-max", flags->settings.region_nodes_max,
                 "Quota of cache nodes in the region")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  const auto exit_code = ParseCommandLine(&app, argc, argv);
  if (flags->http_listen.empty()) {
    flags->http_listen = flags->listen.ends_with(":0") ? "127.0.0.1:0" : "127.0.0.1:7380";
  }
  return exit_code;
}

// What --advertise and its companions say; nullopt without it.
Result<std::optional<model::OutsidePorts>> OutsideOf(const Flags& flags) {
  if (flags.advertise.empty()) return std::optional<model::OutsidePorts>();
  const auto listen = ParseIp4(flags.listen_ip);
  int first = 0;
  int last = 0;
  char rest = 0;
  const int read = std::sscanf(flags.ports.c_str(), "%5d-%5d%c", &first, &last, &rest);
  if (!listen || read != 2 || first < 1 || last < first || last > 65535) {
    return Status(
        Fault::kInvalidParameterValue,
        fmt::format("--listen-ip {} is to be an IPv4 address, and --ports {} a range such "
                    "as 7400-8399.",
                    flags.listen_ip, flags.ports));
  }
  return std::optional(model::OutsidePorts{flags.advertise, *listen, static_cast<uint16_t>(first),
                                           static_cast<uint16_t>(last)});
}

int Fail(const std::string& why) { return FailDaemon("ec-controlplane", why); }

std::string ReadyFile(const Flags& flags) { return flags.dir + "/controlplane.json"; }

// Makes sure that the records belong to this region and account; gives new ones theirs.
Result<server::VpcSlice> Settle(server::Controller& controller, const Flags& flags) {
  const model::Installation present = controller.state().records.installation;
  if (!present.region.empty()) {
    if (present.region != flags.region || present.account != flags.account) {
      return Status(
          Fault::kUnavailable,
          fmt::format("{} belongs to region {} and account {}, not to {} and {}.", flags.dir,
                      present.region, present.account, flags.region, flags.account));
    }
    return server::VpcSlice::Hold(present.vpc);
  }
  const auto asked = ParseCidr(flags.vpc);
  if (!asked && flags.vpc != "auto") {
    return Status(Fault::kInvalidParameterValue,
                  fmt::format("--vpc {} is neither 'auto' nor a CIDR block.", flags.vpc));
  }
  Result<server::VpcSlice> slice =
      asked ? server::VpcSlice::Hold(*asked) : server::VpcSlice::Choose(flags.dir);
  if (!slice.ok()) return slice;
  const core::Command install = core::Install{flags.region, flags.account, slice->cidr()};
  const Status installed = controller.Step({install}).front();
  if (!installed.ok()) return installed;
  return slice;
}

// 256 bits, in hexadecimal.
std::string DrawSecret() {
  unsigned char bytes[32];
  EC_CHECK(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
  std::string secret;
  for (const unsigned char byte : bytes) secret += fmt::format("{:02x}", byte);
  return secret;
}

// What is on disk is not known any more: only a new start from it can tell.
[[noreturn]] void StopForGood() {
  LogError("stopping: the outcome of a commit is unknown; start again to go on from disk");
  std::_Exit(70);
}

// All that is served over gRPC.
struct Services {
  Services(server::ControllerLoop& loop, server::AgentHub& hub, const Clock& clock,
           tls::Authority& authority)
      : elasticache(loop, clock),
        emulator(loop, hub, clock, authority),
        network(loop, clock),
        identity(loop, clock) {}

  server::ElastiCacheService elasticache;
  server::EmulatorService emulator;
  server::NetworkService network;
  server::IdentityService identity;
};

std::unique_ptr<grpc::Server> StartGrpc(const Flags& flags, Services& services,
                                        server::AgentHub& hub, int* port) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(flags.listen, grpc::InsecureServerCredentials(), port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.RegisterService(&services.elasticache);
  builder.RegisterService(&services.emulator);
  builder.RegisterService(&services.network);
  builder.RegisterService(&services.identity);
  builder.RegisterService(&hub);
  return builder.BuildAndStart();
}

std::string HostOf(const std::string& address) { return address.substr(0, address.rfind(':')); }

// The gateway listens, and does not serve yet.
Result<std::unique_ptr<gateway::HttpServer>> ListenHttp(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint16_t port = 0;
  const char* end = address.data() + address.size();
  const char* begin = colon == std::string::npos ? end : address.data() + colon + 1;
  const auto [rest, error] = std::from_chars(begin, end, port);
  if (error != std::errc() || rest != end) {
    return Status(
        Fault::kInvalidParameterValue,
        fmt::format("--http-listen {} is not an address such as 127.0.0.1:7380.", address));
  }
  return gateway::HttpServer::Listen(HostOf(address), port);
}

// Who may call the gateway, and how.
Result<gateway::GatewaySettings> GatewaySettingsOf(const Flags& flags) {
  gateway::GatewaySettings settings;
  settings.allowed_hosts = flags.allow_hosts;
  settings.allowed_hosts.push_back(gateway::HostWithoutPort(flags.http_listen));
  if (!flags.advertise.empty()) {
    settings.allowed_hosts.push_back(gateway::HostWithoutPort(flags.advertise));
  }
  if (!flags.require_signature) return settings;
  const std::optional<std::string> text = ReadFile(flags.credentials_file);
  if (!text) {
    return Status(Fault::kInvalidParameterValue,
                  fmt::format("Cannot read {}.", flags.credentials_file));
  }
  Result<gateway::Credentials> credentials = gateway::ParseCredentials(*text);
  if (!credentials.ok()) return credentials.status();
  settings.credentials = *credentials;
  return settings;
}

// Says where it serves, to ecctl and to the log.
bool Announce(const Flags& flags, const std::string& address, const std::string& http_address) {
  const ProcessId self = SelfId();
  const nlohmann::json ready = {{"pid", self.pid},
                                {"start_time", self.start_time},
                                {"address", address},
                                {"http_address", http_address}};
  return ReplaceFile(ReadyFile(flags), ready.dump() + "\n", false);
}

int Serve(const Flags& flags, server::Controller& controller, Clock& clock, server::AgentHub& hub,
          tls::Authority& authority, server::SliceHolder& slices) {
  const sigset_t signals = BlockStopSignals();
  Result<gateway::GatewaySettings> settings = GatewaySettingsOf(flags);
  if (!settings.ok()) return Fail(settings.status().message());
  auto http = ListenHttp(flags.http_listen);
  if (!http.ok()) return Fail(http.status().message());
  server::NamespaceKeeper namespaces(flags.settings.netns, flags.deny == "drop"
                                                               ? netns::Beyond::kSilence
                                                               : netns::Beyond::kUnreachable);
  if (const Status made = namespaces.Begin(controller.state()); !made.ok()) {
    return Fail(made.message());
  }
  server::ControllerLoop loop(controller, clock, StopForGood);
  loop.AfterEachStep([&](const model::State& state) {
    slices.Note(state);
    namespaces.Note(state);
  });
  hub.SetLoop(&loop);
  Services services(loop, hub, clock, authority);
  loop.Start();
  int port = 0;
  const std::unique_ptr<grpc::Server> grpc_server = StartGrpc(flags, services, hub, &port);
  if (!grpc_server || port == 0) {
    return Fail(fmt::format("Cannot listen on {}: the address is in use or not this machine's.",
                            flags.listen));
  }
  auto over_grpc = gateway::MakeGrpcApi(grpc_server->InProcessChannel({}));
  (*http)->Start(*settings, MakeDirectApi(services.elasticache, std::move(over_grpc)), clock);
  const std::string address = fmt::format("{}:{}", HostOf(flags.listen), port);
  const std::string http_address = fmt::format("{}:{}", HostOf(flags.http_listen), (*http)->port());
  if (!Announce(flags, address, http_address)) {
    return Fail(fmt::format("Cannot write {}.", ReadyFile(flags)));
  }
  LogInfo("serving", {{"address", address},
                      {"http", http_address},
                      {"clusters", controller.state().records.clusters.size()},
                      {"revision", controller.state().records.revision},
                      {"vpc", ToString(controller.state().records.installation.vpc)}});

  LogInfo("stopping", {{"signal", AwaitStopSignal(signals)}});
  unlink(ReadyFile(flags).c_str());
  hub.Shutdown();
  grpc_server->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));  // calls under way are cut
  (*http)->Stop();
  loop.Stop();
  LogInfo("stopped");
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  if (const auto exit_code = ParseFlags(argc, argv, &flags)) return *exit_code;
  if (const Status entered = EnterDirectory(&flags); !entered.ok()) return Fail(entered.message());

  Result<std::unique_ptr<store::Store>> store = store::OpenSqliteStore(flags.dir);
  if (!store.ok()) return Fail(store.status().message());
  SystemClock clock;
  tls::Authority authority(flags.dir);
  server::AgentHub hub(authority);
  flags.settings.boot = BootId();
  server::Controller controller(flags.settings, **store, clock, hub);
  if (const Status started = controller.Start(); !started.ok()) return Fail(started.message());
  Result<server::VpcSlice> slice = Settle(controller, flags);
  if (!slice.ok()) return Fail(slice.status().message());
  Result<std::optional<model::OutsidePorts>> outside = OutsideOf(flags);
  if (!outside.ok()) return Fail(outside.status().message());
  const core::Command prepare = core::Prepare{flags.localhost_instance, *outside,
                                              model::EngineSecrets{DrawSecret(), DrawSecret()}};
  if (const Status prepared = controller.Step({prepare}).front(); !prepared.ok()) {
    return Fail(prepared.message());
  }
  server::SliceHolder slices;
  if (const Status held = slices.Begin(controller.state()); !held.ok()) return Fail(held.message());
  return Serve(flags, controller, clock, hub, authority, slices);
}

}  // namespace
}  // namespace ec

int main(int argc, char** argv) { return ec::Main(argc, argv); }
