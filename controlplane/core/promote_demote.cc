#include "controlplane/core/promote_demote.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/core/access_control.h"
#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/failover.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/snapshot_commands.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/limits.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::ClusterId;
using model::ClusterStatus;
using model::Group;
using model::GroupId;
using model::GroupStatus;
using model::Member;

Status BadState(std::string message) {
  return {Fault::kInvalidCacheClusterState, std::move(message)};
}

// A standalone Redis cluster that is available.
Status CheckIsMaster(const Cluster& cluster) {
  if (cluster.engine == EngineKind::kMemcached) {
    return BadCombination(
        fmt::format("Cache cluster {} runs memcached, which has no replicas.", cluster.id));
  }
  if (cluster.status != ClusterStatus::kAvailable) {
    return BadState(fmt::format("Cache cluster {} is not in available state: it is {}.", cluster.id,
                                NameOf(cluster.status)));
  }
  return {};
}

// The primary of the group that is asked for, or the master around which one is to be formed.
Result<Cluster> FindTarget(const Draft& draft, const Demote& request) {
  if (request.group.has_value() == request.master.has_value()) {
    return BadCombination(
        "Exactly one of ReplicationGroupId and PrimaryClusterId names the master to follow.");
  }
  if (request.group) {
    Result<GroupId> id = FindExistingGroup(draft, *request.group);
    if (!id.ok()) return id.status();
    const Group& group = *draft.FindGroup(*id);
    if (group.status != GroupStatus::kAvailable) {
      return Status(Fault::kInvalidReplicationGroupState,
                    fmt::format("Replication group {} is not in available state: it is {}.", *id,
                                NameOf(group.status)));
    }
    if (static_cast<int>(FollowersOf(draft, group).size()) + 2 > model::kGroupMembersMax) {
      return Status(Fault::kNodeQuotaForClusterExceeded,
                    fmt::format("Replication group {} has 5 read replicas already, which is the "
                                "most.",
                                *id));
    }
    const Cluster& primary = *draft.FindCluster(LeaderOf(draft, group));
    EC_RETURN_IF_ERROR(CheckIsMaster(primary));
    return primary;
  }
  Result<ClusterId> id = FindExisting(draft, *request.master);
  if (!id.ok()) return id.status();
  const Cluster& master = *draft.FindCluster(*id);
  EC_RETURN_IF_ERROR(CheckIsMaster(master));
  if (!master.group.empty()) {
    return BadCombination(
        fmt::format("Cache cluster {} belongs to replication group {}: name the group instead.",
                    *id, master.group));
  }
  if (!request.new_group) {
    return BadCombination(
        "NewReplicationGroupId must name the replication group that is formed around the master.");
  }
  return master;
}

Status CheckAlike(const Cluster& cluster, const Cluster& target) {
  if (cluster.engine != target.engine || cluster.engine_version != target.engine_version) {
    return BadCombination(
        fmt::format("Cache cluster {} runs {} {}, and {} runs {} {}: they must be "
                    "the same.",
                    cluster.id, NameOf(cluster.engine), cluster.engine_version, target.id,
                    NameOf(target.engine), target.engine_version));
  }
  if (cluster.node_type != target.node_type) {
    return BadCombination(
        fmt::format("Cache cluster {} is a {}, and {} is a {}: the node types must be the same.",
                    cluster.id, cluster.node_type, target.id, target.node_type));
  }
  if (cluster.transit_encryption != target.transit_encryption) {
    const bool first = cluster.transit_encryption;
    return BadCombination(
        fmt::format("Cache cluster {} has encryption in transit, and {} has not: either both must "
                    "have it or neither.",
                    first ? cluster.id : target.id, first ? target.id : cluster.id));
  }
  if (cluster.vpc != target.vpc) {
    return BadCombination(
        fmt::format("Cache clusters {} and {} are in different VPCs.", cluster.id, target.id));
  }
  return {};
}

