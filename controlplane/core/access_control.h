// Who may use a group's engines: by a token, or as users of a user group.
#pragma once

#include <string>

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// The access that a new group, or one around a cluster that is there, is to have. Errors:
// kUserGroupNotFound, kInvalidUserGroupState, kInvalidParameterValue, kInvalidParameterCombination.
Result<model::AccessControl> AccessOfNewGroup(const Draft& draft, const CreateGroup& request,
                                              bool transit_encryption, const std::string& version);

// Whether the request says something of tokens or user groups.
bool IsAboutAccess(const ModifyGroup& request);
// Changes them: the engines are told at once, and the group is "modifying" until they know.
// REQUIRES: the group is available
Status ChangeAccess(Draft& draft, const model::GroupId& id, const ModifyGroup& request);

// The token of a cluster of its own: changes the row that is going to be put.
Status ChangeToken(const Draft& draft, const ModifyCluster& request, model::Cluster* cluster);

// A cluster that leaves its group keeps what its group has.
void KeepAccess(Draft& draft, const model::ClusterId& id);

// Ends a change that every engine has been told, or that has taken too long.
void AdvanceAccess(Draft& draft, const Settings& settings, const model::GroupId& id);

}  // namespace ec::core
