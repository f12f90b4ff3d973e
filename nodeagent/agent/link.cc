#include "nodeagent/agent/link.h"

#include <algorithm>
#include <chrono>

#include "common/log.h"
#include "proto/engine_figures_proto.h"
#include "proto/host_plan_proto.h"

namespace ec::agent {
namespace {

constexpr int kMessageBytesMax = 64 << 20;
constexpr auto kPauseMin = std::chrono::milliseconds(20);
constexpr auto kPauseMax = std::chrono::milliseconds(1000);

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // it is this machine, or a host beside it
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Link::Link(std::string address, HostHello hello, Listener listener)
    : address_(std::move(address)), hello_(std::move(hello)), listener_(std::move(listener)) {}

Link::~Link() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Link::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Link::Send(HostReport report) {
  {
    const std::lock_guard lock(mutex_);
    if (!linked_) return;
    next_ = std::move(report);
  }
  changed_.notify_all();
}

void Link::Send(HostFigures figures) {
  {
    const std::lock_guard lock(mutex_);
    if (!linked_) return;
    next_figures_ = std::move(figures);
  }
  changed_.notify_all();
}

bool Link::Pause() {
  const auto pause = std::min(kPauseMax, kPauseMin * (1 << std::min(failures_, 6)));
  ++failures_;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, pause, [this] { return ending_; });
  return !ending_;
}

void Link::Run() {
  do {
    RunOnce();
  } while (Pause());
}

void Link::WriteReports(Stream& stream) {
  for (;;) {
    v1::AgentMessage message;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !linked_ || next_ || next_figures_; });
      if (!linked_) return;
      if (next_) {
        ToProto(*next_, message.mutable_report());
        next_.reset();
      } else {
        ToProto(*next_figures_, message.mutable_figures());
        next_figures_.reset();
      }
    }
    if (!stream.Write(message)) return;
  }
}

// One stream from its beginning to its end.
void Link::RunOnce() {
  // A channel of its own: an old one may be waiting out a pause of its own.
  const auto stub = v1::NodeAgent::NewStub(MakeChannel(address_));
  grpc::ClientContext context;
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    context_ = &context;
  }
  const std::unique_ptr<Stream> stream = stub->Connect(&context);
  v1::AgentMessage hello;
  ToProto(hello_, hello.mutable_hello());
  if (stream->Write(hello)) {
    {
      const std::lock_guard lock(mutex_);
      linked_ = true;
      next_.reset();
      next_figures_.reset();
    }
    listener_.on_linked();
    std::thread writer([&] { WriteReports(*stream); });
    v1::PlanUpdate message;
    while (stream->Read(&message)) {
      if (failures_ > 0) LogInfo("connected to the control plane", {{"address", address_}});
      failures_ = 0;
      if (message.figures_question() != 0) {
        listener_.on_figures_question(message.figures_question());
        continue;
      }
      Result<PlanUpdate> update = FromProto(message);
      if (update.ok()) listener_.on_plan(std::move(*update));
    }
    {
      const std::lock_guard lock(mutex_);
      linked_ = false;
    }
    changed_.notify_all();
    writer.join();
    listener_.on_unlinked();
  }
  {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }
  const grpc::Status status = stream->Finish();
  if (status.error_message() != last_error_ && !ending_) {
    last_error_ = status.error_message();
    LogWarning("no connection to the control plane", {{"address", address_}, {"why", last_error_}});
  }
}

}  // namespace ec::agent
