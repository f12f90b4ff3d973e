#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "controlplane/core/access_control.h"
#include "controlplane/core/addresses.h"
#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/failover.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/placement.h"
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
using model::Member;

Status CheckDescription(const std::string& description) {
  if (description.empty()) {
    return {Fault::kInvalidParameterValue,
            "The parameter ReplicationGroupDescription must be provided."};
  }
  if (description.size() <= model::kDescriptionLengthMax) return {};
  return BadValue("ReplicationGroupDescription", description,
                  fmt::format("It has at most {} characters.", model::kDescriptionLengthMax));
}

// What would make it a group of several node groups, or encrypted at rest.
Status CheckNotEmulated(const CreateGroup& request) {
  if (request.node_groups.value_or(1) != 1) {
    return BadValue("NumNodeGroups", std::to_string(*request.node_groups),
                    "Only cluster mode disabled is emulated: one node group.");
  }
  if (request.cluster_mode && *request.cluster_mode != "disabled") {
    return BadValue("ClusterMode", *request.cluster_mode, "Only disabled is emulated.");
  }
  if (request.at_rest_encryption.value_or(false)) {
    return BadCombination("AtRestEncryptionEnabled is not emulated: nothing is kept at rest.");
  }
  return {};
}

// How many clusters the group is to have: by either of AWS's two ways to say it.
Result<int> CountOf(const CreateGroup& request) {
  if (request.clusters && request.replicas_per_node_group) {
    return BadCombination("NumCacheClusters and ReplicasPerNodeGroup exclude each other.");
  }
  int count = request.zones.empty() ? 1 : static_cast<int>(request.zones.size());
  if (request.clusters) count = *request.clusters;
  if (request.replicas_per_node_group) count = *request.replicas_per_node_group + 1;
  if (count < 1 || count > model::kGroupMembersMax) {
    const auto parameter =
        request.replicas_per_node_group ? "ReplicasPerNodeGroup" : "NumCacheClusters";
    const int value = request.replicas_per_node_group ? count - 1 : count;
    return BadValue(parameter, std::to_string(value),
                    "A replication group has a primary and at most 5 replicas.");
  }
  if (!request.zones.empty() && static_cast<int>(request.zones.size()) != count) {
    return BadCombination(
        fmt::format("PreferredCacheClusterAZs names {} zones for {} cache clusters: the numbers "
                    "must be equal.",
                    request.zones.size(), count));
  }
  return count;
}

Status CheckFailoverOptions(const CreateGroup& request, int count) {
  if (request.automatic_failover.value_or(false) && count < 2) {  // [AWS]
    return BadCombination(
        "When using automatic failover, there must be at least 2 cache clusters in the "
        "replication group.");
  }
  if (request.multi_az.value_or(false) && !request.automatic_failover.value_or(false)) {
    return BadCombination("MultiAZEnabled needs AutomaticFailoverEnabled.");
  }
  return {};
}

// The request for one of its clusters.
CreateCluster RequestFor(const CreateGroup& request, const std::string& id) {
  CreateCluster cluster;
  cluster.id = id;
  cluster.node_type = request.node_type;
  cluster.engine = request.engine;
  if (!request.snapshot_name) cluster.engine = request.engine.value_or("redis");
  cluster.engine_version = request.engine_version;
  cluster.parameter_group = request.parameter_group;
  cluster.subnet_group = request.subnet_group;
  cluster.cache_security_groups = request.cache_security_groups;
  cluster.security_groups = request.security_groups;
  cluster.tags = request.tags;
  cluster.snapshot_arns = request.snapshot_arns;
  cluster.snapshot_name = request.snapshot_name;
  cluster.maintenance_window = request.maintenance_window;
  cluster.port = request.port;
  cluster.notification_topic = request.notification_topic;
  cluster.auto_minor_version_upgrade = request.auto_minor_version_upgrade;
  cluster.snapshot_retention = request.snapshot_retention;
  cluster.snapshot_window = request.snapshot_window;
  cluster.network_type = request.network_type;
  cluster.ip_discovery = request.ip_discovery;
  return cluster;
}

ClusterId NameOfMember(const GroupId& group, int number) {
  return fmt::format("{}-{:03}", group, number);
}

// The next name of a member that no cluster has.
ClusterId NextName(Draft& draft, const GroupId& id) {
  for (;;) {
    const ClusterId name = NameOfMember(id, draft.EditGroup(id).next_number++);
    if (draft.FindCluster(name) == nullptr) return name;
  }
}

