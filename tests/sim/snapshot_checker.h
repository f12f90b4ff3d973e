// What must never be with snapshots, by a model of its own: the set of those that there should be.
// It knows what was asked for, and what the clock shows.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace ec::sim {

class SnapshotChecker {
 public:
  explicit SnapshotChecker(World& world) : world_(world) {}

  // After every change of the records. A sentence about the first thing that is wrong.
  std::string Check();
  // What has still to come to be once all faults have ended.
  std::string Unsettled() const;

  // Deletions that somebody has asked for.
  std::set<model::SnapshotName> deleted;

 private:
  struct Seen {
    model::Snapshot row;
    std::vector<uint64_t> writes;  // of its file when it became available
  };
  std::string CheckOne(const model::Snapshot& row);
  std::string CheckGone(const Seen& seen) const;
  std::string CheckSources() const;
  std::string CheckRestored();
  bool SourceIsThere(const model::Snapshot& row) const;
  int RetentionOf(const model::Snapshot& row) const;
  WallTime now() const { return TimeOn(world_.records().installation.clock, world_.clock().wall); }

  World& world_;
  uint64_t revision_ = 0;
  std::map<model::SnapshotName, Seen> seen_;
  std::map<SnapshotFile, std::vector<uint64_t>> contents_;  // of all that ever were available
  std::map<std::string, WallTime> last_automatic_;          // by source
  std::set<MemberId> restored_;
};

}  // namespace ec::sim
