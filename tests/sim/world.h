// A whole installation on fake time: the production controller and the production agents' machines,
// with a simulated network, store, disk and engines between and below them. One seed is one
// history; two runs of it are the same to the letter.
//
// The network loses, delays, repeats and reorders messages, which real streams do not: what holds
// here holds there. Faults are drawn from the seed until Heal(); from then on everything works and
// what was broken must come right by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "controlplane/server/controller.h"
#include "nodeagent/core/host_machine.h"
#include "tests/sim/engine.h"
#include "tests/sim/random.h"

namespace ec::sim {

// How bad a seed's world is; drawn by the swarm, chosen by a scenario.
struct Faults {
  int loss_percent = 0;
  int repeat_percent = 0;
  Duration delay_max = std::chrono::milliseconds(1);
  int refused_commit_percent = 0;
  int unknown_commit_percent = 0;  // the control plane then stops and starts again
  int start_failure_percent = 0;   // of engines
  int slow_start_percent = 0;
  int elsewhere_percent = 0;      // hosts on machines whose processes the control plane cannot see
  int address_taken_percent = 0;  // somebody else listens on an address that is new
  int disk_full_percent = 0;      // when a snapshot is written
};

class FakeClock : public Clock {
 public:
  Now now() const override { return {instant, wall}; }
  Instant instant{std::chrono::hours(1)};
  WallTime wall{std::chrono::sys_days(std::chrono::year{2014} / 9 / 30)};
};

// Memory that survives crashes of the control plane, and refuses when told to.
class SimStore : public store::Store {
 public:
  SimStore();
  Result<model::Records> Load() override;
  Status Commit(const model::Edit& edit) override;

  // Asked before each commit.
  enum class Mood { kFine, kRefuse, kUnknownDone, kUnknownNotDone };
  std::function<Mood()> mood = [] { return Mood::kFine; };
  // Given every edit that became durable.
  std::function<void(const model::Edit&)> mirror = [](const model::Edit&) {};

  const model::Records& records() const { return state_.records; }

 private:
  model::State state_;  // only its records are of interest
};

struct Directory {  // of a member, on a host's disk
  EngineKind engine = EngineKind::kRedis;
  uint64_t generation = 0;
  uint64_t launch = 0;
  bool resumed = false;
  bool kept = false;
  std::string kept_data;
  std::vector<uint64_t> kept_writes;
  int64_t kept_stream_base = 0;
  std::optional<Engine> process;
};

struct SimHost {
  std::string id;
  std::string zone;
  uint64_t incarnation = 0;
  uint64_t pid = 0;                          // of the agent
  uint64_t start_time = 0;                   // of that process
  std::string boot;                          // of its machine
  std::unique_ptr<host::HostMachine> agent;  // empty: the agent is dead
  bool paused = false;                       // SIGSTOP of the agent
  bool cut = false;                          // no message gets through
  uint64_t wake_token = 0;                   // tells a wake-up that is out of date
  HostPlan remembered;
  std::map<MemberId, Directory> disk;
  std::map<EndpointId, EndpointSpec> endpoints;  // open; they die with the agent
  SharedNetwork network;                         // by which they judge
  SharedFaults faults;                           // that they act out
  uint64_t conforms = 0;                         // how often the two were changed
  std::vector<std::function<void()>> paused_work;
};

class World {
 public:
  World(uint64_t seed, Faults faults, int host_count, int zone_count);

  // --- driving it ---
  void RunFor(Duration duration);
  // Runs until `done`; false if it is not so by `limit`.
  bool RunUntil(const std::function<bool()>& done, Duration limit);
  // Puts an end to all faults and brings everybody back.
  void Heal();

  // --- the control plane ---
  // nullopt: it is down. Anything else is the answer to the caller.
  std::optional<Status> Call(core::Command command);
  void CrashControlPlane();
  void StartControlPlane();
  void PauseControlPlane(Duration time);
  // Time passes at once, wherever the machine is: in the middle of a commit, too.
  void Suspend(Duration time);
  bool control_plane_runs() const { return controller_ != nullptr; }
  const model::State& state() const { return controller_->state(); }
  const model::Records& records() const { return store_.records(); }
  const core::Settings& settings() const { return settings_; }

  // --- hosts and engines ---
  void CrashAgent(const HostId& host);
  void StartAgent(const HostId& host);
  void PauseAgent(const HostId& host, Duration time);
  void CutNetwork(const HostId& host, Duration time);
  // Stops agent and engines in order, keeping data, as `ecctl down` does.
  void StopHostInOrder(const HostId& host);
  bool KillEngine(const HostId& host, MemberId member);
  bool StopEngine(const HostId& host, MemberId member, Duration time);
  std::map<HostId, SimHost>& hosts() { return hosts_; }
  // The running engine of a member, wherever it is.
  Engine* EngineOf(MemberId member);
  // The engine behind a member's own endpoint, if that is open.
  Engine* EngineAt(const Address& address);
  // What a client of the group's primary endpoint talks to; nullptr when there is nobody.
  Engine* EngineBehind(const model::Group& group);
  // Whether a member was stopped in order: its data waits for the next launch, or is that launch's.
  bool HasKept(MemberId member) const;
  // Writes that clients of the group's primary endpoint were told to be done, in their order.
  std::map<model::GroupId, std::vector<uint64_t>> acknowledged;
  // Who acknowledged writes to a group, in the newest epoch in which there was one.
  struct Writers {
    uint64_t epoch = 0;
    std::set<MemberId> members;
  };
  std::map<model::GroupId, Writers> writers;

