// `ecctl group create`, `modify`, `add-replica` and `remove-replica`.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "cli/groups.h"
#include "cli/lookup.h"
#include "cli/network_lookup.h"
#include "cli/secret.h"
#include "cli/setting_options.h"
#include "cli/tags.h"

namespace ec::cli {
namespace {

// The service judges the values; what is absent here is absent in the request.
struct CreateOptions : SettingOptions, SeedOptions, TokenOptions {
  std::string id;
  std::optional<std::string> user_group;
  std::optional<std::string> description, primary, engine, node_type, engine_version, subnet_group;
  std::optional<int> replicas, port;
  std::optional<bool> automatic_failover, multi_az;
  std::vector<std::string> zones, tags;
  bool no_auto_minor_version_upgrade = false;
  bool transit_encryption = false;
  bool wait = false;
};

struct ModifyOptions : SettingOptions, TokenOptions {
  std::string id;
  std::optional<std::string> token_strategy, add_user_group, remove_user_group;
  bool remove_user_groups = false;
  std::optional<std::string> description, primary, engine_version, notification_status;
  std::optional<std::string> snapshotting;
  std::optional<bool> automatic_failover, multi_az, auto_minor_version_upgrade;
  bool apply_immediately = true;
  bool wait = false;
};

struct ReplicaOptions {
  std::string id;
  std::vector<std::string> members, zones;
  std::optional<int> count;
  bool wait = false;
};

// A new group has what makes it survive unless that is declined: what its own members allow.
void SetMembers(const CreateOptions& options, v1::CreateReplicationGroupRequest* request) {
  const int one_per_zone = static_cast<int>(options.zones.size()) - 1;
  const int replicas = options.replicas.value_or(options.zones.empty() ? 1 : one_per_zone);
  const std::set<std::string> zones(options.zones.begin(), options.zones.end());
  const bool failover = options.automatic_failover.value_or(replicas > 0);
  request->set_num_cache_clusters(replicas + 1);
  request->set_automatic_failover_enabled(failover);
  request->set_multi_az_enabled(
      options.multi_az.value_or(failover && replicas > 0 && zones.size() != 1));
  for (const std::string& zone : options.zones) request->add_preferred_cache_cluster_azs(zone);
  const bool decides = options.from_snapshot.has_value();  // it says what it was taken of
  if (options.engine || !decides) request->set_engine(options.engine.value_or("redis"));
  if (options.node_type || !decides) {
    request->set_cache_node_type(options.node_type.value_or("cache.t3.micro"));
  }
  SetSeed(options, request);
}

Outcome ToRequest(const CreateOptions& options, v1::CreateReplicationGroupRequest* request) {
  request->set_replication_group_id(options.id);
  request->set_replication_group_description(options.description.value_or(options.id));
  if (options.primary) {  // the members' settings are those of the cluster
    request->set_primary_cluster_id(*options.primary);
    if (options.automatic_failover) {
      request->set_automatic_failover_enabled(*options.automatic_failover);
    }
    if (options.multi_az) request->set_multi_az_enabled(*options.multi_az);
  } else {
    SetMembers(options, request);
  }
  if (options.engine_version) request->set_engine_version(*options.engine_version);
  if (options.port) request->set_port(*options.port);
  if (options.subnet_group) request->set_cache_subnet_group_name(*options.subnet_group);
  SetSettings(options, request);
  if (options.no_auto_minor_version_upgrade) request->set_auto_minor_version_upgrade(false);
  std::optional<std::string> token;
  EC_RETURN_UNLESS_OK(TokenOf(options, &token));
  if (token) request->set_auth_token(*token);
  if (options.user_group) request->add_user_group_ids(*options.user_group);
  // Neither is to be had without encryption in transit.
  if (options.transit_encryption || token || options.user_group) {
    request->set_transit_encryption_enabled(true);
  }
  for (const std::string& tag : options.tags) {
    EC_RETURN_UNLESS_OK(ParseTag(tag, request->add_tags()));
  }
  return {};
}

Outcome CreateGroup(Context& context, const CreateOptions& options) {
  v1::CreateReplicationGroupRequest request;
  EC_RETURN_UNLESS_OK(ToRequest(options, &request));
  EC_RETURN_UNLESS_OK(ResolveSecurityGroups(context, {}, request.mutable_security_group_ids()));
  GroupWait wait{{.operation = "creation"}, AnyState};
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
  v1::CreateReplicationGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::CreateReplicationGroup, request, &response));
  return FinishGroupChange(context, options.wait, std::move(wait), &response);
}

