// What can be asked of the control plane's machine. Fields are AWS's request members; an absent
// one is nullopt or an empty list.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/address.h"
#include "common/host_plan.h"
#include "controlplane/core/fault_requests.h"
#include "controlplane/core/network_requests.h"
#include "controlplane/core/user_requests.h"
#include "controlplane/model/records.h"

namespace ec::core {

using Tags = std::vector<std::pair<std::string, std::string>>;

struct CreateCluster {
  std::string id;
  std::optional<std::string> replication_group_id;
  std::optional<std::string> az_mode;
  std::optional<std::string> zone;
  std::vector<std::string> zones;
  std::optional<int> nodes;
  std::optional<std::string> node_type;
  std::optional<std::string> engine;
  std::optional<std::string> engine_version;
  std::optional<std::string> parameter_group;
  std::optional<std::string> subnet_group;
  std::vector<std::string> cache_security_groups;
  std::vector<std::string> security_groups;
  Tags tags;
  std::vector<std::string> snapshot_arns;
  std::optional<std::string> snapshot_name;
  std::optional<std::string> maintenance_window;
  std::optional<int> port;
  std::optional<std::string> notification_topic;
  std::optional<bool> auto_minor_version_upgrade;
  std::optional<int> snapshot_retention;
  std::optional<std::string> snapshot_window;
  std::optional<std::string> auth_token;
  std::optional<bool> transit_encryption;
  std::optional<std::string> network_type;
  std::optional<std::string> ip_discovery;
};

struct ModifyCluster {
  std::string id;
  std::optional<int> nodes;
  std::vector<std::string> remove;
  std::optional<std::string> az_mode;
  std::vector<std::string> new_zones;
  std::vector<std::string> cache_security_groups;
  std::vector<std::string> security_groups;
  std::optional<std::string> maintenance_window;
  std::optional<std::string> notification_topic;
  std::optional<std::string> notification_status;
  std::optional<std::string> parameter_group;
  bool apply_immediately = false;
  std::optional<std::string> engine;
  std::optional<std::string> engine_version;
  std::optional<bool> auto_minor_version_upgrade;
  std::optional<int> snapshot_retention;
  std::optional<std::string> snapshot_window;
  std::optional<std::string> node_type;
  std::optional<std::string> auth_token;
  std::optional<std::string> auth_token_strategy;  // SET, ROTATE, DELETE
  std::optional<std::string> ip_discovery;
};

struct DeleteCluster {
  std::string id;
  std::optional<std::string> final_snapshot;
};

struct RebootCluster {
  std::string id;
  std::vector<std::string> node_ids;
};

// --- replication groups ---

struct CreateGroup {
  std::string id;
  std::string description;
  std::optional<std::string> primary_cluster;  // an existing master, around which it is formed
  std::optional<bool> automatic_failover;
  std::optional<bool> multi_az;
  std::optional<int> clusters;     // members
  std::vector<std::string> zones;  // of the members, in their order
  std::optional<int> node_groups;
  std::optional<int> replicas_per_node_group;
  std::optional<std::string> node_type;
  std::optional<std::string> engine;
  std::optional<std::string> engine_version;
  std::optional<std::string> parameter_group;
  std::optional<std::string> subnet_group;
  std::vector<std::string> cache_security_groups;
  std::vector<std::string> security_groups;
  Tags tags;
  std::vector<std::string> snapshot_arns;
  std::optional<std::string> snapshot_name;
  std::optional<std::string> maintenance_window;
  std::optional<int> port;
  std::optional<std::string> notification_topic;
  std::optional<bool> auto_minor_version_upgrade;
  std::optional<int> snapshot_retention;
  std::optional<std::string> snapshot_window;
  std::optional<std::string> auth_token;
  std::vector<std::string> user_groups;
  std::optional<bool> transit_encryption;
  std::optional<std::string> transit_encryption_mode;
  std::optional<bool> at_rest_encryption;
  std::optional<std::string> network_type;
  std::optional<std::string> ip_discovery;
  std::optional<std::string> cluster_mode;
};

struct ModifyGroup {
  std::string id;
  std::optional<std::string> snapshotting_cluster;  // empty: none in particular
  std::optional<std::string> description;
  std::optional<std::string> primary_cluster;
  std::optional<bool> automatic_failover;
  std::optional<bool> multi_az;
  std::optional<bool> transit_encryption;
  std::optional<std::string> transit_encryption_mode;
  std::optional<std::string> node_type;
  std::optional<std::string> engine;
  // What follows applies to every member, as ModifyCluster would.
  std::optional<std::string> engine_version;
  std::vector<std::string> cache_security_groups;
  std::vector<std::string> security_groups;
  std::optional<std::string> maintenance_window;
  std::optional<std::string> notification_topic;
  std::optional<std::string> notification_status;
  std::optional<std::string> parameter_group;
  std::optional<bool> auto_minor_version_upgrade;
  std::optional<int> snapshot_retention;
  std::optional<std::string> snapshot_window;
  bool apply_immediately = false;
  std::optional<std::string> auth_token;
  std::optional<std::string> auth_token_strategy;  // SET, ROTATE, DELETE
  std::vector<std::string> add_user_groups;
  std::vector<std::string> remove_user_groups;
  bool remove_all_user_groups = false;
};

struct DeleteGroup {
  std::string id;
  bool retain_primary = false;  // as a standalone cluster
  std::optional<std::string> final_snapshot;
};

struct IncreaseReplicas {
  std::string id;
  std::optional<int> count;        // replicas to have
  std::vector<std::string> zones;  // of the new ones
  bool apply_immediately = false;
};

struct DecreaseReplicas {
  std::string id;
  std::optional<int> count;
  std::vector<std::string> remove;  // cache cluster ids
  bool apply_immediately = false;
};

struct TestFailover {
  std::string id;
  std::string node_group;  // "0001"
};

// Another member leads, at any time, and nothing is lost.
struct Switchover {
  std::string id;
  std::optional<std::string> cluster;  // who is to lead; absent: the one that has the most
};

// A replica becomes a master of its own, with the data that it has.
struct Promote {
  std::string cluster;
  bool force = false;  // at once, without the proof that it has everything
};

// A master becomes a replica of another master, whose data replaces its own.
struct Demote {
  std::string cluster;
  std::optional<std::string> group;      // exactly one of the two
  std::optional<std::string> master;     // a standalone one, around which a group is formed
  std::optional<std::string> new_group;  // its id, with `master`
  bool accept_data_loss = false;
  std::optional<std::string> final_snapshot;
};

// --- snapshots ---

struct CreateSnapshot {
  std::string name;
  std::optional<std::string> cluster;  // exactly one of the two
  std::optional<std::string> group;
  Tags tags;
};

struct DeleteSnapshot {
  std::string name;
};

struct CopySnapshot {
  std::string source;  // a name, or an object's ARN
  std::string target;
  std::optional<std::string> bucket;  // exports
  Tags tags;
};

// --- the emulator's clock ---

// Nothing of what would have happened meanwhile is made up for.
struct SetClock {
  std::optional<WallTime> to;
  bool reset = false;  // to the machine's time
  std::optional<bool> frozen;
};

// Moves it forward, to `until` or to where something is scheduled before, and does what is due
// there.
struct StepClock {
  WallTime until;
};

// --- cache subnet groups ---

struct CreateSubnetGroup {
  std::string name;
  std::string description;
  std::vector<model::SubnetId> subnets;
  Tags tags;
};

struct ModifySubnetGroup {
  std::string name;
  std::optional<std::string> description;
  std::vector<model::SubnetId> subnets;  // none: as they are
};

struct DeleteSubnetGroup {
  std::string name;
};

// --- cache parameter groups ---

struct CreateParameterGroup {
  std::string name;
  std::string family;
  std::string description;
  Tags tags;
};

struct ModifyParameterGroup {
  std::string name;
  std::vector<std::pair<std::string, std::string>> values;
};

// Back to the family's values.
struct ResetParameterGroup {
  std::string name;
  bool all = false;
  std::vector<std::string> parameters;  // exactly one of the two
};

struct DeleteParameterGroup {
  std::string name;
};

struct AddTags {
  std::string arn;
  Tags tags;
};

struct RemoveTags {
  std::string arn;
  std::vector<std::string> keys;
};

// Forgets every cluster and event, and of the network all but what is there from the start. Hosts
// and what they have installed stay.
struct Reset {};

// Once, on an empty database: where the installation lives.
struct Install {
  std::string region;
  std::string account;
  Cidr vpc;
  std::optional<model::EngineSecrets> secrets{};  // absent: Prepare brings them
};

// At every start of the control plane, before anything else is asked.
struct Prepare {
  bool localhost_instance = true;  // this machine itself is an instance of the default VPC
  std::optional<model::OutsidePorts> outside;
  // For an installation that has none yet; the others keep theirs.
  std::optional<model::EngineSecrets> secrets;
};

using Command =
    std::variant<CreateCluster, ModifyCluster, DeleteCluster, RebootCluster, CreateGroup,
                 ModifyGroup, DeleteGroup, IncreaseReplicas, DecreaseReplicas, TestFailover,
                 Switchover, Promote, Demote, CreateSnapshot, DeleteSnapshot, CopySnapshot,
                 SetClock, StepClock, NetworkCommand, CreateSubnetGroup, ModifySubnetGroup,
                 DeleteSubnetGroup, CreateParameterGroup, ModifyParameterGroup, ResetParameterGroup,
                 DeleteParameterGroup, UserCommand, FaultCommand, AddTags, RemoveTags, Reset,
                 Install, Prepare>;

// A report that has been taken into the sightings.
struct Reported {
  HostReport report;
  // What model::NoteReport() gave back; 0 after a silence, so that everything is looked at again.
  uint64_t plan_before = 0;
};

// Time has passed.
struct Tick {
  // Look at every cluster, because an edit was refused and what it answered will not be said again.
  bool everything = false;
};

// The engine's process was seen to have ended, by the control plane itself.
struct EngineEnded {
  MemberId member = 0;
  int64_t pid = 0;
  uint64_t start_time = 0;
};

using Input = std::variant<Command, HostHello, Reported, EngineEnded, Tick>;

}  // namespace ec::core
