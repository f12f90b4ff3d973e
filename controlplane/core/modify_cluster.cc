#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "controlplane/core/access_control.h"
#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/parameter_groups.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/windows.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::ClusterStatus;
using model::MemberStatus;
using model::Pending;

int PresentNodes(const Draft& draft, const Cluster& cluster) {
  return static_cast<int>(std::ranges::count_if(cluster.members, [&](MemberId id) {
    return draft.FindMember(id)->status != MemberStatus::kDeleting;
  }));
}

Status CheckNodeType(const Cluster& cluster, const std::optional<std::string>& asked) {
  if (!asked || model::Lower(*asked) == cluster.node_type) return {};
  return BadValue("CacheNodeType", *asked,
                  fmt::format("The node type of a cache cluster is fixed when it is created ('{}' "
                              "is a {}). To change it, delete the cluster and create it again.",
                              cluster.id, cluster.node_type));
}

Status CheckUnsupported(const Cluster& cluster, const ModifyCluster& request) {
  if (request.engine && model::Lower(*request.engine) != NameOf(cluster.engine)) {
    return BadCombination(fmt::format("The engine of cache cluster {} is {} and cannot become {}.",
                                      cluster.id, NameOf(cluster.engine), *request.engine));
  }
  EC_RETURN_IF_ERROR(CheckIpVersion("IpDiscovery", request.ip_discovery));
  if (cluster.engine == EngineKind::kMemcached) {
    if (request.snapshot_retention.value_or(0) > 0) {
      return BadCombination(
          "SnapshotRetentionLimit is only valid for engine redis, not for memcached.");
    }
    if (request.snapshot_retention.value_or(0) < 0) {
      return BadValue("SnapshotRetentionLimit", std::to_string(*request.snapshot_retention),
                      "It must be 0 to 35 days.");
    }
    if (request.snapshot_window) {
      return BadCombination("SnapshotWindow is only valid for engine redis, not for memcached.");
    }
    return {};
  }
  if (request.nodes.value_or(1) != 1) {
    return BadValue(
        "NumCacheNodes", std::to_string(*request.nodes),
        fmt::format("A {} cluster has exactly one cache node.", NameOf(cluster.engine)));
  }
  if (request.az_mode || !request.new_zones.empty() || !request.remove.empty()) {
    return BadCombination(
        "AZMode, NewAvailabilityZones and CacheNodeIdsToRemove are only valid for engine "
        "memcached.");
  }
  return {};
}

// --- the number of nodes --------------------------------------------------------------------

Status CheckGrowth(const Draft& draft, const Settings& settings, int more,
                   const ModifyCluster& request) {
  if (*request.nodes > model::kMemcachedNodesMax) {  // [AWS]
    return {Fault::kNodeQuotaForClusterExceeded,
            fmt::format("Cluster node quota exceeded. Each cluster can have at most {} nodes in "
                        "this region.",
                        model::kMemcachedNodesMax)};
  }
  EC_RETURN_IF_ERROR(CheckRegionQuota(draft, settings, more));
  if (!request.remove.empty()) {
    return BadCombination(
        fmt::format("CacheNodeIdsToRemove is only valid when NumCacheNodes is lower than now; {} "
                    "more nodes were asked for.",
                    more));
  }
  return {};
}

// One zone for each node that a growth makes, "" where it is to be chosen. Nodes that wait already
// keep theirs; the request names those of the nodes that it adds to them, or of all of them.
Result<std::vector<std::string>> ZonesOfGrowth(int present, const ModifyCluster& request,
                                               const Pending& pending) {
  const auto more = static_cast<size_t>(*request.nodes - present);
  std::vector<std::string> zones;
  const int waiting = pending.nodes.value_or(present);
  const bool adds = waiting > present && (*request.nodes > waiting ||
                                          (*request.nodes == waiting && request.new_zones.empty()));
  if (adds) {
    zones = pending.new_zones;
    zones.resize(static_cast<size_t>(waiting - present));
  }
  const size_t added = more - zones.size();
  if (!request.new_zones.empty() && request.new_zones.size() != added) {
    return BadCombination(fmt::format(
        "NewAvailabilityZones names {} zones for {} new cache nodes: the numbers must be equal.",
        request.new_zones.size(), added));
  }
  zones.insert(zones.end(), request.new_zones.begin(), request.new_zones.end());
  zones.resize(more);
  return zones;
}

