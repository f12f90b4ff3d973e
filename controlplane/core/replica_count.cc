// The commands by which replicas come and go.
#include <fmt/format.h>

#include <algorithm>

#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/failover.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"

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

Status CheckApplyImmediately(bool apply_immediately) {
  if (apply_immediately) return {};
  return BadCombination("ApplyImmediately must be true: only that is supported here.");  // [AWS]
}

Status NothingToDo() {
  return {Fault::kNoOperation, "The operation was not performed because no changes were required."};
}

int ReplicasOf(const Draft& draft, const Group& group) {
  return static_cast<int>(FollowersOf(draft, group).size());
}

void DeleteReplica(Draft& draft, const ClusterId& id) {
  draft.EditCluster(id).status = ClusterStatus::kDeleting;
  RemoveMembers(draft, id);
}

}  // namespace

Status CheckMayLeave(const Draft& draft, const Cluster& cluster) {
  if (cluster.group.empty()) return {};
  const Group& group = *draft.FindGroup(cluster.group);
  const auto refuse = [](std::string why) {
    return Status(Fault::kInvalidCacheClusterState, std::move(why));
  };
  if (group.members.size() == 1) {  // [AWS]
    return refuse(
        "Cannot delete the cache cluster since it is the only member of a replication group. "
        "Delete the replication group instead.");
  }
  if (LeaderOf(draft, group) == cluster.id) {  // [AWS]: "...serving as primary..."
    return refuse(fmt::format(
        "Cache cluster {} is serving as primary for replication group {} and cannot be removed: "
        "promote another one first, or delete the replication group.",
        cluster.id, group.id));
  }
  if (group.step != SwitchStep::kNone || group.promoting || group.demoting) {
    return refuse(fmt::format("Replication group {} is being modified.", group.id));
  }
  if (ReplicasOf(draft, group) == 1 && group.automatic_failover) {  // [AWS]
    return refuse(fmt::format(
        "Cannot delete the cache cluster because it is the only read replica for replication "
        "group {} which has autofailover enabled or pending. You can disable autofailover and "
        "then delete this cache cluster. Alternatively, to delete the entire replication group, "
        "use DeleteReplicationGroup.",
        group.id));
  }
  return {};
}

Status AddReadReplica(Draft& draft, const Settings& settings, const CreateCluster& request) {
  Result<ClusterId> name = model::ParseClusterId(request.id);
  if (!name.ok()) return name.status();
  Result<GroupId> id = FindExistingGroup(draft, *request.replication_group_id);
  if (!id.ok()) return id.status();
  const Group& group = *draft.FindGroup(*id);
  if (draft.FindCluster(*name) != nullptr) return AlreadyExists(*name);
  EC_RETURN_IF_ERROR(CheckAvailable(group));
  const bool repeats =
      request.engine || request.engine_version || request.node_type || request.parameter_group ||
      request.subnet_group || request.port || request.snapshot_retention ||
      request.snapshot_window || request.snapshot_name || request.maintenance_window ||
      !request.security_groups.empty() || !request.zones.empty() || request.az_mode ||
      request.nodes.value_or(1) != 1 || !request.cache_security_groups.empty() ||
      !request.snapshot_arns.empty() || request.notification_topic;
  if (repeats) {
    return BadCombination(
        "With ReplicationGroupId, a read replica takes every setting over from the group but "
        "PreferredAvailabilityZone and Tags.");
  }
  if (request.transit_encryption.value_or(group.transit_encryption) != group.transit_encryption) {
    return BadCombination(
        fmt::format("TransitEncryptionEnabled of replication group {} is {}, and that of its read "
                    "replicas is the same.",
                    *id, group.transit_encryption));
  }
  if (ReplicasOf(draft, group) + 2 > model::kGroupMembersMax) {
    return {
        Fault::kNodeQuotaForClusterExceeded,
        fmt::format("Replication group {} has 5 read replicas already, which is the most.", *id)};
  }
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  EC_RETURN_IF_ERROR(
      AddFollowers(draft, settings, *id, {*name}, {request.zone.value_or("")}, request.tags));
  draft.EditGroup(*id).status = GroupStatus::kModifying;
  return {};
}

