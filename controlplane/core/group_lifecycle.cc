#include "controlplane/core/group_lifecycle.h"

#include <algorithm>

#include "common/mutant.h"
#include "controlplane/core/access_control.h"
#include "controlplane/core/addresses.h"
#include "controlplane/core/failover.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/member_lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/promote_demote.h"
#include "controlplane/core/switchover.h"
#include "controlplane/core/users.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::ClusterId;
using model::ClusterStatus;
using model::Group;
using model::GroupId;
using model::GroupStatus;
using model::Member;
using model::MemberStatus;
using model::SwitchStep;

std::vector<ClusterId> ClustersOf(const Draft& draft, const GroupId& id) {
  const std::set<ClusterId>& members = draft.FindGroup(id)->members;
  return {members.begin(), members.end()};
}

// --- who is in sync -------------------------------------------------------------------------

// Whether the member's own host has said so last.
bool IsDown(const Draft& draft, const Member& member) {
  const auto sighting = draft.state().sightings.find(member.host);
  if (sighting == draft.state().sightings.end()) return false;
  const auto report = sighting->second.members.find(member.id);
  if (report == sighting->second.members.end()) return false;
  const MemberPhase phase = report->second.phase;
  return phase == MemberPhase::kDown || phase == MemberPhase::kFailed;
}

// What the leader has proved of its followers becomes part of the records: only so does it outlive
// the leader, its host and this control plane.
void ObserveSync(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  const ReplicationReport* seen = ReplicationSeen(draft, settings, group.leader);
  if (seen == nullptr || !seen->leads || (seen->epoch != group.epoch && !IsMutant(1))) return;
  if (seen->proof < group.proof && !IsMutant(16))
    return;  // it may count one whose engine has ended since
  std::vector<ClusterId> changed;
  for (const ClusterId& cluster : group.members) {
    const Member* member = MemberOf(draft, cluster);
    if (member == nullptr || member->id == group.leader) continue;
    // One whose own host says that its engine is down has nothing, whatever its leader knows yet.
    const bool named = std::ranges::find(seen->in_sync, member->address) != seen->in_sync.end();
    const bool in_sync = named && !IsDown(draft, *member);
    if (in_sync == member->in_sync) continue;
    draft.EditMember(member->id).in_sync = in_sync;
    changed.push_back(cluster);
  }
  if (changed.empty()) return;
  draft.TouchGroupEndpoints(id);
  for (const ClusterId& cluster : changed) AdvanceCluster(draft, settings, cluster);
}

// --- endpoints ------------------------------------------------------------------------------

// Gives the endpoint another address. REQUIRES: the group is being created, so that nobody has been
// told of the one that it has.
void Readdress(Draft& draft, const GroupId& id, model::GroupEndpoint Group::*which) {
  const std::string zone = draft.FindHost((draft.FindGroup(id)->*which).host)->zone;
  const model::Cluster& cluster = *draft.FindCluster(*draft.FindGroup(id)->members.begin());
  const auto ip = FindAddress(draft, cluster, zone, {});
  if (!ip) return;
  UseAddress(draft, cluster, *ip);
  (draft.EditGroup(id).*which).address.ip = *ip;
  draft.TouchGroup(id);  // what its members call themselves changes with it
}

// While the group is created: whether the endpoint listens. One whose address is taken gets
// another.
bool IsOpen(Draft& draft, const Settings& settings, const GroupId& id,
            model::GroupEndpoint Group::*which) {
  const Group& group = *draft.FindGroup(id);
  const model::GroupEndpoint endpoint = group.*which;
  const EndpointReport* seen =
      EndpointSeen(draft, settings, endpoint.host, endpoint.id, group.revision);
  if (seen == nullptr) return false;
  if (seen->listening) return true;
  if (seen->trouble == EndpointTrouble::kAddressInUse) Readdress(draft, id, which);
  return false;
}

// Each endpoint stays on a live host: the primary one with who leads or is about to, the reader
// where it is as long as that host is heard.
void EnsureHomes(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  const MemberId front = group.step == SwitchStep::kDemoting ? group.successor : group.leader;
  const Member* member = draft.FindMember(front);
  if (member != nullptr && group.primary.host != member->host) {
    draft.EditGroup(id).primary.host = member->host;
  }
  if (!IsSilent(draft, settings, group.reader.host)) return;
  for (const ClusterId& cluster : group.members) {
    const Member* other = MemberOf(draft, cluster);
    if (other == nullptr || IsSilent(draft, settings, other->host)) continue;
    draft.EditGroup(id).reader.host = other->host;
    return;
  }
}

