// What a new cluster begins with.
#include <fmt/format.h>

#include "controlplane/core/snapshot_commands.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/names.h"
#include "controlplane/model/parameters.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::Snapshot;

const Snapshot* FindFile(const Draft& draft, SnapshotFile file) {
  for (const Snapshot* row : draft.Snapshots()) {
    if (row->file == file) return row;
  }
  return nullptr;
}

// "1.5 GB", as people say it.
std::string SizeText(int64_t bytes) {
  if (bytes >= int64_t{1} << 30) {
    return fmt::format("{:.1f} GB", static_cast<double>(bytes) / (1 << 30));
  }
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1 << 20));
}

template <typename T>
void Default(std::optional<T>* member, const T& value) {
  if (!*member) *member = value;
}

}  // namespace

Result<std::optional<Seed>> TakeSeed(const Draft& draft, CreateCluster* request) {
  if (request->snapshot_name && !request->snapshot_arns.empty()) {
    return BadCombination("SnapshotName and SnapshotArns exclude each other.");
  }
  if (!request->snapshot_arns.empty()) {
    if (request->snapshot_arns.size() != 1) {
      return BadCombination(fmt::format(
          "SnapshotArns names {} files; a group of one node group begins with exactly one.",
          request->snapshot_arns.size()));
    }
    const std::string& arn = request->snapshot_arns.front();
    Result<model::BucketObject> object = model::ParseObjectArn(arn, "SnapshotArns");
    if (!object.ok()) return object.status();
    return std::optional(Seed{.bucket = object->bucket, .key = object->key, .name = arn});
  }
  if (!request->snapshot_name) return std::optional<Seed>();
  const model::SnapshotName name = model::Lower(*request->snapshot_name);
  const Snapshot* row = draft.FindSnapshot(name);
  if (row == nullptr) {
    return Status(Fault::kSnapshotNotFound,
                  fmt::format("Snapshot not found: {}", *request->snapshot_name));
  }
  if (row->status != model::SnapshotStatus::kAvailable &&
      row->status != model::SnapshotStatus::kExporting) {
    return Status(
        Fault::kInvalidSnapshotState,
        fmt::format("Snapshot {} is not in available state: it is {}.", name, NameOf(row->status)));
  }
  const model::SnapshotOrigin& origin = row->origin;
  Default(&request->engine, std::string(NameOf(origin.engine)));
  if (!origin.node_type.empty()) {
    Default(&request->node_type, origin.node_type);
    Default(&request->engine_version, origin.engine_version);
    Default(&request->port, static_cast<int>(origin.port));
  }
  return std::optional(Seed{.file = row->file, .sha256 = row->facts.sha256, .name = row->name});
}

Status CheckSeed(const Draft& draft, const Cluster& cluster) {
  if (!cluster.seed || cluster.seed->file == 0) return {};
  const Snapshot* row = FindFile(draft, cluster.seed->file);
  if (row == nullptr) {
    return {Fault::kSnapshotNotFound, fmt::format("Snapshot not found: {}", cluster.seed->name)};
  }
  const model::SnapshotOrigin& origin = row->origin;
  if (origin.engine != cluster.engine) {
    return BadCombination(fmt::format("Snapshot {} is of engine {} and cannot be restored into {}.",
                                      row->name, NameOf(origin.engine), NameOf(cluster.engine)));
  }
  // What is known of an imported one is the program that wrote it, which is no version on offer.
  const bool has_version = !origin.node_type.empty();
  if (has_version && model::CompareVersions(cluster.engine_version, origin.engine_version) < 0) {
    return BadCombination(
        fmt::format("Snapshot {} is of engine version {} and cannot be restored into the older {}.",
                    row->name, origin.engine_version, cluster.engine_version));
  }
  if (row->facts.memory_bytes > cluster.seed->memory_max) {
    return BadValue("CacheNodeType", cluster.node_type,
                    fmt::format("It holds {}, and the data of snapshot {} has {}.",
                                SizeText(cluster.seed->memory_max), row->name,
                                SizeText(row->facts.memory_bytes)));
  }
  return {};
}

}  // namespace ec::core
