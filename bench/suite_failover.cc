// How long a client that writes without a pause cannot write when its leader changes, beside Redis
// Sentinel; and whether a leader changes when it should not.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>

#include "bench/run.h"
#include "bench/sentinel.h"
#include "common/process.h"
#include "tests/integration/groups.h"
#include "tests/integration/writer.h"

namespace ec::bench {
namespace {

using integration::Groups;
using integration::Installation;
using integration::WaitUntil;
using integration::Writer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMembers = 3;
constexpr const char* kGroup = "g";
constexpr const char* kAgentKilled = "kill -9 of the leader's agent and engines";
constexpr const char* kKilled = "kill -9 of the leader";
constexpr const char* kStopped = "SIGSTOP of the leader";
constexpr const char* kPlanned = "planned switch-over";

void Expect(bool held, const std::string& what) {
  CheckInterrupted();
  if (!held) throw std::runtime_error("failover: " + what);
}

// --- emucache -------------------------------------------------------------------------------

class Fleet {
 public:
  explicit Fleet(int groups) : installation_(Settings()) {
    std::string why;
    if (!installation_.StartControlPlane(&why)) throw std::runtime_error(why);
    for (const std::string& zone : zones_) installation_.StartAgent(zone);
    Expect(installation_.WaitForHosts(), "the agents did not register");
    for (int i = 0; i < groups; ++i) ids_.push_back(groups == 1 ? kGroup : fmt::format("g{}", i));
    for (const std::string& id : ids_) Expect(api_.Create(id, kMembers).ok(), "no group " + id);
    AwaitWhole();
  }

  Installation& installation() { return installation_; }
  Groups& api() { return api_; }
  const std::vector<std::string>& zones() const { return zones_; }
  const std::vector<std::string>& ids() const { return ids_; }

  void AwaitWhole() {
    for (const std::string& id : ids_) {
      Expect(api_.AwaitWhole(id, kMembers), "not whole again: " + api_.Describe(id).DebugString());
    }
  }
  std::string ZoneOf(const std::string& cluster) {
    return installation_.Describe(cluster)->preferred_availability_zone();
  }
  // Who leads what.
  std::map<std::string, std::string> Leaders() {
    std::map<std::string, std::string> leaders;
    for (const std::string& id : ids_) leaders[id] = api_.Leader(id);
    return leaders;
  }

 private:
  static integration::InstallationOptions Settings() {
    integration::InstallationOptions options;
    options.log_level = "info";
    return options;
  }

