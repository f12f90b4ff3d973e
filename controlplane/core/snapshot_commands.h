// The commands about snapshots, and what others need of them. Each checks the whole request first,
// and changes the draft only when it cannot fail any more.
#pragma once

#include <optional>
#include <string>

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

Status Create(Draft& draft, const Settings& settings, const CreateSnapshot& request);
Status Delete(Draft& draft, const Settings& settings, const DeleteSnapshot& request);
Status Copy(Draft& draft, const Settings& settings, const CopySnapshot& request);

// --- backups that belong to something else ---

// Whether a final snapshot of this name can be taken of the cluster; AWS's faults.
Status CheckFinalSnapshot(Draft& draft, const Settings& settings, const model::Cluster& cluster,
                          const std::string& name);
// Begins it. REQUIRES: CheckFinalSnapshot() has passed. Without a group it is the cluster's own.
// `then` is what the snapshot is to be followed by.
void BeginFinalSnapshot(Draft& draft, const model::ClusterId& cluster, const model::GroupId& group,
                        const std::string& name, const model::Snapshot& then);

// Begins the backups whose time has come, and puts those off that cannot be begun.
void BeginDueBackups(Draft& draft, const Settings& settings);
// Deletes automatic ones that are older than their retention. `is_sure`: the clock is known not to
// be wrong. Otherwise many at once wait until nobody doubts it any more.
void ExpireSnapshots(Draft& draft, bool is_sure);

// --- restoring ---

// What a cluster begins with, for a request that names a snapshot or an RDB file, and nullopt for
// others. Fills in what the snapshot says and the request does not.
// Errors: kSnapshotNotFound, kInvalidSnapshotState, kInvalidParameterValue,
// kInvalidParameterCombination.
Result<std::optional<Seed>> TakeSeed(const Draft& draft, CreateCluster* request);

// Whether the cluster can take its seed in: engine, version, size.
Status CheckSeed(const Draft& draft, const model::Cluster& cluster);

}  // namespace ec::core