Outcome SetAccess(const ModifyOptions& options, v1::ModifyReplicationGroupRequest* request) {
  std::optional<std::string> token;
  EC_RETURN_UNLESS_OK(TokenOf(options, &token));
  if (token) request->set_auth_token(*token);
  if (options.token_strategy) {
    request->set_auth_token_update_strategy(UpperCase(*options.token_strategy));
  }
  if (options.add_user_group) request->add_user_group_ids_to_add(*options.add_user_group);
  if (options.remove_user_group) request->add_user_group_ids_to_remove(*options.remove_user_group);
  if (options.remove_user_groups) request->set_remove_user_groups(true);
  return {};
}

v1::ModifyReplicationGroupRequest ToRequest(const ModifyOptions& options) {
  v1::ModifyReplicationGroupRequest request;
  request.set_replication_group_id(options.id);
  if (options.description) request.set_replication_group_description(*options.description);
  if (options.primary) request.set_primary_cluster_id(*options.primary);
  if (options.automatic_failover) {
    request.set_automatic_failover_enabled(*options.automatic_failover);
  }
  if (options.multi_az) request.set_multi_az_enabled(*options.multi_az);
  if (options.engine_version) request.set_engine_version(*options.engine_version);
  if (options.snapshotting) request.set_snapshotting_cluster_id(*options.snapshotting);
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

Outcome ModifyGroup(Context& context, const ModifyOptions& options) {
  GroupWait wait{{.operation = "modification"}, AnyState};
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
  if (options.primary && options.apply_immediately) {
    wait.reached = [primary = LowerCase(*options.primary)](const v1::ReplicationGroup& group) {
      return PrimaryOf(group) == primary;
    };
  }
  v1::ModifyReplicationGroupRequest request = ToRequest(options);
  EC_RETURN_UNLESS_OK(SetAccess(options, &request));
  EC_RETURN_UNLESS_OK(ResolveSecurityGroups(context, {}, request.mutable_security_group_ids()));
  v1::ModifyReplicationGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::ModifyReplicationGroup, request, &response));
  return FinishGroupChange(context, options.wait, std::move(wait), &response);
}

// A goal of so many replicas.
GroupGoal HasReplicas(int count) {
  return [count](const v1::ReplicationGroup& group) {
    return group.member_clusters_size() == count + 1;
  };
}

Outcome AddReplicas(Context& context, const ReplicaOptions& options) {
  v1::ReplicationGroup group;
  EC_RETURN_UNLESS_OK(FindGroup(context, options.id, &group));
  const int one_per_zone = std::max(static_cast<int>(options.zones.size()), 1);
  const int count = group.member_clusters_size() - 1 + options.count.value_or(one_per_zone);
  GroupWait wait{{.operation = "addition of replicas"}, HasReplicas(count)};
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
  v1::IncreaseReplicaCountRequest request;
  request.set_replication_group_id(options.id);
  request.set_apply_immediately(true);
  if (options.zones.empty()) {
    request.set_new_replica_count(count);
  } else {  // the API wants the zones of all members, those that are there already first
    v1::ConfigureShard* shard = request.add_replica_configuration();
    shard->set_node_group_id("0001");
    shard->set_new_replica_count(count);
    for (const v1::NodeGroupMember& member : MembersOf(group)) {
      shard->add_preferred_availability_zones(member.preferred_availability_zone());
    }
    for (const std::string& zone : options.zones) shard->add_preferred_availability_zones(zone);
  }
  v1::IncreaseReplicaCountResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::IncreaseReplicaCount, request, &response));
  return FinishGroupChange(context, options.wait, std::move(wait), &response);
}

