// The agent's judgement: (plan, observations, now) -> actions. Pure: no clock, process, socket or
// file. The shell (nodeagent/agent/agent.cc, and the simulator) carries actions out and brings back
// what came of them.
//
// One member's engine:
//
//   none --start--> running --answers--> serving        (serving: through its own endpoint, too)
//    ^                 |                    |
//    |    pause 0,1,2,4 s after an early    |  exits, or hangs and is killed
//    +--------- death; then failed <--------+
//
// A leader that has died while others follow it stays down: what it held is with them, and they
// would drop it for an empty leader's nothing. The plan then says what becomes of it.
//
// Until the control plane has confirmed the plan, nothing is started, killed or removed: engines
// that were found running are adopted and their remembered endpoints opened.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/host_plan.h"
#include "common/time.h"
#include "nodeagent/core/host_faults.h"
#include "nodeagent/core/replication.h"
#include "nodeagent/core/report_log.h"
#include "nodeagent/core/task_book.h"

namespace ec::host {

struct Settings {
  Duration report_every = std::chrono::milliseconds(500);
  Duration probe_every = std::chrono::milliseconds(300);
  // How often a starting engine is asked, so that its first answer is seen at once.
  Duration probe_starting_every = std::chrono::milliseconds(2);
  // A probe without an answer within the shell's deadline of 400 ms is a miss. This many in a row,
  // without the process having used any processor time meanwhile, and the engine hangs.
  //
  // So an engine that stands still is found after at least 1.2 s (it stopped just after a probe had
  // been sent) and at most 1.5 s (just before the next one would have been); after 1.6 s if it had
  // still worked for the first of the probes. One that stands still for 1 s is never taken for
  // hung: it answers at least one of any three probes in time.
  int misses_max = 3;
  // A process that works but does not answer (a long script, a slow load) is given this long.
  Duration busy_max = std::chrono::seconds(60);
  Duration start_max = std::chrono::seconds(60);
  // A death earlier than this after the first answer counts as an early one.
  Duration healthy_min = std::chrono::seconds(2);
  int early_deaths_max = 5;
  Duration restart_pause_first = std::chrono::seconds(1);  // doubled each time
  Duration endpoint_retry_every = std::chrono::milliseconds(500);
  // An address that the plan has just brought may still be another agent's, which is about to let
  // go of it.
  Duration endpoint_hurry_every = std::chrono::milliseconds(2);
  Duration endpoint_hurry_max = std::chrono::seconds(2);
  Duration removal_retry_every = std::chrono::seconds(1);
  ReplicationPace replication;
};

// --- what the machine is told ---------------------------------------------------------------

// A member that was on the disk when the agent started.
struct Found {
  MemberId id = 0;
  EngineKind engine = EngineKind::kRedis;
  uint64_t generation = 0;
  uint64_t launch = 0;   // the newest one
  bool resumed = false;  // that launch went on from an orderly stop
  bool alive = false;    // its engine runs, and nobody else's
  bool kept = false;     // it was stopped in order, and what it held is there for the next launch
  int64_t pid = 0;       // of the engine that is alive
  uint64_t start_time = 0;
  uint64_t access = 0;  // EngineAccess::version that the engine was told last
};

struct PlanArrived {
  PlanUpdate update;
};
struct Linked {};    // a new connection to the control plane
struct Unlinked {};  // it is gone

struct EngineStarted {
  MemberId id = 0;
  uint64_t launch = 0;
  int64_t pid = 0;
  uint64_t start_time = 0;
};
struct EngineNotStarted {
  MemberId id = 0;
  uint64_t launch = 0;
  std::string why;
  bool unseeded = false;  // what it was to begin with is of no use: nothing else will do
};
struct EngineExited {
  MemberId id = 0;
  uint64_t launch = 0;
  std::string how;  // "was killed by signal 9"
};
// The answer to ProbeEngine.
struct EngineProbed {
  MemberId id = 0;
  uint64_t launch = 0;
  enum class Outcome {
    kAnswered,
    kLoading,  // it answers that it is still loading its data
    kRefused,  // nothing listens there yet
    kMissed,   // no answer within the deadline
  } outcome = Outcome::kAnswered;
  std::string version;          // with kAnswered
  bool used_processor = false;  // with kMissed: since the probe was sent
};
// The answer to ProbeEndpoint.
struct EndpointProbed {
  MemberId id = 0;
  uint64_t launch = 0;
  Address address;
  bool answered = false;
};
struct MemberRemoved {
  MemberId id = 0;
  bool removed = false;  // false: something is left, such as a process that will not die
};
// The present state of some endpoints.
struct EndpointsSeen {
  std::vector<EndpointReport> endpoints;
};
// The answer to TuneEngine.
struct EngineTuned {
  MemberId id = 0;
  uint64_t launch = 0;
  bool ok = false;  // it has been told everything, whatever it made of it
};

// How far a task has come.
struct TaskNews {
  TaskReport report;
};
struct Tick {};

using Input = std::variant<PlanArrived, Linked, Unlinked, EngineStarted, EngineNotStarted,
                           EngineExited, EngineProbed, EndpointProbed, EngineTuned,
                           ReplicationSynced, MemberRemoved, EndpointsSeen, TaskNews, Tick>;

// --- what the machine wants done ------------------------------------------------------------

struct StartEngine {
  MemberSpec spec;
  uint64_t launch = 0;
  // Begin with what was kept at the orderly stop; else with the spec's seed, or empty.
  bool load_kept = false;
  bool resumed = false;  // to be remembered with the launch
  Address address;       // of the member's own endpoint; port 0 if it has none
  friend bool operator==(const StartEngine&, const StartEngine&) = default;
};
struct KillEngine {  // SIGKILL; EngineExited follows
  MemberId id = 0;
  uint64_t launch = 0;
  friend bool operator==(const KillEngine&, const KillEngine&) = default;
};
struct PauseEngine {  // SIGSTOP, or else SIGCONT
  MemberId id = 0;
  uint64_t launch = 0;
  bool paused = false;
  friend bool operator==(const PauseEngine&, const PauseEngine&) = default;
};
struct RemoveMember {  // its directory, once no engine runs; MemberRemoved follows
  MemberId id = 0;
  friend bool operator==(const RemoveMember&, const RemoveMember&) = default;
};
struct ProbeEngine {  // on its own socket; EngineProbed follows
  MemberId id = 0;
  uint64_t launch = 0;
  EngineKind engine = EngineKind::kRedis;
  friend bool operator==(const ProbeEngine&, const ProbeEngine&) = default;
};
struct ProbeEndpoint {  // as a client would; EndpointProbed follows
  MemberId id = 0;
  uint64_t launch = 0;
  EngineKind engine = EngineKind::kRedis;
  Address address;
  // PEM. Not empty: it speaks TLS, with a certificate for the address that this authority signed.
  std::string authority;
  friend bool operator==(const ProbeEndpoint&, const ProbeEndpoint&) = default;
};
// A running Redis takes the parameters over that it can take as it runs; EngineTuned follows.
struct TuneEngine {
  MemberId id = 0;
  uint64_t launch = 0;
  MemberSpec spec;
  friend bool operator==(const TuneEngine&, const TuneEngine&) = default;
};
// The endpoints are to be exactly these. Doing it again tries those again that could not be opened.
// With neither a target nor anything to spread over, connections are held until there is one.
struct ConformEndpoints {
  std::vector<EndpointSpec> endpoints;
  SharedNetwork network;  // by which they judge who may connect
  SharedFaults faults;    // that they act out
  friend bool operator==(const ConformEndpoints&, const ConformEndpoints&) = default;
};
struct RememberPlan {  // for the next start of the agent
  HostPlan plan;
  friend bool operator==(const RememberPlan&, const RememberPlan&) = default;
};
struct StartTask {  // TaskNews follows, the last of it with an end
  SnapshotTask task;
  friend bool operator==(const StartTask&, const StartTask&) = default;
};
struct CancelTask {  // as soon as may be; nobody waits for it
  uint64_t id = 0;
  friend bool operator==(const CancelTask&, const CancelTask&) = default;
};
struct SendReport {
  HostReport report;
  friend bool operator==(const SendReport&, const SendReport&) = default;
};

using Action = std::variant<StartEngine, KillEngine, PauseEngine, RemoveMember, ProbeEngine,
                            ProbeEndpoint, TuneEngine, SyncReplication, ConformEndpoints,
                            RememberPlan, StartTask, CancelTask, SendReport>;

// --- the machine ----------------------------------------------------------------------------

class HostMachine {
 public:
  // `remembered` is the plan of the agent's last start; empty if there is none.
  HostMachine(Settings settings, HostId host, uint64_t incarnation, const std::vector<Found>& found,
              HostPlan remembered, Instant now);