Result<std::pair<Ip4, Ip4>> TwoAddresses(const Draft& draft, const Cluster& leader,
                                         const std::string& zone, const std::vector<Seat>& seats) {
  std::set<Ip4> taken;
  for (const Seat& seat : seats) taken.insert(seat.ip);
  const auto first = FindAddress(draft, leader, zone, taken);
  if (first) taken.insert(*first);
  const auto second = FindAddress(draft, leader, zone, taken);
  if (!first || !second) {
    return Status(
        Fault::kInsufficientCapacity,
        fmt::format("The subnet of availability zone {} has no free address left.", zone));
  }
  return std::pair(*first, *second);
}

// The group's row and its endpoints, around a member that is there.
void PutGroupAround(Draft& draft, Group group, const Cluster& leader, std::pair<Ip4, Ip4> ips) {
  const Member& member = *MemberOf(draft, leader.id);
  const HostId host = member.host;
  group.leader = member.id;
  group.transit_encryption = leader.transit_encryption;
  group.created = draft.now().wall;
  UseAddress(draft, leader, ips.first);
  UseAddress(draft, leader, ips.second);
  group.primary = {draft.NewId(), {ips.first, leader.port}, host};
  group.reader = {draft.NewId(), {ips.second, leader.port}, host};
  const GroupId id = group.id;
  draft.PutGroup(std::move(group));
  draft.EnterGroup(leader.id, id);
}

// A follower's cluster: the leader's, but for what is its own. What waits for the leader's
// maintenance window, such as a new version, waits for the follower's as well.
Cluster FollowerLike(const Draft& draft, const Cluster& leader, const ClusterId& id) {
  Cluster cluster = leader;
  cluster.id = id;
  cluster.group.clear();
  cluster.status = ClusterStatus::kCreating;
  cluster.created = draft.now().wall;
  cluster.seed.reset();  // it has its data from its leader
  cluster.access = {};   // the group's
  cluster.manual_backups.clear();
  cluster.members.clear();
  return cluster;
}

Result<Cluster> MasterAround(const Draft& draft, const std::string& text) {
  Result<ClusterId> id = FindExisting(draft, text);
  if (!id.ok()) return id.status();
  const Cluster& cluster = *draft.FindCluster(*id);
  if (cluster.engine == EngineKind::kMemcached) {
    return BadCombination(
        fmt::format("Cache cluster {} runs memcached, which has no replicas.", *id));
  }
  if (!cluster.group.empty()) {
    return Status(Fault::kInvalidCacheClusterState,
                  fmt::format("Cache cluster {} belongs to replication group {} already.", *id,
                              cluster.group));
  }
  if (cluster.status != ClusterStatus::kAvailable) {
    return Status(Fault::kInvalidCacheClusterState,
                  fmt::format("Cache cluster {} is not in available state: it is {}.", *id,
                              NameOf(cluster.status)));
  }
  return cluster;
}

Status CreateAround(Draft& draft, const CreateGroup& request, Group group) {
  const bool repeats =
      request.node_type || request.engine || request.engine_version || request.clusters ||
      request.replicas_per_node_group || request.node_groups || !request.zones.empty() ||
      request.port || request.parameter_group || request.subnet_group ||
      !request.security_groups.empty() || !request.cache_security_groups.empty() ||
      request.maintenance_window || request.notification_topic || request.snapshot_retention ||
      request.snapshot_window || request.snapshot_name || !request.snapshot_arns.empty();
  if (repeats) {  // [AWS]
    return BadCombination(
        "Cannot use the given parameters when using an existing primary cache cluster ID.");
  }
  EC_RETURN_IF_ERROR(CheckFailoverOptions(request, 1));
  Result<Cluster> master = MasterAround(draft, *request.primary_cluster);
  if (!master.ok()) return master.status();
  const bool encrypted = master->transit_encryption;
  if (request.transit_encryption.value_or(encrypted) != encrypted) {
    return BadCombination(
        fmt::format("Encryption in transit is fixed when a cache cluster is created: {} {} it.",
                    master->id, encrypted ? "has" : "does not have"));
  }
  if (request.auth_token || !request.user_groups.empty()) {
    const Result<model::AccessControl> access =
        AccessOfNewGroup(draft, request, encrypted, master->engine_version);
    if (!access.ok()) return access.status();
    group.access = *access;
  } else {
    group.access = master->access;
  }
  return FormGroupAround(draft, *master, std::move(group));
}

}  // namespace

Status FormGroupAround(Draft& draft, const Cluster& master, Group group) {
  const std::string zone = MemberOf(draft, master.id)->zone;
  const auto ips = TwoAddresses(draft, master, zone, {});
  if (!ips.ok()) return ips.status();
  group.transit_encryption = master.transit_encryption;
  PutGroupAround(draft, std::move(group), master, *ips);
  return {};
}

