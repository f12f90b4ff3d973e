// Stands in for ec-nodeagent, with engines that are only files:
//   HOSTDIR/engines           there while engines run; --stop-engines removes it
//   HOSTDIR/cannot_save       makes --stop-engines fail unless --discard is given
// Environment variables make it misbehave: FAKE_AGENT_FAILS=text, FAKE_AGENT_HANGS=1 (it never
// registers).
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "ec/v1/agent.grpc.pb.h"
#include "tests/cli/fake_daemon.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;

int StopEngines(const std::string& dir, bool discard) {
  if (fs::exists(dir + "/cannot_save") && !discard) {
    std::fprintf(stderr, "demo/0001 could not save its data: disk full\n");
    return 1;
  }
  fs::remove(dir + "/engines");
  return 0;
}

// Registers again whenever the control plane has been away.
void Register(const FakeFlags& flags) {
  const auto channel = grpc::CreateChannel("ipv4:" + flags.Value("--control-plane"),
                                           grpc::InsecureChannelCredentials());
  const auto stub = v1::NodeAgent::NewStub(channel);
  while (true) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    const auto stream = stub->Connect(&context);
    v1::AgentMessage hello;
    hello.mutable_hello()->set_host(flags.Value("--host"));
    hello.mutable_hello()->set_zone(flags.Value("--zone"));
    hello.mutable_hello()->set_pid(getpid());
    hello.mutable_hello()->set_members_max(std::atoi(flags.Value("--members-max").c_str()));
    v1::PlanUpdate plan;
    if (stream->Write(hello)) stream->Read(&plan);
    stream->Finish();
  }
}

int Main(const FakeFlags& flags) {
  const std::string dir = flags.Value("--dir");
  if (flags.Has("--stop-engines")) return StopEngines(dir, flags.Has("--discard"));
  const sigset_t stop = BlockTerm();
  std::ofstream(dir + "/argv") << flags.Text();
  if (const char* text = std::getenv("FAKE_AGENT_FAILS"); text != nullptr) {
    std::fprintf(stderr, "%s\n", text);
    return 1;
  }
  std::ofstream(dir + "/engines") << "running\n";
  WriteRecord(dir + "/agent.json", fmt::format("\"host\": \"{}\", \"zone\": \"{}\"",
                                               flags.Value("--host"), flags.Value("--zone")));
  if (std::getenv("FAKE_AGENT_HANGS") == nullptr) std::thread(Register, flags).detach();
  AwaitSignal(stop);
  fs::remove(dir + "/agent.json");
  std::_Exit(0);
}

}  // namespace
}  // namespace ec::cli

int main(int argc, char** argv) { return ec::cli::Main({argc, argv}); }
