// `ecctl group`: list, show, delete, failover, switchover. What else there is: see groups.h.
#include "cli/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "cli/commands.h"
#include "cli/lookup.h"
#include "cli/setting_options.h"

namespace ec::cli {
namespace {

constexpr int kEventsShown = 8;
constexpr char kNodeGroup[] = "0001";

struct GroupOptions {
  std::string id;
  std::string to;
  bool yes = false;
  bool retain_primary = false;
  bool wait = false;
  std::optional<std::string> final_snapshot;
};

Outcome ListGroups(Context& context) {
  v1::DescribeReplicationGroupsResponse response;
  EC_RETURN_UNLESS_OK(FindGroups(context, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  std::vector<const v1::ReplicationGroup*> groups;
  for (const v1::ReplicationGroup& group : response.replication_groups()) groups.push_back(&group);
  context.Print(GroupTable(context, groups),
                "There are no replication groups. Create one with 'ecctl group create orders "
                "--replicas 2 --wait'.");
  return {};
}

// A group that is not available keeps its tags to itself, and events are an extra: neither is
// missed when it cannot be had.
Outcome ShowGroup(Context& context, const std::string& id) {
  v1::DescribeReplicationGroupsResponse response;
  EC_RETURN_UNLESS_OK(FindGroup(context, id, response.add_replication_groups()));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  const v1::ReplicationGroup& group = response.replication_groups(0);
  v1::ListTagsForResourceRequest tags_request;
  tags_request.set_resource_name(group.arn());
  v1::ListTagsForResourceResponse tags;
  if (!context.Call(&v1::ElastiCache::Stub::ListTagsForResource, tags_request, &tags).ok()) {
    tags.Clear();
  }
  PrintLine(GroupText(context, group, {tags.tag_list().begin(), tags.tag_list().end()},
                      LastEvents(context, group, kEventsShown)));
  return {};
}

Outcome DeleteGroup(Context& context, const GroupOptions& options) {
  EC_RETURN_UNLESS_OK(
      Confirm(options.retain_primary
                  ? fmt::format("Delete replication group {} and all its replicas?", options.id)
                  : fmt::format("Delete replication group {} with all its clusters and their data?",
                                options.id),
              options.yes));
  GroupWait wait{{.operation = "deletion", .until_gone = true}, AnyState};
  if (options.wait) EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
  v1::DeleteReplicationGroupRequest request;
  request.set_replication_group_id(options.id);
  if (options.retain_primary) request.set_retain_primary_cluster(true);
  if (options.final_snapshot) request.set_final_snapshot_identifier(*options.final_snapshot);
  v1::DeleteReplicationGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::DeleteReplicationGroup, request, &response));
  if (options.wait) {
    wait.wait.id = response.replication_group().replication_group_id();
    wait.wait.noun = "group";
    EC_RETURN_UNLESS_OK(WaitForGroup(context, wait, response.mutable_replication_group()));
  }
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(fmt::format("Replication group {} {}.", options.id,
                          options.wait ? "has been deleted" : "is being deleted"));
  }
  return {};
}

// Whether another member than `former` leads, and that one is back behind it.
bool HasFailedOver(const v1::ReplicationGroup& group, const std::string& former) {
  if (PrimaryOf(group).empty() || PrimaryOf(group) == former) return false;
  for (const v1::NodeGroupMember& member : MembersOf(group)) {
    if (member.cache_cluster_id() != former) continue;
    return member.in_sync() && member.cache_cluster_status() == "available";
  }
  return true;  // somebody has removed it meanwhile
}

// AWS shows the group as available throughout, so being available says nothing about the end.
Outcome TestFailover(Context& context, const GroupOptions& options) {
  GroupWait wait{{.operation = "failover"}, {}, /*patient=*/true};
  if (options.wait) {
    v1::ReplicationGroup before;
    EC_RETURN_UNLESS_OK(FindGroup(context, options.id, &before));
    EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
    wait.reached = [former = PrimaryOf(before)](const v1::ReplicationGroup& group) {
      return HasFailedOver(group, former);
    };
  }
  v1::TestFailoverRequest request;
  request.set_replication_group_id(options.id);
  request.set_node_group_id(kNodeGroup);
  v1::TestFailoverResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::TestFailover, request, &response));
  return FinishGroupChange(context, options.wait, std::move(wait), &response);
}

