#include "controlplane/core/group_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "controlplane/core/access_control.h"
#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/failover.h"
#include "controlplane/core/fencing.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/snapshot_commands.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/windows.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::ClusterId;
using model::ClusterStatus;
using model::Group;
using model::GroupId;
using model::GroupStatus;
using model::Member;
using model::SwitchStep;

Status BadState(std::string message) {
  return {Fault::kInvalidReplicationGroupState, std::move(message)};
}

// --- a change of leader ---------------------------------------------------------------------

Status BeginSwitch(Draft& draft, const Settings& settings, const GroupId& id, MemberId successor) {
  const Group group = *draft.FindGroup(id);
  const Member& member = *draft.FindMember(successor);
  if (const std::string why = WhyNotPromotable(draft, settings, member); !why.empty()) {
    return {Fault::kInvalidCacheClusterState,
            fmt::format("Cache cluster {} cannot become the primary: it {}.", member.cluster, why)};
  }
  const bool ended = HasEnded(draft, settings, *draft.FindMember(group.leader));
  Group& changed = draft.EditGroup(id);
  changed.status = GroupStatus::kModifying;
  changed.successor = successor;
  if (ended) {  // a failover to the one that was named, once it has answered for what it has
    AdvanceGroup(draft, settings, id);
    return {};
  }
  changed.step = SwitchStep::kPausing;
  draft.TouchGroup(id);
  return {};
}

// A group whose leader has failed, and that waits to be told what to do.
bool IsStuck(const Group& group) {
  return group.status == GroupStatus::kModifying && !group.trouble.empty() &&
         group.step == SwitchStep::kNone;
}

Status CheckChoosesPrimary(const Group& group) {
  if (!group.automatic_failover && !group.multi_az) return {};  // [AWS]
  return BadState(
      "Cannot manually promote a new master cache cluster while autofailover is enabled");
}

Status ChangePrimary(Draft& draft, const Settings& settings, const GroupId& id,
                     const ModifyGroup& request) {
  if (!request.primary_cluster) return {};
  const Group& group = *draft.FindGroup(id);
  EC_RETURN_IF_ERROR(CheckChoosesPrimary(group));
  Result<const Member*> follower =
      FindFollower(draft, group, "PrimaryClusterId", *request.primary_cluster);
  if (!follower.ok()) return follower.status();
  if (request.apply_immediately) {
    EC_RETURN_IF_ERROR(BeginSwitch(draft, settings, id, (*follower)->id));
    draft.EditGroup(id).pending_primary.reset();  // this wish is the newer one
    return {};
  }
  draft.EditGroup(id).pending_primary = (*follower)->cluster;
  PutOffPendingPrimary(draft, id);
  return {};
}

// --- properties -----------------------------------------------------------------------------

Status ChangeFailover(Draft& draft, const GroupId& id, const ModifyGroup& request) {
  const Group& group = *draft.FindGroup(id);
  const bool automatic = request.automatic_failover.value_or(group.automatic_failover);
  const bool multi_az = request.multi_az.value_or(group.multi_az);
  if (automatic && !group.automatic_failover && FollowersOf(draft, group).empty()) {  // [AWS]
    return BadCombination(
        "Replication group must have at least one read replica to enable "
        "autofailover.");
  }
  if (automatic && !group.automatic_failover) {
    const Cluster& leader = *draft.FindCluster(LeaderOf(draft, group));
    EC_RETURN_IF_ERROR(CheckFailoverSupported(leader.node_type, leader.engine_version));
  }
  if (multi_az && !automatic) {
    return BadCombination("MultiAZEnabled needs AutomaticFailoverEnabled.");
  }
  if (automatic != group.automatic_failover) {
    draft.AddGroupEvent(
        id, automatic ? messages::AutomaticFailoverOn(id) : messages::AutomaticFailoverOff(id));
  }
  Group& changed = draft.EditGroup(id);
  changed.automatic_failover = automatic;
  changed.multi_az = multi_az;
  return {};
}

// The endpoints would have to admit both for a time, which is not emulated.
Status CheckEncryptionKept(const Group& group, const ModifyGroup& request) {
  const bool enabled = group.transit_encryption;
  const bool wanted = request.transit_encryption.value_or(enabled);
  EC_RETURN_IF_ERROR(CheckEncryptionMode(request.transit_encryption_mode, wanted));
  if (wanted == enabled) return {};
  return BadCombination(
      fmt::format("TransitEncryptionEnabled of replication group {} is {} and cannot be changed: "
                  "to change it, create another one from a snapshot.",
                  group.id, enabled));
}

