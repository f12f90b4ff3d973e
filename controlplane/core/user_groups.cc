#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/parameter_groups.h"
#include "controlplane/core/users.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/users.h"

namespace ec::core {
namespace {

using model::User;
using model::UserGroup;
using model::UserGroupId;
using model::UserGroupStatus;
using model::UserId;
using model::UserStatus;

Result<std::set<UserId>> FindUsers(const Draft& draft, const std::vector<std::string>& texts) {
  std::set<UserId> ids;
  for (const std::string& text : texts) {
    const Result<const User*> user = FindExistingUser(draft, text);
    if (!user.ok()) return user.status();
    if ((*user)->status == UserStatus::kDeleting) {
      return Status(Fault::kUserNotFound, fmt::format("User not found: {}", (*user)->id));
    }
    ids.insert((*user)->id);
  }
  return ids;
}

// Whether these users make a group: one of them is `default`, and no two have one name.
Status CheckMembers(const Draft& draft, const std::string& engine, const std::set<UserId>& ids) {
  if (ids.size() > model::kUsersPerGroupMax) {
    return BadValue("UserIds", std::to_string(ids.size()),
                    fmt::format("A user group has at most {} users.", model::kUsersPerGroupMax));
  }
  std::map<std::string, UserId> names;
  for (const UserId& id : ids) {
    const User& user = *draft.FindUser(id);
    if (engine == "redis" && user.engine != engine) {  // [unverified]
      return BadCombination(fmt::format("User {} is of engine {}, and the user group of {}.", id,
                                        user.engine, engine));
    }
    const auto [other, is_new] = names.emplace(user.name, id);
    if (is_new) continue;
    return {Fault::kDuplicateUserName, fmt::format("Users {} and {} have the same user name {}.",
                                                   other->second, id, user.name)};
  }
  if (names.contains(std::string(model::kDefaultUser))) return {};
  return {Fault::kDefaultUserRequired,
          "A user group needs to contain a user with the user name default."};
}

Status CheckActive(const UserGroup& group) {
  if (group.status == UserGroupStatus::kActive) return {};
  return {Fault::kInvalidUserGroupState,
          fmt::format("User group {} is not in active state: it is {}.", group.id,
                      NameOf(group.status))};
}

Status CheckChange(const UserGroup& group, const std::set<UserId>& add,
                   const std::set<UserId>& remove) {
  for (const UserId& id : add) {
    if (remove.contains(id)) {
      return BadCombination(fmt::format("User {} is to be added and to be removed.", id));
    }
    if (group.users.contains(id)) {
      return BadCombination(
          fmt::format("User {} is a member of user group {} already.", id, group.id));
    }
  }
  for (const UserId& id : remove) {
    if (group.users.contains(id)) continue;
    return BadCombination(fmt::format("User {} is not a member of user group {}.", id, group.id));
  }
  return {};
}

std::vector<model::GroupId> GroupsUsing(const Draft& draft, const UserGroupId& id) {
  std::vector<model::GroupId> groups;
  for (const model::GroupId& group : draft.Groups()) {
    if (model::UsesUserGroup(*draft.FindGroup(group), id)) groups.push_back(group);
  }
  return groups;
}

// Clusters that have left a group with their users.
std::vector<model::ClusterId> ClustersUsing(const Draft& draft, const UserGroupId& id) {
  std::vector<model::ClusterId> clusters;
  for (const model::ClusterId& cluster : draft.Clusters()) {
    const model::Cluster& row = *draft.FindCluster(cluster);
    if (row.group.empty() && row.access.user_group == id) clusters.push_back(cluster);
  }
  return clusters;
}

}  // namespace

Result<const UserGroup*> FindExistingUserGroup(const Draft& draft, const std::string& text) {
  const Result<std::string> id = model::ParseUserId(text, "UserGroupId");
  if (!id.ok()) return id.status();
  if (const UserGroup* group = draft.FindUserGroup(*id)) return group;
  return Status(Fault::kUserGroupNotFound, fmt::format("UserGroup not found: {}", *id));
}

Status CheckVersionOfGroups(const Draft& draft, const UserGroupId& id, const std::string& minimum) {
  for (const model::GroupId& group : GroupsUsing(draft, id)) {
    const model::Cluster* leader = draft.FindCluster(LeaderOf(draft, *draft.FindGroup(group)));
    if (leader == nullptr || model::CompareVersions(leader->engine_version, minimum) >= 0) continue;
    return BadCombination(
        fmt::format("Engine version {} or later is needed, and replication group {} has {}.",
                    minimum, group, leader->engine_version));
  }
  return {};
}

void TellEngines(Draft& draft, const UserGroupId& id) {
  for (const model::GroupId& group : GroupsUsing(draft, id)) {
    const std::set<model::ClusterId> clusters = draft.FindGroup(group)->members;
    for (const model::ClusterId& cluster : clusters) {
      TellMembers(draft, *draft.FindCluster(cluster));
    }
  }
  for (const model::ClusterId& cluster : ClustersUsing(draft, id)) {
    TellMembers(draft, *draft.FindCluster(cluster));
  }
}

Status Create(Draft& draft, const CreateUserGroup& request) {
  const Result<std::string> id = model::ParseUserId(request.id, "UserGroupId");
  if (!id.ok()) return id.status();
  const Result<std::string> engine = ParseUserEngine(request.engine);
  if (!engine.ok()) return engine.status();
  const Result<std::set<UserId>> users = FindUsers(draft, request.users);
  if (!users.ok()) return users.status();
  EC_RETURN_IF_ERROR(CheckMembers(draft, *engine, *users));
  if (draft.FindUserGroup(*id) != nullptr) {
    return {Fault::kUserGroupAlreadyExists, fmt::format("User group {} already exists.", *id)};
  }
  if (draft.UserGroups().size() >= model::kUserGroupsMax) {
    return {Fault::kUserGroupQuotaExceeded,
            fmt::format("There can be at most {} user groups.", model::kUserGroupsMax)};
  }
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  UserGroup group;
  group.id = *id;
  group.engine = *engine;
  group.users = *users;
  group.tags = *tags;
  draft.Put(std::move(group));
  return {};
}

Status Modify(Draft& draft, const ModifyUserGroup& request) {
  const Result<const UserGroup*> found = FindExistingUserGroup(draft, request.id);
  if (!found.ok()) return found.status();
  if (request.add.empty() && request.remove.empty() && !request.engine) {
    return BadCombination("No modifications were requested");  // [AWS], of other resources
  }
  EC_RETURN_IF_ERROR(CheckActive(**found));
  UserGroup group = **found;
  if (request.engine) {
    const Result<std::string> engine = ParseUserEngine(*request.engine);
    if (!engine.ok()) return engine.status();
    if (group.engine == "valkey" && *engine == "redis") {
      return BadCombination("The engine cannot be changed from valkey to redis.");
    }
    group.engine = *engine;
  }
  const Result<std::set<UserId>> add = FindUsers(draft, request.add);
  if (!add.ok()) return add.status();
  const Result<std::set<UserId>> remove = FindUsers(draft, request.remove);
  if (!remove.ok()) return remove.status();
  EC_RETURN_IF_ERROR(CheckChange(group, *add, *remove));
  group.adding = *add;
  group.removing = *remove;
  EC_RETURN_IF_ERROR(CheckMembers(draft, group.engine, group.Members()));
  EC_RETURN_IF_ERROR(
      CheckVersionOfGroups(draft, group.id, MinimumVersionOf(draft, group.Members())));
  group.status = UserGroupStatus::kModifying;
  const UserGroupId id = group.id;
  draft.Put(std::move(group));
  TellEngines(draft, id);
  return {};
}

Status Delete(Draft& draft, const DeleteUserGroup& request) {
  const Result<const UserGroup*> found = FindExistingUserGroup(draft, request.id);
  if (!found.ok()) return found.status();
  EC_RETURN_IF_ERROR(CheckActive(**found));
  UserGroup group = **found;
  if (const auto groups = GroupsUsing(draft, group.id); !groups.empty()) {
    return {Fault::kInvalidUserGroupState,
            fmt::format("User group {} is associated with replication groups, from which it must "
                        "be removed first: {}.",
                        group.id, fmt::join(groups, ", "))};
  }
  if (const auto clusters = ClustersUsing(draft, group.id); !clusters.empty()) {
    return {Fault::kInvalidUserGroupState,
            fmt::format("User group {} is used by cache clusters: {}.", group.id,
                        fmt::join(clusters, ", "))};
  }
  group.status = UserGroupStatus::kDeleting;
  draft.Put(std::move(group));
  return {};
}

}  // namespace ec::core
