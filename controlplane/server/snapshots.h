// The snapshot calls.
#pragma once

#include "common/status.h"
#include "controlplane/model/state.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::server {

class ControllerLoop;

Status CreateSnapshot(ControllerLoop& loop, const v1::CreateSnapshotRequest& request,
                      v1::CreateSnapshotResponse* response);
Status DescribeSnapshots(ControllerLoop& loop, const v1::DescribeSnapshotsRequest& request,
                         v1::DescribeSnapshotsResponse* response);
Status DeleteSnapshot(ControllerLoop& loop, const v1::DeleteSnapshotRequest& request,
                      v1::DeleteSnapshotResponse* response);
Status CopySnapshot(ControllerLoop& loop, const v1::CopySnapshotRequest& request,
                    v1::CopySnapshotResponse* response);

// In convert_snapshots.cc. `with_node_groups` adds how they were laid out.
void ToProto(const model::State& state, const model::Snapshot& snapshot, bool with_node_groups,
             v1::Snapshot* out);

}  // namespace ec::server