Status ChangeSnapshotting(Draft& draft, const GroupId& id, const ModifyGroup& request) {
  if (!request.snapshotting_cluster) return {};
  const std::string& text = *request.snapshotting_cluster;
  if (text.empty()) {
    draft.EditGroup(id).snapshotting.clear();
    return {};
  }
  Result<ClusterId> cluster = FindExisting(draft, text);
  if (!cluster.ok()) return cluster.status();
  const Group& group = *draft.FindGroup(id);
  if (!group.members.contains(*cluster)) {
    return BadValue("SnapshottingClusterId", text,
                    fmt::format("Replication group {} has the cache clusters {}.", id,
                                fmt::join(group.members, ", ")));
  }
  draft.EditGroup(id).snapshotting = *cluster;
  return {};
}

// The part of the request that is about the clusters themselves, for one of them.
ModifyCluster RequestFor(const ModifyGroup& request, const ClusterId& id) {
  ModifyCluster cluster;
  cluster.id = id;
  cluster.cache_security_groups = request.cache_security_groups;
  cluster.security_groups = request.security_groups;
  cluster.maintenance_window = request.maintenance_window;
  cluster.notification_topic = request.notification_topic;
  cluster.notification_status = request.notification_status;
  cluster.parameter_group = request.parameter_group;
  cluster.engine = request.engine;
  cluster.engine_version = request.engine_version;
  cluster.auto_minor_version_upgrade = request.auto_minor_version_upgrade;
  cluster.snapshot_retention = request.snapshot_retention;
  cluster.snapshot_window = request.snapshot_window;
  cluster.node_type = request.node_type;
  cluster.apply_immediately = request.apply_immediately;
  return cluster;
}

bool IsAboutClusters(const ModifyGroup& r) {
  return !r.cache_security_groups.empty() || !r.security_groups.empty() || r.maintenance_window ||
         r.notification_topic || r.notification_status || r.parameter_group || r.engine ||
         r.engine_version || r.auto_minor_version_upgrade || r.snapshot_retention ||
         r.snapshot_window || r.node_type;
}

bool AsksForSomething(const ModifyGroup& r) {
  return IsAboutClusters(r) || r.description || r.primary_cluster || r.automatic_failover ||
         r.multi_az || r.snapshotting_cluster || IsAboutAccess(r);
}

}  // namespace

Result<GroupId> FindExistingGroup(const Draft& draft, const std::string& text) {
  Result<std::string> id = model::ParseGroupId(text);
  if (!id.ok()) return id.status();
  if (draft.FindGroup(*id) != nullptr) return *id;
  return Status(Fault::kReplicationGroupNotFound,
                fmt::format("ReplicationGroup not found: {}", *id));
}

Status CheckAvailable(const Group& group) {
  if (group.status == GroupStatus::kAvailable) return {};
  return BadState(fmt::format("Replication group must be in available state to modify. {} is {}.",
                              group.id, NameOf(group.status)));
}

Result<const Member*> FindFollower(const Draft& draft, const Group& group,
                                   std::string_view parameter, const std::string& text) {
  Result<ClusterId> id = FindExisting(draft, text);
  if (!id.ok()) return id.status();
  if (!group.members.contains(*id)) {
    return BadValue(parameter, text,
                    fmt::format("Replication group {} has the cache clusters {}.", group.id,
                                fmt::join(group.members, ", ")));
  }
  const Member* member = MemberOf(draft, *id);
  if (member == nullptr || member->id == group.leader) {
    return BadValue(parameter, text, "It is the primary already.");
  }
  return member;
}

