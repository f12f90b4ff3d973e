#include "controlplane/core/snapshot_commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/snapshot_work.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/windows.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::ClusterId;
using model::ClusterStatus;
using model::Group;
using model::GroupId;
using model::GroupStatus;
using model::Member;
using model::Snapshot;
using model::SnapshotName;
using model::SnapshotStatus;

// --- checks ---------------------------------------------------------------------------------

Status CheckFeature(const Draft& draft, const Cluster& cluster) {
  const model::NodeType& type = draft.state().records.node_types.at(cluster.node_type);
  if (SpeaksRedis(cluster.engine) && type.backups_supported) return {};
  return {Fault::kSnapshotFeatureNotSupported,
          fmt::format("Snapshots are not supported for engine {} on node type {}.",
                      NameOf(cluster.engine), cluster.node_type)};
}

Result<SnapshotName> NewName(const Draft& draft, const std::string& text,
                             std::string_view parameter) {
  Result<std::string> name = model::ParseSnapshotName(text, parameter);
  if (!name.ok() || draft.FindSnapshot(*name) == nullptr) return name;
  return Status(Fault::kSnapshotAlreadyExists,
                fmt::format("Snapshot with name {} already exists.", *name));
}

std::vector<WallTime> BackupsOfToday(const Draft& draft, const Cluster& cluster) {
  std::vector<WallTime> recent;
  std::ranges::copy_if(cluster.manual_backups, std::back_inserter(recent), [&](WallTime at) {
    return at > draft.now().wall - model::kManualBackupsPeriod && at <= draft.now().wall;
  });
  return recent;
}

Status CheckQuota(const Draft& draft, const Cluster& cluster) {
  if (BackupsOfToday(draft, cluster).size() < model::kManualBackupsMax) return {};
  return {
      Fault::kSnapshotQuotaExceeded,
      fmt::format("The request would exceed the maximum number of snapshots: {} manual ones "
                  "have been taken of cache cluster {} in the last 24 hours, which is the most.",
                  model::kManualBackupsMax, cluster.id)};
}

Status CheckClusterAvailable(const Cluster& cluster) {
  if (cluster.status == ClusterStatus::kAvailable) return {};
  return {Fault::kInvalidCacheClusterState,
          fmt::format("Cache cluster {} is not in available state: it is {}.", cluster.id,
                      NameOf(cluster.status))};
}

Status CheckGroupAvailable(const Group& group) {
  if (group.status == GroupStatus::kAvailable) return {};
  return {Fault::kInvalidReplicationGroupState,
          fmt::format("Replication group {} is not in available state: it is {}.", group.id,
                      NameOf(group.status))};
}

bool IsFit(const Draft& draft, const Settings& settings, const ClusterId& id) {
  const Cluster* cluster = draft.FindCluster(id);
  const Member* member = MemberOf(draft, id);
  return cluster != nullptr && member != nullptr && cluster->status == ClusterStatus::kAvailable &&
         member->status == model::MemberStatus::kAvailable &&
         !IsSilent(draft, settings, member->host);
}

// Of which member of a group a backup is taken: the one that was chosen for it, else a replica that
// has everything, else the primary.
ClusterId SourceIn(const Draft& draft, const Settings& settings, const Group& group) {
  if (group.members.contains(group.snapshotting) && IsFit(draft, settings, group.snapshotting)) {
    return group.snapshotting;
  }
  for (const ClusterId& id : group.members) {
    const Member* member = MemberOf(draft, id);
    if (member == nullptr || member->id == group.leader || !member->in_sync) continue;
    if (IsFit(draft, settings, id)) return id;
  }
  return LeaderOf(draft, group);
}

// --- beginning one --------------------------------------------------------------------------

model::SnapshotOrigin OriginOf(const Draft& draft, const Cluster& cluster,
                               const GroupId& group_id) {
  model::SnapshotOrigin origin;
  origin.cluster = cluster.id;
  if (const Group* group = draft.FindGroup(group_id)) {
    origin.group = group_id;
    origin.group_description = group->description;
    origin.automatic_failover = group->automatic_failover;
    origin.clusters = static_cast<int>(group->members.size());
  }
  origin.engine = cluster.engine;
  origin.engine_version = cluster.engine_version;
  origin.node_type = cluster.node_type;
  origin.port = cluster.port;
  origin.parameter_group = cluster.parameter_group;
  origin.subnet_group = cluster.subnet_group;
  origin.vpc = cluster.vpc;
  if (const Member* member = MemberOf(draft, cluster.id)) origin.zone = member->zone;
  origin.maintenance_window = cluster.maintenance_window;
  origin.snapshot_window = cluster.snapshot_window;
  origin.retention = cluster.snapshot_retention;
  origin.auto_minor_version_upgrade = cluster.auto_minor_version_upgrade;
  if (cluster.notification) origin.topic_arn = cluster.notification->topic_arn;
  origin.created = cluster.created;
  return origin;
}

