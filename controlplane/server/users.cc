#include "controlplane/server/users.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "controlplane/core/commands.h"
#include "controlplane/model/names.h"
#include "controlplane/model/users.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/pages.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

using model::Records;
using model::User;
using model::UserGroup;

using Filters = google::protobuf::RepeatedPtrField<v1::UserFilter>;

std::string ArnOf(const Records& records, std::string_view kind, const std::string& name) {
  return model::ToString(model::Arn{records.installation.region, records.installation.account,
                                    std::string(kind), name});
}

void ToProto(const Records& records, const User& user, v1::User* out) {
  out->set_user_id(user.id);
  out->set_user_name(user.name);
  out->set_status(std::string(NameOf(user.status)));
  out->set_engine(user.engine);
  out->set_minimum_engine_version(model::MinimumEngineVersion(user));
  out->set_access_string(user.access_string);
  for (const std::string& id : model::UserGroupsWith(records, user.id)) out->add_user_group_ids(id);
  out->mutable_authentication()->set_type(user.no_password ? "no-password" : "password");
  out->mutable_authentication()->set_password_count(static_cast<int>(user.passwords.size()));
  out->set_arn(ArnOf(records, model::kUserArnKind, user.id));
}

void ToProto(const Records& records, const UserGroup& group, v1::UserGroup* out) {
  out->set_user_group_id(group.id);
  out->set_status(std::string(NameOf(group.status)));
  out->set_engine(group.engine);
  for (const std::string& id : group.users) out->add_user_ids(id);
  out->set_minimum_engine_version(model::MinimumEngineVersion(records, group));
  if (!group.adding.empty() || !group.removing.empty()) {
    v1::UserGroupPendingChanges* changes = out->mutable_pending_changes();
    for (const std::string& id : group.removing) changes->add_user_ids_to_remove(id);
    for (const std::string& id : group.adding) changes->add_user_ids_to_add(id);
  }
  for (const std::string& id : model::GroupsWith(records, group.id)) {
    out->add_replication_groups(id);
  }
  out->set_arn(ArnOf(records, model::kUserGroupArnKind, group.id));
}

std::optional<core::AuthenticationMode> ModeOf(bool is_there, const v1::AuthenticationMode& mode) {
  if (!is_there) return std::nullopt;
  return core::AuthenticationMode{mode.type(), ToVector(mode.passwords())};
}

core::Tags TagsOf(const google::protobuf::RepeatedPtrField<v1::Tag>& tags) {
  core::Tags list;
  for (const v1::Tag& tag : tags) list.emplace_back(tag.key(), tag.value());
  return list;
}

// Submits the command and answers with the row as it then is.
template <typename Row, typename Message>
Status SubmitFor(ControllerLoop& loop, core::UserCommand command, const std::string& id,
                 std::map<std::string, Row> Records::*rows, Message* response) {
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    const auto found = (state.records.*rows).find(model::Lower(id));
    if (found == (state.records.*rows).end()) return;
    ToProto(state.records, found->second, response);
  });
}

// What a user is found by.
std::vector<std::string> AttributeOf(const Records& records, const User& user,
                                     const std::string& name) {
  if (name == "user-id") return {user.id};
  if (name == "user-name") return {user.name};
  if (name == "engine") return {user.engine};
  if (name == "status") return {std::string(NameOf(user.status))};
  return model::UserGroupsWith(records, user.id);
}

// The service lists no names of filters [AWS docs]; these are the members that tell users apart.
Status CheckFilters(const Filters& filters) {
  constexpr std::string_view kNames[] = {"user-id", "user-name", "engine", "status",
                                         "user-group-id"};
  for (const v1::UserFilter& filter : filters) {
    if (std::ranges::find(kNames, filter.name()) == std::end(kNames)) {
      return {Fault::kInvalidParameterCombination,
              fmt::format("Unknown filter '{}'. Users are found by user-id, user-name, engine, "
                          "status and user-group-id.",
                          filter.name())};
    }
    if (!filter.values().empty()) continue;
    return {Fault::kInvalidParameterCombination,
            fmt::format("The filter {} has no values.", filter.name())};
  }
  return {};
}

bool Matches(const Records& records, const User& user, const Filters& filters) {
  return std::ranges::all_of(filters, [&](const v1::UserFilter& filter) {
    const std::vector<std::string> has = AttributeOf(records, user, filter.name());
    return std::ranges::any_of(filter.values(), [&](const std::string& value) {
      return std::ranges::find(has, value) != has.end();
    });
  });
}

// The user's own and the predefined one, by id.
std::map<std::string, const User*> AllUsers(const Records& records) {
  std::map<std::string, const User*> users;
  for (const auto& [id, user] : records.users) users[id] = &user;
  users[model::DefaultUser().id] = &model::DefaultUser();
  return users;
}

}  // namespace

