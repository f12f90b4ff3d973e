// Stands in for ec-controlplane: keeps the contract that `ecctl up` and `down` rely on, and nothing
// more. Environment variables make it misbehave.
//   FAKE_CONTROLPLANE_FAILS=text  says so on standard error and ends
//   FAKE_CONTROLPLANE_HANGS=1     never serves
//   FAKE_IGNORES_TERM=1           does not stop when asked to
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

#include "cli/process.h"
#include "ec/v1/agent.grpc.pb.h"
#include "ec/v1/emulator.grpc.pb.h"
#include "tests/cli/fake_daemon.h"

namespace ec::cli {
namespace {

class Hosts {
 public:
  void Heard(const v1::HostHello& hello) {
    const std::scoped_lock lock(mutex_);
    v1::Host& host = hosts_[hello.host()];
    host.set_host_id(hello.host());
    host.set_availability_zone(hello.zone());
    host.set_status("ready");
    host.set_pid(hello.pid());
    host.set_members(2);
    host.set_members_max(hello.members_max());
    (*host.mutable_engines())["redis"] = "7.0.15";
  }
  void Lost(const v1::HostHello& hello) {
    const std::scoped_lock lock(mutex_);
    v1::Host& host = hosts_[hello.host()];
    if (host.pid() == hello.pid()) host.set_status("silent");
  }
  void Describe(v1::DescribeHostsResponse* response) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, host] : hosts_) *response->add_hosts() = host;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, v1::Host> hosts_;
};

class NodeAgentService : public v1::NodeAgent::Service {
 public:
  explicit NodeAgentService(Hosts& hosts) : hosts_(hosts) {}
  grpc::Status Connect(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::PlanUpdate, v1::AgentMessage>* stream) override {
    v1::AgentMessage hello;
    if (!stream->Read(&hello)) return grpc::Status::OK;
    hosts_.Heard(hello.hello());
    v1::AgentMessage more;
    while (stream->Read(&more)) {
    }
    hosts_.Lost(hello.hello());
    return grpc::Status::OK;
  }

 private:
  Hosts& hosts_;
};

class EmulatorService : public v1::Emulator::Service {
 public:
  explicit EmulatorService(Hosts& hosts) : hosts_(hosts) {}
  grpc::Status DescribeHosts(grpc::ServerContext*, const v1::DescribeHostsRequest*,
                             v1::DescribeHostsResponse* response) override {
    hosts_.Describe(response);
    return grpc::Status::OK;
  }
  grpc::Status GetVersion(grpc::ServerContext*, const v1::GetVersionRequest*,
                          v1::GetVersionResponse* response) override {
    response->set_version("9.9.9");
    response->set_region("us-east-1");
    response->set_account_id("000000000000");
    return grpc::Status::OK;
  }

 private:
  Hosts& hosts_;
};

int Main(const FakeFlags& flags) {
  const sigset_t stop = BlockTerm();
  const std::string dir = flags.Value("--dir");
  std::ofstream(dir + "/argv") << flags.Text();
  if (const char* text = std::getenv("FAKE_CONTROLPLANE_FAILS"); text != nullptr) {
    std::fprintf(stderr, "%s\n", text);
    return 1;
  }
  if (std::getenv("FAKE_CONTROLPLANE_HANGS") != nullptr) {
    std::ofstream(dir + "/hangs") << getpid();
    AwaitSignal(stop);
    return 0;
  }
  Hosts hosts;
  NodeAgentService agents(hosts);
  EmulatorService emulator(hosts);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(flags.Value("--listen"), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&agents);
  builder.RegisterService(&emulator);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "cannot listen on %s\n", flags.Value("--listen").c_str());
    return 1;
  }
  const std::string record = dir + "/controlplane.json";
  WriteRecord(record, "\"address\": \"127.0.0.1:" + std::to_string(port) + "\"");
  AwaitSignal(stop);
  std::filesystem::remove(record);
  server->Shutdown(std::chrono::system_clock::time_point());
  return 0;
}

}  // namespace
}  // namespace ec::cli

int main(int argc, char** argv) { return ec::cli::Main({argc, argv}); }