void SetSnapshotting(Draft& draft, const ClusterId& id) {
  draft.EditCluster(id).status = ClusterStatus::kSnapshotting;
  const GroupId group = draft.FindCluster(id)->group;
  if (!group.empty()) draft.EditGroup(group).status = GroupStatus::kSnapshotting;
}

// `row` has its name and what makes it special; the rest is filled in.
void Begin(Draft& draft, const ClusterId& cluster_id, const GroupId& group, Snapshot row) {
  const Cluster cluster = *draft.FindCluster(cluster_id);
  const Member& member = *MemberOf(draft, cluster_id);
  row.file = draft.NewId();
  row.status = SnapshotStatus::kCreating;
  row.origin = OriginOf(draft, cluster, group);
  row.created = draft.now().wall;
  if (!row.automatic) {
    std::vector<WallTime> recent = BackupsOfToday(draft, cluster);
    recent.push_back(row.created);
    draft.EditCluster(cluster_id).manual_backups = std::move(recent);
  }
  const SnapshotName name = row.name;
  const model::SnapshotWork work{
      .kind = TaskKind::kBackup, .host = member.host, .member = member.id};
  draft.Put(std::move(row));
  GiveWork(draft, name, work);
}

struct Source {
  ClusterId cluster;
  GroupId group;  // when the snapshot is to be the group's
};

Result<Source> FindSource(const Draft& draft, const Settings& settings,
                          const CreateSnapshot& request) {
  if (request.cluster.has_value() == request.group.has_value()) {
    return BadCombination(
        "Exactly one of CacheClusterId and ReplicationGroupId names what to take a snapshot of.");
  }
  if (request.group) {
    Result<GroupId> id = FindExistingGroup(draft, *request.group);
    if (!id.ok()) return id.status();
    const Group& group = *draft.FindGroup(*id);
    EC_RETURN_IF_ERROR(CheckGroupAvailable(group));
    return Source{SourceIn(draft, settings, group), *id};
  }
  Result<ClusterId> id = FindExisting(draft, *request.cluster);
  if (!id.ok()) return id.status();
  const GroupId& group = draft.FindCluster(*id)->group;
  if (!group.empty()) EC_RETURN_IF_ERROR(CheckGroupAvailable(*draft.FindGroup(group)));
  return Source{*id, {}};
}

// --- copies ---------------------------------------------------------------------------------

Result<const Snapshot*> FindAvailable(const Draft& draft, const std::string& text) {
  // The names of automatic ones are no identifiers, but they are there.
  const SnapshotName name = model::Lower(text);
  const Snapshot* row = draft.FindSnapshot(name);
  if (row == nullptr) {
    return Status(Fault::kSnapshotNotFound, fmt::format("Snapshot not found: {}", text));
  }
  if (row->status == SnapshotStatus::kAvailable) return row;
  return Status(
      Fault::kInvalidSnapshotState,
      fmt::format("Snapshot {} is not in available state: it is {}.", name, NameOf(row->status)));
}

Result<HostId> HostForFiles(const Draft& draft, const Settings& settings) {
  const HostId host = AnyHost(draft);
  if (!host.empty() && !IsSilent(draft, settings, host)) return host;
  return Status(Fault::kInsufficientCapacity, "No host is ready to work on snapshots.");
}

