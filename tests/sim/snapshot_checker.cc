#include "tests/sim/snapshot_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace ec::sim {
namespace {

using model::ClusterStatus;
using model::Snapshot;
using model::SnapshotStatus;

bool IsThere(const Snapshot& row) {
  return row.status == SnapshotStatus::kAvailable || row.status == SnapshotStatus::kExporting;
}

std::string SourceOf(const Snapshot& row) {
  return row.origin.group.empty() ? row.origin.cluster : "group " + row.origin.group;
}

}  // namespace

bool SnapshotChecker::SourceIsThere(const Snapshot& row) const {
  const model::Records& records = world_.records();
  return row.origin.group.empty() ? records.clusters.contains(row.origin.cluster)
                                  : records.groups.contains(row.origin.group);
}

// -1: nobody knows what it would be.
int SnapshotChecker::RetentionOf(const Snapshot& row) const {
  const model::Records& records = world_.records();
  model::ClusterId id = row.origin.cluster;
  if (const auto group = records.groups.find(row.origin.group); group != records.groups.end()) {
    const auto leader = records.members.find(group->second.leader);
    if (leader == records.members.end()) return -1;
    id = leader->second.cluster;
  }
  const auto cluster = records.clusters.find(id);
  return cluster == records.clusters.end() ? -1 : cluster->second.snapshot_retention;
}

// I16, and: automatic ones come once a day at most, by the clock.
std::string SnapshotChecker::CheckOne(const Snapshot& row) {
  const auto before = seen_.find(row.name);
  const bool is_new = before == seen_.end() || before->second.row.file != row.file;
  const bool was_there = !is_new && IsThere(before->second.row);
  if (is_new && row.automatic) {
    const std::string source = SourceOf(row);
    const auto last = last_automatic_.find(source);
    // Two in a row are those of two days, or the second stands in for one that failed.
    const bool too_soon = last != last_automatic_.end() && row.created >= last->second &&
                          row.created - last->second < std::chrono::hours(22);
    if (too_soon) return fmt::format("{} comes too soon after the one before", row.name);
  }
  if (!is_new && row.automatic && IsThere(row)) last_automatic_[SourceOf(row)] = row.created;
  if (!IsThere(row) || was_there) return {};
  const auto file = world_.files.find(row.file);
  if (file == world_.files.end()) return fmt::format("{} is available without a file", row.name);
  if (file->second.sha256 != row.facts.sha256) {
    return fmt::format("{} is available with another file than was checked", row.name);
  }
  contents_[row.file] = file->second.writes;
  return {};
}

// I17: none goes but by request, by age, or with its source.
std::string SnapshotChecker::CheckGone(const Seen& seen) const {
  const Snapshot& row = seen.row;
  if (!IsThere(row) || deleted.contains(row.name)) return {};
  if (!row.automatic) return fmt::format("{} is manual and goes unasked", row.name);
  if (!SourceIsThere(row)) return {};
  const int days = RetentionOf(row);
  if (days < 0 || now() > row.created + std::chrono::days(days)) return {};
  return fmt::format("{} goes at {}, though it is to be kept for {} days", row.name,
                     ToString(now()), days);
}

// I18: one at a time, and the status says so.
std::string SnapshotChecker::CheckSources() const {
  std::map<model::ClusterId, int> under_way;
  for (const auto& [name, row] : world_.records().snapshots) {
    const bool backup = row.status == SnapshotStatus::kCreating && row.work.task != 0 &&
                        row.work.kind == TaskKind::kBackup;
    if (backup) ++under_way[row.origin.cluster];
  }
  for (const auto& [id, cluster] : world_.records().clusters) {
    const auto found = under_way.find(id);
    const int count = found == under_way.end() ? 0 : found->second;
    if (count > 1) return fmt::format("{} is backed up twice at a time", id);
    const bool says_so = cluster.status == ClusterStatus::kSnapshotting;
    const bool is_final = cluster.status == ClusterStatus::kDeleting || !cluster.group.empty();
    if (says_so && count == 0) return fmt::format("{} is snapshotting, and nothing is taken", id);
    if (count == 1 && !says_so && !is_final) {
      return fmt::format("{} is backed up and says {}", id, NameOf(cluster.status));
    }
    if (cluster.manual_backups.size() > 20) return fmt::format("{} has too many backups", id);
  }
  return {};
}

// A cluster that was made of a snapshot has what that had, when it is first available.
std::string SnapshotChecker::CheckRestored() {
  for (const auto& [id, cluster] : world_.records().clusters) {
    if (!cluster.seed || cluster.status != ClusterStatus::kAvailable) continue;
    for (const MemberId member : cluster.members) {
      if (!restored_.insert(member).second) continue;
      const Engine* engine = world_.EngineOf(member);
      const auto wanted = contents_.find(cluster.seed->file);
      if (engine == nullptr || wanted == contents_.end()) continue;
      if (engine->launch != world_.records().members.at(member).launch) continue;
      const bool begins_so =
          engine->writes.size() >= wanted->second.size() &&
          std::equal(wanted->second.begin(), wanted->second.end(), engine->writes.begin());
      if (!begins_so) return fmt::format("{} is available without what it was made of", id);
    }
  }
  return {};
}

std::string SnapshotChecker::Check() {
  const model::Records& records = world_.records();
  if (records.revision == revision_) return {};
  revision_ = records.revision;
  for (const auto& [name, seen] : seen_) {
    const auto row = records.snapshots.find(name);
    const bool there =
        row != records.snapshots.end() && row->second.file == seen.row.file && IsThere(row->second);
    if (there) continue;
    if (std::string why = CheckGone(seen); !why.empty()) return why;
  }
  for (const auto& [name, row] : records.snapshots) {
    if (std::string why = CheckOne(row); !why.empty()) return why;
  }
  if (std::string why = CheckSources(); !why.empty()) return why;
  if (std::string why = CheckRestored(); !why.empty()) return why;
  seen_.clear();
  for (const auto& [name, row] : records.snapshots) seen_[name].row = row;
  return {};
}

std::string SnapshotChecker::Unsettled() const {
  for (const auto& [name, row] : world_.records().snapshots) {
    if (row.work.task != 0) return fmt::format("{} has a task still", name);
    if (row.status == SnapshotStatus::kCreating) return fmt::format("{} is creating", name);
  }
  for (const auto& [id, cluster] : world_.records().clusters) {
    if (cluster.status == ClusterStatus::kSnapshotting) return id + " is snapshotting";
  }
  for (const auto& [file, content] : world_.files) {
    const bool known = std::ranges::any_of(
        world_.records().snapshots, [&](const auto& entry) { return entry.second.file == file; });
    if (!known && !contents_.contains(file)) continue;  // an attempt that nobody heard of
    if (!known) return fmt::format("file {} is nobody's", file);
  }
  return {};
}

}  // namespace ec::sim
