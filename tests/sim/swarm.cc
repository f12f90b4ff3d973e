#include "tests/sim/swarm.h"

#include <fmt/format.h>

#include <vector>

#include "controlplane/model/names.h"
#include "tests/sim/checkers.h"
#include "tests/sim/fault_calls.h"
#include "tests/sim/network_calls.h"
#include "tests/sim/snapshot_checker.h"
#include "tests/sim/world.h"

namespace ec::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Faults DrawFaults(Random& random) {
  Faults faults;
  if (random.Chance(50)) faults.loss_percent = static_cast<int>(random.Between(0, 30));
  if (random.Chance(50)) faults.repeat_percent = static_cast<int>(random.Between(0, 50));
  faults.delay_max =
      milliseconds(random.Chance(50) ? random.Between(1, 20) : random.Between(20, 5000));
  if (random.Chance(40)) faults.refused_commit_percent = static_cast<int>(random.Between(0, 30));
  if (random.Chance(30)) faults.unknown_commit_percent = static_cast<int>(random.Between(0, 3));
  if (random.Chance(30)) faults.start_failure_percent = static_cast<int>(random.Between(0, 40));
  if (random.Chance(30)) faults.slow_start_percent = static_cast<int>(random.Between(0, 30));
  if (random.Chance(20)) faults.elsewhere_percent = static_cast<int>(random.Between(20, 100));
  if (random.Chance(30)) faults.address_taken_percent = static_cast<int>(random.Between(0, 60));
  return faults;
}

class Swarm {
 public:
  Swarm(uint64_t seed, bool print)
      : dice_(seed ^ 0x5eed),
        world_(seed, DrawFaults(dice_), static_cast<int>(dice_.Between(1, 5)),
               static_cast<int>(dice_.Between(1, 3))),
        checker_(world_),
        calls_network_(seed % 3 == 0),
        puts_faults_in_(seed % 4 == 1),
        fault_calls_(dice_, world_, seed % 8 == 5),
        calls_snapshots_(seed % 6 == 4) {
    world_.print_trace = print;
    world_.checker = [this] {
      const std::string why = snapshots_.Check();
      return why.empty() ? checker_.Check() : why;
    };
    if (calls_snapshots_ && dice_.Chance(30)) {
      world_.set_disk_full_percent(static_cast<int>(dice_.Between(5, 60)));
    }
  }

  Outcome Run() {
    const int rounds = static_cast<int>(dice_.Between(20, 120));
    const int fault_percent = static_cast<int>(dice_.Between(5, 60));
    for (int i = 0; i < rounds && world_.violation().empty(); ++i) {
      if (puts_faults_in_ && dice_.Chance(25)) {
        Ask(fault_calls_.Some());
        ++outcome_.faults;
      } else if (dice_.Chance(fault_percent)) {
        Harm();
        ++outcome_.faults;
      } else {
        CallSomething();
      }
      world_.RunFor(milliseconds(dice_.Between(1, dice_.Chance(80) ? 1000 : 6000)));
    }
    world_.Heal();
    const bool settled = world_.RunUntil([this] { return Unsettled().empty(); }, seconds(180));
    if (!settled) world_.Violate("never settles: " + Unsettled());
    // And it stays so.
    world_.RunFor(seconds(10));
    if (const std::string again = Unsettled(); !again.empty()) {
      world_.Violate("did not stay settled: " + again);
    }
    outcome_.violation = world_.violation();
    outcome_.trace_hash = world_.trace_hash();
    return outcome_;
  }

 private:
  std::string Unsettled() const {
    const std::string why = snapshots_.Unsettled();
    return why.empty() ? checker_.Unsettled() : why;
  }

  std::string SomeName() { return fmt::format("c-{}", dice_.Between(1, 8)); }

  HostId SomeHost() {
    auto it = world_.hosts().begin();
    std::advance(it, dice_.Between(0, static_cast<int64_t>(world_.hosts().size()) - 1));
    return it->first;
  }

  const model::Cluster* Existing(const std::string& id) {
    const auto found = world_.records().clusters.find(id);
    return found == world_.records().clusters.end() ? nullptr : &found->second;
  }

  std::vector<std::string> NodeIds(const model::Cluster& cluster) {
    std::vector<std::string> ids;
    for (const MemberId member : cluster.members) {
      const std::string& id = world_.records().members.at(member).node_id;
      if (!id.empty()) ids.push_back(id);
    }
    return ids;
  }

  // --- calls ---

  // True when it was accepted; a call whose outcome is unknown is settled by a look at the records.
  bool Accepted(core::Command command, const std::function<bool()>& look) {
    const auto answer = world_.Call(std::move(command));
    if (!answer) return false;  // nobody was there
    if (answer->fault() == Fault::kOutcomeUnknown) return look();
    ++(answer->ok() ? outcome_.calls_accepted : outcome_.calls_refused);
    return answer->ok();
  }

