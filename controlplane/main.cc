// ec-controlplane: flags, wiring, signals.
#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "common/daemon.h"
#include "common/log.h"
#include "common/process.h"
#include "controlplane/server/agent_hub.h"
#include "controlplane/server/api_service.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/namespace_keeper.h"
#include "controlplane/server/network_service.h"
#include "controlplane/server/vpc_slice.h"
#include "controlplane/store/sqlite_store.h"

namespace ec {
namespace {

struct Flags : DaemonFlags {
  std::string listen = "127.0.0.1:7379";
  std::string region = "us-east-1";
  std::string account = "000000000000";
  std::string vpc = "auto";
  bool localhost_instance = true;
  std::string advertise;
  std::string listen_ip = "127.0.0.1";
  std::string ports = "7400-8399";
  core::Settings settings;
};

constexpr int kMessageBytesMax = 16 << 20;

std::optional<int> ParseFlags(int argc, char** argv, Flags* flags) {
  CLI::App app{"emucache's control plane: keeps the records and tells the node agents what to be."};
  app.set_version_flag("--version", EC_VERSION);
  AddDaemonFlags(&app, flags);
  app.add_option("--listen", flags->listen, "Address of the gRPC API; port 0 is any free one")
      ->capture_default_str();
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
  app.add_flag("--strict-versions", flags->settings.strict_versions,
               "Offer only engine versions whose major and minor number is installed");
  app.add_option("--region-nodes-max", flags->settings.region_nodes_max,
                 "Quota of cache nodes in the region")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  return ParseCommandLine(&app, argc, argv);
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

// What is on disk is not known any more: only a new start from it can tell.
[[noreturn]] void StopForGood() {
  LogError("stopping: the outcome of a commit is unknown; start again to go on from disk");
  std::_Exit(70);
}

int Serve(const Flags& flags, server::Controller& controller, Clock& clock, server::AgentHub& hub,
          server::SliceHolder& slices) {
  const sigset_t signals = BlockStopSignals();
  server::NamespaceKeeper namespaces(flags.settings.netns);
  if (const Status made = namespaces.Begin(controller.state()); !made.ok()) {
    return Fail(made.message());
  }
  server::ControllerLoop loop(controller, clock, StopForGood);
  loop.AfterEachStep([&](const model::State& state) {
    slices.Note(state);
    namespaces.Note(state);
  });
  hub.SetLoop(&loop);
  server::ElastiCacheService elasticache(loop, clock);
  server::EmulatorService emulator(loop, clock);
  server::NetworkService network(loop, clock);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(flags.listen, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.RegisterService(&elasticache);
  builder.RegisterService(&emulator);
  builder.RegisterService(&network);
  builder.RegisterService(&hub);
  loop.Start();
  const std::unique_ptr<grpc::Server> grpc_server = builder.BuildAndStart();
  if (!grpc_server || port == 0) {
    return Fail(fmt::format("Cannot listen on {}: the address is in use or not this machine's.",
                            flags.listen));
  }
  const std::string address =
      flags.listen.substr(0, flags.listen.rfind(':')) + ":" + std::to_string(port);
  const std::string ready_file = flags.dir + "/controlplane.json";
  const ProcessId self = SelfId();
  const nlohmann::json ready = {
      {"pid", self.pid}, {"start_time", self.start_time}, {"address", address}};
  if (!ReplaceFile(ready_file, ready.dump() + "\n", false)) {
    return Fail(fmt::format("Cannot write {}.", ready_file));
  }
  LogInfo("serving", {{"address", address},
                      {"clusters", controller.state().records.clusters.size()},
                      {"revision", controller.state().records.revision},
                      {"vpc", ToString(controller.state().records.installation.vpc)}});

  LogInfo("stopping", {{"signal", AwaitStopSignal(signals)}});
  unlink(ready_file.c_str());
  hub.Shutdown();
  grpc_server->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));  // calls under way are cut
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
  server::AgentHub hub;
  flags.settings.boot = BootId();
  server::Controller controller(flags.settings, **store, clock, hub);
  if (const Status started = controller.Start(); !started.ok()) return Fail(started.message());
  Result<server::VpcSlice> slice = Settle(controller, flags);
  if (!slice.ok()) return Fail(slice.status().message());
  Result<std::optional<model::OutsidePorts>> outside = OutsideOf(flags);
  if (!outside.ok()) return Fail(outside.status().message());
  const core::Command prepare = core::Prepare{flags.localhost_instance, *outside};
  if (const Status prepared = controller.Step({prepare}).front(); !prepared.ok()) {
    return Fail(prepared.message());
  }
  server::SliceHolder slices;
  if (const Status held = slices.Begin(controller.state()); !held.ok()) return Fail(held.message());
  return Serve(flags, controller, clock, hub, slices);
}

}  // namespace
}  // namespace ec

int main(int argc, char** argv) { return ec::Main(argc, argv); }
