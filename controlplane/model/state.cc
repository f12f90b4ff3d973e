#include "controlplane/model/state.h"

#include <utility>

#include "common/check.h"
#include "controlplane/model/access.h"
#include "controlplane/model/faults.h"

namespace ec::model {
namespace {

bool IsActive(MemberStatus status) {
  return status != MemberStatus::kRecovering && status != MemberStatus::kFailed;
}

void IndexMember(const Member& member, State* state) {
  HostIndex& host = state->hosts[member.host];
  host.members.emplace(member.revision, member.id);
  if (member.status == MemberStatus::kDeleting) host.deleting.insert(member.id);
  if (IsActive(member.status)) host.active.insert(member.id);
  state->addresses.insert(member.address.ip);
}

void UnindexMember(const Member& member, State* state) {
  HostIndex& host = state->hosts[member.host];
  host.members.erase({member.revision, member.id});
  host.deleting.erase(member.id);
  host.active.erase(member.id);
  state->addresses.erase(member.address.ip);
}

void IndexCluster(const Cluster& cluster, State* state) {
  if (cluster.configuration) {
    state->hosts[cluster.configuration->host].configurations.emplace(cluster.revision, cluster.id);
    state->addresses.insert(cluster.configuration->address.ip);
    state->configurations.emplace(cluster.configuration->id, cluster.id);
  }
  if (!cluster.pending.empty()) state->windows.emplace(cluster.pending.due, cluster.id);
  if (cluster.next_backup) state->backups.insert({*cluster.next_backup, false, cluster.id});
}

void UnindexCluster(const Cluster& cluster, State* state) {
  if (cluster.configuration) {
    state->hosts[cluster.configuration->host].configurations.erase({cluster.revision, cluster.id});
    state->addresses.erase(cluster.configuration->address.ip);
    state->configurations.erase(cluster.configuration->id);
  }
  if (!cluster.pending.empty()) state->windows.erase({cluster.pending.due, cluster.id});
  if (cluster.next_backup) state->backups.erase({*cluster.next_backup, false, cluster.id});
}

void EndPhase(const ClusterId& id, State* state) {
  const auto found = state->phase_since.find(id);
  if (found == state->phase_since.end()) return;
  state->operations.erase({found->second, id});
  state->phase_since.erase(found);
}

void BeginPhase(const Cluster& cluster, Instant at, State* state) {
  EndPhase(cluster.id, state);
  if (!InOperation(cluster.status)) return;
  // One that only waits to be forgotten is overdue at once.
  if (cluster.status == ClusterStatus::kDeleting && cluster.members.empty()) at = Instant::min();
  state->phase_since.emplace(cluster.id, at);
  state->operations.emplace(at, cluster.id);
}

// Whether the operation has moved on, so that its time begins again.
bool Progressed(const Cluster& before, const Cluster& after) {
  return before.status != after.status || before.members != after.members ||
         before.resized_from != after.resized_from ||
         before.discovery_version != after.discovery_version;
}

void ApplyCluster(const ClusterId& id, const std::optional<Cluster>& change, uint64_t revision,
                  Instant at, State* state) {
  auto& clusters = state->records.clusters;
  const auto found = clusters.find(id);
  bool progressed = true;
  if (found != clusters.end()) {
    const Cluster& old = found->second;
    if (change) progressed = Progressed(old, *change);
    UnindexCluster(old, state);
    // An endpoint that moves to another host, or ends, has to leave its host's plan.
    if (old.configuration && (!change || !change->configuration ||
                              change->configuration->host != old.configuration->host)) {
      state->hosts[old.configuration->host].gone.push_back({revision, true, old.configuration->id});
    }
  }
  if (!change) {
    EndPhase(id, state);
    if (found != clusters.end()) clusters.erase(found);
    return;
  }
  IndexCluster(*change, state);
  if (progressed) BeginPhase(*change, at, state);
  if (found != clusters.end()) {
    found->second = *change;
  } else {
    clusters.emplace(id, *change);
  }
}

void ApplyMember(MemberId id, const std::optional<Member>& change, uint64_t revision,
                 State* state) {
  auto& members = state->records.members;
  const auto found = members.find(id);
  if (found != members.end()) {
    UnindexMember(found->second, state);
    if (!change) {
      state->hosts[found->second.host].gone.push_back({revision, false, id});
      state->asked.erase(id);
      state->ended.erase(id);
      members.erase(found);
      return;
    }
    EC_CHECK(found->second.host == change->host);  // a member never moves: it is replaced
    found->second = *change;
  } else if (change) {
    members.emplace(id, *change);
  }
  if (change) IndexMember(*change, state);
}

void IndexGroup(const Group& group, State* state) {
  for (const GroupEndpoint* endpoint : {&group.primary, &group.reader}) {
    state->hosts[endpoint->host].groups.emplace(group.revision, group.id);
    state->addresses.insert(endpoint->address.ip);
    state->group_endpoints.emplace(endpoint->id, group.id);
  }
  if (group.pending_primary) state->group_windows.emplace(group.pending_due, group.id);
  if (group.next_backup) state->backups.insert({*group.next_backup, true, group.id});
}

void UnindexGroup(const Group& group, State* state) {
  for (const GroupEndpoint* endpoint : {&group.primary, &group.reader}) {
    state->hosts[endpoint->host].groups.erase({group.revision, group.id});
    state->addresses.erase(endpoint->address.ip);
    state->group_endpoints.erase(endpoint->id);
  }
  state->group_windows.erase({group.pending_due, group.id});
  if (group.next_backup) state->backups.erase({*group.next_backup, true, group.id});
}

void EndGroupPhase(const GroupId& id, State* state) {
  const auto found = state->group_since.find(id);
  if (found == state->group_since.end()) return;
  state->group_operations.erase({found->second, id});
  state->group_since.erase(found);
}

void BeginGroupPhase(const Group& group, Instant at, State* state) {
  EndGroupPhase(group.id, state);
  if (!InOperation(group)) return;
  state->group_since.emplace(group.id, at);
  state->group_operations.emplace(at, group.id);
}

bool Progressed(const Group& before, const Group& after) {
  return before.status != after.status || before.step != after.step ||
         before.leader != after.leader || before.epoch != after.epoch ||
         before.promoting != after.promoting || before.demoting != after.demoting ||
         before.access.change != after.access.change ||
         before.trouble.empty() != after.trouble.empty() ||
         (before.trouble == kAwaitsChoice) != (after.trouble == kAwaitsChoice);
}

// A change that was planned has its successor lead while the old leader steps down.
void CountLeaderChange(const Group& before, const Group& after, State* state) {
  if (before.leader == after.leader || before.leader == 0) return;
  LeaderChanges& changes = state->leader_changes[after.id];
  ++(before.step == SwitchStep::kDemoting ? changes.planned : changes.failovers);
}

void ApplyGroup(const GroupId& id, const std::optional<Group>& change, uint64_t revision,
                Instant at, State* state) {
  auto& groups = state->records.groups;
  const auto found = groups.find(id);
  bool progressed = true;
  if (found != groups.end()) {
    const Group& old = found->second;
    if (change) progressed = Progressed(old, *change);
    if (change) CountLeaderChange(old, *change, state);
    UnindexGroup(old, state);
    // An endpoint that moves to another host, or ends, has to leave its host's plan.
    const auto leave = [&](const GroupEndpoint& before, const GroupEndpoint* after) {
      if (after != nullptr && after->host == before.host) return;
      state->hosts[before.host].gone.push_back({revision, true, before.id});
    };
    leave(old.primary, change ? &change->primary : nullptr);
    leave(old.reader, change ? &change->reader : nullptr);
  }
  if (!change) {
    EndGroupPhase(id, state);
    state->leader_changes.erase(id);
    if (found != groups.end()) groups.erase(found);
    return;
  }
  IndexGroup(*change, state);
  if (progressed) BeginGroupPhase(*change, at, state);
  if (found != groups.end()) {
    found->second = *change;
  } else {
    groups.emplace(id, *change);
  }
}

void IndexSnapshot(const Snapshot& snapshot, Instant at, State* state) {
  if (snapshot.work.task != 0) state->work_since.emplace(snapshot.name, at);
  if (snapshot.expires && snapshot.status == SnapshotStatus::kAvailable) {
    state->expiries.emplace(*snapshot.expires, snapshot.name);
  }
}

void ApplySnapshot(const SnapshotName& name, const std::optional<Snapshot>& change, Instant at,
                   State* state) {
  auto& snapshots = state->records.snapshots;
  const auto found = snapshots.find(name);
  if (found != snapshots.end()) {
    const Snapshot& old = found->second;
    if (old.expires) state->expiries.erase({*old.expires, name});
    // The time of a task begins anew with the next one.
    if (!change || change->work.task != old.work.task) state->work_since.erase(name);
  }
  if (!change) {
    snapshots.erase(name);
    return;
  }
  IndexSnapshot(*change, at, state);
  snapshots.insert_or_assign(name, *change);
}

// From when on a user or a user group has been on its way to a lasting status.
template <typename Id, typename Row, typename Status>
void NoteTransit(const Id& id, const std::optional<Row>& row, Status lasting, Instant at,
                 std::map<Id, Instant>* since) {
  since->erase(id);
  if (row && row->status != lasting) since->emplace(id, at);
}

// An instance's address is in use like a member's: both live in the VPC's slice.
void NoteAddress(const InstanceRow& instance, bool in_use, State* state) {
  const auto vpc = state->records.vpcs.find(instance.vpc);
  EC_CHECK(vpc != state->records.vpcs.end());
  const Ip4 ip = InSlice(vpc->second, instance.address);
  if (in_use) {
    state->addresses.insert(ip);
  } else {
    state->addresses.erase(ip);
  }
}

}  // namespace

bool InOperation(const Group& group) {
  return group.status == GroupStatus::kCreating || group.status == GroupStatus::kDeleting ||
         group.step != SwitchStep::kNone || group.promoting || group.demoting ||
         !group.trouble.empty() || group.access.change != AccessChange::kNone;
}

bool InOperation(ClusterStatus status) {
  switch (status) {
    case ClusterStatus::kCreating:
    case ClusterStatus::kModifying:
    case ClusterStatus::kRebooting:
    case ClusterStatus::kDeleting:
      return true;
    default:
      return false;
  }
}

namespace {

// A list without an entry is kept, too: hosts have to hear of the last fault's end.
void RefreshFaults(State* state) {
  for (const auto& [id, host] : state->records.hosts) {
    HostFaults faults = FaultsOf(state->records, id);
    SharedFaults& present = state->faults[id];
    if (present ? present->faults == faults.faults : faults.faults.empty()) continue;
    present = SharedFaults(std::move(faults));
  }
}

// As with faults: hosts have to hear of the last task's end.
void RefreshTasks(State* state) {
  std::map<HostId, HostTasks> wanted;
  for (const auto& [host, present] : state->tasks) wanted[host];
  for (const auto& [name, since] : state->work_since) {
    const Snapshot& snapshot = state->records.snapshots.at(name);
    const SnapshotWork& work = snapshot.work;
    if (work.host.empty()) continue;
    // What is read must be what was written: the file itself, or the one that is copied.
    const bool reads_own = work.kind == TaskKind::kExport;
    wanted[work.host].tasks.push_back(
        {.id = work.task,
         .kind = work.kind,
         .file = snapshot.file,
         .member = work.member,
         .source = work.source,
         .sha256 = reads_own ? snapshot.facts.sha256 : work.source_sha256,
         .bucket = work.bucket,
         .key = work.key});
  }
  for (auto& [host, tasks] : wanted) {
    SharedTasks& present = state->tasks[host];
    if (present ? present->tasks == tasks.tasks : tasks.tasks.empty()) continue;
    tasks.revision = state->records.revision;
    present = SharedTasks(std::move(tasks));
  }
}

}  // namespace

State Begin(Records records, Instant now) {
  State state;
  state.records = std::move(records);
  state.listening_since = now;
  state.gone_since = state.records.revision;
  for (const auto& [id, member] : state.records.members) IndexMember(member, &state);
  for (const auto& [id, cluster] : state.records.clusters) {
    IndexCluster(cluster, &state);
    BeginPhase(cluster, now, &state);
  }
  for (const auto& [id, group] : state.records.groups) {
    IndexGroup(group, &state);
    BeginGroupPhase(group, now, &state);
  }
  for (const auto& [id, user] : state.records.users) {
    NoteTransit<UserId, User>(id, user, UserStatus::kActive, now, &state.users_since);
  }
  for (const auto& [id, group] : state.records.user_groups) {
    NoteTransit<UserGroupId, UserGroup>(id, group, UserGroupStatus::kActive, now,
                                        &state.user_groups_since);
  }
  for (const auto& [id, instance] : state.records.instances) NoteAddress(instance, true, &state);
  for (const auto& [name, snapshot] : state.records.snapshots) IndexSnapshot(snapshot, now, &state);
  state.access = SharedNetwork(AccessOf(state.records));
  RefreshFaults(&state);
  RefreshTasks(&state);
  return state;
}

namespace {

template <typename Key, typename Row>
void ApplyRows(const std::map<Key, std::optional<Row>>& changes, std::map<Key, Row>* rows) {
  for (const auto& [id, change] : changes) {
    if (change) {
      rows->insert_or_assign(id, *change);
    } else {
      rows->erase(id);
    }
  }
}

void ApplyNetwork(const Edit& edit, State* state) {
  Records& records = state->records;
  for (const auto& [id, change] : edit.instances) {
    const auto old = records.instances.find(id);
    if (old != records.instances.end()) NoteAddress(old->second, false, state);
  }
  ApplyRows(edit.vpcs, &records.vpcs);
  ApplyRows(edit.subnets, &records.subnets);
  ApplyRows(edit.subnet_groups, &records.subnet_groups);
  ApplyRows(edit.parameter_groups, &records.parameter_groups);
  ApplyRows(edit.security_groups, &records.security_groups);
  ApplyRows(edit.instances, &records.instances);
  for (const auto& [id, change] : edit.instances) {
    if (change) NoteAddress(*change, true, state);
  }
}

}  // namespace

void Apply(const Edit& edit, Instant at, State* state) {
  EC_CHECK(edit.revision == state->records.revision + 1);
  Records& records = state->records;
  const bool changes_access = ChangesAccess(records, edit);
  const bool changes_faults = ChangesFaults(records, edit);
  records.revision = edit.revision;
  if (edit.installation) {
    // Plans from before that lack the other faces, or have them still; or they know no secrets.
    const bool moved = records.installation.outside != edit.installation->outside ||
                       records.installation.secrets != edit.installation->secrets;
    if (moved) state->gone_since = edit.revision;
    records.installation = *edit.installation;
  }
  for (const auto& [name, zone] : edit.zones) records.zones[name] = zone;
  for (const auto& [id, host] : edit.hosts) records.hosts[id] = host;
  // Drops first: an address may go from one row to another within one edit.
  for (const auto& [id, change] : edit.members) {
    if (!change) ApplyMember(id, change, edit.revision, state);
  }
  for (const auto& [id, change] : edit.clusters) {
    ApplyCluster(id, change, edit.revision, at, state);
  }
  for (const auto& [id, change] : edit.groups) ApplyGroup(id, change, edit.revision, at, state);
  for (const auto& [id, change] : edit.members) {
    if (change) ApplyMember(id, change, edit.revision, state);
  }
  ApplyRows(edit.outside_ports, &records.outside_ports);
  ApplyRows(edit.users, &records.users);
  for (const auto& [id, change] : edit.users) {
    NoteTransit(id, change, UserStatus::kActive, at, &state->users_since);
  }
  ApplyRows(edit.user_groups, &records.user_groups);
  for (const auto& [id, change] : edit.user_groups) {
    NoteTransit(id, change, UserGroupStatus::kActive, at, &state->user_groups_since);
  }
  ApplyNetwork(edit, state);
  if (changes_access) state->access = SharedNetwork(AccessOf(records));
  ApplyRows(edit.faults, &records.faults);
  if (changes_faults) RefreshFaults(state);
  for (const auto& [name, change] : edit.snapshots) ApplySnapshot(name, change, at, state);
  if (!edit.snapshots.empty()) RefreshTasks(state);
  for (const Event& event : edit.events) records.events.emplace(event.serial, event);
  records.events.erase(records.events.begin(),
                       records.events.lower_bound(edit.events_dropped_below));
}

void NoteTime(Now machine, State* state) {
  // Slewing and the time that a step takes stay far below this.
  constexpr std::chrono::minutes kSlewMax{1};
  // Who has set a clock wrong has this long to notice.
  constexpr std::chrono::hours kDoubt{1};
  const std::optional<Now> before = std::exchange(state->looked, machine);
  if (before) {
    const Duration drift = (machine.wall - before->wall) - (machine.instant - before->instant);
    if (drift <= kSlewMax && drift >= -kSlewMax) return;
  }
  state->doubted_until = machine.instant + kDoubt;
}

bool NoteHello(const HostHello& hello, Instant heard, State* state) {
  Sighting& sighting = state->sightings[hello.host];
  if (hello.incarnation < sighting.incarnation) return false;
  if (hello.incarnation > sighting.incarnation) sighting = {};
  sighting.incarnation = hello.incarnation;
  sighting.heard = heard;
  return true;
}

void NoteQuestion(const OffsetQuestion& question, uint64_t epoch, Instant at, State* state) {
  state->asked[question.member] = {question, epoch, at};
}

void NoteEnded(MemberId member, const Ended& ended, State* state) { state->ended[member] = ended; }

std::optional<uint64_t> NoteReport(const HostReport& report, Instant heard, State* state) {
  const auto found = state->sightings.find(report.host);
  if (found == state->sightings.end()) return std::nullopt;
  Sighting& sighting = found->second;
  if (report.incarnation != sighting.incarnation) return std::nullopt;
  if (report.sequence <= sighting.sequence) return std::nullopt;
  sighting.heard = heard;
  if (report.base > sighting.sequence) return std::nullopt;  // something before it is missing
  const uint64_t plan_before = report.base == 0 ? 0 : sighting.plan_revision;
  if (report.base == 0) {
    sighting.members.clear();
    sighting.endpoints.clear();
  }
  // First what has left: an endpoint may have been closed and opened again since the base.
  for (const MemberId id : report.gone_members) sighting.members.erase(id);
  for (const EndpointId id : report.gone_endpoints) sighting.endpoints.erase(id);
  for (const MemberReport& member : report.members) sighting.members[member.id] = member;
  for (const EndpointReport& endpoint : report.endpoints) {
    sighting.endpoints[endpoint.id] = endpoint;
  }
  sighting.tasks.clear();
  for (const TaskReport& task : report.tasks) sighting.tasks[task.id] = task;
  sighting.sequence = report.sequence;
  sighting.plan_revision = report.plan_revision;
  std::deque<Gone>& gone = state->hosts[report.host].gone;
  while (!gone.empty() && gone.front().revision <= report.plan_revision) gone.pop_front();
  return plan_before;
}

}  // namespace ec::model
