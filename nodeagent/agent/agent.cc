#include "nodeagent/agent/agent.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "common/log.h"
#include "nodeagent/agent/plan_file.h"
#include "nodeagent/engine/tuner.h"

namespace ec::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

// An engine that has not answered by then has missed a probe. host::Settings counts on it.
constexpr Duration kProbeDeadline = milliseconds(400);
// What engines have not told by then, nobody waits for any more.
constexpr Duration kFiguresMax = milliseconds(700);
// Plans that come in quick succession are written together.
constexpr auto kPlanWriteEvery = milliseconds(100);

std::string MembersDirectory(const std::string& dir) { return dir + "/members"; }

engine::SnapshotFiles FilesOf(const AgentOptions& options) {
  const auto redis = options.programs.find(EngineKind::kRedis);
  return engine::SnapshotFiles({options.machine.snapshots, options.machine.buckets,
                                options.hello.host,
                                redis == options.programs.end() ? "" : redis->second.path});
}

}  // namespace

Agent::Agent(AgentOptions options, Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      tick_timer_(io_),
      counts_timer_(io_),
      plan_timer_(io_),
      prober_(io_),
      replicator_(io_),
      figures_(io_) {
  engines_ = std::make_unique<engine::EngineHost>(
      io_, MembersDirectory(options_.dir), options_.machine, options_.programs, FilesOf(options_),
      [this](const host::Input& input) { Step(input); });
  endpoints_ = std::make_unique<endpoint::EndpointServer>(
      options_.endpoints, [this](MemberId id) { return engines_->SocketPath(id); },
      [this](MemberId id) { return engines_->PassingPath(id); });
  snapshots_ = std::make_unique<engine::SnapshotWorker>(
      io_, FilesOf(options_), [this](MemberId id) { return engines_->DirectoryOf(id); },
      [this](const host::TaskNews& news) { Step(news); });
  const std::vector<host::Found> found = engines_->Adopt();
  HostPlan remembered = ReadPlanFile(options_.dir);
  LogInfo("agent starts", {{"host", options_.hello.host},
                           {"incarnation", options_.hello.incarnation},
                           {"members", found.size()},
                           {"remembered revision", remembered.revision}});
  machine_ = std::make_unique<host::HostMachine>(options_.settings, options_.hello.host,
                                                 options_.hello.incarnation, found,
                                                 std::move(remembered), clock_.now().instant);
  Link::Listener listener;
  listener.on_linked = [this] { asio::post(io_, [this] { Step(host::Linked{}); }); };
  listener.on_unlinked = [this] { asio::post(io_, [this] { Step(host::Unlinked{}); }); };
  listener.on_plan = [this](PlanUpdate update) {
    asio::post(io_, [this, update = std::move(update)] { Step(host::PlanArrived{update}); });
  };
  listener.on_figures_question = [this](uint64_t question) {
    asio::post(io_, [this, question] { CollectFigures(question); });
  };
  link_ = std::make_unique<Link>(options_.control_plane, options_.hello, std::move(listener));
}

Agent::~Agent() {
  link_.reset();  // no more inputs from there
  endpoints_.reset();
  snapshots_.reset();
  engines_.reset();
}

void Agent::Run() {
  asio::post(io_, [this] { Step(host::Tick{}); });
  ScheduleCounts();
  link_->Start();
  const auto work = asio::make_work_guard(io_);
  io_.run();
}

void Agent::Stop() { io_.stop(); }

void Agent::Step(const host::Input& input) {
  const std::vector<host::Action> actions = machine_->Step(clock_.now().instant, input);
  for (const host::Action& action : actions) Perform(action);
  ScheduleTick();
}

void Agent::CollectFigures(uint64_t question) {
  std::vector<engine::FigureCollector::Target> targets;
  for (const auto& [id, answering] : machine_->answering()) {
    targets.push_back({id, answering.engine, answering.launch, engines_->SocketPath(id)});
  }
  figures_.Collect(targets, kFiguresMax, clock_.now().instant,
                   [this, question](std::map<MemberId, EngineFigures> members) {
                     link_->Send(HostFigures{question, std::move(members)});
                   });
}

void Agent::ScheduleTick() {
  const Instant wake = machine_->NextWake();
  if (wake == Instant::max()) {
    tick_timer_.cancel();
    return;
  }
  tick_timer_.expires_after(std::max(wake - clock_.now().instant, Duration(0)));
  tick_timer_.async_wait([this](error_code error) {
    if (!error) Step(host::Tick{});
  });
}

// Connections are counted all the time; what they came to goes along with the reports.
void Agent::ScheduleCounts() {
  counts_timer_.expires_after(options_.settings.report_every);
  counts_timer_.async_wait([this](error_code error) {
    if (error) return;
    endpoints_->Sweep();
    Step(host::EndpointsSeen{endpoints_->Report()});
    ScheduleCounts();
  });
}

void Agent::Perform(const host::Action& action) {
  if (const auto* start = std::get_if<host::StartEngine>(&action)) {
    engines_->Start(*start);
  } else if (const auto* kill = std::get_if<host::KillEngine>(&action)) {
    engines_->Kill(*kill);
  } else if (const auto* pause = std::get_if<host::PauseEngine>(&action)) {
    engines_->Pause(*pause);
  } else if (const auto* removal = std::get_if<host::RemoveMember>(&action)) {
    engines_->Remove(*removal);
  } else if (const auto* probe = std::get_if<host::ProbeEngine>(&action)) {
    ProbeEngine(*probe);
  } else if (const auto* through = std::get_if<host::ProbeEndpoint>(&action)) {
    ProbeEndpoint(*through);
  } else if (const auto* sync = std::get_if<host::SyncReplication>(&action)) {
    SyncReplication(*sync);
  } else if (const auto* tune = std::get_if<host::TuneEngine>(&action)) {
    TuneEngine(*tune);
  } else if (const auto* conform = std::get_if<host::ConformEndpoints>(&action)) {
    host::EndpointsSeen seen{
        endpoints_->Conform(conform->endpoints, conform->network, conform->faults)};
    asio::post(io_, [this, seen = std::move(seen)] { Step(seen); });
  } else if (const auto* remember = std::get_if<host::RememberPlan>(&action)) {
    RememberPlan(remember->plan);
  } else if (const auto* task = std::get_if<host::StartTask>(&action)) {
    snapshots_->Start(task->task);
  } else if (const auto* cancel = std::get_if<host::CancelTask>(&action)) {
    snapshots_->Cancel(cancel->id);
  } else if (const auto* report = std::get_if<host::SendReport>(&action)) {
    link_->Send(report->report);
  }
}

void Agent::ProbeEngine(const host::ProbeEngine& probe) {
  const uint64_t used_before = engines_->ProcessorTime(probe.id);
  prober_.ProbeEngine(
      probe.engine, engines_->SocketPath(probe.id), kProbeDeadline,
      [this, probe, used_before](const engine::ProbeResult& result) {
        const bool used = engines_->ProcessorTime(probe.id) > used_before;
        Step(host::EngineProbed{probe.id, probe.launch, result.outcome, result.version, used});
      });
}

void Agent::ProbeEndpoint(const host::ProbeEndpoint& probe) {
  prober_.ProbeEndpoint(
      probe.engine, probe.address, probe.authority, kProbeDeadline,
      [this, probe](const engine::ProbeResult& result) {
        // A follower that loads what its leader has sent has been reached all the same.
        const bool answered = result.outcome == host::EngineProbed::Outcome::kAnswered ||
                              result.outcome == host::EngineProbed::Outcome::kLoading;
        Step(host::EndpointProbed{probe.id, probe.launch, probe.address, answered});
      });
}

void Agent::TuneEngine(const host::TuneEngine& tune) {
  const bool placed = engines_->ReplaceCertificate(tune.spec);
  engine::TuneRedis(io_, tune.spec, engines_->SocketPath(tune.id),
                    [this, placed, id = tune.id, launch = tune.launch](bool ok) {
                      Step(host::EngineTuned{id, launch, ok && placed});
                    });
}

void Agent::SyncReplication(const host::SyncReplication& sync) {
  replicator_.Sync(sync, engines_->SocketPath(sync.id),
                   [this](const host::ReplicationSynced& synced) { Step(synced); });
}

void Agent::RememberPlan(const HostPlan& plan) {
  plan_to_write_ = plan;
  if (std::exchange(plan_write_waits_, true)) return;
  plan_timer_.expires_after(kPlanWriteEvery);
  plan_timer_.async_wait([this](error_code error) {
    if (error) return;
    plan_write_waits_ = false;
    WritePlanFile(options_.dir, plan_to_write_);
  });
}

}  // namespace ec::agent