  void CallSomething() {
    if (calls_network_ && dice_.Chance(30)) {
      Ask(network_.Some());
      return;
    }
    if (calls_snapshots_ && dice_.Chance(40)) {
      CallAboutSnapshots();
      return;
    }
    if (dice_.Chance(40)) {
      CallAboutGroups();
      return;
    }
    switch (dice_.Between(1, 10)) {
      case 1:
      case 2:
      case 3:
      case 4:
        Create();
        return;
      case 5:
      case 6:
        Resize();
        return;
      case 7:
        Reboot();
        return;
      case 8:
        Tag();
        return;
      default:
        Delete();
    }
  }

  void Create() {
    core::CreateCluster request;
    request.id = SomeName();
    const bool memcached = dice_.Chance(60);
    request.engine = memcached ? "memcached" : "redis";
    request.node_type = dice_.Chance(90) ? "cache.t3.micro" : "cache.x9.huge";
    if (memcached) {
      request.nodes = static_cast<int>(dice_.Between(1, 6));
      if (dice_.Chance(40)) request.az_mode = "cross-az";
    }
    if (calls_network_) network_.Place(&request);
    const uint64_t before = world_.records().installation.next_id;
    checker_.promises.try_emplace(request.id, Promise{.deleted = true});
    const Promise old = checker_.promises[request.id];
    // The check after the commit happens before the answer: promise first, take back if refused.
    checker_.promises[request.id] = {
        *request.node_type, memcached ? EngineKind::kMemcached : EngineKind::kRedis, {}};
    const bool accepted =
        Accepted(request, [&] { return world_.records().installation.next_id != before; });
    if (!accepted) checker_.promises[request.id] = old;
  }

  void Resize() {
    const std::string id = SomeName();
    core::ModifyCluster request;
    request.id = id;
    request.apply_immediately = dice_.Chance(80);
    const model::Cluster* cluster = Existing(id);
    request.nodes = static_cast<int>(dice_.Between(1, 8));
    if (cluster != nullptr) {
      const std::vector<std::string> ids = NodeIds(*cluster);
      for (size_t i = static_cast<size_t>(*request.nodes); i < ids.size(); ++i) {
        request.remove.push_back(ids[ids.size() - 1 - (i - static_cast<size_t>(*request.nodes))]);
      }
    }
    if (dice_.OneIn(10)) request.node_type = "cache.m5.large";
    if (calls_network_ && cluster != nullptr && dice_.OneIn(3)) {
      request.security_groups = network_.SomeGroups(cluster->vpc);
    }
    Accepted(request, [] { return true; });
  }

  void Reboot() {
    core::RebootCluster request{SomeName(), {"0001"}};
    if (const model::Cluster* cluster = Existing(request.id)) request.node_ids = NodeIds(*cluster);
    Accepted(request, [] { return true; });
  }

  void Tag() {
    const std::string id = SomeName();
    const std::string value = std::to_string(dice_.Between(1, 1000));
    core::AddTags request{model::ToString(model::Arn{"us-east-1", "000000000000", "cluster", id}),
                          {{"owner", value}}};
    const bool accepted = Accepted(request, [&] {
      const model::Cluster* cluster = Existing(id);
      return cluster != nullptr && cluster->tags.contains("owner") &&
             cluster->tags.at("owner") == value;
    });
    if (accepted) checker_.promises[id].tags["owner"] = value;
  }

  void Delete() {
    const std::string id = SomeName();
    const bool accepted = Accepted(core::DeleteCluster{id, std::nullopt}, [&] {
      const model::Cluster* cluster = Existing(id);
      return cluster != nullptr && cluster->status == model::ClusterStatus::kDeleting;
    });
    if (accepted) checker_.promises[id] = Promise{.deleted = true};
  }

  // --- calls about groups ---

  std::string SomeGroup() { return fmt::format("g-{}", dice_.Between(1, 3)); }

  // A cluster of the group; sometimes one that is none of its own.
  std::string SomeMember(const std::string& group) {
    const auto found = world_.records().groups.find(group);
    if (found == world_.records().groups.end() || found->second.members.empty() ||
        dice_.Chance(5)) {
      return SomeName();
    }
    auto it = found->second.members.begin();
    std::advance(it, dice_.Between(0, static_cast<int64_t>(found->second.members.size()) - 1));
    return *it;
  }

  void Ask(core::Command command) {
    Accepted(std::move(command), [] { return true; });
  }

  void CreateGroup(const std::string& group) {
    core::CreateGroup request;
    request.id = group;
    request.description = "simulated";
    request.node_type = "cache.t3.micro";
    request.clusters = static_cast<int>(dice_.Between(1, 4));
    request.automatic_failover = *request.clusters > 1 && dice_.Chance(85);
    request.transit_encryption = *request.clusters == 3;
    Ask(request);
  }