// Makes a replica a master of its own.
void Detach(Draft& draft, const ClusterId& cluster) {
  const GroupId group = draft.FindCluster(cluster)->group;
  draft.EditGroup(group).promoting.reset();
  KeepAccess(draft, cluster);
  draft.LeaveGroup(cluster);
  draft.EditMember(MemberOf(draft, cluster)->id).in_sync = false;
  draft.AddClusterEvent(cluster, messages::ReplicaPromoted(cluster, group));
  draft.AddGroupEvent(group, messages::ReplicaPromoted(cluster, group));
}

// A cluster that has become a follower keeps its name, its endpoint and what was said about it
// alone; the rest is the group's. Before that all is its own, so that it can be a master again.
void TakeSettingsOver(Draft& draft, const ClusterId& id, const Cluster& leader) {
  Cluster& follower = draft.EditCluster(id);
  follower.engine_version = leader.engine_version;
  follower.family = leader.family;
  follower.parameter_group = leader.parameter_group;
  follower.security_groups = leader.security_groups;
  follower.maintenance_window = leader.maintenance_window;
  follower.snapshot_window = leader.snapshot_window;
  follower.snapshot_retention = leader.snapshot_retention;
  follower.auto_minor_version_upgrade = leader.auto_minor_version_upgrade;
  follower.notification = leader.notification;
  follower.pending = leader.pending;
  follower.access = {};  // the group's
  draft.TouchMember(MemberOf(draft, id)->id);
}

// The demotion itself is begun when the snapshot is there.
Status BeginWithSnapshot(Draft& draft, const Settings& settings, const Demote& request,
                         const Cluster& cluster) {
  EC_RETURN_IF_ERROR(CheckFinalSnapshot(draft, settings, cluster, *request.final_snapshot));
  if (request.master) {
    EC_RETURN_IF_ERROR(NewGroup(draft, *request.new_group, "formed by a demotion").status());
  }
  model::Snapshot then;
  then.after = model::AfterSnapshot::kDemote;
  then.demote_group = request.group.value_or("");
  then.demote_master = request.master.value_or("");
  then.demote_new_group = request.new_group.value_or("");
  BeginFinalSnapshot(draft, cluster.id, {}, *request.final_snapshot, then);
  return {};
}

}  // namespace

Status PromoteReplica(Draft& draft, const Settings&, const Promote& request) {
  Result<ClusterId> id = FindExisting(draft, request.cluster);
  if (!id.ok()) return id.status();
  const Cluster& cluster = *draft.FindCluster(*id);
  if (cluster.group.empty()) {
    return {Fault::kInvalidCacheClusterState,
            fmt::format("Cache cluster {} is no replica: it is a master of its own already.", *id)};
  }
  const GroupId group_id = cluster.group;
  const Group& group = *draft.FindGroup(group_id);
  if (LeaderOf(draft, group) == *id) {
    return {Fault::kInvalidCacheClusterState,
            fmt::format("Cache cluster {} is the primary of replication group {}; only a replica "
                        "can be promoted.",
                        *id, group_id)};
  }
  EC_RETURN_IF_ERROR(CheckMayLeave(draft, cluster));
  if (cluster.status != ClusterStatus::kAvailable) {
    return {Fault::kInvalidCacheClusterState,
            fmt::format("Cache cluster {} is not in available state: it is {}.", *id,
                        NameOf(cluster.status))};
  }
  if (request.force) {
    Detach(draft, *id);
    return {};
  }
  EC_RETURN_IF_ERROR(CheckAvailable(group));
  Group& changed = draft.EditGroup(group_id);
  changed.status = GroupStatus::kModifying;
  changed.promoting = *id;
  ++changed.proof;
  draft.TouchGroup(group_id);
  return {};
}