  const std::vector<std::string> zones_ = {"us-east-1a", "us-east-1b", "us-east-1c"};
  Installation installation_;
  Groups api_{installation_};
  std::vector<std::string> ids_;
};

struct Pauses {
  std::vector<double> milliseconds;
  int64_t acknowledged = 0;
  int64_t lost = 0;
};

using Blow = std::function<void(Fleet&, const std::string& leader)>;

void KillHostOf(Fleet& fleet, const std::string& leader) {
  const auto engine = fleet.installation().EngineOf(leader, "0001");
  Expect(engine.has_value(), "the leader has no engine");
  const UniqueFd process = OpenProcess(*engine);
  fleet.installation().agent(fleet.ZoneOf(leader)).Signal(SIGKILL);
  Expect(SendSignal(process, SIGKILL), "the engine cannot be killed");
}

// One change of leader a round. `writes`: the fewest acknowledged ones in all; rounds are drawn out
// until they are there.
Pauses Measure(Fleet& fleet, int rounds, int64_t writes, const Blow& blow) {
  Pauses pauses;
  Groups& api = fleet.api();
  Writer writer(api.Primary(kGroup), fmt::format("round-of-{}", api.Describe(kGroup).epoch()));
  for (int round = 0; round < rounds; ++round) {
    const int64_t due = writes * (round + 1) / rounds;
    Expect(WaitUntil([&] { return writer.acknowledged() >= due; }, seconds(60)), "no writes");
    Expect(writer.WritesAgain(), "the writer does not come through");
    const std::string leader = api.Leader(kGroup);
    writer.TakeLongestPause();
    blow(fleet, leader);
    Expect(api.AwaitOtherLeader(kGroup, leader), "nobody else leads");
    Expect(writer.WritesAgain(), "the writer does not come through again");
    pauses.milliseconds.push_back(writer.TakeLongestPause().count());
    const std::string zone = fleet.ZoneOf(leader);
    if (!fleet.installation().agent(zone).running()) fleet.installation().StartAgent(zone);
    fleet.AwaitWhole();
  }
  writer.Stop();
  pauses.acknowledged = writer.acknowledged();
  pauses.lost = writer.Lost();
  return pauses;
}

std::map<std::string, Pauses> MeasureEmucache(const Options& options) {
  const int rounds = options.Size(50, 1);
  std::map<std::string, Pauses> all;
  Fleet fleet(1);
  const auto signal = [](int number) {
    return [number](Fleet& f, const std::string& leader) {
      Expect(f.api().SignalEngine(leader, number), "the engine cannot be signalled");
    };
  };
  all[kKilled] = Measure(fleet, rounds, 0, signal(SIGKILL));
  all[kStopped] = Measure(fleet, rounds, 0, signal(SIGSTOP));
  all[kAgentKilled] = Measure(fleet, rounds, 0, KillHostOf);
  all[kPlanned] =
      Measure(fleet, rounds, options.Size(1'000'000, 1000), [](Fleet& f, const std::string&) {
        Expect(f.api().SwitchOver(kGroup).ok(), "no switch-over");
      });
  return all;
}

// --- Sentinel -------------------------------------------------------------------------------

Pauses Measure(SentinelGroup& group, int rounds, const std::string& name,
               const std::function<void()>& blow) {
  Pauses pauses;
  Writer writer([&group] { return group.Master(); }, name, milliseconds(100));
  for (int round = 0; round < rounds; ++round) {
    Expect(writer.WritesAgain(), "Sentinel: the writer does not come through");
    const auto master = group.Master();
    Expect(master.has_value(), "the Sentinels know no master");
    integration::Child& process = group.MasterProcess();
    writer.TakeLongestPause();
    blow();
    const auto moved = [&] {
      const auto now = group.Master();
      return now && now->port() != master->port();
    };
    Expect(WaitUntil(moved, seconds(30)), "the Sentinels have not changed the master");
    Expect(writer.WritesAgain(), "Sentinel: the writer does not come through again");
    pauses.milliseconds.push_back(writer.TakeLongestPause().count());
    process.Kill9();  // it may only stand still
    group.Repair();
    Expect(group.AwaitWhole(), "Sentinel: not whole again");
    // An attempt is followed by none for twice the failover timeout.
    poll(nullptr, 0, 2100);
  }
  writer.Stop();
  pauses.acknowledged = writer.acknowledged();
  pauses.lost = writer.Lost();
  return pauses;
}

std::map<std::string, Pauses> MeasureSentinel(const Options& options) {
  const int rounds = options.Size(10, 1);  // each takes several seconds
  std::map<std::string, Pauses> all;
  SentinelGroup group;
  all[kKilled] = Measure(group, rounds, kKilled, [&] { group.MasterProcess().Signal(SIGKILL); });
  all[kStopped] = Measure(group, rounds, kStopped, [&] { group.MasterProcess().Signal(SIGSTOP); });
  return all;
}

// --- false failovers ------------------------------------------------------------------------

// Changes of leader where there was no reason for one, over all groups and rounds.
double FalseFailovers(Fleet& fleet, int rounds, const std::function<void(int round)>& disturb) {
  int changes = 0;
  std::map<std::string, std::string> before = fleet.Leaders();
  for (int round = 0; round < rounds; ++round) {
    disturb(round);
    fleet.AwaitWhole();
    const std::map<std::string, std::string> now = fleet.Leaders();
    for (const auto& [id, leader] : now) changes += leader == before.at(id) ? 0 : 1;
    before = now;
  }
  return changes;
}

void RestartControlPlane(Fleet& fleet) {
  fleet.installation().control_plane().Kill9();
  std::string why;
  Expect(fleet.installation().StartControlPlane(&why), why);
  Expect(fleet.installation().WaitForHosts(), "the agents are not heard again");
}

void StandStill(Fleet& fleet, milliseconds time) {
  fleet.installation().control_plane().Signal(SIGSTOP);
  poll(nullptr, 0, static_cast<int>(time.count()));
  fleet.installation().control_plane().Signal(SIGCONT);
}

void RestartAgent(Fleet& fleet, int round) {
  const std::string& zone = fleet.zones()[static_cast<size_t>(round) % fleet.zones().size()];
  fleet.installation().agent(zone).Kill9();
  fleet.installation().StartAgent(zone);
  Expect(fleet.installation().WaitForHosts(), "the agent is not heard again");
}

void PauseLeaders(Fleet& fleet) {
  const auto leaders = fleet.Leaders();
  for (const auto& [id, leader] : leaders) fleet.api().SignalEngine(leader, SIGSTOP);
  poll(nullptr, 0, 1000);
  for (const auto& [id, leader] : leaders) fleet.api().SignalEngine(leader, SIGCONT);
}

}  // namespace

void RunFalseFailovers(const Options& options, Report* report) {
  // What takes long is done to many groups at a time: each decides for itself.
  constexpr int kGroups = 20;
  Fleet fleet(options.Size(kGroups, 1));
  const int rounds = options.Size(200, 1);
  const int shared = options.Size(200 / kGroups, 1);
  const auto add = [&](const std::string& what, double changes) {
    report->Add(what, "changes of leader", {changes}, AtMost(0));
  };
  add(fmt::format("{} restarts of the control plane", rounds),
      FalseFailovers(fleet, rounds, [&](int) { RestartControlPlane(fleet); }));
  add(fmt::format("{} x {} groups, control plane stopped for 10 s", shared, fleet.ids().size()),
      FalseFailovers(fleet, shared,
                     [&](int) { StandStill(fleet, milliseconds(options.Size(10'000, 100))); }));
  add(fmt::format("{} restarts of an agent", rounds),
      FalseFailovers(fleet, rounds, [&](int round) { RestartAgent(fleet, round); }));
  add(fmt::format("{} x {} groups, leaders stopped for 1 s", shared, fleet.ids().size()),
      FalseFailovers(fleet, shared, [&](int) { PauseLeaders(fleet); }));
}

namespace {

// --- what is told ---------------------------------------------------------------------------

struct PauseGoals {
  Goal median;
  Goal p99;
};

void Tell(const std::string& who, const std::map<std::string, Pauses>& all,
          const std::map<std::string, PauseGoals>& goals, Report* report) {
  for (const auto& [what, pauses] : all) {
    const PauseGoals goal = goals.contains(what) ? goals.at(what) : PauseGoals{};
    const std::string name =
        fmt::format("{}, {} rounds: {}", what, pauses.milliseconds.size(), who);
    report->Add(name + ", write pause", "ms", pauses.milliseconds, goal.median);
    report->Add(name + ", p99", "ms", {Percentile(pauses.milliseconds, 0.99)}, goal.p99);
    if (who != "emucache") continue;  // its client is not told when a master steps down
    const bool planned = what == kPlanned;
    report->Add(fmt::format("{}, lost of {} acknowledged", name, pauses.acknowledged), "writes",
                {static_cast<double>(pauses.lost)}, planned ? AtMost(0) : Goal{});
  }
}

void Draw(const std::map<std::string, Pauses>& emucache,
          const std::map<std::string, Pauses>& sentinel, Report* report) {
  std::vector<std::string> labels;
  std::vector<std::vector<double>> values;
  for (const auto& [what, pauses] : emucache) {
    if (!sentinel.contains(what)) continue;
    labels.push_back(what);
    values.push_back({Summarize(pauses.milliseconds).median, Percentile(pauses.milliseconds, 0.99),
                      Summarize(sentinel.at(what).milliseconds).median,
                      Percentile(sentinel.at(what).milliseconds, 0.99)});
  }
  report->AddChart("Pause of a writer when the leader changes", "ms",
                   {"emucache, median", "emucache, p99", "Sentinel, median", "Sentinel, p99"},
                   labels, values);
}

}  // namespace

void RunFailover(const Options& options, Report* report) {
  const auto emucache = MeasureEmucache(options);
  const auto sentinel = MeasureSentinel(options);
  Tell("emucache", emucache,
       {{kKilled, {AtMost(15), AtMost(100)}},
        {kStopped, {{}, AtMost(2000)}},
        {kAgentKilled, {{}, AtMost(3000)}},
        {kPlanned, {{}, AtMost(60)}}},
       report);
  Tell("Redis Sentinel", sentinel, {}, report);
  Draw(emucache, sentinel, report);
  report->AddNote(
      "One client writes in a loop, through the group's primary endpoint, or to the master that a "
      "Sentinel names; a pause is the longest time between two acknowledged writes of a round. "
      "Three members each. Lost writes after a kill are those that no replica had.");
  std::string settings;
  for (const std::string& setting : SentinelGroup::Settings()) {
    settings += (settings.empty() ? "" : ", ") + setting;
  }
  report->AddNote("Three Sentinels, quorum 2: " + settings +
                  ". Its client gives up an answer after 100 ms and asks again for the master.");
}

}  // namespace ec::bench
