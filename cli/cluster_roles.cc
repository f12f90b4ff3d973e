// `ecctl cluster promote` and `ecctl cluster demote`: out of a group, and into one.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "cli/clusters.h"
#include "cli/lookup.h"
#include "cli/setting_options.h"

namespace ec::cli {
namespace {

struct PromoteOptions {
  std::string id;
  bool force = false;
  bool wait = false;
};

struct DemoteOptions {
  std::string id;
  std::string group, primary, new_group;
  bool accept_data_loss = false;
  std::optional<std::string> final_snapshot;
  bool wait = false;
};

// The group is looked at before the cluster: a group that has nothing to do any more has decided
// what becomes of the cluster. False when there is no such group.
Outcome LookAtBoth(Context& context, const std::string& group_id, const std::string& cluster_id,
                   v1::ReplicationGroup* group, v1::CacheCluster* cluster) {
  const Outcome found = FindGroup(context, group_id, group);
  if (!IsNotFound(found)) EC_RETURN_UNLESS_OK(found);
  return FindCluster(context, cluster_id, cluster);
}

Outcome AwaitPromotion(Context& context, const std::string& id, const std::string& group_id,
                       uint64_t after_serial, v1::CacheCluster* cluster) {
  const Wait wait{.id = id, .operation = "promotion", .after_serial = after_serial};
  return WaitFor(context, wait, [&](Seen* seen) -> Outcome {
    v1::ReplicationGroup group;
    v1::CacheCluster now;
    EC_RETURN_UNLESS_OK(LookAtBoth(context, group_id, id, &group, &now));
    const bool free = !now.has_replication_group_id();
    seen->sources = {group_id};
    seen->status = now.cache_cluster_status();
    seen->done = free && seen->status == "available";
    seen->given_up = !free && group.status() == "available";
    *cluster = std::move(now);
    return {};
  });
}

Outcome Promote(Context& context, const PromoteOptions& options) {
  uint64_t last_serial = 0;
  v1::CacheCluster before;
  if (options.wait) {
    EC_RETURN_UNLESS_OK(FindCluster(context, options.id, &before));
    EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  }
  v1::PromoteCacheClusterRequest request;
  request.set_cache_cluster_id(options.id);
  if (options.force) request.set_force(true);
  v1::PromoteCacheClusterResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::PromoteCacheCluster, request, &response));
  if (options.wait) {
    const std::string id = response.cache_cluster().cache_cluster_id();
    EC_RETURN_UNLESS_OK(AwaitPromotion(context, id, before.replication_group_id(), last_serial,
                                       response.mutable_cache_cluster()));
  }
  return FinishChange(context, "promotion", /*wait=*/false, last_serial, &response);
}

Outcome AwaitDemotion(Context& context, const std::string& id, const std::string& group_id,
                      uint64_t after_serial, v1::DemoteCacheClusterResponse* response) {
  const Wait wait{.id = id, .operation = "demotion", .after_serial = after_serial};
  return WaitFor(context, wait, [&](Seen* seen) -> Outcome {
    v1::ReplicationGroup group;
    v1::CacheCluster now;
    EC_RETURN_UNLESS_OK(LookAtBoth(context, group_id, id, &group, &now));
    const bool settled = group.status() == "available" || !group.has_status();
    const bool joined = now.replication_group_id() == LowerCase(group_id);
    seen->sources = {LowerCase(group_id)};
    seen->status = now.cache_cluster_status();
    seen->done = settled && joined && seen->status == "available";
    seen->given_up = settled && !joined;
    *response->mutable_cache_cluster() = std::move(now);
    *response->mutable_replication_group() = std::move(group);
    return {};
  });
}

Outcome Demote(Context& context, const DemoteOptions& options) {
  const bool forms = !options.primary.empty() || !options.new_group.empty();
  if (options.group.empty() != forms || (forms && options.primary.empty()) ||
      (forms && options.new_group.empty())) {
    return UsageError("give --group, or --primary and --new-group");
  }
  const std::string& target = forms ? options.primary : options.group;
  EC_RETURN_UNLESS_OK(Confirm(
      fmt::format("Give up all data of {} and make it a replica of {}?", options.id, target),
      options.accept_data_loss));
  uint64_t last_serial = 0;
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  v1::DemoteCacheClusterRequest request;
  request.set_cache_cluster_id(options.id);
  if (forms) {
    request.set_primary_cluster_id(options.primary);
    request.set_new_replication_group_id(options.new_group);
  } else {
    request.set_replication_group_id(options.group);
  }
  request.set_accept_data_loss(true);
  if (options.final_snapshot) request.set_final_snapshot_identifier(*options.final_snapshot);
  v1::DemoteCacheClusterResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DemoteCacheCluster, request, &response));
  if (options.wait) {
    const std::string id = response.cache_cluster().cache_cluster_id();
    EC_RETURN_UNLESS_OK(AwaitDemotion(context, id, forms ? options.new_group : options.group,
                                      last_serial, &response));
  }
  return FinishChange(context, "demotion", /*wait=*/false, last_serial, &response);
}

}  // namespace

void AddRoleCommands(CommandLine& line, CLI::App* cluster) {
  auto promote = std::make_shared<PromoteOptions>();
  line.AddCommand(
          cluster, "promote", "Make a read replica a cluster of its own, with the same data",
          [promote](Context& context) { return Promote(context, *promote); },
          "Its endpoint stays, and its group goes on without it. First it proves that it has all\n"
          "that its primary has. To let it lead the group instead: 'ecctl group switchover'.\n\n"
          "Examples:\n"
          "  ecctl cluster promote orders-003 --wait\n"
          "  ecctl cluster promote orders-003 --force\n")
      .Argument("ID", "CLUSTER", &promote->id, "The read replica")
      .Flag("--force", &promote->force, "At once, without the proof: writes may be missing in it")
      .Flag("--wait", &promote->wait, kWaitText);
  auto demote = std::make_shared<DemoteOptions>();
  line.AddCommand(
          cluster, "demote", "Make a Redis cluster a read replica; its own data is given up",
          [demote](Context& context) { return Demote(context, *demote); },
          "Its id and its endpoint stay. It joins a group, or another cluster of the same kind,\n"
          "around which a group is formed.\n\n"
          "Examples:\n"
          "  ecctl cluster demote staging --group orders --wait\n"
          "  ecctl cluster demote spare --primary demo --new-group demo-group\n"
          "  ecctl cluster demote staging --group orders --accept-data-loss\n")
      .Argument("ID", "CLUSTER", &demote->id, "The cluster, which is in no group")
      .Option("--group", "REPLICATION-GROUP", &demote->group, "The group to join")
      .Option("--primary", "CLUSTER", &demote->primary, "Or the cluster to follow")
      .Excludes("--group")
      .Option("--new-group", "NAME", &demote->new_group, "With --primary: the new group's id")
      .Excludes("--group")
      .Option("--final-snapshot", "NAME", &demote->final_snapshot,
              "Take a snapshot of its data first; without it nothing is demoted")
      .Flag("-y,--yes,--accept-data-loss", &demote->accept_data_loss, "Do not ask for confirmation")
      .Flag("--wait", &demote->wait, kWaitText);
}

}  // namespace ec::cli
