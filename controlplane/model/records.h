// What the control plane remembers for good. Each struct is a row (or a row and its children) of
// the database; controlplane/store/schema.cc has the tables.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/engine_kind.h"
#include "common/host_plan.h"
#include "common/time.h"
#include "common/wire_fault.h"
#include "controlplane/model/network.h"
#include "controlplane/model/node_types.h"
#include "controlplane/model/snapshot_records.h"
#include "controlplane/model/user_records.h"

namespace ec::model {

using ClusterId = std::string;  // AWS's CacheClusterId, in lower case
using GroupId = std::string;    // AWS's ReplicationGroupId, in lower case

// The status is the step at which an operation stands: a restart goes on from it.
//
//   kCreating --> kAvailable <--> kModifying, kRebooting, kRecovering
//       |              |                          |
//       v              +------> kDeleting         v
//   kCreateFailed,              (then gone)    kFailed (a node died too often)
//   kIncompatibleNetwork,                    kAvailable <--> kSnapshotting
//   kRestoreFailed
//
// From every failed status the way out is deletion; from kFailed also a reboot.
enum class ClusterStatus {
  kCreating,
  kAvailable,
  kModifying,  // nodes are added or removed, or a new engine version is put in
  kRebooting,
  kSnapshotting,  // the engine writes a snapshot, and nothing else is to be changed
  kRecovering,    // a node has died, hangs, or its host is silent; AWS's clients see "modifying"
  kDeleting,
  kCreateFailed,
  kIncompatibleNetwork,  // could not be created: no usable address
  kRestoreFailed,        // could not be created: what it was to begin with cannot be loaded
  kFailed,
};

enum class MemberStatus { kCreating, kAvailable, kRebooting, kRecovering, kDeleting, kFailed };

// Of a replication group. kModifying: members come or go, or another one is about to lead.
enum class GroupStatus {
  kCreating,
  kAvailable,
  kModifying,
  kSnapshotting,  // one of its members is
  kDeleting,
  kCreateFailed,
};

// How far a planned change of leader has come; each step is safe to be stopped at.
//
//   kNone --> kPausing --------------> kDemoting ----------------> kNone
//             writes wait at the       the epoch has risen; the    the successor leads
//             leader; the successor    old leader follows, the
//             catches up               successor not yet leads
//
// From kPausing there is a way back, and after kDemoting only forward.
enum class SwitchStep { kNone, kPausing, kDemoting };

std::string_view NameOf(GroupStatus status);
std::string_view NameOf(SwitchStep step);
std::optional<GroupStatus> ParseGroupStatus(std::string_view name);
std::optional<SwitchStep> ParseSwitchStep(std::string_view name);

std::string_view NameOf(ClusterStatus status);  // as the database has it: "create-failed"
std::string_view NameOf(MemberStatus status);
std::optional<ClusterStatus> ParseClusterStatus(std::string_view name);
std::optional<MemberStatus> ParseMemberStatus(std::string_view name);

// Changes that wait for the maintenance window or a reboot.
struct Pending {
  std::optional<int> nodes;            // the number of nodes to have
  std::vector<std::string> remove;     // node ids, when that is fewer
  std::vector<std::string> new_zones;  // zones, when that is more; may be empty
  std::optional<std::string> version;  // in AWS's three parts
  WallTime due;                        // when the window opens next

