#include "controlplane/core/cluster_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "controlplane/core/group_commands.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/snapshot_commands.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"

namespace ec::core {

using model::Cluster;
using model::ClusterStatus;
using model::MemberStatus;

Result<model::ClusterId> FindExisting(const Draft& draft, const std::string& text) {
  Result<std::string> id = model::ParseClusterId(text);
  if (!id.ok()) return id.status();
  if (draft.FindCluster(*id) == nullptr) {
    return Status(Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", *id));
  }
  return *id;
}

Status Delete(Draft& draft, const Settings& settings, const DeleteCluster& request) {
  Result<model::ClusterId> id = FindExisting(draft, request.id);
  if (!id.ok()) return id.status();
  const Cluster& cluster = *draft.FindCluster(*id);
  switch (cluster.status) {
    case ClusterStatus::kCreating:
    case ClusterStatus::kModifying:
    case ClusterStatus::kRebooting:
    case ClusterStatus::kSnapshotting:
    case ClusterStatus::kDeleting:
      return {Fault::kInvalidCacheClusterState,
              fmt::format("Cache cluster {} is not in a valid state to be deleted: it is {}.",
                          cluster.id, NameOf(cluster.status))};
    default:
      break;
  }
  EC_RETURN_IF_ERROR(CheckMayLeave(draft, cluster));
  if (request.final_snapshot) {
    EC_RETURN_IF_ERROR(CheckFinalSnapshot(draft, settings, cluster, *request.final_snapshot));
    model::Snapshot then;
    then.after = model::AfterSnapshot::kDelete;
    BeginFinalSnapshot(draft, *id, {}, *request.final_snapshot, then);
    draft.EditCluster(*id).status = ClusterStatus::kDeleting;
    return {};
  }
  draft.EditCluster(*id).status = ClusterStatus::kDeleting;
  RemoveMembers(draft, *id);
  if (const model::GroupId group = cluster.group; !group.empty()) {
    model::GroupStatus& status = draft.EditGroup(group).status;
    if (status == model::GroupStatus::kAvailable) status = model::GroupStatus::kModifying;
  }
  return {};
}

Status Reboot(Draft& draft, const Settings& settings, const RebootCluster& request) {
  Result<model::ClusterId> id = FindExisting(draft, request.id);
  if (!id.ok()) return id.status();
  const Cluster cluster = *draft.FindCluster(*id);
  if (request.node_ids.empty()) {
    return {Fault::kInvalidParameterValue,
            "The parameter CacheNodeIdsToReboot must name at least one cache node."};
  }
  const std::set<std::string> named(request.node_ids.begin(), request.node_ids.end());
  std::set<std::string> present;
  for (const model::Member* node : NodesOf(draft, cluster)) present.insert(node->node_id);
  for (const std::string& node : named) {
    if (!present.contains(node)) {
      return BadValue(
          "CacheNodeIdsToReboot", node,
          fmt::format("Cache cluster {} has the nodes {}.", cluster.id, fmt::join(present, ", ")));
    }
  }
  // A primary that has failed and that nobody may replace can be started again, empty.
  const bool is_stuck = cluster.status == ClusterStatus::kRecovering && !cluster.group.empty() &&
                        !draft.FindGroup(cluster.group)->trouble.empty();
  if (cluster.status != ClusterStatus::kAvailable && cluster.status != ClusterStatus::kFailed &&
      !is_stuck) {
    return {Fault::kInvalidCacheClusterState,
            fmt::format("Cache cluster {} is not in available state: it is {}.", cluster.id,
                        NameOf(cluster.status))};
  }
  draft.EditCluster(*id).status = ClusterStatus::kRebooting;
  for (const MemberId member_id : cluster.members) {
    if (!named.contains(draft.FindMember(member_id)->node_id)) continue;
    model::Member& member = draft.EditMember(member_id);
    member.status = MemberStatus::kRebooting;
    member.trouble.clear();
    member.recovery_announced = false;
    ++member.generation;
    member.pid = 0;
    member.launch = 0;
    draft.AddClusterEvent(*id, messages::NodeShutdown(member.node_id));
  }
  if (!cluster.pending.empty()) ApplyPending(draft, settings, *id);
  return {};
}

}  // namespace ec::core