Status Export(Draft& draft, const Settings& settings, const CopySnapshot& request) {
  if (!model::IsBucketName(*request.bucket)) {
    return BadValue("TargetBucket", *request.bucket,
                    "A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens.");
  }
  Result<std::string> target = model::ParseSnapshotName(request.target, "TargetSnapshotName");
  if (!target.ok()) return target.status();
  Result<const Snapshot*> source = FindAvailable(draft, request.source);
  if (!source.ok()) return source.status();
  Result<HostId> host = HostForFiles(draft, settings);
  if (!host.ok()) return host.status();
  const SnapshotName name = (*source)->name;
  Snapshot& row = draft.EditSnapshot(name);
  row.status = SnapshotStatus::kExporting;
  row.trouble.clear();
  GiveWork(draft, name,
           {.kind = TaskKind::kExport,
            .host = *host,
            .bucket = *request.bucket,
            .key = *target + ".rdb"});
  return {};
}

std::string AutomaticName(const std::string& source, WallTime at) {
  return fmt::format("automatic.{}-{:%Y-%m-%d-%H-%M}", source,
                     std::chrono::floor<std::chrono::minutes>(at));
}

}  // namespace

Status Create(Draft& draft, const Settings& settings, const CreateSnapshot& request) {
  Result<SnapshotName> name = NewName(draft, request.name, "SnapshotName");
  if (!name.ok()) return name.status();
  Result<Source> source = FindSource(draft, settings, request);
  if (!source.ok()) return source.status();
  const Cluster& cluster = *draft.FindCluster(source->cluster);
  EC_RETURN_IF_ERROR(CheckFeature(draft, cluster));
  EC_RETURN_IF_ERROR(CheckClusterAvailable(cluster));
  EC_RETURN_IF_ERROR(CheckQuota(draft, cluster));
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  Snapshot row;
  row.name = *name;
  row.tags = *tags;
  Begin(draft, source->cluster, source->group, std::move(row));
  SetSnapshotting(draft, source->cluster);
  return {};
}

Status Delete(Draft& draft, const Settings&, const DeleteSnapshot& request) {
  const SnapshotName name = model::Lower(request.name);
  const Snapshot* row = draft.FindSnapshot(name);
  if (row == nullptr) {
    return {Fault::kSnapshotNotFound, fmt::format("Snapshot not found: {}", request.name)};
  }
  const auto bad_state = [&](std::string_view why) {
    return Status(Fault::kInvalidSnapshotState,
                  fmt::format("Snapshot {} cannot be deleted now: it is {}.", name, why));
  };
  if (row->status != SnapshotStatus::kAvailable && row->status != SnapshotStatus::kFailed) {
    return bad_state(NameOf(row->status));
  }
  const std::vector<const Snapshot*> all = draft.Snapshots();
  const bool is_copied = std::ranges::any_of(all, [&](const Snapshot* other) {
    return other->work.kind == TaskKind::kCopy && other->work.task != 0 &&
           other->work.source == row->file;
  });
  if (is_copied) return bad_state("being copied");
  for (const ClusterId& id : draft.Clusters()) {
    const Cluster& cluster = *draft.FindCluster(id);
    const bool is_needed = cluster.seed && cluster.seed->file == row->file &&
                           cluster.status == ClusterStatus::kCreating;
    if (is_needed) return bad_state(fmt::format("restored into cache cluster {}", id));
  }
  BeginRemoval(draft, name);
  return {};
}

Status Copy(Draft& draft, const Settings& settings, const CopySnapshot& request) {
  if (request.bucket) return Export(draft, settings, request);
  Result<SnapshotName> name = NewName(draft, request.target, "TargetSnapshotName");
  if (!name.ok()) return name.status();
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  Result<HostId> host = HostForFiles(draft, settings);
  if (!host.ok()) return host.status();
  Snapshot row;
  model::SnapshotWork work{.kind = TaskKind::kImport, .host = *host};
  if (request.source.starts_with("arn:")) {
    Result<model::BucketObject> object =
        model::ParseObjectArn(request.source, "SourceSnapshotName");
    if (!object.ok()) return object.status();
    work.bucket = object->bucket;
    work.key = object->key;
    row.origin.created = draft.now().wall;
  } else {
    Result<const Snapshot*> source = FindAvailable(draft, request.source);
    if (!source.ok()) return source.status();
    row.origin = (*source)->origin;
    row.facts = (*source)->facts;
    work.kind = TaskKind::kCopy;
    work.source = (*source)->file;
    work.source_sha256 = (*source)->facts.sha256;
  }
  row.name = *name;
  row.file = draft.NewId();
  row.created = draft.now().wall;
  row.tags = *tags;
  draft.Put(std::move(row));
  GiveWork(draft, *name, std::move(work));
  return {};
}

