// How snapshots look to people.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/output.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// "812 B", "1.4 KB", "12.0 MB".
std::string FormatSize(int64_t bytes);

// All that match the request, from all pages.
Outcome FindSnapshots(Context& context, const v1::DescribeSnapshotsRequest& request,
                      v1::DescribeSnapshotsResponse* response);
Outcome FindSnapshot(Context& context, const std::string& name, v1::Snapshot* snapshot);

Table SnapshotTable(const std::vector<v1::Snapshot>& snapshots);
std::string SnapshotText(const v1::Snapshot& snapshot);

// Waits until the snapshot is available, telling how it goes; then `*snapshot` is how it is now.
Outcome WaitForSnapshot(Context& context, const std::string& operation, v1::Snapshot* snapshot);

}  // namespace ec::cli