Outcome RemoveReplicas(Context& context, const ReplicaOptions& options) {
  if (!options.members.empty() && options.count) {
    return UsageError("name the replicas or give --count, not both");
  }
  v1::ReplicationGroup group;
  EC_RETURN_UNLESS_OK(FindGroup(context, options.id, &group));
  const int gone = options.members.empty() ? options.count.value_or(1)
                                           : static_cast<int>(options.members.size());
  const int count = group.member_clusters_size() - 1 - gone;
  GroupWait wait{{.operation = "removal of replicas"}, HasReplicas(count)};
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
  v1::DecreaseReplicaCountRequest request;
  request.set_replication_group_id(options.id);
  request.set_apply_immediately(true);
  for (const std::string& member : options.members) request.add_replicas_to_remove(member);
  if (options.members.empty()) request.set_new_replica_count(count);
  v1::DecreaseReplicaCountResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::DecreaseReplicaCount, request, &response));
  return FinishGroupChange(context, options.wait, std::move(wait), &response);
}

}  // namespace

void AddGroupCreateCommand(CommandLine& line, CLI::App* group) {
  auto options = std::make_shared<CreateOptions>();
  Command create = line.AddCommand(
      group, "create", "Create a replication group",
      [options](Context& context) { return CreateGroup(context, *options); },
      "With replicas, automatic failover and Multi-AZ are on unless declined; Multi-AZ is off "
      "when\n"
      "failover is, or when all --zones are the same one.\n\n"
      "Examples:\n"
      "  ecctl group create orders --replicas 2 --wait\n"
      "  ecctl group create orders --zones us-east-1a,us-east-1b,us-east-1c --wait\n"
      "  ecctl group create reports --replicas 1 --no-automatic-failover\n"
      "  ecctl group create orders --primary demo --wait\n");
  create.Argument("ID", "NAME", &options->id, "Its name: 1..40 letters, digits and hyphens")
      .Option("--replicas", "N", &options->replicas,
              "0..5, beside the primary (default: one per --zones but the first, else 1)")
      .List("--zones", "ZONES", &options->zones,
            "The zone of each member, the primary's first (default: spread over all)")
      .OnOff("automatic-failover", &options->automatic_failover,
             "A replica takes over when the primary fails, or not (default: with replicas)")
      .OnOff("multi-az", &options->multi_az,
             "Members in different zones, or not (default: with automatic failover)")
      .Option("--primary", "CLUSTER", &options->primary,
              "An existing cluster to form the group around, with its data and its settings; "
              "replicas are added later")
      .Excludes("--replicas")
      .Excludes("--zones")
      .Option("--description", "TEXT", &options->description, "Default: its name")
      .Option("--engine", "ENGINE", &options->engine, "redis (default) or valkey")
      .Excludes("--primary")
      .Option("--engine-version", "VERSION", &options->engine_version, "Default: the newest one")
      .Option("--node-type", "TYPE", &options->node_type, "Default cache.t3.micro")
      .Excludes("--primary")
      .Option("--port", "PORT", &options->port, "Default 6379")
      .Option("--subnet-group", "SUBNET-GROUP", &options->subnet_group,
              "Where it lives: its VPC and zones (default: default)");
  AddSettingOptions(create, options.get());
  AddSeedOptions(create, options.get());
  AddTokenOptions(create, options.get());
  create.Option("--user-group", "USER-GROUP", &options->user_group,
                "Whose users may log in; it and a token go with encryption in transit");
  create.Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times")
      .Flag("--transit-encryption", &options->transit_encryption,
            "Clients and replicas speak TLS; clients trust what 'ecctl tls ca' prints")
      .Flag("--no-auto-minor-version-upgrade", &options->no_auto_minor_version_upgrade,
            "Stay on the engine version that is asked for")
      .Flag("--wait", &options->wait, kWaitText);
}