// Looks for room now, so that its want is told to whoever asks; when the growth is made it is
// looked for again. Where a zone was named, those that were chosen beside it are kept as well.
Status PlanGrowth(const Draft& draft, const Settings& settings, const Cluster& cluster, int present,
                  const ModifyCluster& request, Pending* pending) {
  const int more = *request.nodes - present;
  EC_RETURN_IF_ERROR(CheckGrowth(draft, settings, more, request));
  Result<std::vector<std::string>> zones = ZonesOfGrowth(present, request, *pending);
  if (!zones.ok()) return zones.status();
  Result<std::vector<Seat>> seats =
      FindSeats(draft, settings, cluster, more, {*zones, cluster.cross_zone});
  if (!seats.ok()) return seats.status();
  pending->nodes = *request.nodes;
  pending->remove.clear();
  pending->new_zones.clear();
  const bool named = std::ranges::any_of(*zones, [](const auto& zone) { return !zone.empty(); });
  for (const Seat& seat : *seats) {
    if (named) pending->new_zones.push_back(seat.zone);
  }
  return {};
}

Status CheckShrinkage(const Draft& draft, const Cluster& cluster, int fewer,
                      const ModifyCluster& request) {
  if (*request.nodes < 1) {
    return BadValue("NumCacheNodes", std::to_string(*request.nodes), "It must be at least 1.");
  }
  if (!request.new_zones.empty()) {
    return BadCombination(
        "NewAvailabilityZones is only valid when NumCacheNodes is higher than now.");
  }
  if (static_cast<int>(request.remove.size()) != fewer) {
    return BadCombination(
        fmt::format("CacheNodeIdsToRemove must name exactly the {} cache nodes that NumCacheNodes "
                    "{} is fewer; it names {}.",
                    fewer, *request.nodes, request.remove.size()));
  }
  std::set<std::string> present;
  for (const model::Member* node : NodesOf(draft, cluster)) {
    if (node->status != MemberStatus::kDeleting) present.insert(node->node_id);
  }
  std::set<std::string> named;
  for (const std::string& id : request.remove) {
    if (!present.contains(id)) {
      return BadValue(
          "CacheNodeIdsToRemove", id,
          fmt::format("Cache cluster {} has the nodes {}.", cluster.id, fmt::join(present, ", ")));
    }
    if (!named.insert(id).second) {
      return BadValue("CacheNodeIdsToRemove", id, "It is named twice.");
    }
  }
  return {};
}

// What the request makes of the changes that wait: AWS's table of pending and new requests.
// A growth adds to a pending growth; anything else replaces what is pending; the present number
// cancels it.
Status PlanNodes(const Draft& draft, const Settings& settings, const Cluster& cluster,
                 const ModifyCluster& request, Pending* pending) {
  if (!request.nodes) {
    if (request.remove.empty() && request.new_zones.empty()) return {};
    return BadCombination(
        "CacheNodeIdsToRemove and NewAvailabilityZones need NumCacheNodes beside them.");
  }
  const int present = PresentNodes(draft, cluster);
  const int asked = *request.nodes;
  if (asked > present) return PlanGrowth(draft, settings, cluster, present, request, pending);
  if (asked < present) {
    EC_RETURN_IF_ERROR(CheckShrinkage(draft, cluster, present - asked, request));
    pending->nodes = asked;
    pending->remove = request.remove;
    pending->new_zones.clear();
    return {};
  }
  if (!request.remove.empty() || !request.new_zones.empty()) {
    return BadCombination(
        fmt::format("CacheNodeIdsToRemove and NewAvailabilityZones need another NumCacheNodes than "
                    "the present {}.",
                    present));
  }
  pending->nodes.reset();
  pending->remove.clear();
  pending->new_zones.clear();
  return {};
}

// --- the engine version ---------------------------------------------------------------------

