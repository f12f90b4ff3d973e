// A control plane without store, threads or network: a state and a clock, moved by the real
// core::Decide and model::Apply. Its hosts are small fakes that do at once what their plans say,
// unless a test makes them lie, fail or fall silent.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/host_plan.h"
#include "common/status.h"
#include "common/time.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/machine.h"
#include "controlplane/core/settings.h"
#include "controlplane/model/state.h"

namespace ec::testing {

inline constexpr std::string_view kRegion = "us-east-1";
inline constexpr std::string_view kAccount = "000000000000";

// One host's agent: what it was told, and what it will say at its next report.
struct FakeHost {
  HostHello hello;
  uint64_t sequence = 0;
  HostPlan plan;
  std::map<MemberId, MemberReport> members;
  std::map<EndpointId, EndpointReport> endpoints;

  bool silent = false;         // it says nothing at all
  bool keeps_removed = false;  // engines that left the plan stay in its reports
  std::set<Ip4> taken;         // addresses that somebody else listens on
  MemberPhase first_phase = MemberPhase::kServing;  // of engines that it starts from now on
  std::string first_trouble;

  // --- snapshots: a task is done at once ---
  bool holds_tasks = false;  // each stays where it is
  std::string task_trouble;  // each fails with this
  SnapshotFacts facts{1000, 5000, 7, std::string(64, 'a'), "7.0.15"};
  std::map<uint64_t, TaskReport> tasks;
  bool seeds_are_damaged = false;

  // --- replication: an engine takes its role on at once, and a leader proves all its followers ---
  std::map<MemberId, OffsetQuestion> asked;  // the newest question about each member
  std::map<MemberId, int64_t> offsets;       // how far each engine has come; 100 unless set
  std::set<Address> unproved;                // followers that a leader here does not prove
  std::set<MemberId> stubborn;               // engines that stay in the role that they have
  std::set<MemberId> mute;                   // engines that answer no question
  std::set<MemberId> deaf;                   // engines that are told nothing of their users
  std::set<MemberId> killed;                 // engines that wait to be started again
  std::set<MemberId> kept_down;              // and those that cannot be

  // The engine of a member dies and is started again by the agent.
  void Crash(MemberId id);
  // The engine dies. The agent starts it again when its plan allows it: not while it leads others.
  void Kill(MemberId id);
};

class ControlPlane {
 public:
  explicit ControlPlane(core::Settings settings = {});

  // --- time ---
  Now now;
  // Moves both clocks; every host that is not silent reports, and then there is a tick.
  void Pass(Duration time);
  void MoveClocks(Duration time);

  // --- steps ---
  // Decides, applies, and answers each input. Leaves the decision in `decision`.
  std::vector<Status> Step(const std::vector<core::Input>& inputs);
  Status Ask(const core::Command& command);
  void Tick(bool everything = false);
  core::Decision decision;  // of the last step

  // --- hosts ---
  // A host that registers and reports at once. The zone is a letter.
  FakeHost& AddHost(const HostId& id, char zone, int members_max = 40);
  // host-0, host-1, ... in zones a, b, ... in turn.
  void AddHosts(int count, int zones = 1);
  FakeHost& host(const HostId& id) { return hosts_.at(id); }
  // The host on which a node is placed.
  FakeHost& HostOf(const model::Member& node) { return hosts_.at(node.host); }
  const FakeHost& HostOf(const model::Member& node) const { return hosts_.at(node.host); }
  std::map<HostId, FakeHost>& hosts() { return hosts_; }
  // A new start of the host's agent.
  void Register(FakeHost& host);
  // The host takes its plan, obeys it, and reports everything.
  void Report(FakeHost& host);
  void Obey(FakeHost& host) const;
  // Takes a report as the controller does; false when it was stale.
  bool Hear(const HostReport& report);
  // Every host that is not silent reports until nothing changes any more.
  void Settle();
  // The control plane itself sees that the process has ended that was last reported of the member.
  void SeeEnd(MemberId id);

  // A new control plane on the same records; the hosts come back to it.
  void Restart();

  // --- network ---
  // A security group of the default VPC.
  void AddSecurityGroup(const model::SecurityGroupId& id);
  model::VpcId DefaultVpc() const;
  model::SecurityGroupId DefaultGroup() const;  // of that VPC
  model::Subnet DefaultSubnet(const std::string& zone) const;

  // --- looking ---
  model::State state;
  core::Settings settings;
  const model::Records& records() const { return state.records; }
  const model::Cluster& cluster(const model::ClusterId& id) const;
  bool has_cluster(const model::ClusterId& id) const;
  const model::Group& group(const model::GroupId& id) const;
  bool has_group(const model::GroupId& id) const;
  const model::Member& node(const model::ClusterId& cluster, const std::string& node_id) const;
  std::vector<model::Member> nodes(const model::ClusterId& cluster) const;  // by node id
  // The messages of the events since the last call.
  std::vector<std::string> NewEvents();
  void ForgetEvents() { (void)NewEvents(); }

 private:
  static void DoTasks(FakeHost& host);

  std::map<HostId, FakeHost> hosts_;
  uint64_t seen_event_ = 0;
  uint64_t questions_ = 0;  // asked so far
};

// Requests with nothing but what they need.
core::CreateCluster Memcached(const std::string& id, int nodes = 1);
core::CreateCluster Redis(const std::string& id);
core::CreateGroup RedisGroup(const std::string& id, int clusters = 1);
std::string ClusterArn(const std::string& id);

}  // namespace ec::testing