  bool empty() const { return !nodes && !version; }
  friend bool operator==(const Pending&, const Pending&) = default;
};

// A stable address that stands for the cluster as a whole. Memcached only.
struct ConfigurationEndpoint {
  EndpointId id = 0;
  Address address;
  HostId host;          // serves it; always a host of one of the cluster's nodes
  int readdressed = 0;  // how often the address was changed because it was taken
  friend bool operator==(const ConfigurationEndpoint&, const ConfigurationEndpoint&) = default;
};

struct Notification {
  std::string topic_arn;
  bool active = true;
  friend bool operator==(const Notification&, const Notification&) = default;
};

struct Cluster {
  ClusterId id;
  GroupId group;  // empty: none
  ClusterStatus status = ClusterStatus::kCreating;
  EngineKind engine = EngineKind::kRedis;
  std::string engine_version;  // as reported: "7.1.0"
  std::string family;          // "redis7"
  std::string node_type;       // fixed for life
  uint16_t port = 0;
  int node_count = 0;       // as asked for; `members` follows
  bool cross_zone = false;  // new nodes spread over the zones
  WallTime created;
  std::string maintenance_window;
  std::string parameter_group;
  uint64_t parameter_group_since = 0;  // the revision at which it took another's place
  std::string subnet_group;
  VpcId vpc;  // the subnet group's
  std::vector<std::string> security_groups;
  bool auto_minor_version_upgrade = true;
  bool transit_encryption = false;  // its engine speaks TLS only; for life
  int snapshot_retention = 0;       // days
  std::string snapshot_window;      // empty for Memcached
  std::optional<Notification> notification;
  std::map<std::string, std::string> tags;
  Pending pending;
  int resized_from = 0;                  // node count before the resize under way; 0: none is
  std::optional<Seed> seed;              // what it began with, or is to
  std::optional<WallTime> next_backup;   // by itself; absent in a group, which has its own
  std::vector<WallTime> manual_backups;  // those begun in the last 24 hours
  AccessControl access;  // while it is in no group

  std::optional<ConfigurationEndpoint> configuration;
  uint64_t discovery_version = 0;   // what `config get cluster` counts
  uint64_t discovery_revision = 0;  // the revision at which the list of nodes changed last

  std::set<MemberId> members;  // follows from the members' rows
  uint64_t revision = 0;       // of the last edit that changed the row
  friend bool operator==(const Cluster&, const Cluster&) = default;
};

// One cache node: an engine process's place on a host, with an address of its own for life.
struct Member {
  MemberId id = 0;
  ClusterId cluster;
  std::string node_id;  // "0001"; empty when another member has taken its place
  MemberStatus status = MemberStatus::kCreating;
  HostId host;
  std::string zone;
  Address address;
  uint64_t generation = 1;  // raised by a reboot: the engine starts again, empty
  uint64_t launch = 0;      // the engine start on its host that was last seen to serve
  bool listed = false;      // stands in the answer to `config get cluster`
  int readdressed = 0;      // how often the address was changed because it was taken
  WallTime created;
  std::string installed_version;    // what the running engine says of itself
  std::string trouble;              // why it is not available, in a sentence
  bool recovery_announced = false;  // the event that tells of a recovery's start is written
  // Of a follower: it has proved in the group's present epoch that it has all its leader has, and
  // has followed since. Only such a one may lead.
  bool in_sync = false;
  // The process behind `launch`, so that its end can be proved while its host is silent.
  int64_t pid = 0;
  uint64_t start_time = 0;
  uint64_t pid_incarnation = 0;  // of its host's agent, then: a later one may have started another
  uint64_t parameters_revision = 0;  // at which the engine was seen to have started
  uint64_t condemned = 0;            // this launch is to be killed: a failover is tried out
  uint64_t revision = 0;
  friend bool operator==(const Member&, const Member&) = default;
};

// The trouble of a group whose leader has ended, that has a follower that could lead, and that
// waits to be told so.
inline constexpr std::string_view kAwaitsChoice =
    "automatic failover is off: name the cluster that is to lead";

using ParameterGroupName = std::string;  // in lower case

// A family's parameters with values of the user's own.
struct ParameterGroup {
  ParameterGroupName name;
  std::string family;
  std::string description;
  std::map<std::string, std::string> values;  // only those that were changed
  uint64_t reboot_since = 0;  // the revision of the last change that engines take at a reboot
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;
  friend bool operator==(const ParameterGroup&, const ParameterGroup&) = default;
};

// A stable address of a group.
struct GroupEndpoint {
  EndpointId id = 0;
  Address address;
  HostId host;  // serves it
  friend bool operator==(const GroupEndpoint&, const GroupEndpoint&) = default;
};

// A replication group with one node group, 0001: a leader and its followers. What else AWS calls a
// property of the group (node type, versions, windows, ...) stands in each of its clusters, and new
// ones take it over from the leader's.
struct Group {
  GroupId id;
  GroupStatus status = GroupStatus::kCreating;
  std::string description;
  bool automatic_failover = false;
  bool multi_az = false;
  bool transit_encryption = false;  // all of its clusters' is; for life
  WallTime created;
  std::map<std::string, std::string> tags;
  int next_number = 1;  // of the next member's name