Status Modify(Draft& draft, const Settings& settings, const ModifyGroup& request) {
  Result<GroupId> id = FindExistingGroup(draft, request.id);
  if (!id.ok()) return id.status();
  const Group before = *draft.FindGroup(*id);
  EC_RETURN_IF_ERROR(CheckEncryptionKept(before, request));
  if (!AsksForSomething(request))
    return BadCombination("No modifications were requested");  // [AWS]
  if (!(IsStuck(before) && request.primary_cluster)) EC_RETURN_IF_ERROR(CheckAvailable(before));
  if (request.description && request.description->size() > model::kDescriptionLengthMax) {
    return BadValue("ReplicationGroupDescription", *request.description,
                    fmt::format("It has at most {} characters.", model::kDescriptionLengthMax));
  }
  // Also when the same request turns it off: that has to be done first. [AWS docs]
  if (request.primary_cluster) EC_RETURN_IF_ERROR(CheckChoosesPrimary(before));
  // A trial on a draft of its own: nothing is changed unless all of it can be.
  Draft trial = draft;
  EC_RETURN_IF_ERROR(ChangeFailover(trial, *id, request));
  if (IsAboutClusters(request)) {
    for (const ClusterId& cluster : before.members) {
      EC_RETURN_IF_ERROR(Modify(trial, settings, RequestFor(request, cluster)));
    }
  }
  EC_RETURN_IF_ERROR(ChangePrimary(trial, settings, *id, request));
  if (request.description) trial.EditGroup(*id).description = *request.description;
  EC_RETURN_IF_ERROR(ChangeSnapshotting(trial, *id, request));
  EC_RETURN_IF_ERROR(ChangeAccess(trial, *id, request));
  draft.Replace(std::move(trial));
  return {};
}

Status Delete(Draft& draft, const Settings& settings, const DeleteGroup& request) {
  Result<GroupId> id = FindExistingGroup(draft, request.id);
  if (!id.ok()) return id.status();
  const Group group = *draft.FindGroup(*id);
  const bool failed = group.status == GroupStatus::kCreateFailed;
  if (group.status != GroupStatus::kAvailable && !failed && !IsStuck(group)) {
    return BadState(
        fmt::format("Replication group {} is not in a valid state to be deleted: it is "
                    "{}.",
                    *id, NameOf(group.status)));
  }
  for (const ClusterId& cluster : group.members) {
    const ClusterStatus status = draft.FindCluster(cluster)->status;
    if (failed || IsStuck(group) || !model::InOperation(status)) continue;
    return BadState(  // [AWS]
        fmt::format("Cache cluster {} is not in a valid state to be deleted", cluster));
  }
  const bool retain = request.retain_primary && !failed;
  const ClusterId primary = LeaderOf(draft, group);
  if (retain && draft.FindCluster(primary)->status != ClusterStatus::kAvailable) {
    return BadState(fmt::format(
        "Cache cluster {}, the primary, is {} and cannot be retained: it might come back "
        "empty, and the replicas that have its data would be gone.",
        primary, NameOf(draft.FindCluster(primary)->status)));
  }
  if (request.final_snapshot) {
    if (request.retain_primary) {
      return BadCombination("FinalSnapshotIdentifier and RetainPrimaryCluster exclude each other.");
    }
    if (primary.empty()) return BadState(fmt::format("Replication group {} has no primary.", *id));
    EC_RETURN_IF_ERROR(
        CheckFinalSnapshot(draft, settings, *draft.FindCluster(primary), *request.final_snapshot));
    model::Snapshot then;
    then.after = model::AfterSnapshot::kDelete;
    BeginFinalSnapshot(draft, primary, *id, *request.final_snapshot, then);
    draft.EditGroup(*id).status = GroupStatus::kDeleting;
    draft.TouchGroupEndpoints(*id);  // what nobody can write any more is in the snapshot
    return {};
  }
  draft.EditGroup(*id).status = GroupStatus::kDeleting;
  if (retain) {
    KeepAccess(draft, primary);
    draft.LeaveGroup(primary);
  }
  DeleteClusters(draft, *id);
  AdvanceGroup(draft, settings, *id);  // there may be none
  return {};
}