Status CheckFinalSnapshot(Draft& draft, const Settings&, const Cluster& cluster,
                          const std::string& name) {
  EC_RETURN_IF_ERROR(NewName(draft, name, "FinalSnapshotIdentifier").status());
  EC_RETURN_IF_ERROR(CheckFeature(draft, cluster));
  EC_RETURN_IF_ERROR(CheckClusterAvailable(cluster));
  return CheckQuota(draft, cluster);
}

void BeginFinalSnapshot(Draft& draft, const ClusterId& cluster, const GroupId& group,
                        const std::string& name, const Snapshot& then) {
  Snapshot row = then;
  row.name = model::Lower(name);
  Begin(draft, cluster, group, std::move(row));
  if (then.after == model::AfterSnapshot::kDemote) SetSnapshotting(draft, cluster);
}

// --- by themselves --------------------------------------------------------------------------

namespace {

// Of the group that it leads, or of the cluster alone. False: it cannot be begun now.
bool BeginAutomatic(Draft& draft, const Settings& settings, const model::BackupDue& due) {
  ClusterId source = due.id;
  if (due.is_group) {
    const Group& group = *draft.FindGroup(due.id);
    if (group.status != GroupStatus::kAvailable) return false;
    source = SourceIn(draft, settings, group);
  }
  const SnapshotName name = AutomaticName(due.id, draft.now().wall);
  if (!IsFit(draft, settings, source) || draft.FindSnapshot(name) != nullptr) return false;
  Snapshot row;
  row.name = name;
  row.automatic = true;
  Begin(draft, source, due.is_group ? due.id : GroupId(), std::move(row));
  SetSnapshotting(draft, source);
  return true;
}

const Cluster* SettingsOf(const Draft& draft, const model::BackupDue& due) {
  if (!due.is_group) return draft.FindCluster(due.id);
  const Group* group = draft.FindGroup(due.id);
  return group == nullptr ? nullptr : draft.FindCluster(LeaderOf(draft, *group));
}

std::optional<WallTime>* NextOf(Draft& draft, const model::BackupDue& due) {
  return due.is_group ? &draft.EditGroup(due.id).next_backup
                      : &draft.EditCluster(due.id).next_backup;
}

}  // namespace

void BeginDueBackups(Draft& draft, const Settings& settings) {
  const WallTime now = draft.now().wall;
  const std::set<model::BackupDue>& backups = draft.state().backups;
  std::vector<model::BackupDue> due;
  for (const model::BackupDue& one : backups) {
    if (one.at > now) break;
    due.push_back(one);
  }
  // A clock that was set back leaves some further ahead than the window ever is.
  for (auto it = backups.rbegin(); it != backups.rend() && it->at > now + std::chrono::days(1);
       ++it) {
    due.push_back(*it);
  }
  for (const model::BackupDue& one : due) {
    const Cluster* cluster = SettingsOf(draft, one);
    if (cluster == nullptr || *NextOf(draft, one) != one.at) continue;  // this step has seen to it
    const model::DailyWindow window = *model::ParseSnapshotWindow(cluster->snapshot_window);
    const bool is_time = one.at <= now && IsOpen(window, now);
    WallTime next = NextOpening(window, now);
    if (is_time && !BeginAutomatic(draft, settings, one)) {
      next = std::min(next, now + settings.backup_retry_every);
    }
    *NextOf(draft, one) = next;
  }
}

void ExpireSnapshots(Draft& draft, bool is_sure) {
  const auto& expiries = draft.state().expiries;
  std::vector<SnapshotName> due;
  for (const auto& [at, name] : expiries) {
    if (at > draft.now().wall) break;
    due.push_back(name);
  }
  // Few may go whatever the clock: one that is wrong does no more harm than that.
  constexpr size_t kFew = 5;
  const bool few = due.size() <= 1 || (due.size() <= kFew && due.size() * 10 <= expiries.size());
  if (!is_sure && !few && draft.now().instant < draft.state().doubted_until) return;
  for (const SnapshotName& name : due) {
    const Snapshot* row = draft.FindSnapshot(name);
    if (row == nullptr || row->status != SnapshotStatus::kAvailable) continue;
    if (row->expires && *row->expires <= draft.now().wall) BeginRemoval(draft, name);
  }
}

}  // namespace ec::core
