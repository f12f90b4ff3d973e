// The agent: observe, decide, act, report. One thread runs the loop and owns the machine; what is
// slow or blocks has threads of its own and comes back as an input.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "nodeagent/agent/link.h"
#include "nodeagent/core/host_machine.h"
#include "nodeagent/endpoint/endpoint_server.h"
#include "nodeagent/engine/engine_host.h"
#include "nodeagent/engine/figure_collector.h"
#include "nodeagent/engine/prober.h"
#include "nodeagent/engine/replication.h"
#include "nodeagent/engine/snapshot_worker.h"

namespace ec::agent {

struct AgentOptions {
  std::string dir;            // the host's directory
  std::string control_plane;  // address of its gRPC API
  HostHello hello;            // the incarnation is already a new one
  engine::Machine machine;
  std::map<EngineKind, engine::Program> programs;
  host::Settings settings;
  endpoint::Settings endpoints;
};

class Agent {
 public:
  Agent(AgentOptions options, Clock& clock);
  ~Agent();  // closes the endpoints; the engines go on

  // Runs until Stop().
  void Run();
  // From any thread.
  void Stop();

 private:
  void Step(const host::Input& input);
  void Perform(const host::Action& action);
  void ProbeEngine(const host::ProbeEngine& probe);
  void ProbeEndpoint(const host::ProbeEndpoint& probe);
  void TuneEngine(const host::TuneEngine& tune);
  void SyncReplication(const host::SyncReplication& sync);
  void CollectFigures(uint64_t question);
  void ScheduleTick();
  void ScheduleCounts();
  void RememberPlan(const HostPlan& plan);

  const AgentOptions options_;
  Clock& clock_;
  boost::asio::io_context io_;
  boost::asio::steady_timer tick_timer_;
  boost::asio::steady_timer counts_timer_;
  boost::asio::steady_timer plan_timer_;
  std::unique_ptr<engine::EngineHost> engines_;
  std::unique_ptr<endpoint::EndpointServer> endpoints_;
  std::unique_ptr<engine::SnapshotWorker> snapshots_;
  engine::Prober prober_;
  engine::Replicator replicator_;
  engine::FigureCollector figures_;
  std::unique_ptr<host::HostMachine> machine_;
  std::unique_ptr<Link> link_;
  HostPlan plan_to_write_;
  bool plan_write_waits_ = false;
};

}  // namespace ec::agent
