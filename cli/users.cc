#include "cli/users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <vector>

#include "cli/commands.h"
#include "cli/secret.h"
#include "cli/tags.h"

namespace ec::cli {
namespace {

constexpr int kPageSize = 100;

struct UserOptions : PasswordOptions {
  std::string id;
  std::optional<std::string> name, engine, access, append_access;
  std::vector<std::string> tags;
  bool no_password = false;
  bool yes = false;
};

std::string PasswordsText(const v1::User& user) {
  const v1::Authentication& authentication = user.authentication();
  if (authentication.type() != "password") return "none needed";
  return std::to_string(authentication.password_count());
}

Outcome PrintUsers(const Context& context, const v1::DescribeUsersResponse& response) {
  Table table({"USER", "NAME", "STATUS", "ENGINE", "PASSWORDS", "GROUPS", "ACCESS"});
  table.ColorStatusColumn(2);
  for (const v1::User& user : response.users()) {
    table.Add({user.user_id(), user.user_name(), user.status(), user.engine(), PasswordsText(user),
               fmt::format("{}", fmt::join(user.user_group_ids(), ",")), user.access_string()});
  }
  context.Print(table, "There are no users.");
  return {};
}

Outcome PrintUser(const Context& context, const v1::User& user) {
  if (context.json()) {
    context.Print(user);
    return {};
  }
  v1::DescribeUsersResponse list;
  *list.add_users() = user;
  return PrintUsers(context, list);
}

Outcome CreateUser(Context& context, const UserOptions& options) {
  v1::CreateUserRequest request;
  request.set_user_id(options.id);
  request.set_user_name(options.name.value_or(options.id));
  request.set_engine(options.engine.value_or("redis"));
  request.set_access_string(options.access.value_or("on ~* +@all"));
  if (options.no_password) request.set_no_password_required(true);
  std::vector<std::string> passwords;
  EC_RETURN_UNLESS_OK(PasswordsOf(options, &passwords));
  for (const std::string& password : passwords) request.add_passwords(password);
  for (const std::string& tag : options.tags) {
    EC_RETURN_UNLESS_OK(ParseTag(tag, request.add_tags()));
  }
  v1::User user;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::CreateUser, request, &user));
  return PrintUser(context, user);
}

Outcome ModifyUser(Context& context, const UserOptions& options) {
  v1::ModifyUserRequest request;
  request.set_user_id(options.id);
  if (options.engine) request.set_engine(*options.engine);
  if (options.access) request.set_access_string(*options.access);
  if (options.append_access) request.set_append_access_string(*options.append_access);
  if (options.no_password) request.set_no_password_required(true);
  std::vector<std::string> passwords;
  EC_RETURN_UNLESS_OK(PasswordsOf(options, &passwords));
  for (const std::string& password : passwords) request.add_passwords(password);
  v1::User user;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::ModifyUser, request, &user));
  return PrintUser(context, user);
}

Outcome ListUsers(Context& context) {
  v1::DescribeUsersResponse response;
  EC_RETURN_UNLESS_OK(FindUsers(context, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  return PrintUsers(context, response);
}

Outcome ShowUser(Context& context, const std::string& id) {
  v1::DescribeUsersRequest request;
  request.set_user_id(id);
  v1::DescribeUsersResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DescribeUsers, request, &response));
  if (context.json() || response.users_size() != 1) {
    context.Print(response);
    return {};
  }
  const v1::User& user = response.users(0);
  std::string out;
  const auto line = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<24}{}\n", what, value);
  };
  line("User", user.user_id());
  line("Name", user.user_name());
  line("Status", context.color() ? Colored(user.status()) : user.status());
  line("Engine", user.engine());
  line("Engine version", fmt::format("{} or later", user.minimum_engine_version()));
  line("Passwords", PasswordsText(user));
  line("Access", user.access_string());
  line("User groups", fmt::format("{}", fmt::join(user.user_group_ids(), ", ")));
  line("ARN", user.arn());
  out.pop_back();
  PrintLine(out);
  return {};
}

