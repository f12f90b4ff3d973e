#include "controlplane/core/access_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/digest.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/parameter_groups.h"
#include "controlplane/core/users.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/users.h"

namespace ec::core {
namespace {

using model::AccessChange;
using model::AccessControl;
using model::Group;
using model::GroupId;
using model::UserGroup;
using model::UserGroupId;

enum class Strategy { kSet, kRotate, kDelete };

constexpr std::string_view kTokenNeedsTls =  // [unverified]
    "AuthToken is only supported when encryption in transit is enabled.";
constexpr std::string_view kUsersNeedTls =  // [AWS]
    "User group based access control requires encryption-in-transit to be enabled on the "
    "replication group.";
constexpr std::string_view kOneOrTheOther = "AuthToken and user groups exclude each other.";

// The token itself is not repeated: errors are logged. What it may contain is [AWS docs].
Status CheckToken(const std::string& token, bool is_new) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto is_allowed = [&](char c) {
    if (is_alphanumeric(c)) return true;
    if (is_new) return std::string_view("!&#$^<>-").find(c) != std::string_view::npos;
    return c > 0x20 && c < 0x7f && std::string_view("/\"@%").find(c) == std::string_view::npos;
  };
  if (token.size() >= model::kPasswordLengthMin && token.size() <= model::kPasswordLengthMax &&
      std::ranges::all_of(token, is_allowed)) {
    return {};
  }
  return {Fault::kInvalidParameterValue,
          fmt::format("Invalid value for AuthToken. It must have {} to {} {}.",
                      model::kPasswordLengthMin, model::kPasswordLengthMax,
                      is_new ? "letters, digits and the characters ! & # $ ^ < > -"
                             : "printable ASCII characters without blanks, / \" @ and %")};
}

Result<Strategy> ParseStrategy(const std::string& text) {
  if (text == "SET") return Strategy::kSet;
  if (text == "ROTATE") return Strategy::kRotate;
  if (text == "DELETE") return Strategy::kDelete;
  return BadValue("AuthTokenUpdateStrategy", text, "It must be SET, ROTATE or DELETE.");
}

// A user group that a replication group of this version can use.
Result<UserGroupId> UsableUserGroup(const Draft& draft, const std::string& text,
                                    const std::string& version) {
  const Result<const UserGroup*> found = FindExistingUserGroup(draft, text);
  if (!found.ok()) return found.status();
  const UserGroup& group = **found;
  if (group.status != model::UserGroupStatus::kActive) {
    return Status(Fault::kInvalidUserGroupState,
                  fmt::format("User group {} is not in active state: it is {}.", group.id,
                              NameOf(group.status)));
  }
  const std::string minimum = MinimumVersionOf(draft, group.Members());
  if (model::CompareVersions(version, minimum) < 0) {
    return BadCombination(
        fmt::format("User group {} needs engine version {} or later.", group.id, minimum));
  }
  return group.id;
}

Status CheckCount(const std::vector<std::string>& user_groups) {
  if (user_groups.size() <= model::kUserGroupsPerGroupMax) return {};
  return BadCombination("A replication group can have one user group.");
}

// Puts the token into effect by the strategy. REQUIRES: the token is sound, and not for DELETE
Status UpdateToken(Strategy strategy, const std::string& token, bool from_users, WallTime now,
                   AccessControl* access) {
  const std::string hash = Sha256Hex(token);
  const bool was_open = access->token.empty();
  if (strategy == Strategy::kSet) {
    const bool after_rotate = !access->previous_token.empty() || access->token_is_optional;
    if (!after_rotate && !from_users) {  // [AWS docs]
      return BadCombination(
          "The AuthTokenUpdateStrategy SET is only allowed after ROTATE, or when user groups are "
          "removed.");
    }
    access->token_is_optional = false;
    access->previous_token.clear();
  } else if (was_open) {  // [AWS docs]: who has no token is let in until SET
    access->token_is_optional = !from_users;
  } else if (hash != access->token) {
    access->previous_token = access->token;
  }
  access->token = hash;
  access->token_changed = now;
  access->change =
      strategy == Strategy::kSet ? AccessChange::kSettingToken : AccessChange::kRotatingToken;
  return {};
}

// The strategy of a request about a token; nullopt when it is about none.
Result<std::optional<Strategy>> StrategyOf(const std::optional<std::string>& token,
                                           const std::optional<std::string>& strategy) {
  if (!token && !strategy) return std::optional<Strategy>();
  Strategy asked = Strategy::kRotate;
  if (strategy) {
    const Result<Strategy> parsed = ParseStrategy(*strategy);
    if (!parsed.ok()) return parsed.status();
    asked = *parsed;
  }
  if (asked == Strategy::kDelete) {
    if (token) return BadCombination("AuthToken must not be given with the strategy DELETE.");
    return std::optional(asked);
  }
  if (!token) return BadCombination("AuthTokenUpdateStrategy must be given with an AuthToken.");
  EC_RETURN_IF_ERROR(CheckToken(*token, /*is_new=*/false));
  return std::optional(asked);
}

// Takes user groups away, and gives the group another one.
Status UpdateUserGroups(const Draft& draft, const ModifyGroup& request, const std::string& version,
                        AccessControl* access) {
  if (request.remove_all_user_groups && !request.remove_user_groups.empty()) {
    return BadCombination("RemoveUserGroups and UserGroupIdsToRemove exclude each other.");
  }
  const UserGroupId before = access->user_group;
  if (request.remove_all_user_groups) access->user_group.clear();
  for (const std::string& text : request.remove_user_groups) {
    const Result<const UserGroup*> group = FindExistingUserGroup(draft, text);
    if (!group.ok()) return group.status();
    if ((*group)->id != before) {
      return BadCombination(
          fmt::format("User group {} is not associated with the replication group.", (*group)->id));
    }
    access->user_group.clear();
  }
  for (const std::string& text : request.add_user_groups) {
    const Result<UserGroupId> id = UsableUserGroup(draft, text, version);
    if (!id.ok()) return id.status();
    if (*id == before) {
      return BadCombination(
          fmt::format("User group {} is associated with the replication group already.", *id));
    }
    if (!access->user_group.empty()) {
      return BadCombination(fmt::format(
          "A replication group can have one user group: {} must be removed.", access->user_group));
    }
    access->user_group = *id;
  }
  if (access->user_group == before) return {};
  access->change = AccessChange::kUserGroups;
  access->former_user_group = before;
  return {};
}

void TellClusters(Draft& draft, const GroupId& id) {
  const std::set<model::ClusterId> clusters = draft.FindGroup(id)->members;
  for (const model::ClusterId& cluster : clusters) TellMembers(draft, *draft.FindCluster(cluster));
}

}  // namespace

