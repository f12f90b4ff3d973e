// `ecctl cluster create` and `ecctl cluster modify`.
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "cli/clusters.h"
#include "cli/lookup.h"
#include "cli/network_lookup.h"
#include "cli/setting_options.h"
#include "cli/tags.h"

namespace ec::cli {
namespace {

constexpr char kAzModeText[] = "Memcached: single-az or cross-az";

// The service judges the values; what is absent here is absent in the request.
struct CreateOptions : SettingOptions, SeedOptions {
  std::string id;
  std::optional<std::string> engine, node_type, group;
  std::optional<std::string> engine_version, az_mode, zone, subnet_group;
  std::optional<int> nodes, port;
  std::vector<std::string> zones, tags;
  bool no_auto_minor_version_upgrade = false;
  bool wait = false;
};

struct ModifyOptions : SettingOptions {
  std::string id;
  std::optional<int> nodes;
  std::vector<std::string> remove, new_zones;
  std::optional<std::string> engine_version, node_type, az_mode, notification_status;
  std::optional<bool> auto_minor_version_upgrade;
  bool apply_immediately = true;
  bool wait = false;
};

Outcome ToRequest(const CreateOptions& options, v1::CreateCacheClusterRequest* request) {
  request->set_cache_cluster_id(options.id);
  if (options.group) {  // everything else is taken over from it
    request->set_replication_group_id(*options.group);
    if (options.engine) request->set_engine(*options.engine);
    if (options.node_type) request->set_cache_node_type(*options.node_type);
    if (options.nodes) request->set_num_cache_nodes(*options.nodes);
  } else {
    // A snapshot says what it was taken of.
    const bool decides = options.from_snapshot.has_value();
    if (options.engine || !decides) request->set_engine(options.engine.value_or("redis"));
    if (options.node_type || !decides) {
      request->set_cache_node_type(options.node_type.value_or("cache.t3.micro"));
    }
    SetSeed(options, request);
    const int one_per_zone = std::max(static_cast<int>(options.zones.size()), 1);
    request->set_num_cache_nodes(options.nodes.value_or(one_per_zone));
  }
  if (options.engine_version) request->set_engine_version(*options.engine_version);
  if (options.az_mode) request->set_az_mode(*options.az_mode);
  if (options.zone) request->set_preferred_availability_zone(*options.zone);
  for (const std::string& zone : options.zones) request->add_preferred_availability_zones(zone);
  if (options.port) request->set_port(*options.port);
  if (options.subnet_group) request->set_cache_subnet_group_name(*options.subnet_group);
  SetSettings(options, request);
  if (options.no_auto_minor_version_upgrade) request->set_auto_minor_version_upgrade(false);
  for (const std::string& tag : options.tags) {
    EC_RETURN_UNLESS_OK(ParseTag(tag, request->add_tags()));
  }
  return {};
}

v1::ModifyCacheClusterRequest ToRequest(const ModifyOptions& options) {
  v1::ModifyCacheClusterRequest request;
  request.set_cache_cluster_id(options.id);
  if (options.nodes) request.set_num_cache_nodes(*options.nodes);
  for (const std::string& node : options.remove) request.add_cache_node_ids_to_remove(node);
  for (const std::string& zone : options.new_zones) request.add_new_availability_zones(zone);
  if (options.az_mode) request.set_az_mode(*options.az_mode);
  if (options.engine_version) request.set_engine_version(*options.engine_version);
  if (options.node_type) request.set_cache_node_type(*options.node_type);
  SetSettings(options, &request);
  if (options.notification_status) {
    request.set_notification_topic_status(*options.notification_status);
  }
  if (options.auto_minor_version_upgrade) {
    request.set_auto_minor_version_upgrade(*options.auto_minor_version_upgrade);
  }
  request.set_apply_immediately(options.apply_immediately);
  return request;
}

Outcome CreateCluster(Context& context, const CreateOptions& options) {
  v1::CreateCacheClusterRequest request;
  EC_RETURN_UNLESS_OK(ToRequest(options, &request));
  EC_RETURN_UNLESS_OK(ResolveSecurityGroups(context, {}, request.mutable_security_group_ids()));
  uint64_t last_serial = 0;
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  v1::CreateCacheClusterResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CreateCacheCluster, request, &response));
  return FinishChange(context, "creation", options.wait, last_serial, &response);
}

