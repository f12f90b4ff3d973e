// `ecctl snapshot`.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cli/clusters.h"
#include "cli/commands.h"
#include "cli/groups.h"
#include "cli/installation.h"
#include "cli/lookup.h"
#include "cli/network_lookup.h"
#include "cli/setting_options.h"
#include "cli/snapshot_view.h"
#include "cli/tags.h"
#include "cli/wait.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kS3 = "s3://";
// Where files from elsewhere, and to elsewhere, pass through.
constexpr const char* kPassingBucket = "ecctl-files";

struct SnapshotOptions {
  std::string name, target;
  std::optional<std::string> cluster, group, source, node_type, zone;
  std::optional<int> replicas;
  std::vector<std::string> tags;
  bool yes = false;
  bool wait = false;
};

// `response` is any of the API's that hold one snapshot.
template <typename Response>
Outcome Finish(Context& context, const std::string& operation, bool wait, Response* response) {
  if (wait) EC_RETURN_UNLESS_OK(WaitForSnapshot(context, operation, response->mutable_snapshot()));
  if (context.json()) {
    context.Print(*response);
  } else {
    PrintLine(SnapshotText(response->snapshot()));
  }
  return {};
}

Outcome CreateSnapshot(Context& context, const SnapshotOptions& options) {
  if (options.cluster.has_value() == options.group.has_value()) {
    return UsageError("name what to take a snapshot of: --cluster or --group");
  }
  v1::CreateSnapshotRequest request;
  request.set_snapshot_name(options.name);
  if (options.cluster) request.set_cache_cluster_id(*options.cluster);
  if (options.group) request.set_replication_group_id(*options.group);
  EC_RETURN_UNLESS_OK(SetTags(options.tags, {}, request.mutable_tags()));
  v1::CreateSnapshotResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CreateSnapshot, request, &response));
  return Finish(context, "creation", options.wait, &response);
}

Outcome ListSnapshots(Context& context, const SnapshotOptions& options) {
  v1::DescribeSnapshotsRequest request;
  if (options.cluster) request.set_cache_cluster_id(*options.cluster);
  if (options.group) request.set_replication_group_id(*options.group);
  if (options.source) request.set_snapshot_source(*options.source == "manual" ? "user" : "system");
  v1::DescribeSnapshotsResponse response;
  EC_RETURN_UNLESS_OK(FindSnapshots(context, request, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  context.Print(SnapshotTable({response.snapshots().begin(), response.snapshots().end()}),
                "There are no snapshots.");
  return {};
}

Outcome ShowSnapshot(Context& context, const std::string& name) {
  v1::DescribeSnapshotsResponse response;
  EC_RETURN_UNLESS_OK(FindSnapshot(context, name, response.add_snapshots()));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(SnapshotText(response.snapshots(0)));
  }
  return {};
}

Outcome DeleteSnapshot(Context& context, const SnapshotOptions& options) {
  EC_RETURN_UNLESS_OK(Confirm(fmt::format("Delete snapshot {}?", options.name), options.yes));
  v1::DeleteSnapshotRequest request;
  request.set_snapshot_name(options.name);
  v1::DeleteSnapshotResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DeleteSnapshot, request, &response));
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Snapshot {} is being deleted.", options.name));
  }
  return {};
}

Outcome CopySnapshot(Context& context, const SnapshotOptions& options) {
  v1::CopySnapshotRequest request;
  request.set_source_snapshot_name(options.name);
  request.set_target_snapshot_name(options.target);
  EC_RETURN_UNLESS_OK(SetTags(options.tags, {}, request.mutable_tags()));
  v1::CopySnapshotResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CopySnapshot, request, &response));
  return Finish(context, "copy", options.wait, &response);
}

// --- files from and to elsewhere ------------------------------------------------------------

std::string NewKey() {
  return fmt::format("{}-{}", getpid(), SystemClock().now().instant.time_since_epoch().count());
}

// The bucket that files pass through, in the installation's directory.
Outcome PassingBucket(Context& context, std::string* path) {
  std::string dir;
  EC_RETURN_UNLESS_OK(context.Directory(&dir));
  if (!fs::exists(InstallationFile(dir))) {
    return Refused(fmt::format(
        "files are passed through the directory of the installation, and {} is none; name an "
        "object as s3://BUCKET/KEY instead",
        dir));
  }
  *path = BucketsDirectory(dir) + "/" + kPassingBucket;
  return MakeDirectory(*path);
}

Outcome CopyFile(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (!error) return {};
  return Refused(fmt::format("cannot copy {} to {}: {}", from, to, error.message()));
}

struct Passing {
  std::string path;
  ~Passing() {
    std::error_code ignored;
    if (!path.empty()) fs::remove(path, ignored);
  }
};

