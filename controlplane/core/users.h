// Users and user groups. Each command checks the whole request first.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

Status Obey(Draft& draft, const UserCommand& command);

Status Create(Draft& draft, const CreateUser& request);
Status Modify(Draft& draft, const ModifyUser& request);
Status Delete(Draft& draft, const DeleteUser& request);
Status Create(Draft& draft, const CreateUserGroup& request);
Status Modify(Draft& draft, const ModifyUserGroup& request);
Status Delete(Draft& draft, const DeleteUserGroup& request);

// --- what they share ------------------------------------------------------------------------

// "redis" or "valkey"; kInvalidParameterValue.
Result<std::string> ParseUserEngine(std::string_view text);
// kUserNotFound, kUserGroupNotFound.
Result<const model::User*> FindExistingUser(const Draft& draft, const std::string& text);
Result<const model::UserGroup*> FindExistingUserGroup(const Draft& draft, const std::string& text);

// What of Redis 6 and later these users need; as model::MinimumEngineVersion has it.
std::string MinimumVersionOf(const Draft& draft, const std::set<model::UserId>& users);
// Whether all groups that use the user group are of this version at least.
// kInvalidParameterCombination.
Status CheckVersionOfGroups(const Draft& draft, const model::UserGroupId& id,
                            const std::string& minimum);

// The engines of all groups that use the user group are to be told.
void TellEngines(Draft& draft, const model::UserGroupId& id);

// --- how they end ---------------------------------------------------------------------------

// Ends what is under way with users and user groups, once every engine has been told, or is known
// not to be reached in time.
void AdvanceUsers(Draft& draft, const Settings& settings);

// Whether every engine of the group that serves has been told what the records say of its users.
bool IsTold(const model::State& state, const model::GroupId& id);

// When AdvanceUsers() has something to do next.
std::optional<Instant> NextUserDeadline(const model::State& state, const Settings& settings,
                                        Now now);

}  // namespace ec::core