// A leader that was replaced while it was being created hands its part to its replacement. Nobody
// knows what has become of it: its host may be cut off, go on as it was told, and open the group's
// endpoints as soon as their addresses are free. So those are not the group's any more.
void FollowReplacement(Draft& draft, const GroupId& id) {
  const Group& group = *draft.FindGroup(id);
  const Member* leader = draft.FindMember(group.leader);
  if (leader == nullptr || !leader->node_id.empty()) return;
  const Member* replacement = MemberOf(draft, leader->cluster);
  if (replacement == nullptr) return;
  const MemberId successor = replacement->id;
  Group& changed = draft.EditGroup(id);
  changed.leader = successor;
  Readdress(draft, id, &Group::primary);
  Readdress(draft, id, &Group::reader);
  draft.RaiseEpoch(id);
  draft.TouchGroup(id);
}

// --- status ---------------------------------------------------------------------------------

bool AnyCluster(const Draft& draft, const GroupId& id, std::initializer_list<ClusterStatus> any) {
  return std::ranges::any_of(draft.FindGroup(id)->members, [&](const ClusterId& cluster) {
    return std::ranges::find(any, draft.FindCluster(cluster)->status) != any.end();
  });
}

void AdvanceCreating(Draft& draft, const Settings& settings, const GroupId& id) {
  const bool failed = AnyCluster(draft, id,
                                 {ClusterStatus::kCreateFailed, ClusterStatus::kIncompatibleNetwork,
                                  ClusterStatus::kRestoreFailed});
  if (failed || IsGroupOverdue(draft, settings, id)) {
    draft.AddGroupEvent(id, messages::GroupCreationFailed(id));
    draft.AddGroupEvent(id, messages::GroupClustersDeleted());
    draft.EditGroup(id).status = GroupStatus::kCreateFailed;
    DeleteClusters(draft, id);
    return;
  }
  const bool settled = !AnyCluster(
      draft, id, {ClusterStatus::kCreating, ClusterStatus::kModifying, ClusterStatus::kRecovering});
  const bool primary = IsOpen(draft, settings, id, &Group::primary);
  const bool reader = IsOpen(draft, settings, id, &Group::reader);
  if (!settled || !primary || !reader) return;
  draft.EditGroup(id).status = GroupStatus::kAvailable;
  draft.AddGroupEvent(id, messages::GroupCreated(id));
  if (draft.FindGroup(id)->automatic_failover) {
    draft.AddGroupEvent(id, messages::AutomaticFailoverOn(id));
  }
}

void FollowMembers(Draft& draft, const GroupId& id) {
  const Group& group = *draft.FindGroup(id);
  const bool busy = group.step != SwitchStep::kNone || group.promoting || group.demoting ||
                    !group.trouble.empty() || group.access.change != model::AccessChange::kNone ||
                    AnyCluster(draft, id, {ClusterStatus::kCreating, ClusterStatus::kDeleting});
  const bool backed_up = AnyCluster(draft, id, {ClusterStatus::kSnapshotting});
  const GroupStatus status = busy        ? GroupStatus::kModifying
                             : backed_up ? GroupStatus::kSnapshotting
                                         : GroupStatus::kAvailable;
  if (group.status != status) draft.EditGroup(id).status = status;
}

// A tried failover is over when the old leader is back as a follower.
void EndTest(Draft& draft, const GroupId& id) {
  const Group& group = *draft.FindGroup(id);
  if (!group.tested) return;
  const Member* member =
      group.members.contains(*group.tested) ? MemberOf(draft, *group.tested) : nullptr;
  const bool over = member == nullptr ||
                    (member->id != group.leader && member->status == MemberStatus::kAvailable);
  if (!over) return;
  if (member != nullptr) draft.EditMember(member->id).condemned = 0;
  draft.EditGroup(id).tested.reset();
}

void AdvanceLiving(Draft& draft, const Settings& settings, const GroupId& id) {
  ObserveSync(draft, settings, id);
  AdvanceSwitch(draft, settings, id);
  ReplaceEndedLeader(draft, settings, id);
  AdvancePromotion(draft, settings, id);
  AdvanceDemotion(draft, settings, id);
  AdvanceAccess(draft, settings, id);
  EndTest(draft, id);
  EnsureHomes(draft, settings, id);
  if (draft.FindGroup(id)->status == GroupStatus::kCreating) {
    AdvanceCreating(draft, settings, id);
  } else {
    FollowMembers(draft, id);
  }
}

}  // namespace

const Member* MemberOf(const Draft& draft, const ClusterId& id) {
  const Cluster* cluster = draft.FindCluster(id);
  if (cluster == nullptr) return nullptr;
  const std::vector<const Member*> nodes = NodesOf(draft, *cluster);
  return nodes.empty() ? nullptr : nodes.front();
}