  // --- snapshots ---
  struct File {
    std::vector<uint64_t> writes;
    std::string data;
    int64_t stream_base = 0;
    std::string sha256;  // when it was made
  };
  std::map<SnapshotFile, File> files;  // of all hosts
  bool Damage(SnapshotFile file);      // false: there is none
  void set_disk_full_percent(int percent) { faults_.disk_full_percent = percent; }

  // --- looking at it ---
  Random& random() { return random_; }
  FakeClock& clock() { return clock_; }
  // The first broken invariant, empty when there is none; with the time.
  const std::string& violation() const { return violation_; }
  uint64_t trace_hash() const { return trace_hash_; }
  // Prints every line of the trace as it happens.
  bool print_trace = false;

  // Called after every event; a sentence is a violation.
  std::function<std::string()> checker;
  void Violate(const std::string& what);
  // Every message comes, and soon, from the beginning on.
  bool HasGoodNetwork() const;
  // Why engines may be killed by their agent; the checks know it from here.
  const std::set<MemberId>& hung_ever() const { return hung_ever_; }
  // What faults do to connections from there to this address.
  WireEffect EffectAt(const Address& address, Ip4 from) const;
  // Whether nothing gets from the leader to that follower. It does not show: their link stays.
  bool IsFrozen(const Engine& follower) const;
  SimStore& store() { return store_; }
  // That the control plane has sent so far.
  uint64_t plans_sent() const { return outbox_.sent; }

 private:
  class Network;
  void At(Instant when, std::function<void()> what);
  void After(Duration delay, std::function<void()> what) {
    At(clock_.instant + delay, std::move(what));
  }
  void Trace(const std::string& line);
  void TraceEvents();
  bool RunOne(Instant limit);

  void Deliver(std::function<void()> what, bool cut);
  void Register(SimHost& host);
  void ScheduleTick();
  void ResumeControlPlane();
  void ResumeAgent(SimHost& host);
  Status StepController(core::Input input);
  void OnControlPlane(uint64_t life, std::function<void()> what);
  void StepAgent(SimHost& host, const host::Input& input);
  void OnAgent(const HostId& id, uint64_t incarnation, std::function<void(SimHost&)> what);
  void WakeAgent(SimHost& host);
  void Perform(SimHost& host, const host::Action& action);
  void Start(SimHost& host, const host::StartEngine& action);
  void Pause(SimHost& host, const host::PauseEngine& action);
  void Probe(SimHost& host, const host::ProbeEngine& action);
  void Answer(SimHost& host, const host::ProbeEngine& action,
              host::EngineProbed::Outcome otherwise);
  void Sync(SimHost& host, const host::SyncReplication& action);
  ReplicationReport TakeRole(Engine& engine, const host::SyncReplication& action);
  void Prove(Engine& leader, const Address& address, const host::SyncReplication& action,
             ReplicationReport* seen);
  // The process behind a member's own endpoint, whether or not it answers.
  Engine* ProcessAt(const Address& address);
  void Follow(MemberId member, uint64_t start_time);
  MemberId MemberOf(const Engine& engine) const;
  WireEffect EffectOnLink(const Engine& follower) const;
  bool IsDisturbed() const;
  bool MayKill(const SimHost& host, MemberId member) const;
  void CutLinks(const SimHost& host, const HostFault& cut);
  void WriteAsClients();
  void WatchProcesses();
  void KillProcess(int64_t pid, uint64_t start_time);
  uint64_t NewPid();
  void Conform(SimHost& host, const host::ConformEndpoints& action);
  void BeginTask(SimHost& host, const SnapshotTask& task);
  void EndTask(SimHost& host, const SnapshotTask& task, uint64_t launch, const File& file,
               std::string trouble);
  const File* FindSeed(const Seed& seed) const;
  void Exit(SimHost& host, MemberId id, const std::string& how);

  struct Outbox : server::Outlet {
    explicit Outbox(World* w) : world(w) {}
    void SendPlan(const HostId& host, const PlanUpdate& update) override;
    World* world;
    uint64_t sent = 0;
  };
  Random random_;
  Faults faults_;
  const bool loses_or_delays_;  // messages
  FakeClock clock_;
  SimStore store_;
  core::Settings settings_;
  host::Settings agent_settings_;
  Outbox outbox_{this};
  std::unique_ptr<server::Controller> controller_;
  uint64_t controller_life_ = 0;
  uint64_t tick_token_ = 0;
  Instant controller_paused_until_;
  std::vector<std::function<void()>> controller_work_;  // waits for a paused control plane
  Instant last_step_;
  Instant disturbed_until_;  // by hosts that were cut off, or by faults put in
  Instant listens_since_;    // the control plane, without having stood still
  std::map<HostId, SimHost> hosts_;
  std::set<Address> taken_addresses_;  // by strangers
  std::set<Address> tried_addresses_;
  std::set<MemberId> hung_ever_;
  std::set<uint64_t> cancelled_tasks_;
  std::map<MemberId, Instant> last_sync_;  // when the newest look reaches its engine
  uint64_t next_pid_ = 1000;
  std::vector<uint64_t> free_pids_;  // of processes that have ended
  uint64_t next_start_time_ = 1;
  uint64_t next_write_ = 1;
  // By time, and those of one time in the order in which they were asked for.
  std::map<std::pair<Instant, uint64_t>, std::function<void()>> happenings_;
  uint64_t next_order_ = 0;
  uint64_t traced_event_ = 0;
  std::string violation_;
  uint64_t trace_hash_ = 1469598103934665603u;
};

}  // namespace ec::sim