  void ModifyGroup(const std::string& group) {
    core::ModifyGroup request;
    request.id = group;
    request.apply_immediately = dice_.Chance(80);
    if (dice_.Chance(50)) {
      request.automatic_failover = dice_.Chance(60);
    } else {
      request.primary_cluster = SomeMember(group);
    }
    Ask(request);
  }

  // Whoever is told that it was given up may well try again at once.
  void SwitchOver(const std::string& group) {
    const auto to = dice_.Chance(50) ? std::optional(SomeMember(group)) : std::nullopt;
    Ask(core::Switchover{group, to});
    if (!dice_.Chance(60)) return;
    if (dice_.Chance(50)) {
      const auto over = [&] {
        const auto found = world_.records().groups.find(group);
        return found == world_.records().groups.end() ||
               found->second.step == model::SwitchStep::kNone;
      };
      world_.RunUntil(over, seconds(5));
      world_.RunFor(milliseconds(dice_.Between(1, 500)));
    } else {
      world_.RunFor(milliseconds(dice_.Between(1, 5000)));
    }
    Ask(core::Switchover{group, to});
  }

  void CallAboutGroups() {
    const std::string group = SomeGroup();
    switch (dice_.Between(1, 14)) {
      case 1:
      case 2:
      case 3:
      case 4:
        CreateGroup(group);
        return;
      case 5:
        ModifyGroup(group);
        return;
      case 6:
        Ask(core::TestFailover{group, "0001"});
        return;
      case 7:
      case 8:
        SwitchOver(group);
        return;
      case 9:
        Ask(core::IncreaseReplicas{group, static_cast<int>(dice_.Between(1, 5)), {}, true});
        return;
      case 10:
        Ask(core::DecreaseReplicas{group, static_cast<int>(dice_.Between(0, 3)), {}, true});
        return;
      case 11:
        Promote(group);
        return;
      case 12:
        if (const std::string name = SomeMember(group); name.starts_with("g-")) {
          Ask(core::DeleteCluster{name, std::nullopt});
        }
        return;
      case 13:
        Ask(core::RebootCluster{SomeMember(group), {"0001"}});
        return;
      default:
        if (dice_.Chance(50)) {
          Ask(core::DeleteGroup{group, false, std::nullopt});
        } else {
          Demote(group);
        }
    }
  }

  // Sometimes it is taken back at once.
  void Promote(const std::string& group) {
    const std::string name = SomeMember(group);
    const bool force = dice_.Chance(50);
    Ask(core::Promote{name, force});
    if (force && dice_.Chance(50)) {
      world_.RunFor(milliseconds(dice_.Between(1, 10)));
      Ask(core::Demote{name, group, std::nullopt, std::nullopt, true});
    }
  }

  // A cluster that a promotion has set free goes back.
  void Demote(const std::string& group) {
    for (const auto& [id, cluster] : world_.records().clusters) {
      if (!id.starts_with("g-") || !cluster.group.empty()) continue;
      Ask(core::Demote{id, group, std::nullopt, std::nullopt, true});
      return;
    }
  }

  // --- calls about snapshots, and the clock ---

  std::string SomeSnapshot() {
    const auto& all = world_.records().snapshots;
    if (all.empty()) return "s-0";
    auto it = all.begin();
    std::advance(it, dice_.Between(0, static_cast<int64_t>(all.size()) - 1));
    return it->first;
  }

  void CallAboutSnapshots() {
    const std::string name = fmt::format("s-{}", ++taken_);
    const std::string restored = fmt::format("r-{}", dice_.Between(1, 3));
    switch (dice_.Between(1, 12)) {
      case 1:
      case 2:
        Ask(core::CreateSnapshot{name, SomeName(), std::nullopt, {}});
        return;
      case 3:
        Ask(core::CreateSnapshot{name, std::nullopt, SomeGroup(), {}});
        return;
      case 4: {
        const std::string gone = SomeSnapshot();
        snapshots_.deleted.insert(gone);
        Ask(core::DeleteSnapshot{gone});
        return;
      }
      case 5:
        Ask(core::CopySnapshot{SomeSnapshot(), name, std::nullopt, {}});
        return;
      case 6: {
        core::CreateCluster request;
        request.id = restored;
        request.snapshot_name = SomeSnapshot();
        Ask(request);
        return;
      }
      case 7: {
        std::optional<std::string> last;
        if (dice_.Chance(50)) last = name;
        Ask(core::DeleteCluster{restored, last});
        return;
      }
      case 8: {
        core::ModifyCluster request;
        request.id = restored;
        request.snapshot_retention = static_cast<int>(dice_.Between(0, 5));
        Ask(request);
        return;
      }
      case 9: {
        core::ModifyGroup request;
        request.id = SomeGroup();
        request.snapshot_retention = static_cast<int>(dice_.Between(0, 5));
        Ask(request);
        return;
      }
      case 10:
        if (dice_.Chance(30)) Ask(core::DeleteGroup{SomeGroup(), false, name});
        return;
      default:
        LetDaysPass();
    }
  }

