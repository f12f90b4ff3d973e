#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "controlplane/core/addresses.h"
#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/parameter_groups.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/snapshot_commands.h"
#include "controlplane/core/subnet_groups.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/parameters.h"
#include "controlplane/model/windows.h"

namespace ec::core {
namespace {

using model::Cluster;

Status CheckEngine(const Draft& draft, const CreateCluster& request, Cluster* cluster) {
  if (!request.engine) {
    return {Fault::kInvalidParameterValue,
            "The parameter Engine must be provided: memcached or redis."};
  }
  const auto engine = ParseEngine(model::Lower(*request.engine));
  if (!engine) {
    return BadValue("Engine", *request.engine, "It must be memcached, redis or valkey.");
  }
  if (InstalledVersions(draft, *engine).empty()) {
    return {draft.Hosts().empty() ? Fault::kInsufficientCapacity : Fault::kInvalidParameterValue,
            fmt::format("Engine {} is not available: no host has a {} installed.", NameOf(*engine),
                        ProgramOf(*engine))};
  }
  cluster->engine = *engine;
  return {};
}

Status CheckVersion(const Draft& draft, const Settings& settings, const CreateCluster& request,
                    Cluster* cluster) {
  const std::vector<std::string> installed = InstalledVersions(draft, cluster->engine);
  const auto is_offered = [&](const model::EngineVersion& version) {
    return !settings.strict_versions ||
           std::ranges::any_of(installed, [&](const std::string& program) {
             return model::SameMinor(version.reported, program);
           });
  };
  std::vector<model::EngineVersion> offered;
  std::ranges::copy_if(model::VersionsOf(cluster->engine), std::back_inserter(offered), is_offered);
  std::optional<model::EngineVersion> version;
  if (request.engine_version) {
    version = model::ResolveVersion(cluster->engine, *request.engine_version);
    if (version && !is_offered(*version)) version.reset();
  } else if (!offered.empty()) {
    version = offered.back();
  }
  if (!version) {
    std::vector<std::string_view> names;
    for (const model::EngineVersion& v : offered) names.push_back(v.offered);
    return BadCombination(fmt::format("Cannot find version {} for {}. Versions on offer: {}.",
                                      request.engine_version.value_or("(newest)"),
                                      NameOf(cluster->engine), fmt::join(names, ", ")));
  }
  cluster->engine_version = version->reported;
  cluster->family = version->family;
  return {};
}

Status CheckNodeType(const Draft& draft, const CreateCluster& request, Cluster* cluster) {
  if (!request.node_type) {
    return {Fault::kInvalidParameterValue,
            "The parameter CacheNodeType must be provided, such as cache.t3.micro."};
  }
  const auto& types = draft.state().records.node_types;
  const auto type = types.find(model::Lower(*request.node_type));
  if (type == types.end()) {
    return BadValue("CacheNodeType", *request.node_type,
                    "There is no such node type; DescribeCacheNodeTypes lists them.");
  }
  if (!model::IsOffered(type->second, cluster->engine)) {
    return BadCombination(fmt::format("Node type {} is not offered for engine {}.", type->first,
                                      NameOf(cluster->engine)));
  }
  cluster->node_type = type->first;
  return {};
}

Status CheckNodeCount(const CreateCluster& request, Cluster* cluster) {
  const int count = request.nodes.value_or(1);
  if (count < 1) {
    return BadValue("NumCacheNodes", std::to_string(count), "It must be at least 1.");
  }
  if (SpeaksRedis(cluster->engine) && count > 1) {  // [AWS]
    return {Fault::kInvalidParameterValue,
            "Cannot create a Redis cluster with a NumCacheNodes parameter greater than 1."};
  }
  if (count > model::kMemcachedNodesMax) {  // [AWS]
    return {Fault::kNodeQuotaForClusterExceeded,
            fmt::format("Cluster node quota exceeded. Each cluster can have at most {} nodes in "
                        "this region.",
                        model::kMemcachedNodesMax)};
  }
  cluster->node_count = count;
  return {};
}

// Members that belong to one engine only.
Status CheckEngineOnly(const CreateCluster& request, const Cluster& cluster) {
  if (cluster.engine == EngineKind::kMemcached) {
    const auto refuse = [](std::string_view parameter) {
      return BadCombination(
          fmt::format("{} is only valid for engine redis, not for memcached.", parameter));
    };
    if (request.snapshot_retention.value_or(0) > 0) return refuse("SnapshotRetentionLimit");
    if (request.snapshot_retention.value_or(0) < 0) {
      return BadValue("SnapshotRetentionLimit", std::to_string(*request.snapshot_retention),
                      "It must be 0 to 35 days.");
    }
    if (request.snapshot_window) return refuse("SnapshotWindow");
    if (request.snapshot_name) return refuse("SnapshotName");
    if (!request.snapshot_arns.empty()) return refuse("SnapshotArns");
    if (request.replication_group_id) return refuse("ReplicationGroupId");
    if (request.auth_token) return refuse("AuthToken");
    if (request.transit_encryption.value_or(false)) {
      return BadCombination("Encryption in transit is not emulated for engine memcached.");
    }
    return {};
  }
  if (!request.zones.empty()) {
    return BadCombination(
        "PreferredAvailabilityZones is only valid for engine memcached; use "
        "PreferredAvailabilityZone.");
  }
  if (request.az_mode == "cross-az") {
    return BadCombination("AZMode cross-az is only valid for engine memcached.");
  }
  if (request.transit_encryption.value_or(false)) {  // [AWS]
    return BadCombination(fmt::format("Encryption feature is not supported for engine {}.",
                                      cluster.engine == EngineKind::kRedis ? "REDIS" : "VALKEY"));
  }
  if (request.auth_token) {
    return BadCombination("AuthToken needs encryption in transit, which is not supported here.");
  }
  return {};
}

Status CheckZones(const CreateCluster& request, Cluster* cluster, ZoneWish* wish) {
  bool cross = false;
  if (request.az_mode) {
    const Result<bool> parsed = ParseAzMode(*request.az_mode);
    if (!parsed.ok()) return parsed.status();
    cross = *parsed;
  }
  if (cross && cluster->node_count < 2) {
    return BadCombination("AZMode cross-az needs more than one cache node: NumCacheNodes is 1.");
  }
  if (request.zone && !request.zones.empty()) {
    return BadCombination(
        "PreferredAvailabilityZone and PreferredAvailabilityZones exclude each other.");
  }
  if (request.zone && cross) {
    return BadCombination(
        "AZMode cross-az excludes PreferredAvailabilityZone; use PreferredAvailabilityZones.");
  }
  if (!request.zones.empty() && static_cast<int>(request.zones.size()) != cluster->node_count) {
    return BadCombination(
        fmt::format("PreferredAvailabilityZones names {} zones for {} cache nodes: the numbers "
                    "must be equal.",
                    request.zones.size(), cluster->node_count));
  }
  const std::set<std::string> distinct(request.zones.begin(), request.zones.end());
  if (distinct.size() > 1 && request.az_mode == "single-az") {
    return BadCombination("AZMode single-az excludes PreferredAvailabilityZones of several zones.");
  }
  if (distinct.size() == 1 && cross) {
    return BadCombination("AZMode cross-az needs PreferredAvailabilityZones of several zones.");
  }
  cluster->cross_zone = cross || distinct.size() > 1;
  wish->spread = cluster->cross_zone;
  wish->zones = request.zones;
  if (request.zone) wish->zones.assign(static_cast<size_t>(cluster->node_count), *request.zone);
  return {};
}

// Maintenance and snapshot windows: checked, defaulted, and apart from each other.
Status CheckWindows(const Draft& draft, const CreateCluster& request, Cluster* cluster) {
  const std::string& region = draft.installation().region;
  std::optional<model::DailyWindow> snapshot;
  if (request.snapshot_window) {
    Result<model::DailyWindow> parsed = model::ParseSnapshotWindow(*request.snapshot_window);
    if (!parsed.ok()) return parsed.status();
    snapshot = *parsed;
  }
  model::WeeklyWindow maintenance;
  if (request.maintenance_window) {
    Result<model::WeeklyWindow> parsed = model::ParseMaintenanceWindow(*request.maintenance_window);
    if (!parsed.ok()) return parsed.status();
    maintenance = *parsed;
  } else {
    maintenance = model::DefaultMaintenanceWindow(region, cluster->id, snapshot);
  }
  if (snapshot && Overlap(maintenance, *snapshot)) {
    return BadCombination(fmt::format("SnapshotWindow {} overlaps PreferredMaintenanceWindow {}.",
                                      ToString(*snapshot), ToString(maintenance)));
  }
  cluster->maintenance_window = ToString(maintenance);
  if (SpeaksRedis(cluster->engine)) {
    if (!snapshot) snapshot = model::DefaultSnapshotWindow(region, cluster->id, maintenance);
    cluster->snapshot_window = ToString(*snapshot);
  }
  return {};
}

Status CheckGroups(const Draft& draft, const CreateCluster& request, Cluster* cluster) {
  Result<std::string> group = ChooseParameterGroup(draft, cluster->family, request.parameter_group);
  if (!group.ok()) return group.status();
  cluster->parameter_group = *group;
  const bool of_vpc = request.subnet_group || !request.security_groups.empty();
  if (!request.cache_security_groups.empty() && of_vpc) {  // [AWS]
    return BadCombination(
        "Use of cache security groups is not permitted along with cache subnet group and/or "
        "security group Ids.");
  }
  EC_RETURN_IF_ERROR(CheckCacheSecurityGroups(request.cache_security_groups));
  Result<const model::CacheSubnetGroup*> subnets =
      MustFindSubnetGroup(draft, request.subnet_group.value_or(model::kDefaultSubnetGroup));
  if (!subnets.ok()) return subnets.status();
  cluster->subnet_group = (*subnets)->name;
  cluster->vpc = (*subnets)->vpc;
  Result<std::vector<model::SecurityGroupId>> groups =
      ChooseSecurityGroups(draft, cluster->vpc, request.security_groups);
  if (!groups.ok()) return groups.status();
  cluster->security_groups = *groups;
  return {};
}

Status CheckTheRest(const Draft& draft, const CreateCluster& request, Cluster* cluster) {
  const int port = request.port.value_or(DefaultPort(cluster->engine));
  if (port < 1 || port > 65535) {
    return BadValue("Port", std::to_string(port), "It must be 1 to 65535.");
  }
  cluster->port = static_cast<uint16_t>(port);
  EC_RETURN_IF_ERROR(CheckIpVersion("NetworkType", request.network_type));
  EC_RETURN_IF_ERROR(CheckIpVersion("IpDiscovery", request.ip_discovery));
  if (request.notification_topic) {
    EC_RETURN_IF_ERROR(CheckTopic(*request.notification_topic));
    cluster->notification = model::Notification{*request.notification_topic, true};
  }
  cluster->auto_minor_version_upgrade = request.auto_minor_version_upgrade.value_or(true);
  const model::NodeType& type = draft.state().records.node_types.at(cluster->node_type);
  cluster->snapshot_retention = request.snapshot_retention.value_or(0);
  EC_RETURN_IF_ERROR(CheckSnapshotRetention(cluster->snapshot_retention, type));
  if (cluster->seed) {
    cluster->seed->memory_max =
        model::MemoryMaxBytes(type, cluster->engine, model::DefaultParameters(cluster->family));
  }
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  cluster->tags = *tags;
  return {};
}

void OpenConfiguration(Draft& draft, const Cluster& cluster, const Seat& first) {
  // A subnet that had room for the nodes and for nothing else leaves the cluster without one.
  const auto ip = FindAddress(draft, cluster, first.zone, {});
  if (!ip) return;
  UseAddress(draft, cluster, *ip);
  draft.EditCluster(cluster.id).configuration =
      model::ConfigurationEndpoint{draft.NewId(), {*ip, cluster.port}, first.host};
}

}  // namespace

Result<Cluster> DraftCluster(const Draft& draft, const Settings& settings,
                             const CreateCluster& asked, ZoneWish* wish) {
  Cluster cluster;
  Result<std::string> id = model::ParseClusterId(asked.id);
  if (!id.ok()) return id.status();
  CreateCluster request = asked;
  const bool is_memcached =
      request.engine && ParseEngine(model::Lower(*request.engine)) == EngineKind::kMemcached;
  if (!is_memcached) {
    Result<std::optional<Seed>> seed = TakeSeed(draft, &request);
    if (!seed.ok()) return seed.status();
    cluster.seed = *seed;
  }
  cluster.id = *id;
  cluster.created = draft.now().wall;
  EC_RETURN_IF_ERROR(CheckEngine(draft, request, &cluster));
  EC_RETURN_IF_ERROR(CheckEngineOnly(request, cluster));
  EC_RETURN_IF_ERROR(CheckVersion(draft, settings, request, &cluster));
  EC_RETURN_IF_ERROR(CheckNodeType(draft, request, &cluster));
  EC_RETURN_IF_ERROR(CheckNodeCount(request, &cluster));
  EC_RETURN_IF_ERROR(CheckZones(request, &cluster, wish));
  EC_RETURN_IF_ERROR(CheckGroups(draft, request, &cluster));
  EC_RETURN_IF_ERROR(CheckWindows(draft, request, &cluster));
  EC_RETURN_IF_ERROR(CheckTheRest(draft, request, &cluster));
  EC_RETURN_IF_ERROR(CheckSeed(draft, cluster));
  return cluster;
}

Status Create(Draft& draft, const Settings& settings, const CreateCluster& request) {
  const bool is_memcached =
      request.engine && ParseEngine(model::Lower(*request.engine)) == EngineKind::kMemcached;
  if (request.replication_group_id && !is_memcached) {
    return AddReadReplica(draft, settings, request);
  }
  ZoneWish wish;
  Result<Cluster> drafted = DraftCluster(draft, settings, request, &wish);
  if (!drafted.ok()) return drafted.status();
  const Cluster& cluster = *drafted;
  if (draft.FindCluster(cluster.id) != nullptr) return AlreadyExists(cluster.id);
  EC_RETURN_IF_ERROR(CheckRegionQuota(draft, settings, cluster.node_count));
  Result<std::vector<Seat>> seats = FindSeats(draft, settings, cluster, cluster.node_count, wish);
  if (!seats.ok()) return seats.status();

  draft.PutCluster(cluster);
  TakeSeats(draft, cluster.id, *seats);
  if (cluster.engine == EngineKind::kMemcached) OpenConfiguration(draft, cluster, seats->front());
  return {};
}

}  // namespace ec::core