Status PlanVersion(const Draft& draft, const Settings& settings, const Cluster& cluster,
                   const ModifyCluster& request, Pending* pending) {
  if (!request.engine_version) return {};
  const auto version = model::ResolveVersion(cluster.engine, *request.engine_version);
  const std::vector<std::string> installed = InstalledVersions(draft, cluster.engine);
  const bool is_offered =
      version &&
      (!settings.strict_versions || std::ranges::any_of(installed, [&](const std::string& program) {
        return model::SameMinor(version->reported, program);
      }));
  if (!is_offered) {
    std::vector<std::string_view> names;
    for (const auto& v : model::VersionsOf(cluster.engine)) names.push_back(v.offered);
    return BadCombination(fmt::format("Cannot find version {} for {}. Versions on offer: {}.",
                                      *request.engine_version, NameOf(cluster.engine),
                                      fmt::join(names, ", ")));
  }
  const int order = model::CompareVersions(version->reported, cluster.engine_version);
  if (order < 0) {
    return BadCombination(fmt::format("The engine version cannot be lowered from {} to {}.",
                                      cluster.engine_version, version->reported));
  }
  if (order == 0) {
    pending->version.reset();
    return {};
  }
  if (version->family != cluster.family && !request.parameter_group) {
    return BadCombination(
        fmt::format("Version {} needs a parameter group of family {}: give CacheParameterGroupName "
                    "default.{}.",
                    version->reported, version->family, version->family));
  }
  if (cluster.transit_encryption) {
    EC_RETURN_IF_ERROR(CheckEncryptionSupported(cluster.engine, std::string(version->reported)));
  }
  pending->version = std::string(version->reported);
  return {};
}

// The family of the version that the cluster is to have.
std::string_view NextFamily(const Cluster& cluster, const Pending& pending) {
  if (!pending.version) return cluster.family;
  return model::ResolveVersion(cluster.engine, *pending.version)->family;
}

Status CheckParameterGroup(const Draft& draft, const Cluster& cluster, const ModifyCluster& request,
                           const Pending& pending) {
  if (!request.parameter_group) return {};
  const std::string_view family = NextFamily(cluster, pending);
  EC_RETURN_IF_ERROR(ChooseParameterGroup(draft, family, request.parameter_group).status());
  const bool is_default = model::Lower(*request.parameter_group).starts_with("default.");
  if (family == cluster.family || is_default || request.apply_immediately) return {};
  return BadCombination(
      "A version of another family and a parameter group of your own need ApplyImmediately.");
}

// --- what needs no engine -------------------------------------------------------------------

Status ChangeWindows(const ModifyCluster& request, Cluster* cluster) {
  if (request.maintenance_window) {
    Result<model::WeeklyWindow> window = model::ParseMaintenanceWindow(*request.maintenance_window);
    if (!window.ok()) return window.status();
    cluster->maintenance_window = ToString(*window);
  }
  if (request.snapshot_window) {
    Result<model::DailyWindow> window = model::ParseSnapshotWindow(*request.snapshot_window);
    if (!window.ok()) return window.status();
    cluster->snapshot_window = ToString(*window);
  }
  if (cluster->snapshot_window.empty()) return {};
  const model::WeeklyWindow weekly = *model::ParseMaintenanceWindow(cluster->maintenance_window);
  const model::DailyWindow daily = *model::ParseSnapshotWindow(cluster->snapshot_window);
  if (!Overlap(weekly, daily)) return {};
  return BadCombination(fmt::format("SnapshotWindow {} overlaps PreferredMaintenanceWindow {}.",
                                    cluster->snapshot_window, cluster->maintenance_window));
}

Status ChangeNotification(const ModifyCluster& request, Cluster* cluster) {
  if (request.notification_topic) {
    EC_RETURN_IF_ERROR(CheckTopic(*request.notification_topic));
    cluster->notification = model::Notification{*request.notification_topic, true};
  }
  if (!request.notification_status) return {};
  const std::string& status = *request.notification_status;
  if (status != "active" && status != "inactive") {
    return BadValue("NotificationTopicStatus", status, "It must be active or inactive.");
  }
  if (!cluster->notification) {
    return BadCombination("NotificationTopicStatus needs a notification topic.");
  }
  cluster->notification->active = status == "active";
  return {};
}

