#include "controlplane/server/snapshots.h"

#include <fmt/format.h>

#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert_network.h"
#include "controlplane/server/pages.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

// Submits the command and answers with the snapshot as it then is.
Status SubmitFor(ControllerLoop& loop, const std::string& name, core::Command command,
                 v1::Snapshot* response) {
  return loop.Submit(std::move(command), [&](const model::State& state) {
    const auto found = state.records.snapshots.find(model::Lower(name));
    if (found != state.records.snapshots.end()) ToProto(state, found->second, false, response);
  });
}

Status CheckFilters(const v1::DescribeSnapshotsRequest& request, int* size) {
  *size = request.has_max_records() ? request.max_records() : model::kSnapshotRecordsMax;
  if (*size < model::kMaxRecordsMin || *size > model::kSnapshotRecordsMax) {
    return {Fault::kInvalidParameterValue,
            fmt::format("Invalid value for MaxRecords: '{}'. It must be {} to {}.", *size,
                        model::kMaxRecordsMin, model::kSnapshotRecordsMax)};
  }
  if (request.has_cache_cluster_id() && request.has_replication_group_id()) {
    return {Fault::kInvalidParameterCombination,
            "CacheClusterId and ReplicationGroupId exclude each other."};
  }
  const std::string& source = request.snapshot_source();
  if (request.has_snapshot_source() && source != "system" && source != "user") {
    return {Fault::kInvalidParameterValue,
            fmt::format("Invalid value for SnapshotSource: '{}'. It must be system, for automated "
                        "snapshots, or user, for manual ones.",
                        source)};
  }
  return {};
}

bool Matches(const v1::DescribeSnapshotsRequest& request, const model::Snapshot& snapshot) {
  if (request.has_snapshot_source() &&
      snapshot.automatic != (request.snapshot_source() == "system")) {
    return false;
  }
  if (request.has_cache_cluster_id() &&
      snapshot.origin.cluster != model::Lower(request.cache_cluster_id())) {
    return false;
  }
  return !request.has_replication_group_id() ||
         snapshot.origin.group == model::Lower(request.replication_group_id());
}

}  // namespace

Status CreateSnapshot(ControllerLoop& loop, const v1::CreateSnapshotRequest& request,
                      v1::CreateSnapshotResponse* response) {
  core::CreateSnapshot command{request.snapshot_name(), EC_OPTIONAL(request, cache_cluster_id),
                               EC_OPTIONAL(request, replication_group_id), ToTags(request.tags())};
  return SubmitFor(loop, request.snapshot_name(), std::move(command), response->mutable_snapshot());
}

Status DeleteSnapshot(ControllerLoop& loop, const v1::DeleteSnapshotRequest& request,
                      v1::DeleteSnapshotResponse* response) {
  return SubmitFor(loop, request.snapshot_name(), core::DeleteSnapshot{request.snapshot_name()},
                   response->mutable_snapshot());
}

Status CopySnapshot(ControllerLoop& loop, const v1::CopySnapshotRequest& request,
                    v1::CopySnapshotResponse* response) {
  core::CopySnapshot command{request.source_snapshot_name(), request.target_snapshot_name(),
                             EC_OPTIONAL(request, target_bucket), ToTags(request.tags())};
  const std::string& name =
      request.has_target_bucket() ? request.source_snapshot_name() : request.target_snapshot_name();
  return SubmitFor(loop, name, std::move(command), response->mutable_snapshot());
}

Status DescribeSnapshots(ControllerLoop& loop, const v1::DescribeSnapshotsRequest& request,
                         v1::DescribeSnapshotsResponse* response) {
  int size = 0;
  EC_RETURN_IF_ERROR(CheckFilters(request, &size));
  const bool with_node_groups = request.show_node_group_config();
  return loop.Read([&](const model::State& state) -> Status {
    const auto& snapshots = state.records.snapshots;
    if (request.has_snapshot_name()) {
      const auto found = snapshots.find(model::Lower(request.snapshot_name()));
      if (found == snapshots.end()) {
        return {Fault::kSnapshotNotFound,
                fmt::format("Snapshot not found: {}", request.snapshot_name())};
      }
      if (Matches(request, found->second)) {
        ToProto(state, found->second, with_node_groups, response->add_snapshots());
      }
      return {};
    }
    // The marker is the last name of the page before.
    auto it =
        request.marker().empty() ? snapshots.begin() : snapshots.upper_bound(request.marker());
    for (; it != snapshots.end(); ++it) {
      if (!Matches(request, it->second)) continue;
      if (response->snapshots_size() == size) {
        response->set_marker(response->snapshots(size - 1).snapshot_name());
        break;
      }
      ToProto(state, it->second, with_node_groups, response->add_snapshots());
    }
    return {};
  });
}

}  // namespace ec::server