  std::vector<Action> Step(Instant now, const Input& input);

  // When a Tick is due next.
  Instant NextWake() const;

  // The engines that the machine believes to run; for the log and the simulator's checks.
  std::set<MemberId> running() const;
  // Those that have answered, with the process of each.
  struct Answering {
    EngineKind engine = EngineKind::kRedis;
    uint64_t launch = 0;
  };
  std::map<MemberId, Answering> answering() const;

 private:
  enum class Process { kNone, kStarting, kRunning, kKilling };

  // What of a specification a running engine can be told.
  struct Tuning {
    std::map<std::string, std::string> parameters;
    int64_t memory_max_bytes = 0;
    std::vector<std::string> names;  // that its certificate is for
    std::string authority;           // that has signed it
    std::optional<EngineAccess> access;
    friend bool operator==(const Tuning&, const Tuning&) = default;
  };

  struct Member {
    explicit Member(const Settings& settings) : replication(settings.replication) {}

    EngineKind engine = EngineKind::kRedis;
    Process process = Process::kNone;
    uint64_t generation = 0;  // of the newest launch
    uint64_t launch = 0;
    bool resumed = false;
    bool kept = false;
    bool has_run = false;  // in this generation: it may have held something
    int64_t pid = 0;
    uint64_t start_time = 0;