void AddGroupModifyCommand(CommandLine& line, CLI::App* group) {
  auto options = std::make_shared<ModifyOptions>();
  Command modify = line.AddCommand(
      group, "modify", "Change a group and all its clusters, at once unless told otherwise",
      [options](Context& context) { return ModifyGroup(context, *options); },
      "Unlike AWS's own tools this applies changes immediately by default.\n\n"
      "Examples:\n"
      "  ecctl group modify orders --no-multi-az --no-automatic-failover --wait\n"
      "  ecctl group modify orders --primary orders-002 --wait\n"
      "  ecctl group modify orders --engine-version 7.1 --no-apply-immediately\n"
      "  ecctl group modify orders --auth-token-file new --wait    # beside the present one\n"
      "  ecctl group modify orders --auth-token-file new --auth-token-strategy set --wait\n");
  modify.Argument("ID", "REPLICATION-GROUP", &options->id, "The replication group")
      .Option("--description", "TEXT", &options->description, "What it is for")
      .Option("--primary", "MEMBER", &options->primary,
              "Who is to lead; only without automatic failover ('group switchover' at any time)")
      .OnOff("automatic-failover", &options->automatic_failover,
             "A replica takes over when the primary fails, or not")
      .OnOff("multi-az", &options->multi_az, "Members in different zones, or not")
      .Option("--engine-version", "VERSION", &options->engine_version, "Upwards only")
      .Option("--snapshotting-cluster", "MEMBER", &options->snapshotting,
              "The member of which backups are taken (default: a replica)");
  AddSettingOptions(modify, options.get());
  AddTokenOptions(modify, options.get());
  modify
      .Option("--auth-token-strategy", "STRATEGY", &options->token_strategy,
              "rotate (default): beside the present one; set: in its place, after that; delete: "
              "none, for users")
      .Option("--add-user-group", "USER-GROUP", &options->add_user_group,
              "Whose users may log in from now on")
      .Option("--remove-user-group", "USER-GROUP", &options->remove_user_group,
              "Whose users may not any more")
      .Flag("--remove-user-groups", &options->remove_user_groups, "The same, whichever there is")
      .Option("--notification-status", "STATUS", &options->notification_status,
              "active or inactive")
      .OnOff("auto-minor-version-upgrade", &options->auto_minor_version_upgrade,
             "Follow minor versions, or stay")
      .OnOff("apply-immediately", &options->apply_immediately,
             "Now, or in the maintenance window (default: now)")
      .Flag("--wait", &options->wait, kWaitText);
}

void AddReplicaCommands(CommandLine& line, CLI::App* group) {
  auto options = std::make_shared<ReplicaOptions>();
  line.AddCommand(
          group, "add-replica", "Add read replicas",
          [options](Context& context) { return AddReplicas(context, *options); },
          "Examples:\n"
          "  ecctl group add-replica orders --wait\n"
          "  ecctl group add-replica orders --count 2\n"
          "  ecctl group add-replica orders --zones us-east-1c --wait\n")
      .Argument("ID", "REPLICATION-GROUP", &options->id, "The replication group")
      .Option("--count", "N", &options->count, "How many (default: one per --zones, else 1)")
      .Within(1, 5)
      .List("--zones", "ZONES", &options->zones, "The zone of each new one")
      .Flag("--wait", &options->wait, kWaitText);
  line.AddCommand(
          group, "remove-replica", "Remove read replicas and their data",
          [options](Context& context) { return RemoveReplicas(context, *options); },
          "Examples:\n"
          "  ecctl group remove-replica orders --wait\n"
          "  ecctl group remove-replica orders orders-003\n")
      .Argument("ID", "REPLICATION-GROUP", &options->id, "The replication group")
      .Arguments("REPLICA", "MEMBER", /*required=*/false, &options->members,
                 "Those to remove (default: the service chooses)")
      .Option("--count", "N", &options->count, "How many, when none is named (default 1)")
      .Within(1, 5)
      .Flag("--wait", &options->wait, kWaitText);
}

}  // namespace ec::cli