Result<Group> NewGroup(const Draft& draft, const std::string& text,
                       const std::string& description) {
  Result<std::string> id = model::ParseGroupId(text);
  if (!id.ok()) return id.status();
  EC_RETURN_IF_ERROR(CheckDescription(description));
  if (draft.FindGroup(*id) != nullptr) {  // [AWS]
    return Status(Fault::kReplicationGroupAlreadyExists,
                  "Replication group with specified name already exists.");
  }
  Group group;
  group.id = *id;
  group.description = description;
  group.epoch = draft.revision();
  return group;
}

Status AddFollowers(Draft& draft, const Settings& settings, const GroupId& id,
                    const std::vector<ClusterId>& names, const std::vector<std::string>& zones,
                    const Tags& tags) {
  const Group& group = *draft.FindGroup(id);
  const int count = static_cast<int>(zones.size());
  EC_RETURN_IF_ERROR(CheckRegionQuota(draft, settings, count));
  // All of the group's members count, so that the zones with the fewest of them come first.
  Cluster whole = *draft.FindCluster(LeaderOf(draft, group));
  const Cluster leader = whole;
  for (const Member* follower : FollowersOf(draft, group)) whole.members.insert(follower->id);
  Result<std::vector<Seat>> seats = FindSeats(draft, settings, whole, count, {zones, true});
  if (!seats.ok()) return seats.status();
  for (size_t i = 0; i < seats->size(); ++i) {
    Cluster cluster =
        FollowerLike(draft, leader, names.empty() ? NextName(draft, id) : names.at(i));
    if (!tags.empty()) cluster.tags = {tags.begin(), tags.end()};
    const ClusterId name = cluster.id;
    draft.PutCluster(std::move(cluster));
    TakeSeats(draft, name, {seats->at(i)});
    draft.EnterGroup(name, id);
  }
  return {};
}

Status Create(Draft& draft, const Settings& settings, const CreateGroup& request) {
  Result<Group> group = NewGroup(draft, request.id, request.description);
  if (!group.ok()) return group.status();
  EC_RETURN_IF_ERROR(CheckNotEmulated(request));
  group->transit_encryption = request.transit_encryption.value_or(false);
  EC_RETURN_IF_ERROR(
      CheckEncryptionMode(request.transit_encryption_mode, group->transit_encryption));
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  group->tags = *tags;
  group->automatic_failover = request.automatic_failover.value_or(false);
  group->multi_az = request.multi_az.value_or(false);
  if (request.primary_cluster) return CreateAround(draft, request, *group);

  const Result<int> count = CountOf(request);
  if (!count.ok()) return count.status();
  EC_RETURN_IF_ERROR(CheckFailoverOptions(request, *count));
  ZoneWish wish;
  const ClusterId first = NameOfMember(group->id, 1);
  Result<Cluster> leader = DraftCluster(draft, settings, RequestFor(request, first), &wish);
  if (!leader.ok()) return leader.status();
  if (leader->engine == EngineKind::kMemcached) {
    return BadValue("Engine", *request.engine, "Replication groups need redis or valkey.");
  }
  const Result<model::AccessControl> access =
      AccessOfNewGroup(draft, request, group->transit_encryption, leader->engine_version);
  if (!access.ok()) return access.status();
  group->access = *access;
  if (group->automatic_failover) {
    EC_RETURN_IF_ERROR(CheckFailoverSupported(leader->node_type, leader->engine_version));
  }
  if (group->transit_encryption) {
    EC_RETURN_IF_ERROR(CheckEncryptionSupported(leader->engine, leader->engine_version));
  }
  leader->transit_encryption = group->transit_encryption;
  std::vector<ClusterId> names;
  for (int i = 1; i <= *count; ++i) {
    names.push_back(NameOfMember(group->id, i));
    if (draft.FindCluster(names.back()) != nullptr) return AlreadyExists(names.back());
  }
  EC_RETURN_IF_ERROR(CheckRegionQuota(draft, settings, *count));
  Result<std::vector<Seat>> seats =
      FindSeats(draft, settings, *leader, *count, {request.zones, true});
  if (!seats.ok()) return seats.status();
  const auto ips = TwoAddresses(draft, *leader, seats->front().zone, *seats);
  if (!ips.ok()) return ips.status();

  group->next_number = *count + 1;
  const GroupId id = group->id;
  for (size_t i = 0; i < names.size(); ++i) {
    Cluster cluster = *leader;
    cluster.id = names[i];
    if (i > 0) cluster.seed.reset();  // it has its data from its leader
    draft.PutCluster(cluster);
    TakeSeats(draft, names[i], {seats->at(i)});
    if (i == 0) {
      PutGroupAround(draft, *group, cluster, *ips);
    } else {
      draft.EnterGroup(names[i], id);
    }
  }
  return {};
}

}  // namespace ec::core
