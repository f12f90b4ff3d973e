#include "bench/simulated_host.h"

#include <grpcpp/create_channel.h>
#include <unistd.h>

#include <chrono>

#include "proto/host_plan_proto.h"

namespace ec::bench {
namespace {

// As often as an agent speaks that has nothing to say.
constexpr auto kReportEvery = std::chrono::milliseconds(500);

std::shared_ptr<grpc::Channel> OwnChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);  // a complete plan of thousands of members
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

MemberReport Serving(const MemberSpec& spec) {
  MemberReport report;
  report.id = spec.id;
  report.generation = spec.generation;
  report.launch = spec.generation;
  report.phase = MemberPhase::kServing;
  report.pid = 1;
  report.engine_version = spec.engine == EngineKind::kMemcached ? "1.6.18" : "7.0.15";
  return report;
}

}  // namespace

SimulatedHost::SimulatedHost(const std::string& address, const std::string& zone, int members_max,
                             uint64_t incarnation)
    : stub_(v1::NodeAgent::NewStub(OwnChannel(address))), log_(zone, incarnation) {
  hello_.host = zone;
  hello_.zone = zone;
  hello_.incarnation = incarnation;
  hello_.members_max = members_max;
  hello_.pid = getpid();
  hello_.engines = {{EngineKind::kMemcached, "1.6.18"}, {EngineKind::kRedis, "7.0.15"}};
  stream_ = stub_->Connect(&context_);
  v1::AgentMessage message;
  ToProto(hello_, message.mutable_hello());
  stream_->Write(message);
  reader_ = std::thread([this] { ReadPlans(); });
  writer_ = std::thread([this] { WriteReports(); });
}

SimulatedHost::~SimulatedHost() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  context_.TryCancel();
  writer_.join();
  reader_.join();
  stream_->Finish();
}

bool SimulatedHost::Take(const PlanUpdate& update) {
  log_.Acknowledge(update.answers);
  if (!Merge(update, &plan_)) return false;
  for (const MemberSpec& spec : update.members) log_.Put(Serving(spec));
  for (const EndpointSpec& spec : update.endpoints) {
    EndpointReport report;
    report.id = spec.id;
    report.listening = true;
    log_.Put(report);
  }
  for (const MemberId id : update.gone_members) log_.DropMember(id);
  for (const EndpointId id : update.gone_endpoints) log_.DropEndpoint(id);
  // A part of the plan that changes nothing here is news all the same: the plan has come.
  return log_.has_news() || !update.members.empty() || !update.endpoints.empty();
}

void SimulatedHost::ReadPlans() {
  v1::PlanUpdate message;
  while (stream_->Read(&message)) {
    if (message.figures_question() != 0) continue;  // it has no engines to ask
    const Result<PlanUpdate> update = FromProto(message);
    if (!update.ok()) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!Take(*update)) continue;
      news_ = true;
    }
    changed_.notify_all();
  }
}

void SimulatedHost::WriteReports() {
  for (;;) {
    v1::AgentMessage message;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kReportEvery, [this] { return news_ || ending_; });
      if (ending_) return;
      news_ = false;
      ToProto(log_.Make(plan_.revision), message.mutable_report());
    }
    if (!stream_->Write(message)) return;
  }
}

}  // namespace ec::bench
