// The agent's stream to the control plane: keeps trying, says when it stands and when it breaks.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/engine_figures.h"
#include "common/host_plan.h"
#include "ec/v1/agent.grpc.pb.h"

namespace ec::agent {

class Link {
 public:
  // Called on the link's threads; must not block.
  struct Listener {
    std::function<void()> on_linked;
    std::function<void()> on_unlinked;
    std::function<void(PlanUpdate)> on_plan;
    std::function<void(uint64_t)> on_figures_question;
  };

  Link(std::string address, HostHello hello, Listener listener);
  ~Link();  // ends the stream

  void Start();

  // Goes out as soon as the stream can take it. A report stands in for an earlier one that has not
  // left yet: both start from what the control plane has taken, so it carries what that one did.
  // Lost while there is no stream.
  void Send(HostReport report);
  // Likewise: who has asked before has asked again since.
  void Send(HostFigures figures);

 private:
  using Stream = grpc::ClientReaderWriter<v1::AgentMessage, v1::PlanUpdate>;

  void Run();
  void RunOnce();
  void WriteReports(Stream& stream);
  // Sleeps before the next attempt; false when the link is being ended.
  bool Pause();

  const std::string address_;
  const HostHello hello_;
  const Listener listener_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<HostReport> next_;
  std::optional<HostFigures> next_figures_;
  grpc::ClientContext* context_ = nullptr;  // of the stream that stands
  bool linked_ = false;
  bool ending_ = false;
  int failures_ = 0;  // in a row
  std::string last_error_;
  std::thread thread_;
};

}  // namespace ec::agent