Result<AccessControl> AccessOfNewGroup(const Draft& draft, const CreateGroup& request,
                                       bool transit_encryption, const std::string& version) {
  AccessControl access;
  if (request.auth_token) {
    if (!transit_encryption) return BadCombination(std::string(kTokenNeedsTls));
    EC_RETURN_IF_ERROR(CheckToken(*request.auth_token, /*is_new=*/true));
    if (!request.user_groups.empty()) {
      return BadCombination("AuthToken and UserGroupIds exclude each other.");
    }
    access.token = Sha256Hex(*request.auth_token);
    access.token_changed = draft.now().wall;
  }
  if (request.user_groups.empty()) return access;
  if (!transit_encryption) return BadCombination(std::string(kUsersNeedTls));
  EC_RETURN_IF_ERROR(CheckCount(request.user_groups));
  const Result<UserGroupId> id = UsableUserGroup(draft, request.user_groups.front(), version);
  if (!id.ok()) return id.status();
  access.user_group = *id;
  return access;
}

bool IsAboutAccess(const ModifyGroup& request) {
  return request.auth_token || request.auth_token_strategy || !request.add_user_groups.empty() ||
         !request.remove_user_groups.empty() || request.remove_all_user_groups;
}

Status ChangeAccess(Draft& draft, const GroupId& id, const ModifyGroup& request) {
  if (!IsAboutAccess(request)) return {};
  const Group& group = *draft.FindGroup(id);
  const model::Cluster& leader = *draft.FindCluster(LeaderOf(draft, group));
  const auto strategy = StrategyOf(request.auth_token, request.auth_token_strategy);
  if (!strategy.ok()) return strategy.status();
  if (!group.transit_encryption) {
    return BadCombination(std::string(*strategy ? kTokenNeedsTls : kUsersNeedTls));
  }
  EC_RETURN_IF_ERROR(CheckCount(request.add_user_groups));
  AccessControl access = group.access;
  EC_RETURN_IF_ERROR(UpdateUserGroups(draft, request, leader.engine_version, &access));
  const bool from_users = !group.access.user_group.empty() && access.user_group.empty();
  const bool to_users = group.access.user_group.empty() && !access.user_group.empty();
  if (*strategy == Strategy::kDelete) {
    if (!to_users || access.token.empty()) {  // [AWS docs]
      return BadCombination(
          "The AuthTokenUpdateStrategy DELETE is only allowed when an AuthToken is replaced by a "
          "user group.");
    }
    access.token.clear();
    access.previous_token.clear();
    access.token_is_optional = false;
    access.token_changed.reset();
  } else if (*strategy) {
    if (!access.user_group.empty()) {
      return BadCombination(std::string(kOneOrTheOther));
    }
    EC_RETURN_IF_ERROR(
        UpdateToken(**strategy, *request.auth_token, from_users, draft.now().wall, &access));
  } else if (!access.user_group.empty() && !access.token.empty()) {
    return BadCombination(
        "AuthToken and user groups exclude each other: the AuthTokenUpdateStrategy DELETE removes "
        "the token.");
  }
  if (access == group.access) return {};
  Group& changed = draft.EditGroup(id);
  changed.access = std::move(access);
  changed.status = model::GroupStatus::kModifying;
  TellClusters(draft, id);
  return {};
}

