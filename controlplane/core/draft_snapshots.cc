// Snapshots in a draft, and what follows from clusters and groups for them: when the next backup is
// due, how long automatic ones are kept, and that they go with their cluster or group.
#include <utility>

#include "controlplane/core/draft.h"
#include "controlplane/core/draft_rows.h"
#include "controlplane/core/snapshot_work.h"
#include "controlplane/model/windows.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::Snapshot;

bool IsOf(const Snapshot& snapshot, const std::string& source, bool is_group) {
  if (is_group) return snapshot.origin.group == source;
  return snapshot.origin.group.empty() && snapshot.origin.cluster == source;
}

// When the next backup of this cluster, or of the group that it leads, is due: as before, unless
// the settings have changed.
std::optional<WallTime> NextBackup(const Cluster& settings, const Cluster* before,
                                   const std::optional<WallTime>& present, WallTime now) {
  if (!SpeaksRedis(settings.engine) || settings.snapshot_retention == 0) return std::nullopt;
  const bool same_window = before != nullptr && before->snapshot_window == settings.snapshot_window;
  if (present && same_window) return present;
  return model::NextOpening(*model::ParseSnapshotWindow(settings.snapshot_window), now);
}

}  // namespace

void Draft::SetClock(const model::EmulatorClock& clock) {
  model::Installation installation = this->installation();
  installation.clock = clock;
  PutInstallation(std::move(installation));
  now_.wall = model::TimeOn(clock, machine_.wall);
}

const Snapshot* Draft::FindSnapshot(const model::SnapshotName& name) const {
  return rows::Find(edit_.snapshots, state_.records.snapshots, name);
}

std::vector<const Snapshot*> Draft::Snapshots() const {
  return rows::Rows(edit_.snapshots, state_.records.snapshots);
}

Snapshot& Draft::EditSnapshot(const model::SnapshotName& name) {
  return rows::ToEdit(edit_.snapshots, state_.records.snapshots, name);
}

void Draft::Put(Snapshot snapshot) {
  const model::SnapshotName name = snapshot.name;
  edit_.snapshots[name] = std::move(snapshot);
}

void Draft::DropSnapshot(const model::SnapshotName& name) { edit_.snapshots[name] = std::nullopt; }

// The present retention holds for backups of the past, too. -1: the source itself is gone.
void Draft::SetRetention(const std::string& source, bool is_group, int days) {
  for (const Snapshot* row : Snapshots()) {
    if (!row->automatic || !IsOf(*row, source, is_group)) continue;
    const model::SnapshotName name = row->name;
    if (days < 0) {
      BeginRemoval(*this, name);
    } else {
      EditSnapshot(name).expires = ExpiryOf(row->created, days);
    }
  }
}

void Draft::FinishBackups(const model::ClusterId& id) {
  const Cluster* cluster = FindCluster(id);
  const auto row = state_.records.clusters.find(id);
  const Cluster* before = row == state_.records.clusters.end() ? nullptr : &row->second;
  if (cluster == nullptr) {
    if (before != nullptr) SetRetention(id, false, -1);
    return;
  }
  if (before != nullptr && before->snapshot_retention != cluster->snapshot_retention) {
    SetRetention(id, false, cluster->snapshot_retention);
  }
  const std::optional<WallTime> next =
      cluster->group.empty() ? NextBackup(*cluster, before, cluster->next_backup, now_.wall)
                             : std::nullopt;
  if (next != cluster->next_backup) EditCluster(id).next_backup = next;
}

// A group's settings are its leader's.
void Draft::FinishGroupBackups(const model::GroupId& id) {
  const model::Group* group = FindGroup(id);
  if (group == nullptr) {
    if (state_.records.groups.contains(id)) SetRetention(id, true, -1);
    return;
  }
  const model::Member* leader = FindMember(group->leader);
  if (leader == nullptr || FindCluster(leader->cluster)->group != id) return;
  const Cluster& settings = *FindCluster(leader->cluster);
  const auto row = state_.records.clusters.find(settings.id);
  const Cluster* before = row == state_.records.clusters.end() ? nullptr : &row->second;
  if (before != nullptr && before->snapshot_retention != settings.snapshot_retention) {
    SetRetention(id, true, settings.snapshot_retention);
  }
  const auto next = NextBackup(settings, before, group->next_backup, now_.wall);
  if (next != group->next_backup) EditGroup(id).next_backup = next;
}

void Draft::FinishBackups() {
  std::set<model::GroupId> groups;
  std::set<model::ClusterId> clusters;
  for (const auto& [id, change] : edit_.groups) groups.insert(id);
  for (const auto& [id, change] : edit_.clusters) {
    clusters.insert(id);
    if (change && !change->group.empty()) groups.insert(change->group);
  }
  for (const model::ClusterId& id : clusters) FinishBackups(id);
  for (const model::GroupId& id : groups) FinishGroupBackups(id);
}

}  // namespace ec::core