  // Forty at most; each stops where something is due.
  void LetDaysPass() {
    const auto days = std::chrono::days(dice_.Between(1, dice_.Chance(80) ? 4 : 40));
    const model::EmulatorClock& clock = world_.records().installation.clock;
    const WallTime end = TimeOn(clock, world_.clock().wall) + days;
    for (int i = 0; i < 50; ++i) {
      Ask(core::StepClock{end});
      world_.RunFor(milliseconds(dice_.Between(1, 200)));
      if (TimeOn(world_.records().installation.clock, world_.clock().wall) >= end) return;
    }
  }

  // --- faults ---

  void Harm() {
    const HostId host = SomeHost();
    switch (dice_.Between(1, 9)) {
      case 1:
        world_.CrashControlPlane();
        world_.RunFor(milliseconds(dice_.Between(1, dice_.Chance(80) ? 2000 : 20000)));
        if (!world_.control_plane_runs()) world_.StartControlPlane();
        return;
      case 2:
        world_.PauseControlPlane(milliseconds(dice_.Between(100, 15000)));
        return;
      case 3:
        world_.CrashAgent(host);
        world_.RunFor(milliseconds(dice_.Between(1, dice_.Chance(80) ? 2000 : 20000)));
        world_.StartAgent(host);
        return;
      case 4:
        world_.PauseAgent(host, milliseconds(dice_.Between(100, 10000)));
        return;
      case 5:
        world_.CutNetwork(host, milliseconds(dice_.Between(100, 15000)));
        return;
      case 6:
        world_.StopHostInOrder(host);
        world_.RunFor(milliseconds(dice_.Between(1, 10000)));
        world_.StartAgent(host);
        return;
      default:
        dice_.Chance(40) ? HarmLeaders() : HarmAnEngine(host);
    }
  }

  // Leaders one after the other: what a change of leader leaves behind is tried out before it has
  // settled.
  void HarmLeaders() {
    const std::string group = SomeGroup();
    for (int64_t left = dice_.Between(1, 3); left > 0; --left) {
      const auto found = world_.records().groups.find(group);
      if (found == world_.records().groups.end()) return;
      const auto leader = world_.records().members.find(found->second.leader);
      if (leader == world_.records().members.end()) return;
      const MemberId ended = leader->first;
      const HostId host = leader->second.host;
      // Without its agent nobody tells: the control plane has to see for itself.
      const bool with_agent = dice_.Chance(25);
      if (with_agent) world_.CrashAgent(host);
      world_.KillEngine(host, ended);
      if (dice_.Chance(40)) {  // the next one dies as soon as it leads
        const auto is_replaced = [&] {
          const auto now = world_.records().groups.find(group);
          return now == world_.records().groups.end() || now->second.leader != ended;
        };
        world_.RunUntil(is_replaced, seconds(2));
        world_.RunFor(milliseconds(dice_.Between(0, 20)));
      } else {
        world_.RunFor(milliseconds(dice_.Between(1, dice_.Chance(60) ? 60 : 1500)));
      }
      if (with_agent) world_.StartAgent(host);
    }
  }

  void HarmAnEngine(const HostId& id) {
    std::vector<MemberId> running;
    for (const auto& [member, directory] : world_.hosts().at(id).disk) {
      if (directory.process) running.push_back(member);
    }
    if (running.empty()) return;
    const MemberId member =
        running[static_cast<size_t>(dice_.Between(0, static_cast<int64_t>(running.size()) - 1))];
    if (dice_.Chance(60)) {
      world_.KillEngine(id, member);
    } else {
      world_.StopEngine(id, member, milliseconds(dice_.Between(100, 6000)));
    }
  }

  Random dice_;
  World world_;
  Checker checker_;
  // Every third world has a network that changes; the others have more time for groups.
  const bool calls_network_;
  NetworkCalls network_{dice_, world_};
  // Every fourth world has faults that somebody puts in, as `ecctl fault` does; in one of two of
  // these they are also of hosts and engines.
  const bool puts_faults_in_;
  FaultCalls fault_calls_;
  // Every sixth world has backups, full disks, and days that pass at once.
  const bool calls_snapshots_;
  SnapshotChecker snapshots_{world_};
  int taken_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome RunSeed(uint64_t seed, bool print) { return Swarm(seed, print).Run(); }

}  // namespace ec::sim