Outcome ModifyCluster(Context& context, const ModifyOptions& options) {
  v1::ModifyCacheClusterRequest request = ToRequest(options);
  EC_RETURN_UNLESS_OK(ResolveSecurityGroups(context, {}, request.mutable_security_group_ids()));
  uint64_t last_serial = 0;
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  v1::ModifyCacheClusterResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::ModifyCacheCluster, request, &response));
  return FinishChange(context, "modification", options.wait, last_serial, &response);
}

}  // namespace

void AddCreateCommand(CommandLine& line, CLI::App* cluster) {
  auto options = std::make_shared<CreateOptions>();
  Command create = line.AddCommand(
      cluster, "create", "Create a cache cluster",
      [options](Context& context) { return CreateCluster(context, *options); },
      "Examples:\n"
      "  ecctl cluster create demo --wait\n"
      "  ecctl cluster create sessions --engine-version 7.0 --snapshot-retention 7\n"
      "  ecctl cluster create pages --engine memcached --nodes 3 --az-mode cross-az \\\n"
      "      --zones us-east-1a,us-east-1b,us-east-1c --tag team=web --wait\n"
      "  ecctl cluster create demo2 --from-snapshot before-upgrade --wait\n"
      "  ecctl cluster create orders-reports --group orders --zone us-east-1c --wait\n");
  create.Argument("ID", "NAME", &options->id, "Its name: 1..50 letters, digits and hyphens")
      .Option("--engine", "ENGINE", &options->engine, "redis or memcached (default redis)")
      .Option("--engine-version", "VERSION", &options->engine_version, "Default: the newest one")
      .Option("--node-type", "TYPE", &options->node_type, "Default cache.t3.micro")
      .Option("--nodes", "N", &options->nodes,
              "Memcached 1..40, Redis 1 (default: one per --zones, else 1)")
      .Option("--zone", "ZONE", &options->zone, "Availability zone of all nodes")
      .List("--zones", "ZONES", &options->zones,
            "Memcached: the zone of each node, as many as nodes")
      .Option("--port", "PORT", &options->port, "Default 6379 for Redis, 11211 for Memcached")
      .Option("--subnet-group", "SUBNET-GROUP", &options->subnet_group,
              "Where it lives: its VPC and zones (default: default)");
  create.Option("--az-mode", "MODE", &options->az_mode, kAzModeText);
  AddSeedOptions(create, options.get());
  AddSettingOptions(create, options.get());
  create.Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times")
      .Flag("--no-auto-minor-version-upgrade", &options->no_auto_minor_version_upgrade,
            "Stay on the engine version that is asked for")
      .Option("--group", "REPLICATION-GROUP", &options->group,
              "Become a read replica of this group, with its settings")
      .Flag("--wait", &options->wait, kWaitText);
}

void AddModifyCommand(CommandLine& line, CLI::App* cluster) {
  auto options = std::make_shared<ModifyOptions>();
  Command modify = line.AddCommand(
      cluster, "modify", "Change a cache cluster, at once unless told otherwise",
      [options](Context& context) { return ModifyCluster(context, *options); },
      "Unlike AWS's own tools this applies changes immediately by default;\n"
      "--no-apply-immediately leaves them for the maintenance window or the next reboot.\n\n"
      "Examples:\n"
      "  ecctl cluster modify pages --nodes 5 --new-zones us-east-1a,us-east-1b --wait\n"
      "  ecctl cluster modify pages --nodes 3 --remove 0004,0005\n"
      "  ecctl cluster modify demo --engine-version 7.1 --no-apply-immediately\n");
  modify.Argument("ID", "CLUSTER", &options->id, "The cache cluster")
      .Option("--nodes", "N", &options->nodes, "Memcached: the new number of nodes")
      .List("--remove", "NODES", &options->remove,
            "The nodes to remove, exactly as many as the cluster shrinks by")
      .List("--new-zones", "ZONES", &options->new_zones,
            "The zones of the new nodes, as many as the cluster grows by")
      .Option("--engine-version", "VERSION", &options->engine_version, "Upwards only")
      .Option("--node-type", "TYPE", &options->node_type,
              "Refused unless it is the present one: a node type is fixed at creation");
  modify.Option("--az-mode", "MODE", &options->az_mode, kAzModeText);
  AddSettingOptions(modify, options.get());
  modify
      .Option("--notification-status", "STATUS", &options->notification_status,
              "active or inactive")
      .OnOff("auto-minor-version-upgrade", &options->auto_minor_version_upgrade,
             "Follow minor versions, or stay")
      .OnOff("apply-immediately", &options->apply_immediately,
             "Now, or in the maintenance window or at a reboot (default: now)")
      .Flag("--wait", &options->wait, kWaitText);
}

}  // namespace ec::cli