ClusterId LeaderOf(const Draft& draft, const Group& group) {
  const Member* leader = draft.FindMember(group.leader);
  return leader == nullptr ? ClusterId() : leader->cluster;
}

bool IsGroupOverdue(const Draft& draft, const Settings& settings, const GroupId& id) {
  const auto since = draft.state().group_since.find(id);
  if (since == draft.state().group_since.end()) return false;
  return draft.now().instant >= since->second + settings.operation_max;
}

bool IsFollower(const Draft& draft, const Member& member) {
  const GroupId& group = draft.FindCluster(member.cluster)->group;
  return !group.empty() && draft.FindGroup(group)->leader != member.id;
}

bool MustSync(const Draft& draft, const Member& member) {
  return IsFollower(draft, member) && !member.in_sync;
}

bool LeadsOthers(const Draft& draft, const Member& member) {
  const Cluster& cluster = *draft.FindCluster(member.cluster);
  if (cluster.group.empty()) return false;
  const Group& group = *draft.FindGroup(cluster.group);
  return group.leader == member.id && !FollowersOf(draft, group).empty();
}

void ForgetSync(Draft& draft, MemberId id) {
  if (!IsFollower(draft, *draft.FindMember(id))) return;
  const GroupId group = draft.FindCluster(draft.FindMember(id)->cluster)->group;
  draft.EditMember(id).in_sync = false;
  ++draft.EditGroup(group).proof;
  draft.TouchGroup(group);
}

void DeleteClusters(Draft& draft, const GroupId& id) {
  for (const ClusterId& cluster : ClustersOf(draft, id)) {
    if (draft.FindCluster(cluster)->status == ClusterStatus::kDeleting) continue;
    draft.EditCluster(cluster).status = ClusterStatus::kDeleting;
    RemoveMembers(draft, cluster);
  }
  draft.TouchGroupEndpoints(id);
}

void AdvanceGroup(Draft& draft, const Settings& settings, const GroupId& id) {
  if (draft.FindGroup(id) == nullptr) return;
  switch (draft.FindGroup(id)->status) {
    case GroupStatus::kCreating:
    case GroupStatus::kAvailable:
    case GroupStatus::kModifying:
    case GroupStatus::kSnapshotting:
      FollowReplacement(draft, id);
      AdvanceLiving(draft, settings, id);
      return;
    case GroupStatus::kDeleting:
      if (!draft.FindGroup(id)->members.empty()) return;
      draft.DropGroup(id);
      draft.AddGroupEvent(id, messages::GroupDeleted(id));
      return;
    case GroupStatus::kCreateFailed:
      return;  // its clusters go one by one; the rest waits for a deletion
  }
}

namespace {

// Whether a change of its users is under way that all engines know by now.
bool IsAccessKnown(const model::State& state, const GroupId& id) {
  return state.records.groups.at(id).access.change != model::AccessChange::kNone &&
         IsTold(state, id);
}

}  // namespace

std::set<GroupId> GroupsDue(const model::State& state, const Settings& settings, Now now) {
  std::set<GroupId> due;
  for (const auto& [since, id] : state.group_operations) {
    const bool waits = since + settings.pause_max > now.instant;
    if (!waits || IsAccessKnown(state, id)) due.insert(id);
  }
  for (const auto& [member_id, asked] : state.asked) {
    const Duration age = now.instant - asked.at;
    if (age < settings.offsets_max || age > settings.operation_max) continue;
    const auto member = state.records.members.find(member_id);
    if (member == state.records.members.end()) continue;
    const GroupId& group = state.records.clusters.at(member->second.cluster).group;
    if (!group.empty()) due.insert(group);
  }
  return due;
}

std::optional<Instant> NextGroupDeadline(const model::State& state, const Settings& settings,
                                         Now now) {
  std::optional<Instant> next;
  const auto consider = [&](Instant at) {
    if (at > now.instant && (!next || at < *next)) next = at;
  };
  for (const auto& [since, id] : state.group_operations) {
    if (IsAccessKnown(state, id)) next = now.instant;
    consider(since + settings.pause_max);
    consider(since + settings.operation_max);
  }
  for (const auto& [member, asked] : state.asked) consider(asked.at + settings.offsets_max);
  for (const auto& [id, group] : state.records.groups) {
    const auto leader = state.records.members.find(group.leader);
    if (leader == state.records.members.end() || group.members.size() < 2) continue;
    consider(SilentAt(state, settings, leader->second.host) - settings.host_silence_max +
             settings.host_doubt_after);
  }
  return next;
}

}  // namespace ec::core