Outcome ImportSnapshot(Context& context, const SnapshotOptions& options) {
  Passing passing;
  std::string arn;
  const bool is_object = options.name.starts_with(kS3);
  if (is_object) {
    arn = "arn:aws:s3:::" + options.name.substr(kS3.size());
  } else {
    std::string bucket;
    EC_RETURN_UNLESS_OK(PassingBucket(context, &bucket));
    const std::string key = NewKey() + ".rdb";
    passing.path = bucket + "/" + key;
    EC_RETURN_UNLESS_OK(CopyFile(options.name, passing.path));
    arn = fmt::format("arn:aws:s3:::{}/{}", kPassingBucket, key);
  }
  v1::CopySnapshotRequest request;
  request.set_source_snapshot_name(arn);
  request.set_target_snapshot_name(options.target);
  EC_RETURN_UNLESS_OK(SetTags(options.tags, {}, request.mutable_tags()));
  v1::CopySnapshotResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CopySnapshot, request, &response));
  // The copy that is passed has to stay until it has been taken.
  return Finish(context, "import", options.wait || !is_object, &response);
}

Outcome WaitForExport(Context& context, v1::Snapshot* snapshot) {
  EC_RETURN_UNLESS_OK(WaitForSnapshot(context, "export", snapshot));
  return snapshot->has_trouble() ? Refused(snapshot->trouble()) : Outcome();
}

Outcome ExportSnapshot(Context& context, const SnapshotOptions& options) {
  const bool is_bucket = options.target.starts_with(kS3);
  v1::CopySnapshotRequest request;
  request.set_source_snapshot_name(options.name);
  Passing passing;
  if (is_bucket) {
    std::string bucket = options.target.substr(kS3.size());
    const size_t slash = bucket.find('/');
    std::string key = slash == std::string::npos ? "" : bucket.substr(slash + 1);
    bucket = bucket.substr(0, slash);
    if (key.ends_with(".rdb")) key.resize(key.size() - 4);
    request.set_target_bucket(bucket);
    request.set_target_snapshot_name(key.empty() ? options.name : key);
  } else {
    if (fs::exists(options.target)) return Refused(options.target + " is there already");
    std::string bucket;
    EC_RETURN_UNLESS_OK(PassingBucket(context, &bucket));
    const std::string key = "f" + NewKey();
    passing.path = fmt::format("{}/{}.rdb", bucket, key);
    request.set_target_bucket(kPassingBucket);
    request.set_target_snapshot_name(key);
  }
  v1::CopySnapshotResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CopySnapshot, request, &response));
  EC_RETURN_UNLESS_OK(WaitForExport(context, response.mutable_snapshot()));
  if (!is_bucket) EC_RETURN_UNLESS_OK(CopyFile(passing.path, options.target));
  if (context.json()) {
    context.Print(response);
  } else {
    const std::string place = is_bucket ? fmt::format("s3://{}/{}.rdb", request.target_bucket(),
                                                      request.target_snapshot_name())
                                        : options.target;
    PrintLine(fmt::format("Snapshot {} has been exported to {}.", options.name, place));
  }
  return {};
}

// --- restoring ------------------------------------------------------------------------------

Outcome RestoreGroup(Context& context, const SnapshotOptions& options) {
  v1::CreateReplicationGroupRequest request;
  request.set_replication_group_id(*options.group);
  request.set_replication_group_description("Restored from " + options.name);
  request.set_snapshot_name(options.name);
  request.set_num_cache_clusters(options.replicas.value_or(0) + 1);
  if (options.replicas.value_or(0) > 0) request.set_automatic_failover_enabled(true);
  if (options.node_type) request.set_cache_node_type(*options.node_type);
  GroupWait wait{{.operation = "restore"}, AnyState};
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
  v1::CreateReplicationGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::CreateReplicationGroup, request, &response));
  return FinishGroupChange(context, options.wait, std::move(wait), &response);
}

Outcome RestoreSnapshot(Context& context, const SnapshotOptions& options) {
  if (options.cluster.has_value() == options.group.has_value()) {
    return UsageError("name what the snapshot becomes: --cluster or --group");
  }
  if (options.group) return RestoreGroup(context, options);
  if (options.replicas) return UsageError("--replicas is for --group");
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id(*options.cluster);
  request.set_snapshot_name(options.name);
  if (options.node_type) request.set_cache_node_type(*options.node_type);
  if (options.zone) request.set_preferred_availability_zone(*options.zone);
  uint64_t last_serial = 0;
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  v1::CreateCacheClusterResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CreateCacheCluster, request, &response));
  return FinishChange(context, "restore", options.wait, last_serial, &response);
}

// --- declarations ---------------------------------------------------------------------------

using Options = std::shared_ptr<SnapshotOptions>;

