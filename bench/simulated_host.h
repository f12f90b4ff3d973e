// A host whose engines are only words: it speaks the agents' stream and reports at once that
// everything in its plan serves. So thousands of clusters cost the control plane what they cost,
// and the machine nothing.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/host_plan.h"
#include "ec/v1/agent.grpc.pb.h"
#include "nodeagent/core/report_log.h"

namespace ec::bench {

class SimulatedHost {
 public:
  // Connects to the control plane at `address` and stays until it is destroyed.
  SimulatedHost(const std::string& address, const std::string& zone, int members_max,
                uint64_t incarnation);
  ~SimulatedHost();
  SimulatedHost(const SimulatedHost&) = delete;
  SimulatedHost& operator=(const SimulatedHost&) = delete;

 private:
  void ReadPlans();
  void WriteReports();
  // Obeys the update; whether there is something to tell.
  bool Take(const PlanUpdate& update);

  HostHello hello_;
  std::unique_ptr<v1::NodeAgent::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::PlanUpdate>> stream_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  HostPlan plan_;
  host::ReportLog log_;
  bool news_ = true;
  bool ending_ = false;

  std::thread reader_;
  std::thread writer_;
};

}  // namespace ec::bench