Status DemoteMaster(Draft& draft, const Settings& settings, const Demote& request) {
  Result<ClusterId> id = FindExisting(draft, request.cluster);
  if (!id.ok()) return id.status();
  const Cluster cluster = *draft.FindCluster(*id);
  if (!cluster.group.empty()) {
    const Group& group = *draft.FindGroup(cluster.group);
    const bool leads = LeaderOf(draft, group) == *id;
    return BadState(fmt::format("Cache cluster {} is {} of replication group {} already.", *id,
                                leads ? "the primary, with replicas of its own," : "a replica",
                                cluster.group));
  }
  EC_RETURN_IF_ERROR(CheckIsMaster(cluster));
  Result<Cluster> target = FindTarget(draft, request);
  if (!target.ok()) return target.status();
  if (target->id == *id) return BadCombination("A cache cluster cannot follow itself.");
  EC_RETURN_IF_ERROR(CheckAlike(cluster, *target));
  if (!request.accept_data_loss) {
    return BadCombination(fmt::format(
        "The data of cache cluster {} is replaced by that of {}: AcceptDataLoss must be "
        "true.",
        *id, target->id));
  }
  if (request.final_snapshot) return BeginWithSnapshot(draft, settings, request, cluster);
  GroupId group_id = target->group;
  if (request.master) {
    Result<Group> group = NewGroup(draft, *request.new_group,
                                   fmt::format("Formed around {} by a demotion", target->id));
    if (!group.ok()) return group.status();
    group->status = GroupStatus::kModifying;
    group->access = target->access;
    group_id = group->id;
    EC_RETURN_IF_ERROR(FormGroupAround(draft, *target, std::move(*group)));
  }
  draft.EditCluster(*id).status = ClusterStatus::kModifying;
  draft.EnterGroup(*id, group_id);
  draft.RaiseEpoch(group_id);
  Group& group = draft.EditGroup(group_id);
  group.status = GroupStatus::kModifying;
  group.demoting = *id;
  return {};
}

void AdvancePromotion(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  if (!group.promoting) return;
  const ClusterId cluster = *group.promoting;
  if (!group.members.contains(cluster) || MemberOf(draft, cluster) == nullptr) {
    draft.EditGroup(id).promoting.reset();
    return;
  }
  const Member& member = *MemberOf(draft, cluster);
  if (member.id == group.leader) {
    draft.EditGroup(id).promoting.reset();
    draft.AddClusterEvent(
        cluster, messages::PromotionGivenUp(cluster, "a failover has made it the group's primary"));
    return;
  }
  const ReplicationReport* seen = ReplicationSeen(draft, settings, group.leader);
  const bool proved = seen != nullptr && seen->leads && seen->epoch == group.epoch &&
                      seen->proof >= group.proof &&
                      std::ranges::find(seen->in_sync, member.address) != seen->in_sync.end();
  if (proved) {
    Detach(draft, cluster);
  } else if (IsGroupOverdue(draft, settings, id)) {
    const std::string why = "it has not caught up with its primary in time";
    draft.EditGroup(id).promoting.reset();
    draft.AddClusterEvent(cluster, messages::PromotionGivenUp(cluster, why));
  }
}

void AdvanceDemotion(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  if (!group.demoting) return;
  const ClusterId cluster = *group.demoting;
  if (!group.members.contains(cluster) || MemberOf(draft, cluster) == nullptr) {
    draft.EditGroup(id).demoting.reset();
    return;
  }
  if (MemberOf(draft, cluster)->in_sync) {
    draft.EditGroup(id).demoting.reset();
    TakeSettingsOver(draft, cluster, *draft.FindCluster(LeaderOf(draft, group)));
    draft.AddClusterEvent(cluster, messages::MasterDemoted(cluster, id));
    draft.AddGroupEvent(id, messages::MasterDemoted(cluster, id));
    AdvanceCluster(draft, settings, cluster);
  } else if (IsGroupOverdue(draft, settings, id)) {
    const std::string why = "it has not caught up with the primary in time; it is a master again";
    draft.EditGroup(id).demoting.reset();
    draft.LeaveGroup(cluster);
    draft.AddClusterEvent(cluster, messages::DemotionGivenUp(cluster, why));
    AdvanceCluster(draft, settings, cluster);
  }
}

}  // namespace ec::core