Status ChangeToken(const Draft& draft, const ModifyCluster& request, model::Cluster* cluster) {
  const auto strategy = StrategyOf(request.auth_token, request.auth_token_strategy);
  if (!strategy.ok()) return strategy.status();
  if (!*strategy) return {};
  if (!cluster->transit_encryption) return BadCombination(std::string(kTokenNeedsTls));
  if (!cluster->group.empty()) {
    return BadCombination(
        fmt::format("Cache cluster {} is part of replication group {}: AuthToken is changed there.",
                    cluster->id, cluster->group));
  }
  if (*strategy == Strategy::kDelete || !cluster->access.user_group.empty()) {
    return BadCombination(std::string(kOneOrTheOther));
  }
  EC_RETURN_IF_ERROR(
      UpdateToken(**strategy, *request.auth_token, false, draft.now().wall, &cluster->access));
  cluster->access.change = AccessChange::kNone;
  return {};
}

void KeepAccess(Draft& draft, const model::ClusterId& id) {
  const GroupId group = draft.FindCluster(id)->group;
  if (group.empty()) return;
  AccessControl access = draft.FindGroup(group)->access;
  access.change = AccessChange::kNone;
  access.former_user_group.clear();
  model::Cluster& cluster = draft.EditCluster(id);
  cluster.access = std::move(access);
  cluster.transit_encryption = draft.FindGroup(group)->transit_encryption;
}

void AdvanceAccess(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group& group = *draft.FindGroup(id);
  if (group.access.change == AccessChange::kNone) return;
  // What this very step has changed no engine can know.
  const auto committed = draft.state().records.groups.find(id);
  if (committed == draft.state().records.groups.end()) return;
  if (committed->second.access != group.access) return;
  const bool told = IsTold(draft.state(), id);
  if (!told && !IsGroupOverdue(draft, settings, id)) return;
  if (!told) draft.AddGroupEvent(id, messages::UsersNotApplied("replication group", id));
  AccessControl& access = draft.EditGroup(id).access;
  access.change = AccessChange::kNone;
  access.former_user_group.clear();
}

}  // namespace ec::core