// Changes of the record alone: they take effect at once, whatever ApplyImmediately says.
Status ChangeRecord(const Draft& draft, const ModifyCluster& request, Cluster* cluster) {
  EC_RETURN_IF_ERROR(ChangeWindows(request, cluster));
  EC_RETURN_IF_ERROR(ChangeNotification(request, cluster));
  EC_RETURN_IF_ERROR(CheckCacheSecurityGroups(request.cache_security_groups));
  if (!request.security_groups.empty()) {
    Result<std::vector<model::SecurityGroupId>> groups =
        ChooseSecurityGroups(draft, cluster->vpc, request.security_groups);
    if (!groups.ok()) return groups.status();
    cluster->security_groups = *groups;
  }
  if (request.auto_minor_version_upgrade) {
    cluster->auto_minor_version_upgrade = *request.auto_minor_version_upgrade;
  }
  if (request.snapshot_retention && SpeaksRedis(cluster->engine)) {
    const model::NodeType& type = draft.state().records.node_types.at(cluster->node_type);
    EC_RETURN_IF_ERROR(CheckSnapshotRetention(*request.snapshot_retention, type));
    cluster->snapshot_retention = *request.snapshot_retention;
  }
  if (request.az_mode) {
    const Result<bool> cross = ParseAzMode(*request.az_mode);
    if (!cross.ok()) return cross.status();
    std::set<std::string> zones;
    for (const MemberId id : cluster->members) zones.insert(draft.FindMember(id)->zone);
    if (!*cross && zones.size() > 1) {
      return BadCombination(fmt::format(
          "AZMode single-az is not possible: the nodes of {} are in several zones.", cluster->id));
    }
    cluster->cross_zone = *cross;
  }
  return {};
}

bool AsksForSomething(const ModifyCluster& r) {
  return r.nodes || !r.remove.empty() || r.az_mode || !r.new_zones.empty() ||
         !r.cache_security_groups.empty() || !r.security_groups.empty() || r.maintenance_window ||
         r.notification_topic || r.notification_status || r.parameter_group || r.engine ||
         r.engine_version || r.auto_minor_version_upgrade || r.snapshot_retention ||
         r.snapshot_window || r.node_type || r.auth_token || r.auth_token_strategy ||
         r.ip_discovery;
}

// --- making the changes ---------------------------------------------------------------------

// Whom its endpoints admit is part of their hosts' plans.
void TouchEndpoints(Draft& draft, const model::ClusterId& id) {
  const Cluster cluster = *draft.FindCluster(id);
  for (const MemberId member : cluster.members) draft.TouchMember(member);
  if (!cluster.group.empty()) draft.TouchGroupEndpoints(cluster.group);
}

void Grow(Draft& draft, const Settings& settings, const model::ClusterId& id, int more,
          const std::vector<std::string>& zones) {
  const Cluster& cluster = *draft.FindCluster(id);
  const int present = PresentNodes(draft, cluster);
  Result<std::vector<Seat>> seats =
      FindSeats(draft, settings, cluster, more, {zones, cluster.cross_zone});
  if (!seats.ok()) {
    draft.AddClusterEvent(
        id, messages::ModifyFailed(present, present + more, seats.status().message()));
    return;
  }
  Cluster& growing = draft.EditCluster(id);
  growing.resized_from = present;
  growing.node_count = present + more;
  growing.status = ClusterStatus::kModifying;
  draft.AddClusterEvent(id, messages::NodesIncreasing());
  TakeSeats(draft, id, *seats);
}

void Shrink(Draft& draft, const model::ClusterId& id, const std::vector<std::string>& remove) {
  const std::set<std::string> leaving(remove.begin(), remove.end());
  const Cluster cluster = *draft.FindCluster(id);
  const int present = PresentNodes(draft, cluster);
  int removed = 0;
  for (const MemberId member_id : cluster.members) {
    const model::Member& member = *draft.FindMember(member_id);
    if (!leaving.contains(member.node_id) || member.status == MemberStatus::kDeleting) continue;
    draft.EditMember(member_id).status = MemberStatus::kDeleting;
    ++removed;
  }
  if (removed == 0) return;
  Cluster& shrinking = draft.EditCluster(id);
  shrinking.resized_from = present;
  shrinking.node_count = present - removed;
  shrinking.status = ClusterStatus::kModifying;
  draft.AddClusterEvent(id, messages::NodesRemoved(fmt::format("{}", fmt::join(leaving, ", "))));
  RefreshDiscovery(draft, id);
}