Outcome SwitchOver(Context& context, const GroupOptions& options) {
  GroupWait wait{{.operation = "switch-over"}, {}};
  if (options.wait) {
    v1::ReplicationGroup before;
    EC_RETURN_UNLESS_OK(FindGroup(context, options.id, &before));
    EC_RETURN_UNLESS_OK(FindLastSerial(context, &wait.wait.after_serial));
    wait.reached = [former = PrimaryOf(before)](const v1::ReplicationGroup& group) {
      return PrimaryOf(group) != former;
    };
  }
  v1::SwitchoverReplicationGroupRequest request;
  request.set_replication_group_id(options.id);
  if (!options.to.empty()) request.set_cache_cluster_id(options.to);
  v1::SwitchoverReplicationGroupResponse response;
  EC_RETURN_UNLESS_OK(
      context.Call(&v1::ElastiCache::Stub::SwitchoverReplicationGroup, request, &response));
  return FinishGroupChange(context, options.wait, std::move(wait), &response);
}

void AddLeaderCommands(CommandLine& line, CLI::App* group) {
  auto options = std::make_shared<GroupOptions>();
  line.AddCommand(
          group, "failover", "Kill the primary, to try what a failover does (TestFailover)",
          [options](Context& context) { return TestFailover(context, *options); },
          "Needs automatic failover. The newest writes may be lost, as in a true failure:\n"
          "'ecctl group show' then tells how many bytes. With --wait: until the former primary is\n"
          "back as a replica that is in sync.\n\n"
          "Examples:\n"
          "  ecctl group failover orders\n"
          "  ecctl group failover orders --wait\n")
      .Argument("ID", "REPLICATION-GROUP", &options->id, "The replication group")
      .Flag("--wait", &options->wait, kWaitText);
  line.AddCommand(
          group, "switchover", "Let another member lead, without losing a write",
          [options](Context& context) { return SwitchOver(context, *options); },
          "Allowed at any time, automatic failover or not.\n\n"
          "Examples:\n"
          "  ecctl group switchover orders --wait\n"
          "  ecctl group switchover orders --to orders-003 --wait\n")
      .Argument("ID", "REPLICATION-GROUP", &options->id, "The replication group")
      .Option("--to", "MEMBER", &options->to, "Who is to lead (default: the replica with the most)")
      .Flag("--wait", &options->wait, kWaitText);
}

}  // namespace

std::vector<v1::Event> LastEvents(Context& context, const v1::ReplicationGroup& group, int count) {
  v1::DescribeEventsResponse response;
  if (!FindEvents(context, {}, &response).ok()) return {};
  std::set<std::string> sources(group.member_clusters().begin(), group.member_clusters().end());
  sources.insert(group.replication_group_id());
  std::vector<v1::Event> events;
  for (const v1::Event& event : response.events()) {
    if (sources.contains(event.source_identifier())) events.push_back(event);
  }
  const auto skipped = std::max(static_cast<std::ptrdiff_t>(events.size()) - count, {});
  events.erase(events.begin(), events.begin() + skipped);
  return events;
}

void AddGroupCommands(CommandLine& line) {
  CLI::App* group = line.AddGroup(kClusterSection, "group",
                                  "Replication groups: a primary, its replicas, and failover");
  AddGroupCreateCommand(line, group);
  line.AddCommand(group, "list", "List the replication groups", ListGroups,
                  "Examples:\n"
                  "  ecctl group list\n"
                  "  ecctl group list -o json | jq -r '.replication_groups[].status'\n");
  auto options = std::make_shared<GroupOptions>();
  line.AddCommand(
          group, "show", "Show a group: endpoints, zones, roles, lag and last events",
          [options](Context& context) { return ShowGroup(context, options->id); },
          "Examples:\n"
          "  ecctl group show orders\n"
          "  ecctl group show orders -o json\n")
      .Argument("ID", "REPLICATION-GROUP", &options->id, "The replication group");
  AddGroupWatchCommand(line, group);
  AddGroupModifyCommand(line, group);
  AddReplicaCommands(line, group);
  AddLeaderCommands(line, group);
  line.AddCommand(
          group, "delete", "Delete a group, its clusters and their data",
          [options](Context& context) { return DeleteGroup(context, *options); },
          "Examples:\n"
          "  ecctl group delete orders\n"
          "  ecctl group delete orders --retain-primary --yes --wait\n")
      .Argument("ID", "REPLICATION-GROUP", &options->id, "The replication group")
      .Flag("--retain-primary", &options->retain_primary,
            "Keep the primary with its data, as a cluster of its own")
      .Option("--final-snapshot", "NAME", &options->final_snapshot,
              "Take a snapshot of this name first; without it nothing is deleted")
      .Excludes("--retain-primary")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation")
      .Flag("--wait", &options->wait, kWaitText);
}

}  // namespace ec::cli
