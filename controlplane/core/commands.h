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

struct AddTags {
  std::string arn;
  Tags tags;
};

struct RemoveTags {
  std::string arn;
  std::vector<std::string> keys;
};

// Forgets every cluster and event. Hosts and what they have installed stay.
struct Reset {};

// Once, on an empty database: where the installation lives.
struct Install {
  std::string region;
  std::string account;
  Cidr vpc;
};

using Command = std::variant<CreateCluster, ModifyCluster, DeleteCluster, RebootCluster, AddTags,
                             RemoveTags, Reset, Install>;

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

using Input = std::variant<Command, HostHello, Reported, Tick>;

}  // namespace ec::core
