#include "cli/snapshot_view.h"

#include <fmt/format.h>

#include "cli/lookup.h"
#include "cli/wait.h"

namespace ec::cli {
namespace {

// Of one node group there is one.
const v1::NodeSnapshot& NodeOf(const v1::Snapshot& snapshot) {
  return snapshot.node_snapshots_size() > 0 ? snapshot.node_snapshots(0)
                                            : v1::NodeSnapshot::default_instance();
}

std::string SourceOf(const v1::Snapshot& snapshot) {
  if (snapshot.has_replication_group_id()) {
    return fmt::format("group {}", snapshot.replication_group_id());
  }
  return snapshot.has_cache_cluster_id() ? snapshot.cache_cluster_id() : "(imported)";
}

// "creating (45 %)"
std::string StatusOf(const v1::Snapshot& snapshot) {
  if (!snapshot.has_progress_percent()) return snapshot.snapshot_status();
  return fmt::format("{} ({} %)", snapshot.snapshot_status(), snapshot.progress_percent());
}

}  // namespace

std::string FormatSize(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes);
  size_t unit = 0;
  while (size >= 1024 && unit + 1 < std::size(kUnits)) {
    size /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

Outcome FindSnapshots(Context& context, const v1::DescribeSnapshotsRequest& asked,
                      v1::DescribeSnapshotsResponse* response) {
  v1::DescribeSnapshotsRequest request = asked;
  for (;;) {
    v1::DescribeSnapshotsResponse page;
    EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DescribeSnapshots, request, &page));
    for (v1::Snapshot& snapshot : *page.mutable_snapshots()) {
      *response->add_snapshots() = std::move(snapshot);
    }
    if (page.marker().empty()) return {};
    request.set_marker(page.marker());
  }
}

Outcome FindSnapshot(Context& context, const std::string& name, v1::Snapshot* snapshot) {
  v1::DescribeSnapshotsRequest request;
  request.set_snapshot_name(name);
  v1::DescribeSnapshotsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DescribeSnapshots, request, &response));
  if (response.snapshots_size() == 1) *snapshot = response.snapshots(0);
  return {};
}

Table SnapshotTable(const std::vector<v1::Snapshot>& snapshots) {
  Table table({"SNAPSHOT", "STATUS", "KIND", "SOURCE", "SIZE", "KEYS", "TAKEN"});
  table.ColorStatusColumn(1);
  for (const v1::Snapshot& snapshot : snapshots) {
    const v1::NodeSnapshot& node = NodeOf(snapshot);
    table.Add({snapshot.snapshot_name(), StatusOf(snapshot), snapshot.snapshot_source(),
               SourceOf(snapshot), node.has_size_bytes() ? FormatSize(node.size_bytes()) : "-",
               node.has_key_count() ? std::to_string(node.key_count()) : "-",
               FormatTime(node.snapshot_create_time())});
  }
  return table;
}

std::string SnapshotText(const v1::Snapshot& snapshot) {
  const v1::NodeSnapshot& node = NodeOf(snapshot);
  std::string out;
  const auto line = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<20}{}\n", what, value);
  };
  line("Snapshot", snapshot.snapshot_name());
  line("Status", StatusOf(snapshot));
  line("Trouble", snapshot.trouble());
  line("Kind", snapshot.snapshot_source());
  line("Source", SourceOf(snapshot));
  if (snapshot.has_replication_group_id()) line("Taken of", snapshot.cache_cluster_id());
  line("Taken", FormatTime(node.snapshot_create_time()));
  if (snapshot.has_expire_time()) line("Kept until", FormatTime(snapshot.expire_time()));
  if (node.has_size_bytes()) {
    line("Size", FormatSize(node.size_bytes()));
    line("Data in memory", FormatSize(node.memory_bytes()));
    line("Keys", std::to_string(node.key_count()));
    line("SHA-256", node.sha256());
  }
  line("Engine", fmt::format("{} {}", snapshot.engine(), snapshot.engine_version()));
  line("Node type", snapshot.cache_node_type());
  if (snapshot.has_port()) line("Port", std::to_string(snapshot.port()));
  line("Parameter group", snapshot.cache_parameter_group_name());
  line("Subnet group", snapshot.cache_subnet_group_name());
  line("Zone", snapshot.preferred_availability_zone());
  line("Maintenance window", snapshot.preferred_maintenance_window());
  line("Snapshot window", snapshot.snapshot_window());
  line("ARN", snapshot.arn());
  out.pop_back();
  return out;
}

Outcome WaitForSnapshot(Context& context, const std::string& operation, v1::Snapshot* snapshot) {
  const std::string name = snapshot->snapshot_name();
  Wait wait{.id = name, .operation = operation, .noun = "snapshot"};
  EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.after_serial));
  const Outcome waited = WaitFor(context, wait, [&](Seen* seen) -> Outcome {
    v1::Snapshot now;
    EC_RETURN_UNLESS_OK(FindSnapshot(context, name, &now));
    seen->status = now.snapshot_status();
    // A long one says how far it is, in quarters.
    const int quarter = now.progress_percent() / 25 * 25;
    if (quarter > 0 && now.has_progress_percent() && seen->status != "failed") {
      seen->status += fmt::format(", {} %", quarter);
    }
    seen->done = now.snapshot_status() == "available" || now.snapshot_status() == "restoring";
    *snapshot = std::move(now);
    return {};
  });
  if (!waited.ok() && snapshot->snapshot_status() == "failed" && snapshot->has_trouble()) {
    return Refused(fmt::format("{} of {} failed: {}", operation, name, snapshot->trouble()));
  }
  return waited;
}

}  // namespace ec::cli