void AddLooking(CommandLine& line, CLI::App* snapshot, const Options& options) {
  line.AddCommand(
          snapshot, "list", "List the snapshots",
          [options](Context& context) { return ListSnapshots(context, *options); },
          "Examples:\n"
          "  ecctl snapshot list\n"
          "  ecctl snapshot list --cluster orders --kind automated\n")
      .Option("--cluster", "CLUSTER", &options->cluster, "Only those of this cache cluster")
      .Option("--group", "REPLICATION-GROUP", &options->group, "Only those of this group")
      .Option("--kind", "KIND", &options->source, "Only these: automated or manual")
      .OneOf({"automated", "manual"});
  line.AddCommand(
          snapshot, "show", "Show a snapshot",
          [options](Context& context) { return ShowSnapshot(context, options->name); },
          "Examples:\n"
          "  ecctl snapshot show before-upgrade\n")
      .Argument("NAME", "SNAPSHOT", &options->name, "The snapshot");
  line.AddCommand(
          snapshot, "delete", "Delete a snapshot and its file",
          [options](Context& context) { return DeleteSnapshot(context, *options); },
          "Examples:\n"
          "  ecctl snapshot delete before-upgrade --yes\n")
      .Argument("NAME", "SNAPSHOT", &options->name, "The snapshot")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
}

void AddCopying(CommandLine& line, CLI::App* snapshot, const Options& options) {
  line.AddCommand(
          snapshot, "copy", "Make a manual snapshot that is a copy of another one",
          [options](Context& context) { return CopySnapshot(context, *options); },
          "Examples:\n"
          "  ecctl snapshot copy automatic.orders-2026-11-22-05-00 keep-this --wait\n")
      .Argument("SOURCE", "SNAPSHOT", &options->name, "The snapshot to copy")
      .Argument("NAME", "NAME", &options->target, "The copy's name")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times")
      .Flag("--wait", &options->wait, kWaitText);
  line.AddCommand(
          snapshot, "export", "Export a snapshot as an RDB file, which any redis-server loads",
          [options](Context& context) { return ExportSnapshot(context, *options); },
          "Examples:\n"
          "  ecctl snapshot export before-upgrade ./orders.rdb\n"
          "  ecctl snapshot export before-upgrade s3://backups/orders\n"
          "The bucket 'backups' is the directory buckets/backups of the installation.\n")
      .Argument("NAME", "SNAPSHOT", &options->name, "The snapshot")
      .Argument("TARGET", "FILE|s3://BUCKET[/KEY]", &options->target, "A new file, or an object");
  line.AddCommand(
          snapshot, "import", "Make a snapshot of an RDB file",
          [options](Context& context) { return ImportSnapshot(context, *options); },
          "Examples:\n"
          "  ecctl snapshot import ./dump.rdb from-production\n"
          "  ecctl snapshot import s3://backups/orders.rdb from-production --wait\n"
          "The file is checked whole before it becomes a snapshot.\n")
      .Argument("SOURCE", "FILE|s3://BUCKET/KEY", &options->name, "A file, or an object")
      .Argument("NAME", "NAME", &options->target, "The snapshot's name")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times")
      .Flag("--wait", &options->wait, kWaitText);
}

}  // namespace

void AddSnapshotCommands(CommandLine& line) {
  CLI::App* snapshot = line.AddGroup(
      kClusterSection, "snapshot", "Backups of Redis: take, copy, restore, export and import them");
  auto options = std::make_shared<SnapshotOptions>();
  line.AddCommand(
          snapshot, "create", "Take a snapshot of a Redis cluster or group",
          [options](Context& context) { return CreateSnapshot(context, *options); },
          "Examples:\n"
          "  ecctl snapshot create before-upgrade --cluster orders --wait\n"
          "  ecctl snapshot create carts-1 --group carts --wait     # of a replica\n")
      .Argument("NAME", "NAME", &options->name, "Letters, digits and hyphens; at most 40")
      .Option("--cluster", "CLUSTER", &options->cluster, "The cache cluster to take it of")
      .Option("--group", "REPLICATION-GROUP", &options->group, "The replication group")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times")
      .Flag("--wait", &options->wait, kWaitText);
  AddLooking(line, snapshot, options);
  line.AddCommand(
          snapshot, "restore", "Create a cluster or group that begins with a snapshot's data",
          [options](Context& context) { return RestoreSnapshot(context, *options); },
          "Examples:\n"
          "  ecctl snapshot restore before-upgrade --cluster orders2 --wait\n"
          "  ecctl snapshot restore before-upgrade --group carts2 --replicas 2 --wait\n"
          "'cluster create --from-snapshot' does the same with all settings to choose.\n")
      .Argument("NAME", "SNAPSHOT", &options->name, "The snapshot")
      .Option("--cluster", "ID", &options->cluster, "Id of the new cache cluster")
      .Option("--group", "ID", &options->group, "Id of the new replication group")
      .Option("--replicas", "COUNT", &options->replicas, "Replicas of the new group (default: 0)")
      .Within(0, 5)
      .Option("--node-type", "TYPE", &options->node_type, "Default: the snapshot's")
      .Option("--zone", "ZONE", &options->zone, "Of a new cluster")
      .Flag("--wait", &options->wait, kWaitText);
  AddCopying(line, snapshot, options);
}

}  // namespace ec::cli
