// Moves snapshots on: what hosts have to do about them, what came of it, and what time alone does.
//
// As with clusters, each function looks at the present records and sightings, and doing it again
// changes nothing.
#pragma once

#include <optional>

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// When an automatic one is older than the retention.
WallTime ExpiryOf(WallTime created, int retention_days);

// A host that could be asked to do something now; empty: there is none.
HostId AnyHost(const Draft& draft);

// Has the snapshot's file removed, and then the snapshot forgotten.
void BeginRemoval(Draft& draft, const model::SnapshotName& name);

// Gives the snapshot something to be done, under a number of its own.
void GiveWork(Draft& draft, const model::SnapshotName& name, model::SnapshotWork work);

// Looks at the snapshots that the host has something to do about.
void AdvanceSnapshotsOn(Draft& draft, const Settings& settings, const HostId& host);
// The same for all hosts: one may be silent, or not have heard of its task.
void AdvanceSnapshots(Draft& draft, const Settings& settings);

// Whether a snapshot is being taken after which the cluster or group is deleted.
bool AwaitsFinalSnapshot(const Draft& draft, const model::ClusterId& cluster);

// When a snapshot needs a Tick next.
std::optional<Instant> NextSnapshotDeadline(const model::State& state, const Settings& settings,
                                            Now now);

}  // namespace ec::core