Status Test(Draft& draft, const Settings& settings, const TestFailover& request) {
  Result<GroupId> id = FindExistingGroup(draft, request.id);
  if (!id.ok()) return id.status();
  const Group& group = *draft.FindGroup(*id);
  if (request.node_group != "0001") {
    return {Fault::kNodeGroupNotFound,
            fmt::format("Replication group {} has one node group, 0001; there is no '{}'.", *id,
                        request.node_group)};
  }
  EC_RETURN_IF_ERROR(CheckAvailable(group));
  if (!group.automatic_failover) {
    return BadState(fmt::format(
        "Automatic failover must be enabled to test the failover of replication group {}.", *id));
  }
  for (const ClusterId& cluster : group.members) {
    if (draft.FindCluster(cluster)->status == ClusterStatus::kAvailable) continue;
    return BadState(fmt::format("Cache cluster {} of replication group {} is not available yet.",
                                cluster, *id));
  }
  if (group.tested) {
    return BadState(
        fmt::format("A test of the failover of replication group {} is under way: cache cluster {} "
                    "is not back yet.",
                    *id, *group.tested));
  }
  const bool any_heir = std::ranges::any_of(FollowersOf(draft, group), [&](const Member* follower) {
    return WhyNotPromotable(draft, settings, *follower).empty();
  });
  if (!any_heir) {
    return BadState(fmt::format("Replication group {} has no replica that could take over.", *id));
  }
  std::vector<WallTime> tests;
  std::ranges::copy_if(group.tests, std::back_inserter(tests), [&](WallTime at) {
    return at > draft.now().wall - model::kTestFailoverPeriod;
  });
  if (tests.size() >= model::kTestFailoversMax) {
    return {
        Fault::kTestFailoverQuota,
        fmt::format("TestFailover can be called {} times in 24 hours.", model::kTestFailoversMax)};
  }
  tests.push_back(draft.now().wall);
  draft.AddGroupEvent(*id, messages::TestFailoverCalled(request.node_group));
  Group& changed = draft.EditGroup(*id);
  changed.tests = std::move(tests);
  Member& leader = draft.EditMember(changed.leader);
  leader.condemned = leader.launch;
  changed.tested = leader.cluster;
  return {};
}

Status SwitchOver(Draft& draft, const Settings& settings, const Switchover& request) {
  Result<GroupId> id = FindExistingGroup(draft, request.id);
  if (!id.ok()) return id.status();
  const Group& group = *draft.FindGroup(*id);
  if (!IsStuck(group)) EC_RETURN_IF_ERROR(CheckAvailable(group));
  if (request.cluster) {
    Result<const Member*> follower = FindFollower(draft, group, "CacheClusterId", *request.cluster);
    if (!follower.ok()) return follower.status();
    return BeginSwitch(draft, settings, *id, (*follower)->id);
  }
  // While the leader lives, all of them have everything in the end, because writes wait for that.
  // When it is dead, what each had at its last report tells who has the most.
  const Member* best = nullptr;
  int64_t most = 0;
  for (const Member* follower : FollowersOf(draft, group)) {
    if (!WhyNotPromotable(draft, settings, *follower).empty()) continue;
    const ReplicationReport* seen = ReplicationSeen(draft, settings, follower->id);
    const int64_t offset = seen == nullptr ? 0 : seen->offset;
    if (best != nullptr && offset <= most) continue;
    best = follower;
    most = offset;
  }
  if (best != nullptr) return BeginSwitch(draft, settings, *id, best->id);
  return BadState(fmt::format("Replication group {} has no replica that could lead.", *id));
}

void PutOffPendingPrimary(Draft& draft, const GroupId& id) {
  const Group& group = *draft.FindGroup(id);
  if (!group.pending_primary) return;
  const Cluster& leader = *draft.FindCluster(LeaderOf(draft, group));
  const auto window = *model::ParseMaintenanceWindow(leader.maintenance_window);
  draft.EditGroup(id).pending_due = model::NextOpening(window, draft.now().wall);
}

void OpenGroupWindows(Draft& draft, const Settings& settings) {
  const auto& windows = draft.state().group_windows;
  for (const auto& [due, id] : windows) {
    if (due > draft.now().wall) break;
    const Group* group = draft.FindGroup(id);
    if (group == nullptr || !group->pending_primary) continue;
    const Member* member = MemberOf(draft, *group->pending_primary);
    const std::string name = *group->pending_primary;
    const bool is_member = group->members.contains(name) && member != nullptr;
    const MemberId successor = is_member ? member->id : 0;
    const bool leads = successor == group->leader;
    const bool free = group->status == GroupStatus::kAvailable;
    const bool automatic = group->automatic_failover;
    draft.EditGroup(id).pending_primary.reset();
    if (leads) continue;
    Status begun{Fault::kInvalidReplicationGroupState, "the group is not available"};
    if (automatic) begun = BadState("automatic failover is on");
    if (is_member && free && !automatic) begun = BeginSwitch(draft, settings, id, successor);
    if (!begun.ok()) draft.AddGroupEvent(id, messages::SwitchoverGivenUp(name, begun.message()));
  }
}

}  // namespace ec::core
