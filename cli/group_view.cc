#include "cli/group_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "cli/cluster_view.h"
#include "cli/lookup.h"
#include "cli/text.h"

namespace ec::cli {
namespace {

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

// A group has one node group; a service of another version might send none.
const v1::NodeGroup& NodeGroupOf(const v1::ReplicationGroup& group) {
  return group.node_groups_size() == 0 ? v1::NodeGroup::default_instance() : group.node_groups(0);
}

bool IsPrimary(const v1::NodeGroupMember& member) { return member.current_role() == "primary"; }

std::string FormatFailover(const v1::ReplicationGroup& group) {
  if (!group.has_last_failover_lost_bytes()) return {};
  std::string text = fmt::format("lost {} B", group.last_failover_lost_bytes());
  if (group.has_last_failover_lost_ms()) {
    text += fmt::format(", the writes of {} ms", group.last_failover_lost_ms());
  }
  return text;
}

// "127.0.0.9:6379  primary  --> orders-001", and a line for each member more.
std::string ArrowLines(const v1::Endpoint& endpoint, const std::string& name,
                       const std::vector<std::string>& targets) {
  const std::string head = fmt::format("{:<22}{:<8}", FormatEndpoint(endpoint), name);
  if (targets.empty()) return head + " --> nobody\n";
  std::string text;
  for (const std::string& target : targets) {
    text += text.empty() ? head + " --> " : std::string(head.size(), ' ') + " `-> ";
    text += target + "\n";
  }
  return text;
}

// Whom the reader endpoint leads to: the replicas in sync, or the primary for want of them.
std::vector<std::string> ReadersOf(const std::vector<v1::NodeGroupMember>& members) {
  std::vector<std::string> readers, primary;
  for (const v1::NodeGroupMember& member : members) {
    if (IsPrimary(member)) primary.push_back(member.cache_cluster_id());
    if (member.in_sync()) readers.push_back(member.cache_cluster_id());
  }
  return readers.empty() ? primary : readers;
}

Table MemberTable(const std::vector<v1::NodeGroupMember>& members) {
  Table table(
      {"ZONE", "MEMBER", "ROLE", "STATUS", "ENDPOINT", "IN-SYNC", "LAG", "HOST", "PID", "TROUBLE"});
  table.ColorStatusColumn(3);
  for (const v1::NodeGroupMember& member : members) {
    table.Add({OrDash(member.preferred_availability_zone()), member.cache_cluster_id(),
               OrDash(member.current_role()), OrDash(member.cache_cluster_status()),
               FormatEndpoint(member.read_endpoint()),
               member.has_in_sync() ? (member.in_sync() ? "yes" : "no") : "-",
               member.has_lag_bytes() ? fmt::format("{} B", member.lag_bytes()) : "-",
               OrDash(member.host_id()),
               member.engine_pid() == 0 ? "-" : std::to_string(member.engine_pid()),
               member.trouble()});
  }
  return table;
}

std::string FormatSnapshots(const v1::ReplicationGroup& group) {
  if (!group.has_snapshot_retention_limit()) return {};
  if (group.snapshot_retention_limit() == 0) return "off";
  return fmt::format("kept {} days, taken {}", group.snapshot_retention_limit(),
                     OrDash(group.snapshot_window()));
}

}  // namespace

std::vector<v1::NodeGroupMember> MembersOf(const v1::ReplicationGroup& group) {
  const auto& listed = NodeGroupOf(group).node_group_members();
  std::vector<v1::NodeGroupMember> members(listed.begin(), listed.end());
  const auto place = [](const v1::NodeGroupMember& member) {
    return std::make_tuple(!IsPrimary(member), member.preferred_availability_zone(),
                           member.cache_cluster_id());
  };
  std::sort(members.begin(), members.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return members;
}

std::string PrimaryOf(const v1::ReplicationGroup& group) {
  for (const v1::NodeGroupMember& member : NodeGroupOf(group).node_group_members()) {
    if (IsPrimary(member)) return member.cache_cluster_id();
  }
  return {};
}

Table GroupTable(const Context& context, const std::vector<const v1::ReplicationGroup*>& groups) {
  Table table({"GROUP", "STATUS", "ENGINE", "NODE-TYPE", "MEMBERS", "PRIMARY", "PRIMARY-ENDPOINT",
               "READER-ENDPOINT", "FAILOVER", "MULTI-AZ", "AGE"});
  table.ColorStatusColumn(1);
  const WallTime now = context.now().wall;
  for (const v1::ReplicationGroup* group : groups) {
    std::string age = "-";
    if (group->has_replication_group_create_time()) {
      age = FormatAge(now - ToWallTime(group->replication_group_create_time()));
    }
    const v1::NodeGroup& node_group = NodeGroupOf(*group);
    table.Add({group->replication_group_id(), group->status(), OrDash(group->engine()),
               OrDash(group->cache_node_type()), std::to_string(group->member_clusters_size()),
               OrDash(PrimaryOf(*group)), FormatEndpoint(node_group.primary_endpoint()),
               FormatEndpoint(node_group.reader_endpoint()), OrDash(group->automatic_failover()),
               OrDash(group->multi_az()), age});
  }
  return table;
}

std::string TopologyText(const v1::ReplicationGroup& group, bool color) {
  const std::vector<v1::NodeGroupMember> members = MembersOf(group);
  const v1::NodeGroup& node_group = NodeGroupOf(group);
  const std::string primary = PrimaryOf(group);
  std::string text;
  if (node_group.has_primary_endpoint()) {
    text += ArrowLines(node_group.primary_endpoint(), "primary",
                       primary.empty() ? std::vector<std::string>{} : std::vector{primary});
  }
  if (node_group.has_reader_endpoint()) {
    text += ArrowLines(node_group.reader_endpoint(), "reader", ReadersOf(members));
  }
  if (!text.empty() && !members.empty()) text += '\n';
  if (!members.empty()) text += MemberTable(members).Text(color);
  return text;
}

std::string GroupText(const Context& context, const v1::ReplicationGroup& group,
                      const std::vector<v1::Tag>& tags, const std::vector<v1::Event>& events) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", name, value);
  };
  line("Group", group.replication_group_id());
  line("Description", group.description());
  line("Status", context.color() ? Colored(group.status()) : group.status());
  line("Trouble", group.trouble());
  line("Engine", group.engine());
  line("Node type", group.cache_node_type());
  line("Automatic failover", group.automatic_failover());
  line("Multi-AZ", group.multi_az());
  line("Transit encryption", group.transit_encryption_mode());
  if (group.has_epoch()) line("Epoch", std::to_string(group.epoch()));
  line("Last failover", FormatFailover(group));
  line("Pending primary", group.pending_modified_values().primary_cluster_id());
  if (group.auth_token_enabled()) {
    const std::string status = group.pending_modified_values().auth_token_status();
    line("Auth token", status.empty() ? "yes" : "yes, " + LowerCase(status));
  }
  line("User groups", fmt::format("{}", fmt::join(group.user_group_ids(), ", ")));
  line("VPC", group.vpc_id());
  line("Subnet group", group.cache_subnet_group_name());
  line("Security groups", FormatSecurityGroups(group.security_groups()));
  line("Snapshots", FormatSnapshots(group));
  if (group.has_replication_group_create_time()) {
    line("Created", FormatTime(group.replication_group_create_time()));
  }
  line("ARN", group.arn());
  const auto section = [&](std::string_view heading, const std::string& text) {
    if (!text.empty()) out += fmt::format("\n{}\n{}", heading, text);
  };
  section("Topology", TopologyText(group, context.color()));
  Table tag_table({"TAG", "VALUE"});
  for (const v1::Tag& tag : tags) tag_table.Add({tag.key(), tag.value()});
  if (!tag_table.empty()) section("Tags", tag_table.Text(false));
  if (!events.empty()) section("Last events", EventTable(events).Text(false));
  out.pop_back();
  return out;
}

}  // namespace ec::cli