// All versions run on the one installed program. A Redis goes on with its data; Memcached starts
// again empty, because that is what its users have to live with on AWS.
void ChangeVersion(Draft& draft, const model::ClusterId& id, const std::string& version) {
  Cluster& cluster = draft.EditCluster(id);
  draft.AddClusterEvent(id, messages::VersionModified(cluster.engine_version, version));
  cluster.engine_version = version;
  cluster.family = model::ResolveVersion(cluster.engine, version)->family;
  cluster.parameter_group = fmt::format("default.{}", cluster.family);
  const auto members = cluster.members;
  // The family's parameters are part of every member's plan: they count from its next start.
  for (const MemberId member_id : members) draft.TouchMember(member_id);
  if (cluster.engine != EngineKind::kMemcached) return;
  cluster.status = ClusterStatus::kModifying;
  for (const MemberId member_id : members) {
    model::Member& member = draft.EditMember(member_id);
    if (member.status == MemberStatus::kDeleting || member.status == MemberStatus::kCreating) {
      continue;
    }
    member.status = MemberStatus::kRebooting;
    ++member.generation;
  }
}

}  // namespace

void ApplyPending(Draft& draft, const Settings& settings, const model::ClusterId& id) {
  const Pending pending = draft.FindCluster(id)->pending;
  draft.EditCluster(id).pending = {};
  if (pending.version) ChangeVersion(draft, id, *pending.version);
  if (!pending.nodes) return;
  const int present = PresentNodes(draft, *draft.FindCluster(id));
  if (*pending.nodes > present) {
    Grow(draft, settings, id, *pending.nodes - present, pending.new_zones);
  } else if (*pending.nodes < present) {
    Shrink(draft, id, pending.remove);
  }
}

Status Modify(Draft& draft, const Settings& settings, const ModifyCluster& request) {
  Result<model::ClusterId> id = FindExisting(draft, request.id);
  if (!id.ok()) return id.status();
  Cluster cluster = *draft.FindCluster(*id);
  EC_RETURN_IF_ERROR(CheckNodeType(cluster, request.node_type));
  if (!AsksForSomething(request)) {  // [AWS]; Terraform takes this one for success
    return BadCombination("No modifications were requested");
  }
  if (cluster.status != ClusterStatus::kAvailable) {
    return {Fault::kInvalidCacheClusterState,
            fmt::format("Cache cluster {} is not in available state: it is {}.", cluster.id,
                        NameOf(cluster.status))};
  }
  EC_RETURN_IF_ERROR(CheckUnsupported(cluster, request));
  EC_RETURN_IF_ERROR(ChangeRecord(draft, request, &cluster));
  EC_RETURN_IF_ERROR(ChangeToken(draft, request, &cluster));
  Pending pending = cluster.pending;
  EC_RETURN_IF_ERROR(PlanVersion(draft, settings, cluster, request, &pending));
  EC_RETURN_IF_ERROR(CheckParameterGroup(draft, cluster, request, pending));
  EC_RETURN_IF_ERROR(PlanNodes(draft, settings, cluster, request, &pending));

  const bool new_groups = cluster.security_groups != draft.FindCluster(*id)->security_groups;
  const bool new_token = cluster.access != draft.FindCluster(*id)->access;
  const bool waits_anew = !pending.empty() && pending != cluster.pending;
  pending.due = model::NextOpening(*model::ParseMaintenanceWindow(cluster.maintenance_window),
                                   draft.now().wall);
  cluster.pending = pending.empty() ? Pending{} : pending;
  draft.PutCluster(cluster);
  const bool new_family = NextFamily(cluster, pending) != cluster.family;
  if (request.parameter_group && !new_family) {
    UseParameterGroup(draft, *id, model::Lower(*request.parameter_group));
  }
  if (new_token) TellMembers(draft, cluster);
  if (request.maintenance_window && !cluster.group.empty()) {
    PutOffPendingPrimary(draft, cluster.group);
  }
  if (new_groups) {
    draft.AddClusterEvent(*id, messages::SecurityGroupsChanged());
    TouchEndpoints(draft, *id);
  }
  if (pending.empty()) return {};
  if (request.apply_immediately) {
    ApplyPending(draft, settings, *id);
    if (request.parameter_group && new_family) {
      UseParameterGroup(draft, *id, model::Lower(*request.parameter_group));
    }
  } else if (waits_anew) {
    draft.AddClusterEvent(*id, messages::ModificationPending(ToString(pending.due)));
  }
  return {};
}

}  // namespace ec::core
