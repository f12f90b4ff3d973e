// What the control plane remembers of snapshots.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/engine_kind.h"
#include "common/snapshot_work.h"
#include "common/time.h"

namespace ec::model {

using SnapshotName = std::string;  // AWS's SnapshotName, in lower case

//   kCreating --> kAvailable <--> kExporting
//       |              |
//       v              v
//    kFailed ----> kDeleting --> gone
//
// A snapshot in kFailed has no file, and one in kDeleting is about to have none.
enum class SnapshotStatus { kCreating, kAvailable, kExporting, kDeleting, kFailed };

std::string_view NameOf(SnapshotStatus status);
std::optional<SnapshotStatus> ParseSnapshotStatus(std::string_view name);

// What becomes of its source once it is available.
enum class AfterSnapshot {
  kNothing,
  kDelete,  // a final snapshot: cluster or group are deleted then
  kDemote,  // the cluster becomes a replica then
};

std::string_view NameOf(AfterSnapshot after);
std::optional<AfterSnapshot> ParseAfterSnapshot(std::string_view name);

// The cluster that it was taken of, as that then was; of an imported one, what is known.
struct SnapshotOrigin {
  std::string cluster;  // the one whose engine wrote it; empty when it was imported
  std::string group;    // when it was taken of a group as a whole
  std::string group_description;
  bool automatic_failover = false;
  int clusters = 1;  // of the group
  EngineKind engine = EngineKind::kRedis;
  std::string engine_version;
  std::string node_type;  // empty when it was imported
  uint16_t port = 0;
  std::string parameter_group;
  std::string subnet_group;
  std::string vpc;
  std::string zone;
  std::string maintenance_window;
  std::string snapshot_window;
  int retention = 0;  // days
  bool auto_minor_version_upgrade = true;
  std::string topic_arn;
  WallTime created;  // the cluster
  friend bool operator==(const SnapshotOrigin&, const SnapshotOrigin&) = default;
};

// What a host is doing about it, or is to do.
struct SnapshotWork {
  uint64_t task = 0;  // 0: nothing
  TaskKind kind = TaskKind::kBackup;
  std::string host;         // empty: none is there that could
  uint64_t member = 0;      // whose data it is to have
  SnapshotFile source = 0;  // whose copy it is to be
  std::string source_sha256;
  std::string bucket;
  std::string key;
  friend bool operator==(const SnapshotWork&, const SnapshotWork&) = default;
};

struct Snapshot {
  SnapshotName name;
  SnapshotFile file = 0;
  SnapshotStatus status = SnapshotStatus::kCreating;
  bool automatic = false;
  AfterSnapshot after = AfterSnapshot::kNothing;
  // With kDemote: what the demotion was asked with.
  std::string demote_group;
  std::string demote_master;
  std::string demote_new_group;
  SnapshotOrigin origin;
  WallTime created;                 // when it was begun
  std::optional<WallTime> expires;  // of an automatic one
  SnapshotFacts facts;              // of an available one
  std::string trouble;              // why it has failed, or its last export
  SnapshotWork work;
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;  // of the last edit that changed the row
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

// The emulator's clock: what its schedules run on, and what its records and events are dated by.
// Failure detection and everything else that judges runs on the steady clock and knows none of it.
struct EmulatorClock {
  std::chrono::milliseconds offset{0};  // ahead of the machine's
  std::optional<WallTime> frozen;       // it stands still at this
  friend bool operator==(const EmulatorClock&, const EmulatorClock&) = default;
};

// What it shows when the machine's shows `machine`.
inline WallTime TimeOn(const EmulatorClock& clock, WallTime machine) {
  return clock.frozen ? *clock.frozen : machine + clock.offset;
}

}  // namespace ec::model
