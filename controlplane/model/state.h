// The control plane's whole memory: the records, what was last seen of the hosts, and indexes that
// follow from both. Apply() and Note() are the only two ways to change it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/host_plan.h"
#include "common/time.h"
#include "controlplane/model/records.h"

namespace ec::model {

// What a host last said of itself. Volatile: lost on a restart, on purpose, as the steady time it
// is judged by does not survive one.
struct Sighting {
  uint64_t incarnation = 0;
  uint64_t sequence = 0;       // of the newest report taken; 0: none of this incarnation yet
  uint64_t plan_revision = 0;  // the plan that the host then had
  Instant heard;
  std::map<MemberId, MemberReport> members;
  std::map<EndpointId, EndpointReport> endpoints;
  std::map<uint64_t, TaskReport> tasks;
};

// Something that left a host's plan, remembered until the host has a plan without it.
struct Gone {
  uint64_t revision = 0;
  bool endpoint = false;
  uint64_t id = 0;
};

// What is placed on one host, in the order in which it changed: so that an update since any
// revision costs only what it carries.
struct HostIndex {
  std::set<std::pair<uint64_t, MemberId>> members;          // (revision, member)
  std::set<std::pair<uint64_t, ClusterId>> configurations;  // configuration endpoints served
  std::set<std::pair<uint64_t, GroupId>> groups;            // with an endpoint served here
  std::set<MemberId> deleting;                              // waiting to be gone
  std::set<MemberId> active;  // neither recovering nor failed: a silence is news for them
  std::deque<Gone> gone;      // by rising revision
};

// A question about a member's replication offset that has been asked.
struct Asked {
  OffsetQuestion question;
  uint64_t epoch = 0;  // of the group then
  Instant at;
};

// A process that the control plane itself has seen to be gone.
struct Ended {
  int64_t pid = 0;
  uint64_t start_time = 0;
  friend bool operator==(const Ended&, const Ended&) = default;
};

// How often a group's leader has changed.
struct LeaderChanges {
  uint64_t failovers = 0;  // because the one before had ended
  uint64_t planned = 0;
  friend bool operator==(const LeaderChanges&, const LeaderChanges&) = default;
};

// When a backup of a cluster or group is to be begun by itself.
struct BackupDue {
  WallTime at;
  bool is_group = false;
  std::string id;
  friend auto operator<=>(const BackupDue&, const BackupDue&) = default;
};

struct State {
  Records records;
  SharedNetwork access;  // what hosts judge by; its revision is that of the last edit to change it
  // What hosts are to have of the records' faults; the revisions likewise. No entry: never any.
  std::map<HostId, SharedFaults> faults;

  std::map<HostId, SharedTasks> tasks;  // what hosts are to do with snapshots; likewise

  std::map<HostId, Sighting> sightings;
  Instant listening_since;  // start of this control plane, or end of a standstill of its loop
  std::map<MemberId, Asked> asked;
  std::map<MemberId, Ended> ended;
  std::map<GroupId, LeaderChanges> leader_changes;  // since this control plane began
  // The machine's clocks when they were last looked at. Until the second one, the wall clock may
  // just have been set, to the right time or to a wrong one.
  std::optional<Now> looked;
  Instant doubted_until;

  // Indexes.
  std::map<HostId, HostIndex> hosts;
  std::set<Ip4> addresses;                         // in use: members', endpoints' and instances'
  std::map<EndpointId, ClusterId> configurations;  // whose configuration endpoint it is
  uint64_t gone_since = 0;                         // HostIndex::gone is complete after this
  std::map<ClusterId, Instant> phase_since;        // of clusters with an operation under way
  std::set<std::pair<Instant, ClusterId>> operations;  // the same, by age
  std::set<std::pair<WallTime, ClusterId>> windows;    // clusters with pending changes, by due time
  std::map<EndpointId, GroupId> group_endpoints;       // primary and reader endpoints
  std::map<GroupId, Instant> group_since;              // of groups with something under way
  std::set<std::pair<Instant, GroupId>> group_operations;  // the same, by age
  std::set<std::pair<WallTime, GroupId>> group_windows;    // groups with a pending primary
  std::map<SnapshotName, Instant> work_since;              // of snapshots with work
  std::map<UserId, Instant> users_since;                   // of users with a change under way
  std::map<UserGroupId, Instant> user_groups_since;        // the same
  std::set<BackupDue> backups;
  std::set<std::pair<WallTime, SnapshotName>> expiries;  // of automatic ones that are there
};

// The state of a control plane that has just loaded `records`.
State Begin(Records records, Instant now);

// Whether an operation is under way that must end by itself.
bool InOperation(ClusterStatus status);
bool InOperation(const Group& group);

// Makes the change that was made durable.
// REQUIRES: edit.revision == state->records.revision + 1
void Apply(const Edit& edit, Instant at, State* state);

// Looks whether the machine's wall clock has been set since it was last looked at.
void NoteTime(Now machine, State* state);

// Begins a new sighting for a later start of the host's agent; false for an earlier one.
bool NoteHello(const HostHello& hello, Instant heard, State* state);

// Remembers what has been asked, to know the answers by.
void NoteQuestion(const OffsetQuestion& question, uint64_t epoch, Instant at, State* state);

// Remembers the end of a member's process.
void NoteEnded(MemberId member, const Ended& ended, State* state);

// Takes the report in, unless it is stale, repeated, of an earlier incarnation, or leaves a gap:
// then nullopt. Otherwise the plan revision of the report before it; 0 when this one is complete.
std::optional<uint64_t> NoteReport(const HostReport& report, Instant heard, State* state);

}  // namespace ec::model