    Instant since;         // of the launch, or of the adoption
    Instant first_answer;  // meaningful when answered
    Instant last_answer;
    bool answered = false;
    bool probing = false;  // an answer to a probe is awaited
    Instant next_probe;
    int misses = 0;       // in a row
    int idle_misses = 0;  // in a row, without any processor time used
    std::string version;

    uint64_t verified_launch = 0;  // has been reached through its endpoint
    bool verifying = false;
    Instant next_verify;

    int early_deaths = 0;
    Instant start_after;
    bool removing = false;
    Instant next_removal;
    uint64_t failed_generation = 0;  // given up until a higher one is wanted
    bool unseeded = false;           // in that generation
    std::string trouble;
    std::optional<Tuning> tuned;  // what the engine has been told; nullopt: nobody remembers
    Tuning tuning;                // what it is being told
    bool is_tuning = false;
    Replication replication;
  };

  void OnPlan(const PlanUpdate& update, Instant now);
  void TakeQuestions(const std::vector<OffsetQuestion>& questions, Instant now);
  void OnReplicationSynced(const ReplicationSynced& synced, Instant now);
  void OnStarted(const EngineStarted& started, Instant now);
  void OnExit(const EngineExited& exit, Instant now);
  void OnNotStarted(const EngineNotStarted& failure, Instant now);
  void OnProbed(const EngineProbed& probe, Instant now);
  void OnTuned(const EngineTuned& tuned, Instant now);
  void OnEndpointProbed(const EndpointProbed& probe, Instant now);
  void OnEndpoints(const EndpointsSeen& seen, Instant now);
  void CountDeath(MemberId id, Member& member, Instant now);

  // Compares a member with the plan and does the next thing about it.
  void Settle(MemberId id, Instant now);
  void SettleRunning(MemberId id, Member& member, const MemberSpec& spec, Instant now);
  void SettleStopped(Member& member, const MemberSpec& spec, Instant now);
  void Probe(MemberId id, Member& member, Instant now);
  void Verify(MemberId id, Member& member, Instant now);
  void Tune(MemberId id, Member& member, const MemberSpec& spec);
  static Tuning TuningOf(const MemberSpec& spec);
  static bool IsTuned(const Member& member, const MemberSpec& spec);
  void Replicate(MemberId id, Member& member, Instant now);
  void Kill(MemberId id, Member& member);
  // Does to a running engine what faults want; false if it does not run any more.
  bool SurvivesFaults(MemberId id, Member& member);
  void EndReplication(Member& member);
  void OnTask(const TaskNews& news, Instant now);
  void SettleTasks();
  void Conform(Instant now);
  Duration ConformPause(Instant now) const;
  // The endpoint as it should be at this moment: without its target while that does not lead.
  EndpointSpec Present(EndpointSpec spec) const;
  std::map<EndpointId, EndpointSpec> WantedEndpoints() const;
  void SettleAll(Instant now);

  // Whether the engine hangs, and why that is believed.
  std::optional<std::string> Hangs(const Member& member, Instant now) const;
  // Whether others may by now serve what was a dead leader's here.
  bool IsSupplanted(const EndpointSpec& spec) const;
  // Whether the engine stays down because others have what it held.
  static bool IsSurvived(const Member& member, const MemberSpec& spec);
  MemberReport ReportOf(MemberId id, const Member& member) const;
  bool Listens(EndpointId id) const;
  Member* FindLaunch(MemberId id, uint64_t launch);
  Instant WakeOf(MemberId id, const Member& member) const;

  const Settings settings_;
  HostPlan plan_;
  HostFaultBook faults_;    // of the plan
  TaskBook tasks_;          // the same
  bool confirmed_ = false;  // by the control plane, since this agent started
  bool linked_ = false;
  std::map<MemberId, Member> members_;
  std::map<EndpointId, EndpointReport> endpoints_;
  std::map<EndpointId, EndpointSpec> conformed_;  // what was last asked of the endpoints
  SharedNetwork conformed_network_;               // the same
  SharedFaults conformed_faults_;                 // the same
  bool conform_again_ = true;
  Instant next_conform_;
  Instant hurry_until_;  // with endpoints that could not be opened
  Instant next_report_;
  ReportLog log_;
  std::vector<Action> actions_;  // of the step under way
};

}  // namespace ec::host