  MemberId leader = 0;
  uint64_t epoch = 1;  // rises at every change of leader, and never falls
  GroupEndpoint primary;
  GroupEndpoint reader;
  uint64_t proof = 1;  // rises when the leader is to prove anew who is in sync

  SwitchStep step = SwitchStep::kNone;
  // Who is to lead. Without a step: the leader has ended, and this one was chosen.
  MemberId successor = 0;
  std::optional<ClusterId> pending_primary;  // to lead from the next maintenance window on
  WallTime pending_due;
  std::optional<ClusterId> promoting;   // a replica that leaves once it has proved to be in sync
  std::optional<ClusterId> demoting;    // a former master that is becoming a replica
  std::optional<ClusterId> tested;      // TestFailover: whose leader's end is awaited
  std::vector<WallTime> tests;          // TestFailover: calls of the last 24 hours
  ClusterId snapshotting;               // of which backups are taken; empty: to be chosen
  std::optional<WallTime> next_backup;  // by itself
  AccessControl access;

  // Of the last failover that was not planned: what the new leader did not have, as far as is
  // known.
  std::optional<int64_t> lost_bytes;
  std::optional<int64_t> lost_ms;
  std::string trouble;  // why it has no leader that serves, in a sentence

  std::set<ClusterId> members;  // follows from the clusters' rows
  uint64_t revision = 0;        // of the last edit that changed the row
  friend bool operator==(const Group&, const Group&) = default;
};

struct Host {
  HostId id;
  std::string zone;
  uint64_t incarnation = 0;
  int members_max = 0;
  int64_t pid = 0;
  uint64_t start_time = 0;                    // of that process
  std::string boot;                           // of its machine
  std::map<EngineKind, std::string> engines;  // installed, with their true versions
  WallTime registered;
  friend bool operator==(const Host&, const Host&) = default;
};

// An availability zone, and the part of the installation's slice of loopback that is its default
// subnet's.
struct Zone {
  std::string name;
  Cidr subnet;
  friend bool operator==(const Zone&, const Zone&) = default;
};

// A fault that somebody has put in (common/wire_fault.h). It has a target, or two sides, or a host.
struct WireFault {
  uint64_t number = 0;  // never used again
  FaultKind kind = FaultKind::kLatency;
  std::string target;      // model/faults.h says what it may be
  std::string side;        // a zone; of a partition also a host
  std::string other_side;  // a zone; of a partition also "control-plane"
  HostId host;
  Duration delay{0};
  Duration jitter{0};
  uint64_t bytes = 0;  // in a second, or until the reset
  WallTime created;
  std::optional<WallTime> expires;  // absent: when it is cleared
  friend bool operator==(const WireFault&, const WireFault&) = default;
};

struct Event {
  uint64_t serial = 0;  // counts all events from 1
  WallTime date;
  std::string source_type;  // "cache-cluster", "replication-group"; ours: "fault"
  std::string source_id;
  std::string message;
  friend bool operator==(const Event&, const Event&) = default;
};

// One row: what belongs to the installation as a whole.
// Address mode `ports`: for clients that cannot reach this machine's loopback, such as containers,
// each endpoint is served a second time, at a port of its own.
struct OutsidePorts {
  std::string host;  // as clients call this machine: a name or an address
  Ip4 listen;        // where the ports are opened; 0.0.0.0 is everywhere
  uint16_t first = 0;
  uint16_t last = 0;
  friend bool operator==(const OutsidePorts&, const OutsidePorts&) = default;
};

struct Installation {
  std::string region;
  std::string account;
  Cidr vpc;                 // a slice of loopback
  uint64_t next_id = 1;     // of members and endpoints
  uint64_t next_event = 1;  // serial
  uint32_t next_slice = 0;  // where the search for a VPC's slice goes on: each rests for long
  std::optional<OutsidePorts> outside;
  EmulatorClock clock;
  std::optional<EngineSecrets> secrets;  // absent until it is prepared
  friend bool operator==(const Installation&, const Installation&) = default;
};

// What the second face of an endpoint is called in plans and reports.
inline constexpr EndpointId OutsideOf(EndpointId id) { return id | EndpointId{1} << 62; }

// Everything that lasts. Ordered maps, so that every walk has one order.
struct Records {
  uint64_t revision = 0;  // counts edits
  Installation installation;
  std::map<std::string, NodeType> node_types;
  std::map<std::string, Zone> zones;
  std::map<HostId, Host> hosts;
  std::map<ClusterId, Cluster> clusters;
  std::map<MemberId, Member> members;
  std::map<GroupId, Group> groups;
  std::map<EndpointId, uint16_t> outside_ports;  // in address mode `ports`, of every endpoint
  std::map<VpcId, Vpc> vpcs;
  std::map<SubnetId, Subnet> subnets;
  std::map<SecurityGroupId, SecurityGroupRow> security_groups;
  std::map<InstanceId, InstanceRow> instances;
  std::map<SubnetGroupName, CacheSubnetGroup> subnet_groups;
  std::map<SnapshotName, Snapshot> snapshots;
  std::map<ParameterGroupName, ParameterGroup> parameter_groups;  // without the default ones
  std::map<UserId, User> users;                                   // without the default one
  std::map<UserGroupId, UserGroup> user_groups;
  std::map<uint64_t, WireFault> faults;  // by number
  std::map<uint64_t, Event> events;      // by serial
  friend bool operator==(const Records&, const Records&) = default;
};

// One step's change to Records: rows to put, and rows to drop (nullopt).
struct Edit {
  uint64_t revision = 0;  // what Records has afterwards; one more than before
  std::optional<Installation> installation;
  std::map<std::string, Zone> zones;
  std::map<HostId, Host> hosts;
  std::map<ClusterId, std::optional<Cluster>> clusters;
  std::map<MemberId, std::optional<Member>> members;
  std::map<GroupId, std::optional<Group>> groups;
  std::map<EndpointId, std::optional<uint16_t>> outside_ports;
  std::map<VpcId, std::optional<Vpc>> vpcs;
  std::map<SubnetId, std::optional<Subnet>> subnets;
  std::map<SecurityGroupId, std::optional<SecurityGroupRow>> security_groups;
  std::map<InstanceId, std::optional<InstanceRow>> instances;
  std::map<SubnetGroupName, std::optional<CacheSubnetGroup>> subnet_groups;
  std::map<SnapshotName, std::optional<Snapshot>> snapshots;
  std::map<ParameterGroupName, std::optional<ParameterGroup>> parameter_groups;
  std::map<UserId, std::optional<User>> users;
  std::map<UserGroupId, std::optional<UserGroup>> user_groups;
  std::map<uint64_t, std::optional<WireFault>> faults;
  std::vector<Event> events;
  uint64_t events_dropped_below = 0;  // drop events with a lower serial

  bool empty() const {
    return !installation && zones.empty() && hosts.empty() && clusters.empty() && members.empty() &&
           groups.empty() && outside_ports.empty() && vpcs.empty() && subnets.empty() &&
           security_groups.empty() && instances.empty() && subnet_groups.empty() &&
           snapshots.empty() && parameter_groups.empty() && users.empty() && user_groups.empty() &&
           faults.empty() && events.empty() && events_dropped_below == 0;
  }
  friend bool operator==(const Edit&, const Edit&) = default;
};

}  // namespace ec::model