Outcome DeleteUser(Context& context, const UserOptions& options) {
  EC_RETURN_UNLESS_OK(
      Confirm(fmt::format("Delete user {}, and close its connections?", options.id), options.yes));
  v1::DeleteUserRequest request;
  request.set_user_id(options.id);
  v1::User user;
  EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DeleteUser, request, &user));
  if (context.json()) {
    context.Print(user);
  } else {
    PrintLine(fmt::format("User {} is being deleted.", options.id));
  }
  return {};
}

}  // namespace

Outcome FindUsers(Context& context, v1::DescribeUsersResponse* response) {
  v1::DescribeUsersRequest request;
  request.set_max_records(kPageSize);
  do {
    v1::DescribeUsersResponse page;
    EC_RETURN_UNLESS_OK(context.Call(&v1::ElastiCache::Stub::DescribeUsers, request, &page));
    request.set_marker(page.marker());
    response->mutable_users()->MergeFrom(page.users());
  } while (!request.marker().empty());
  return {};
}

void AddUserCommands(CommandLine& line) {
  CLI::App* group =
      line.AddGroup(kClusterSection, "user", "Users: who may do what in a replication group");
  auto options = std::make_shared<UserOptions>();
  Command create = line.AddCommand(
      group, "create", "Create a user",
      [options](Context& context) { return CreateUser(context, *options); },
      "A user can do nothing until it is in a user group that a replication group uses.\n\n"
      "Examples:\n"
      "  ecctl user create shop --access 'on ~shop:* +@read +@write' --password-file shop.pw\n"
      "  pwgen 20 1 | ecctl user create admin --password-file -\n"
      "  ecctl user create nobody --name default --access 'off -@all' --no-password\n");
  create.Argument("ID", "NAME", &options->id, "Letters, digits and hyphens")
      .Option("--name", "NAME", &options->name, "By which clients log in (default: its id)")
      .Option("--engine", "ENGINE", &options->engine, "redis (default) or valkey")
      .Option("--access", "RULES", &options->access,
              "What it may do, in Redis's notation (default: 'on ~* +@all')");
  AddPasswordOptions(create, options.get());
  create.Flag("--no-password", &options->no_password, "Anybody is let in under its name")
      .Repeated("--tag", "KEY=VALUE", &options->tags, "A tag; may be given several times");
  line.AddCommand(group, "list", "List the users", ListUsers,
                  "Examples:\n"
                  "  ecctl user list\n");
  line.AddCommand(
          group, "show", "Show a user",
          [options](Context& context) { return ShowUser(context, options->id); },
          "Examples:\n"
          "  ecctl user show default\n")
      .Argument("ID", "USER", &options->id, "The user");
  Command modify = line.AddCommand(
      group, "modify", "Give a user other passwords or other access, at once",
      [options](Context& context) { return ModifyUser(context, *options); },
      "Its connections stay open, and are subject to the new rules.\n\n"
      "Examples:\n"
      "  ecctl user modify shop --append-access '-@write'\n"
      "  ecctl user modify shop --password-file old.pw --password-file new.pw\n");
  modify.Argument("ID", "USER", &options->id, "The user")
      .Option("--access", "RULES", &options->access, "In place of the present rules")
      .Option("--append-access", "RULES", &options->append_access, "Behind the present rules")
      .Excludes("--access");
  AddPasswordOptions(modify, options.get());
  modify.Flag("--no-password", &options->no_password, "Anybody is let in under its name")
      .Option("--engine", "ENGINE", &options->engine, "valkey, of a user of redis");
  line.AddCommand(
          group, "delete", "Delete a user, and close its connections",
          [options](Context& context) { return DeleteUser(context, *options); },
          "Examples:\n"
          "  ecctl user delete shop --yes\n")
      .Argument("ID", "USER", &options->id, "The user")
      .Flag("-y,--yes", &options->yes, "Do not ask for confirmation");
}

}  // namespace ec::cli
