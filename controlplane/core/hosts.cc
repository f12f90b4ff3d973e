#include "controlplane/core/hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "controlplane/core/clock_commands.h"
#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/default_network.h"
#include "controlplane/core/fault_commands.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/snapshot_work.h"
#include "controlplane/core/users.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/windows.h"

namespace ec::core {
namespace {

using model::ClusterId;

// AWS's default VPC is a /16 with a /20 for each zone.
constexpr int kSubnetPrefix = 20;
constexpr uint32_t kSubnetSize = 1u << (32 - kSubnetPrefix);

Status EnsureZone(Draft& draft, const std::string& name) {
  if (draft.FindZone(name) != nullptr) return {};
  const Cidr& vpc = draft.installation().vpc;
  const auto index = static_cast<uint32_t>(name.back() - 'a');  // the same whoever comes first
  const Cidr subnet{{vpc.network.bits + index * kSubnetSize}, kSubnetPrefix};
  if (!vpc.Contains(subnet.First()) || !vpc.Contains(subnet.Last())) {
    return {Fault::kInsufficientCapacity,
            fmt::format("The VPC {} has no room for a subnet of zone {}.", ToString(vpc), name)};
  }
  draft.PutZone({name, subnet});
  return {};
}

// Clusters with a part on the host that differs between two plan revisions.
void AddPlanned(const model::HostIndex& index, const model::Records& records, uint64_t after,
                uint64_t until, std::set<ClusterId>* clusters) {
  for (auto it = index.members.lower_bound({after + 1, 0});
       it != index.members.end() && it->first <= until; ++it) {
    clusters->insert(records.members.at(it->second).cluster);
  }
  for (auto it = index.configurations.lower_bound({after + 1, ""});
       it != index.configurations.end() && it->first <= until; ++it) {
    clusters->insert(it->second);
  }
}

// The host is silent: once its members have been marked, there is nothing left to look at.
void AdvanceClustersOn(Draft& draft, const Settings& settings, const HostId& host) {
  const model::State& state = draft.state();
  const auto index = state.hosts.find(host);
  if (index == state.hosts.end()) return;
  std::set<ClusterId> clusters;
  for (const MemberId id : index->second.active) {
    clusters.insert(state.records.members.at(id).cluster);
  }
  for (const ClusterId& id : clusters) Advance(draft, settings, id);
}

}  // namespace

void OpenWindows(Draft& draft, const Settings& settings) {
  const auto& windows = draft.state().windows;
  // A clock that was set back leaves some further ahead than the window ever is.
  for (auto it = windows.rbegin();
       it != windows.rend() && it->first > draft.now().wall + std::chrono::weeks(1); ++it) {
    const model::Cluster* cluster = draft.FindCluster(it->second);
    if (cluster == nullptr || cluster->pending.due != it->first) continue;
    const auto window = *model::ParseMaintenanceWindow(cluster->maintenance_window);
    draft.EditCluster(cluster->id).pending.due = model::NextOpening(window, draft.now().wall);
  }
  for (const auto& [due, id] : windows) {
    if (due > draft.now().wall) break;
    const model::Cluster* cluster = draft.FindCluster(id);
    if (cluster == nullptr || cluster->pending.empty()) continue;
    if (cluster->pending.due > draft.now().wall) continue;  // this step has put it off
    if (cluster->status == model::ClusterStatus::kAvailable) {
      ApplyPending(draft, settings, id);
    } else {  // busy, or in trouble: the next window will do
      draft.EditCluster(id).pending.due = model::NextOpening(
          *model::ParseMaintenanceWindow(cluster->maintenance_window), draft.now().wall);
    }
  }
}

void DropOldEvents(Draft& draft) {
  const auto& events = draft.state().records.events;
  const WallTime oldest = draft.now().wall - model::kEventAgeMax;
  auto keep = events.begin();
  size_t left = events.size();
  while (keep != events.end() && (keep->second.date < oldest || left > model::kEventsMax)) {
    ++keep;
    --left;
  }
  if (keep == events.begin()) return;
  draft.DropEventsBelow(keep == events.end() ? draft.installation().next_event : keep->first);
}

Status InstallAt(Draft& draft, const Install& install) {
  EC_CHECK(draft.installation().region.empty());
  model::Installation installation = draft.installation();
  installation.region = install.region;
  installation.account = install.account;
  installation.vpc = install.vpc;
  installation.secrets = install.secrets;
  draft.PutInstallation(std::move(installation));
  return {};
}

Status Register(Draft& draft, const HostHello& hello) {
  if (!model::IsIdentifier(hello.host) || hello.host.size() > 64) {
    return BadValue("host", hello.host, "It must be 1 to 64 letters, digits and hyphens.");
  }
  const std::string& region = draft.installation().region;
  if (!model::IsZoneOf(hello.zone, region)) {
    return BadValue("zone", hello.zone,
                    fmt::format("It must be a zone of {}, such as {}a.", region, region));
  }
  if (hello.members_max < 1) {
    return BadValue("members_max", std::to_string(hello.members_max), "It must be at least 1.");
  }
  const model::Host* known = draft.FindHost(hello.host);
  if (known != nullptr && known->zone != hello.zone && draft.LoadOf(hello.host) > 0) {
    return {Fault::kInvalidCacheClusterState,
            fmt::format("Host {} has nodes in zone {}; it cannot move to zone {}.", hello.host,
                        known->zone, hello.zone)};
  }
  EC_RETURN_IF_ERROR(EnsureZone(draft, hello.zone));
  EnsureDefaultVpc(draft);
  EnsureDefaultSubnet(draft, *draft.FindZone(hello.zone));
  model::Host host;
  host.id = hello.host;
  host.zone = hello.zone;
  host.incarnation = hello.incarnation;
  host.members_max = hello.members_max;
  host.pid = hello.pid;
  host.start_time = hello.start_time;
  host.boot = hello.boot;
  host.engines = hello.engines;
  host.registered = draft.now().wall;
  if (known != nullptr) host.registered = known->registered;
  if (known == nullptr || *known != host) draft.PutHost(std::move(host));
  return {};
}

void Heed(Draft& draft, const Settings& settings, const Reported& reported) {
  const model::State& state = draft.state();
  const HostReport& report = reported.report;
  std::set<ClusterId> clusters;
  std::set<model::GroupId> groups;
  const auto add_member = [&](MemberId id) {
    if (const auto found = state.records.members.find(id); found != state.records.members.end()) {
      clusters.insert(found->second.cluster);
    }
  };
  for (const MemberReport& member : report.members) add_member(member.id);
  for (const MemberId id : report.gone_members) add_member(id);
  for (const EndpointReport& endpoint : report.endpoints) {
    add_member(endpoint.id);  // a member's own endpoint has its number
    const auto found = state.configurations.find(endpoint.id);
    if (found != state.configurations.end()) clusters.insert(found->second);
    const auto group = state.group_endpoints.find(endpoint.id);
    if (group != state.group_endpoints.end()) groups.insert(group->second);
  }
  if (const auto index = state.hosts.find(report.host); index != state.hosts.end()) {
    for (const MemberId id : index->second.deleting) add_member(id);
    AddPlanned(index->second, state.records, reported.plan_before, report.plan_revision, &clusters);
  }
  for (const ClusterId& id : clusters) Advance(draft, settings, id);
  for (const model::GroupId& id : groups) AdvanceGroup(draft, settings, id);
  AdvanceSnapshotsOn(draft, settings, report.host);
  AdvanceUsers(draft, settings);
}

void HeedEnd(Draft& draft, const Settings& settings, const EngineEnded& ended) {
  const model::Member* member = draft.FindMember(ended.member);
  if (member != nullptr) Advance(draft, settings, model::ClusterId(member->cluster));
}

void PassTime(Draft& draft, const Settings& settings, bool everything) {
  const model::State& state = draft.state();
  if (everything) {
    for (const auto& [id, cluster] : state.records.clusters) Advance(draft, settings, id);
    for (const auto& [id, group] : state.records.groups) AdvanceGroup(draft, settings, id);
  }
  for (const auto& [id, host] : state.records.hosts) {
    if (IsSilent(draft, settings, id)) AdvanceClustersOn(draft, settings, id);
  }
  for (const auto& [since, id] : state.operations) {
    const bool overdue =
        since == Instant::min() || since + settings.operation_max <= draft.now().instant;
    if (!overdue) break;
    Advance(draft, settings, id);
  }
  for (const model::GroupId& id : GroupsDue(state, settings, draft.now())) {
    AdvanceGroup(draft, settings, id);
  }
  AdvanceUsers(draft, settings);
  DropPastFaults(draft);
  AdvanceSnapshots(draft, settings);
  PassSchedules(draft, settings, /*is_sure=*/false);
}

void ForgetAll(Draft& draft) {
  for (const ClusterId& id : draft.Clusters()) draft.DropCluster(id);
  for (const model::GroupId& id : draft.Groups()) draft.DropGroup(id);
  // Their files go, and then their rows.
  std::vector<model::SnapshotName> snapshots;
  for (const model::Snapshot* row : draft.Snapshots()) snapshots.push_back(row->name);
  for (const model::SnapshotName& name : snapshots) BeginRemoval(draft, name);
  draft.SetClock({});
  ResetNetwork(draft);
  std::vector<std::string> parameter_groups;
  for (const auto* group : draft.ParameterGroups()) parameter_groups.push_back(group->name);
  for (const std::string& name : parameter_groups) draft.DropParameterGroup(name);
  std::vector<model::UserGroupId> user_groups;
  for (const model::UserGroup* group : draft.UserGroups()) user_groups.push_back(group->id);
  for (const model::UserGroupId& id : user_groups) draft.DropUserGroup(id);
  std::vector<model::UserId> users;
  for (const model::User* user : draft.Users()) users.push_back(user->id);
  for (const model::UserId& id : users) draft.DropUser(id);
  std::vector<uint64_t> faults;
  for (const model::WireFault* fault : draft.Faults()) faults.push_back(fault->number);
  for (const uint64_t number : faults) draft.DropFault(number);
  draft.DropEventsBelow(draft.installation().next_event);
}

}  // namespace ec::core
