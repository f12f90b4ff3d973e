#include "cli/cluster_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text.h"

namespace ec::cli {
namespace {

// Where clients of the cluster begin: its configuration endpoint, or its one node.
std::string EntryPoint(const v1::CacheCluster& cluster) {
  if (cluster.has_configuration_endpoint()) return FormatEndpoint(cluster.configuration_endpoint());
  if (cluster.cache_nodes_size() == 1) return FormatEndpoint(cluster.cache_nodes(0).endpoint());
  return "-";
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string FormatPending(const v1::PendingModifiedValues& pending) {
  std::vector<std::string> parts;
  if (pending.has_num_cache_nodes()) {
    const int nodes = pending.num_cache_nodes();
    parts.push_back(nodes == 1 ? "1 node" : fmt::format("{} nodes", nodes));
  }
  if (pending.cache_node_ids_to_remove_size() > 0) {
    parts.push_back(fmt::format("remove {}", fmt::join(pending.cache_node_ids_to_remove(), ", ")));
  }
  if (pending.has_engine_version()) {
    parts.push_back("engine version " + pending.engine_version());
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

// The versions of the programs that run, which may differ from the one asked for.
std::string InstalledVersions(const v1::CacheCluster& cluster) {
  std::vector<std::string> versions;
  for (const v1::CacheNode& node : cluster.cache_nodes()) {
    const std::string& version = node.installed_engine_version();
    const bool known = std::count(versions.begin(), versions.end(), version) > 0;
    if (!version.empty() && !known) versions.push_back(version);
  }
  return fmt::format("{}", fmt::join(versions, ", "));
}

std::string FormatSnapshots(const v1::CacheCluster& cluster) {
  if (!cluster.has_snapshot_retention_limit()) return {};
  if (cluster.snapshot_retention_limit() == 0) return "off";
  return fmt::format("kept {} days, taken {}", cluster.snapshot_retention_limit(),
                     OrDash(cluster.snapshot_window()));
}

Table NodeTable(const v1::CacheCluster& cluster) {
  Table table({"NODE", "STATUS", "ENDPOINT", "ZONE", "HOST", "PID", "VERSION", "TROUBLE"});
  table.ColorStatusColumn(1);
  for (const v1::CacheNode& node : cluster.cache_nodes()) {
    table.Add({node.cache_node_id(), node.cache_node_status(), FormatEndpoint(node.endpoint()),
               OrDash(node.customer_availability_zone()), OrDash(node.host_id()),
               node.engine_pid() == 0 ? "-" : std::to_string(node.engine_pid()),
               OrDash(node.installed_engine_version()), node.trouble()});
  }
  return table;
}

void AddTable(const std::string& heading, const Table& table, bool color, std::string* out) {
  if (!table.empty()) *out += fmt::format("\n{}\n{}", heading, table.Text(color));
}

}  // namespace

std::string FormatEndpoint(const v1::Endpoint& endpoint) {
  if (!endpoint.has_address()) return "-";
  return fmt::format("{}:{}", endpoint.address(), endpoint.port());
}

std::string FormatSecurityGroups(
    const google::protobuf::RepeatedPtrField<v1::SecurityGroupMembership>& groups) {
  std::vector<std::string> ids;
  for (const v1::SecurityGroupMembership& group : groups) {
    ids.push_back(group.security_group_id());
  }
  return fmt::format("{}", fmt::join(ids, ", "));
}

Table ClusterTable(const Context& context, const std::vector<const v1::CacheCluster*>& clusters) {
  Table table(
      {"CLUSTER", "STATUS", "ENGINE", "VERSION", "NODE-TYPE", "NODES", "ZONE", "ENDPOINT", "AGE"});
  table.ColorStatusColumn(1);
  const WallTime now = context.now().wall;
  for (const v1::CacheCluster* cluster : clusters) {
    std::string age = "-";
    if (cluster->has_cache_cluster_create_time()) {
      age = FormatAge(now - ToWallTime(cluster->cache_cluster_create_time()));
    }
    table.Add({cluster->cache_cluster_id(), cluster->cache_cluster_status(), cluster->engine(),
               cluster->engine_version(), cluster->cache_node_type(),
               std::to_string(cluster->num_cache_nodes()),
               OrDash(cluster->preferred_availability_zone()), EntryPoint(*cluster), age});
  }
  return table;
}

Table EventTable(const std::vector<v1::Event>& events) {
  Table table({"TIME", "SERIAL", "SOURCE", "MESSAGE"});
  for (const v1::Event& event : events) {
    table.Add({FormatTime(event.date()), std::to_string(event.serial()), event.source_identifier(),
               event.message()});
  }
  return table;
}

std::string ClusterText(const Context& context, const v1::CacheCluster& cluster,
                        const std::vector<v1::Tag>& tags, const std::vector<v1::Event>& events) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", name, value);
  };
  const std::string& status = cluster.cache_cluster_status();
  line("Cluster", cluster.cache_cluster_id());
  line("Status", context.color() ? Colored(status) : status);
  line("Engine", cluster.engine() + " " + cluster.engine_version());
  line("Installed version", InstalledVersions(cluster));
  line("Node type", cluster.cache_node_type());
  line("Nodes", std::to_string(cluster.num_cache_nodes()));
  line("Zone", cluster.preferred_availability_zone());
  line("Replication group", cluster.replication_group_id());
  if (cluster.has_configuration_endpoint()) {
    line("Configuration endpoint", FormatEndpoint(cluster.configuration_endpoint()));
  }
  line("Parameter group", cluster.cache_parameter_group().cache_parameter_group_name());
  line("VPC", cluster.vpc_id());
  line("Subnet group", cluster.cache_subnet_group_name());
  line("Security groups", FormatSecurityGroups(cluster.security_groups()));
  line("Transit encryption", cluster.transit_encryption_mode());
  line("Maintenance window", cluster.preferred_maintenance_window());
  line("Snapshots", FormatSnapshots(cluster));
  line("Notification topic", cluster.notification_configuration().topic_arn());
  if (cluster.has_cache_cluster_create_time()) {
    line("Created", FormatTime(cluster.cache_cluster_create_time()));
  }
  line("ARN", cluster.arn());
  line("Pending changes", FormatPending(cluster.pending_modified_values()));

  AddTable("Cache nodes", NodeTable(cluster), context.color(), &out);
  Table tag_table({"TAG", "VALUE"});
  for (const v1::Tag& tag : tags) tag_table.Add({tag.key(), tag.value()});
  AddTable("Tags", tag_table, false, &out);
  AddTable("Last events", EventTable(events), false, &out);
  out.pop_back();
  return out;
}

}  // namespace ec::cli
