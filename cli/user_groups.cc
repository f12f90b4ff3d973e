#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <vector>

#include "cli/commands.h"
#include "cli/tags.h"
#include "cli/users.h"

namespace ec::cli {
namespace {

constexpr int kPageSize = 100;

struct UserGroupOptions {
  std::string id;
  std::optional<std::string> engine;
  std::vector<std::string> users, add, remove, tags;
  bool yes = false;
};

Outcome PrintGroups(const Context& context, const v1::DescribeUserGroupsResponse& response) {
  Table table({"USER-GROUP", "STATUS", "ENGINE", "USERS", "REPLICATION-GROUPS"});
  table.ColorStatusColumn(1);
  for (const v1::UserGroup& group : response.user_groups()) {
    table.Add({group.user_group_id(), group.status(), group.engine(),
               fmt::format("{}", fmt::join(group.user_ids(), ",")),
               fmt::format("{}", fmt::join(group.replication_groups(), ","))});
  }
  context.Print(table, "There are no user groups.");
  return {};
}

Outcome PrintGroup(const Context& context, const v1::UserGroup& group) {
  if (context.json()) {
    context.Print(group);
    return {};
  }
  v1::DescribeUserGroupsResponse list;
  *list.add_user_groups() = group;
  return PrintGroups(context, list);
}

Outcome CreateUserGroup(Context& context, const UserGroupOptions& options) {
  v1::CreateUserGroupRequest request;
  request.set_user_group_id(options.id);
  request.set_engine(options.engine.value_or("redis"));
  for (const std::string& user : options.users) request.add_user_ids(user);
  for (const std::string& tag : options.tags) {
    EC_RETURN_UNLESS_OK(ParseTag(tag, request.add_tags()));
  }
  v1::UserGroup group;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CreateUserGroup, request, &group));
  return PrintGroup(context, group);
}

Outcome ModifyUserGroup(Context& context, const UserGroupOptions& options) {
  v1::ModifyUserGroupRequest request;
  request.set_user_group_id(options.id);
  if (options.engine) request.set_engine(*options.engine);
  for (const std::string& user : options.add) request.add_user_ids_to_add(user);
  for (const std::string& user : options.remove) request.add_user_ids_to_remove(user);
  v1::UserGroup group;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::ModifyUserGroup, request, &group));
  return PrintGroup(context, group);
}

Outcome ListUserGroups(Context& context) {
  v1::DescribeUserGroupsResponse response;
  EC_RETURN_UNLESS_OK(FindUserGroups(context, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  return PrintGroups(context, response);
}

Outcome ShowUserGroup(Context& context, const std::string& id) {
  v1::DescribeUserGroupsRequest request;
  request.set_user_group_id(id);
  v1::DescribeUserGroupsResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DescribeUserGroups, request, &response));
  if (context.json() || response.user_groups_size() != 1) {
    context.Print(response);
    return {};
  }
  const v1::UserGroup& group = response.user_groups(0);
  std::string out;
  const auto line = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", what, value);
  };
  line("User group", group.user_group_id());
  line("Status", context.color() ? Colored(group.status()) : group.status());
  line("Engine", group.engine());
  line("Engine version", fmt::format("{} or later", group.minimum_engine_version()));
  line("Users", fmt::format("{}", fmt::join(group.user_ids(), ", ")));
  line("To be added",
       fmt::format("{}", fmt::join(group.pending_changes().user_ids_to_add(), ", ")));
  line("To be removed",
       fmt::format("{}", fmt::join(group.pending_changes().user_ids_to_remove(), ", ")));
  line("Replication groups", fmt::format("{}", fmt::join(group.replication_groups(), ", ")));
  line("ARN", group.arn());
  out.pop_back();
  PrintLine(out);
  return {};
}

Outcome DeleteUserGroup(Context& context, const UserGroupOptions& options) {
  EC_RETURN_UNLESS_OK(Confirm(fmt::format("Delete user group {}?", options.id), options.yes));
  v1::DeleteUserGroupRequest request;
  request.set_user_group_id(options.id);
  v1::UserGroup group;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DeleteUserGroup, request, &group));
  if (context.json()) {
    context.Print(group);
  } else {
    PrintLine(fmt::format("User group {} is being deleted.", options.id));
  }
  return {};
}

}  // namespace

Outcome FindUserGroups(Context& context, v1::DescribeUserGroupsResponse* response) {
  v1::DescribeUserGroupsRequest request;
  request.set_max_records(kPageSize);
  do {
    v1::DescribeUserGroupsResponse page;
    EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DescribeUserGroups, request, &page));
    request.set_marker(page.marker());
    response->mutable_user_groups()->MergeFrom(page.user_groups());
  } while (!request.marker().empty());
  return {};
}

void AddUserGroupCommands(CommandLine& line) {
  CLI::App* group =
      line.AddGroup(kClusterSection, "user-group", "User groups: the users of a replication group");
  auto options = std::make_shared<UserGroupOptions>();
  line.AddCommand(
          group, "create", "Create a user group",
          [options](Context& context) { return CreateUserGroup(context, *options); },
          "One of its users must have the name `default`: whoever does not log in is that one.\n\n"
          "Examples:\n"
          "  ecctl user-group create shop --users default,shop\n"
          "  ecctl group create carts --user-group shop --wait\n")
      .Argument("ID", "NAME", &options->id, "Letters, digits and hyphens")
      .List("--users", "USERS", &options->users, "Ids of its users")
      .Option("--engine", "ENGINE", &options->engine, "redis (default) or valkey")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(group, "list", "List the user groups", ListUserGroups,
                  "Examples:\n"
                  "  ecctl user-group list\n");
  line.AddCommand(
          group, "show", "Show a user group",
          [options](Context& context) { return ShowUserGroup(context, options->id); },
          "Examples:\n"
          "  ecctl user-group show shop\n")
      .Argument("ID", "USER-GROUP", &options->id, "The user group");
  line.AddCommand(
          group, "modify", "Add users to a user group, or take some out, at once",
          [options](Context& context) { return ModifyUserGroup(context, *options); },
          "The connections of users that are taken out are closed.\n\n"
          "Examples:\n"
          "  ecctl user-group modify shop --add admin --remove shop\n"
          "  ecctl user-group modify shop --add nobody --remove default\n")
      .Argument("ID", "USER-GROUP", &options->id, "The user group")
      .List("--add", "USERS", &options->add, "Ids of users")
      .List("--remove", "USERS", &options->remove, "The same")
      .Option("--engine", "ENGINE", &options->engine, "valkey, of a user group of redis");
  line.AddCommand(
          group, "delete", "Delete a user group that no replication group uses",
          [options](Context& context) { return DeleteUserGroup(context, *options); },
          "Examples:\n"
          "  ecctl user-group delete shop --yes\n")
      .Argument("ID", "USER-GROUP", &options->id, "The user group")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
}

}  // namespace ec::cli