Status CreateUser(ControllerLoop& loop, const v1::CreateUserRequest& request, v1::User* response) {
  core::CreateUser command;
  command.id = request.user_id();
  command.name = request.user_name();
  command.engine = request.engine();
  command.passwords = ToVector(request.passwords());
  command.access_string = request.access_string();
  command.no_password_required = EC_OPTIONAL(request, no_password_required);
  command.tags = TagsOf(request.tags());
  command.mode = ModeOf(request.has_authentication_mode(), request.authentication_mode());
  return SubmitFor(loop, std::move(command), request.user_id(), &Records::users, response);
}

Status DescribeUsers(ControllerLoop& loop, const v1::DescribeUsersRequest& request,
                     v1::DescribeUsersResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  if (const Status checked = CheckFilters(request.filters()); !checked.ok()) return checked;
  const std::string engine = model::Lower(request.engine());
  return loop.Read([&](const model::State& state) -> Status {
    const Records& records = state.records;
    if (request.has_user_id()) {
      const Result<std::string> id = model::ParseUserId(request.user_id(), "UserId");
      if (!id.ok()) return id.status();
      const User* user = model::FindUser(records, *id);
      if (user == nullptr) {
        return {Fault::kUserNotFound, fmt::format("User not found: {}", *id)};
      }
      ToProto(records, *user, response->add_users());
      return {};
    }
    for (const auto& [id, user] : AllUsers(records)) {
      if (id <= request.marker() || (!engine.empty() && user->engine != engine)) continue;
      if (!Matches(records, *user, request.filters())) continue;
      if (response->users_size() == *size) {
        response->set_marker(response->users(*size - 1).user_id());
        break;
      }
      ToProto(records, *user, response->add_users());
    }
    return {};
  });
}

Status ModifyUser(ControllerLoop& loop, const v1::ModifyUserRequest& request, v1::User* response) {
  core::ModifyUser command;
  command.id = request.user_id();
  command.access_string = EC_OPTIONAL(request, access_string);
  command.append_access_string = EC_OPTIONAL(request, append_access_string);
  command.passwords = ToVector(request.passwords());
  command.no_password_required = EC_OPTIONAL(request, no_password_required);
  command.mode = ModeOf(request.has_authentication_mode(), request.authentication_mode());
  command.engine = EC_OPTIONAL(request, engine);
  return SubmitFor(loop, std::move(command), request.user_id(), &Records::users, response);
}

Status DeleteUser(ControllerLoop& loop, const v1::DeleteUserRequest& request, v1::User* response) {
  return SubmitFor(loop, core::DeleteUser{request.user_id()}, request.user_id(), &Records::users,
                   response);
}

Status CreateUserGroup(ControllerLoop& loop, const v1::CreateUserGroupRequest& request,
                       v1::UserGroup* response) {
  core::CreateUserGroup command{request.user_group_id(), request.engine(),
                                ToVector(request.user_ids()), TagsOf(request.tags())};
  return SubmitFor(loop, std::move(command), request.user_group_id(), &Records::user_groups,
                   response);
}

Status DescribeUserGroups(ControllerLoop& loop, const v1::DescribeUserGroupsRequest& request,
                          v1::DescribeUserGroupsResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  return loop.Read([&](const model::State& state) -> Status {
    const Records& records = state.records;
    if (request.has_user_group_id()) {
      const Result<std::string> id = model::ParseUserId(request.user_group_id(), "UserGroupId");
      if (!id.ok()) return id.status();
      const auto found = records.user_groups.find(*id);
      if (found == records.user_groups.end()) {
        return {Fault::kUserGroupNotFound, fmt::format("UserGroup not found: {}", *id)};
      }
      ToProto(records, found->second, response->add_user_groups());
      return {};
    }
    for (auto it = records.user_groups.upper_bound(request.marker());
         it != records.user_groups.end(); ++it) {
      if (response->user_groups_size() == *size) {
        response->set_marker(response->user_groups(*size - 1).user_group_id());
        break;
      }
      ToProto(records, it->second, response->add_user_groups());
    }
    return {};
  });
}

Status ModifyUserGroup(ControllerLoop& loop, const v1::ModifyUserGroupRequest& request,
                       v1::UserGroup* response) {
  core::ModifyUserGroup command{request.user_group_id(), ToVector(request.user_ids_to_add()),
                                ToVector(request.user_ids_to_remove()),
                                EC_OPTIONAL(request, engine)};
  return SubmitFor(loop, std::move(command), request.user_group_id(), &Records::user_groups,
                   response);
}

Status DeleteUserGroup(ControllerLoop& loop, const v1::DeleteUserGroupRequest& request,
                       v1::UserGroup* response) {
  return SubmitFor(loop, core::DeleteUserGroup{request.user_group_id()}, request.user_group_id(),
                   &Records::user_groups, response);
}

}  // namespace ec::server
