#include "controlplane/core/snapshot_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/member_lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/promote_demote.h"
#include "controlplane/model/windows.h"

namespace ec::core {
namespace {

using model::AfterSnapshot;
using model::Cluster;
using model::ClusterStatus;
using model::GroupStatus;
using model::Snapshot;
using model::SnapshotName;
using model::SnapshotStatus;

// --- the source of a backup -----------------------------------------------------------------

void SayFailed(Draft& draft, const Snapshot& snapshot, const std::string& why) {
  const model::SnapshotOrigin& origin = snapshot.origin;
  draft.AddClusterEvent(origin.cluster,
                        messages::SnapshotFailed(snapshot.name, origin.cluster, origin.group, why));
}

void DeleteSource(Draft& draft, const Settings& settings, const Snapshot& snapshot) {
  const model::SnapshotOrigin& origin = snapshot.origin;
  if (!origin.group.empty()) {
    if (draft.FindGroup(origin.group) == nullptr) return;
    DeleteClusters(draft, origin.group);
    AdvanceGroup(draft, settings, origin.group);
    return;
  }
  if (draft.FindCluster(origin.cluster) == nullptr) return;
  RemoveMembers(draft, origin.cluster);
}

// What has only been begun because a snapshot was to come first is given up without it.
void GiveUpAfter(Draft& draft, const Settings& settings, const Snapshot& snapshot) {
  const model::SnapshotOrigin& origin = snapshot.origin;
  const std::string why = fmt::format("its final snapshot {} has failed", snapshot.name);
  if (snapshot.after == AfterSnapshot::kDemote) {
    draft.AddClusterEvent(origin.cluster, messages::DemotionGivenUp(origin.cluster, why));
    return;
  }
  if (snapshot.after != AfterSnapshot::kDelete) return;
  if (const model::Group* group = draft.FindGroup(origin.group)) {
    if (group->status != GroupStatus::kDeleting) return;
    draft.EditGroup(origin.group).status = GroupStatus::kAvailable;
    draft.TouchGroupEndpoints(origin.group);
    draft.AddGroupEvent(origin.group, messages::DeletionGivenUp(why));
    AdvanceGroup(draft, settings, origin.group);
    return;
  }
  const Cluster* cluster = draft.FindCluster(origin.cluster);
  if (cluster == nullptr || cluster->status != ClusterStatus::kDeleting) return;
  draft.EditCluster(origin.cluster).status = ClusterStatus::kAvailable;
  draft.AddClusterEvent(origin.cluster, messages::DeletionGivenUp(why));
  Advance(draft, settings, origin.cluster);
}

// The cluster is free again.
void ReleaseSource(Draft& draft, const Settings& settings, const Snapshot& snapshot) {
  const Cluster* cluster = draft.FindCluster(snapshot.origin.cluster);
  if (cluster == nullptr || cluster->status != ClusterStatus::kSnapshotting) return;
  draft.EditCluster(snapshot.origin.cluster).status = ClusterStatus::kAvailable;
  Advance(draft, settings, snapshot.origin.cluster);
}

// The next attempt at an automatic backup, as long as its window is open.
void TryAgainSoon(Draft& draft, const Settings& settings, const Snapshot& snapshot) {
  const auto window = model::ParseSnapshotWindow(snapshot.origin.snapshot_window);
  const WallTime soon = draft.now().wall + settings.backup_retry_every;
  if (!window.ok() || !model::IsOpen(*window, soon)) return;
  const std::string& group = snapshot.origin.group;
  if (draft.FindGroup(group) != nullptr) {
    if (draft.FindGroup(group)->next_backup) draft.EditGroup(group).next_backup = soon;
  } else if (const Cluster* cluster = draft.FindCluster(snapshot.origin.cluster)) {
    if (cluster->next_backup) draft.EditCluster(cluster->id).next_backup = soon;
  }
}

// --- what came of it ------------------------------------------------------------------------

int RetentionOf(const Draft& draft, const Snapshot& snapshot) {
  const model::Group* group = draft.FindGroup(snapshot.origin.group);
  const Cluster* settings =
      draft.FindCluster(group == nullptr ? snapshot.origin.cluster : LeaderOf(draft, *group));
  return settings == nullptr ? snapshot.origin.retention : settings->snapshot_retention;
}

void DoAfter(Draft& draft, const Settings& settings, const Snapshot& snapshot) {
  if (snapshot.after == AfterSnapshot::kDelete) DeleteSource(draft, settings, snapshot);
  if (snapshot.after != AfterSnapshot::kDemote) return;
  const auto optional = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  const Demote demote{.cluster = snapshot.origin.cluster,
                      .group = optional(snapshot.demote_group),
                      .master = optional(snapshot.demote_master),
                      .new_group = optional(snapshot.demote_new_group),
                      .accept_data_loss = true};
  if (draft.FindCluster(demote.cluster) == nullptr) return;
  Draft trial = draft;
  const Status demoted = DemoteMaster(trial, settings, demote);
  if (demoted.ok()) {
    draft.Replace(std::move(trial));
  } else {
    draft.AddClusterEvent(demote.cluster,
                          messages::DemotionGivenUp(demote.cluster, demoted.message()));
  }
}

void Complete(Draft& draft, const Settings& settings, const SnapshotName& name,
              const SnapshotFacts& facts) {
  Snapshot& row = draft.EditSnapshot(name);
  const bool is_backup = row.work.kind == TaskKind::kBackup;
  row.status = SnapshotStatus::kAvailable;
  row.work = {};
  row.trouble.clear();
  if (is_backup || row.facts.sha256.empty()) row.facts = facts;
  if (row.automatic) row.expires = ExpiryOf(row.created, RetentionOf(draft, row));
  if (row.origin.cluster.empty() && row.origin.engine_version.empty()) {
    row.origin.engine_version = facts.engine_version;
  }
  const Snapshot snapshot = row;
  if (!is_backup) return;
  const model::SnapshotOrigin& origin = snapshot.origin;
  draft.AddClusterEvent(origin.cluster,
                        messages::SnapshotSucceeded(name, origin.cluster, origin.group));
  ReleaseSource(draft, settings, snapshot);
  DoAfter(draft, settings, snapshot);
}

void Fail(Draft& draft, const Settings& settings, const SnapshotName& name,
          const std::string& why) {
  const Snapshot snapshot = *draft.FindSnapshot(name);
  if (snapshot.status == SnapshotStatus::kExporting) {  // it is as good as it was
    Snapshot& row = draft.EditSnapshot(name);
    row.status = SnapshotStatus::kAvailable;
    row.work = {};
    row.trouble = fmt::format("the export has failed: {}", why);
    return;
  }
  const bool is_backup = snapshot.work.kind == TaskKind::kBackup;
  if (snapshot.automatic) {
    BeginRemoval(draft, name);
    TryAgainSoon(draft, settings, snapshot);
  } else {
    Snapshot& row = draft.EditSnapshot(name);
    row.status = SnapshotStatus::kFailed;
    row.trouble = why;
    GiveWork(draft, name, {.kind = TaskKind::kDrop, .host = snapshot.work.host});
  }
  if (!is_backup) return;
  SayFailed(draft, snapshot, why);
  ReleaseSource(draft, settings, snapshot);
  GiveUpAfter(draft, settings, snapshot);
}

// The file is away, as far as anybody can tell.
void EndRemoval(Draft& draft, const SnapshotName& name) {
  if (draft.FindSnapshot(name)->status == SnapshotStatus::kDeleting) {
    draft.DropSnapshot(name);
  } else {
    draft.EditSnapshot(name).work = {};
  }
}

const TaskReport* ReportOf(const Draft& draft, const model::SnapshotWork& work) {
  const auto sighting = draft.state().sightings.find(work.host);
  if (sighting == draft.state().sightings.end()) return nullptr;
  const auto report = sighting->second.tasks.find(work.task);
  return report == sighting->second.tasks.end() ? nullptr : &report->second;
}

// Its host has had time to hear of the task and to say so.
bool IsOverdue(const Draft& draft, const Settings& settings, const SnapshotName& name) {
  const auto since = draft.state().work_since.find(name);
  return since != draft.state().work_since.end() &&
         draft.now().instant >= since->second + settings.task_silence_max;
}

void AdvanceSnapshot(Draft& draft, const Settings& settings, const SnapshotName& name) {
  const Snapshot* row = draft.FindSnapshot(name);
  if (row == nullptr || row->work.task == 0) return;
  const Snapshot snapshot = *row;
  const model::SnapshotWork& work = snapshot.work;
  const bool removing = work.kind == TaskKind::kDrop;
  const bool unheard = work.host.empty() || IsSilent(draft, settings, work.host);
  if (unheard && removing) {  // any other host can do it as well
    const HostId other = AnyHost(draft);
    if (other.empty() || other == work.host || IsSilent(draft, settings, other)) return;
    GiveWork(draft, name, {.kind = TaskKind::kDrop, .host = other});
    return;
  }
  if (unheard) {
    Fail(draft, settings, name, fmt::format("host {} does not answer", work.host));
    return;
  }
  if (work.member != 0 && draft.FindMember(work.member) == nullptr) {
    Fail(draft, settings, name, "its node is gone");
    return;
  }
  const TaskReport* report = ReportOf(draft, work);
  if (report == nullptr) {
    const bool heard_of = HasPlan(draft, settings, work.host, snapshot.revision);
    if (removing || !heard_of || !IsOverdue(draft, settings, name)) return;
    Fail(draft, settings, name, fmt::format("host {} does not know of it", work.host));
    return;
  }
  if (report->phase == TaskPhase::kRunning) return;
  if (removing) {
    EndRemoval(draft, name);
  } else if (report->phase == TaskPhase::kDone) {
    Complete(draft, settings, name, report->facts);
  } else {
    Fail(draft, settings, name, report->trouble);
  }
}

std::vector<SnapshotName> AtWork(const Draft& draft, const HostId* host) {
  std::vector<SnapshotName> names;
  for (const auto& [name, since] : draft.state().work_since) {
    const Snapshot* row = draft.FindSnapshot(name);
    if (row != nullptr && (host == nullptr || row->work.host == *host)) names.push_back(name);
  }
  return names;
}

}  // namespace

WallTime ExpiryOf(WallTime created, int retention_days) {
  return created + std::chrono::days(retention_days) + std::chrono::milliseconds(1);
}

HostId AnyHost(const Draft& draft) {
  HostId best;
  Instant heard;
  for (const auto& [id, sighting] : draft.state().sightings) {
    if (sighting.sequence == 0 || (!best.empty() && sighting.heard <= heard)) continue;
    best = id;
    heard = sighting.heard;
  }
  return best;
}

void GiveWork(Draft& draft, const SnapshotName& name, model::SnapshotWork work) {
  work.task = draft.NewId();
  draft.EditSnapshot(name).work = std::move(work);
}

void BeginRemoval(Draft& draft, const SnapshotName& name) {
  const Snapshot& row = *draft.FindSnapshot(name);
  if (row.status == SnapshotStatus::kDeleting) return;
  // Who was at work on it knows best what there is to remove.
  const HostId host = row.work.host.empty() ? AnyHost(draft) : row.work.host;
  Snapshot& changed = draft.EditSnapshot(name);
  changed.status = SnapshotStatus::kDeleting;
  changed.expires.reset();
  GiveWork(draft, name, {.kind = TaskKind::kDrop, .host = host});
}

void AdvanceSnapshotsOn(Draft& draft, const Settings& settings, const HostId& host) {
  for (const SnapshotName& name : AtWork(draft, &host)) AdvanceSnapshot(draft, settings, name);
}

void AdvanceSnapshots(Draft& draft, const Settings& settings) {
  for (const SnapshotName& name : AtWork(draft, nullptr)) AdvanceSnapshot(draft, settings, name);
}

bool AwaitsFinalSnapshot(const Draft& draft, const model::ClusterId& cluster) {
  const std::vector<const Snapshot*> all = draft.Snapshots();
  return std::ranges::any_of(all, [&](const Snapshot* row) {
    return row->status == SnapshotStatus::kCreating && row->after == AfterSnapshot::kDelete &&
           row->origin.cluster == cluster;
  });
}

std::optional<Instant> NextSnapshotDeadline(const model::State& state, const Settings& settings,
                                            Now now) {
  constexpr std::chrono::seconds kLookEvery{1};
  std::optional<Instant> next;
  const auto consider = [&](Instant at) {
    if (!next || at < *next) next = at;
  };
  for (const auto& [name, since] : state.work_since) {
    const HostId& host = state.records.snapshots.at(name).work.host;
    const bool unheard = host.empty() || SilentAt(state, settings, host) <= now.instant;
    const Instant overdue = since + settings.task_silence_max;
    consider(unheard || overdue <= now.instant ? now.instant + kLookEvery : overdue);
  }
  return next;
}

}  // namespace ec::core