Status Increase(Draft& draft, const Settings& settings, const IncreaseReplicas& request) {
  Result<GroupId> id = FindExistingGroup(draft, request.id);
  if (!id.ok()) return id.status();
  const Group& group = *draft.FindGroup(*id);
  EC_RETURN_IF_ERROR(CheckApplyImmediately(request.apply_immediately));
  EC_RETURN_IF_ERROR(CheckAvailable(group));
  if (!request.count) {
    return {Fault::kInvalidParameterValue, "The parameter NewReplicaCount must be provided."};
  }
  const int present = ReplicasOf(draft, group);
  if (*request.count == present) return NothingToDo();
  if (*request.count <= present || *request.count > model::kGroupMembersMax - 1) {
    return BadValue("NewReplicaCount", std::to_string(*request.count),
                    fmt::format("It must be more than the present {} and at most {}.", present,
                                model::kGroupMembersMax - 1));
  }
  std::vector<std::string> zones(static_cast<size_t>(*request.count - present));
  if (!request.zones.empty()) {
    if (request.zones.size() != zones.size()) {
      return BadCombination(
          fmt::format("{} zones are named for {} new replicas: the numbers must "
                      "be equal.",
                      request.zones.size(), zones.size()));
    }
    zones = request.zones;
  }
  EC_RETURN_IF_ERROR(AddFollowers(draft, settings, *id, {}, zones, {}));
  draft.EditGroup(*id).status = GroupStatus::kModifying;
  return {};
}

Status Decrease(Draft& draft, const Settings&, const DecreaseReplicas& request) {
  Result<GroupId> id = FindExistingGroup(draft, request.id);
  if (!id.ok()) return id.status();
  const Group group = *draft.FindGroup(*id);
  EC_RETURN_IF_ERROR(CheckApplyImmediately(request.apply_immediately));
  EC_RETURN_IF_ERROR(CheckAvailable(group));
  const int present = ReplicasOf(draft, group);
  if (!request.count && request.remove.empty()) {
    return {Fault::kInvalidParameterValue,
            "The parameter NewReplicaCount or ReplicasToRemove must be provided."};
  }
  std::vector<ClusterId> leaving;
  for (const std::string& name : request.remove) {
    Result<const Member*> follower = FindFollower(draft, group, "ReplicasToRemove", name);
    if (!follower.ok()) return follower.status();
    if (std::ranges::find(leaving, (*follower)->cluster) != leaving.end()) {
      return BadValue("ReplicasToRemove", name, "It is named twice.");
    }
    leaving.push_back((*follower)->cluster);
  }
  const int count = request.count.value_or(present - static_cast<int>(leaving.size()));
  if (count == 0 && group.automatic_failover) {  // [AWS]
    return {Fault::kInvalidParameterValue,
            "Must have at least 1 replica when cluster mode is disabled with auto failover "
            "enabled."};
  }
  if (count == present && leaving.empty()) return NothingToDo();
  if (count < 0 || count >= present) {
    return BadValue("NewReplicaCount", std::to_string(count),
                    fmt::format("It must be less than the present {} and at least 0.", present));
  }
  if (!leaving.empty() && static_cast<int>(leaving.size()) != present - count) {
    return BadCombination(fmt::format("ReplicasToRemove names {} clusters, but {} are to go.",
                                      leaving.size(), present - count));
  }
  if (leaving.empty()) {  // the youngest ones
    std::vector<const Member*> followers = FollowersOf(draft, group);
    std::ranges::sort(followers, std::greater(), &Member::id);
    followers.resize(static_cast<size_t>(present - count));
    for (const Member* follower : followers) leaving.push_back(follower->cluster);
  }
  for (const ClusterId& cluster : leaving) DeleteReplica(draft, cluster);
  draft.EditGroup(*id).status = GroupStatus::kModifying;
  draft.TouchGroup(*id);
  return {};
}

}  // namespace ec::core
