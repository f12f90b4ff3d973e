// Cache parameter groups. Each command checks the whole request first.
#pragma once

#include <optional>
#include <string>

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"

namespace ec::core {

Status Create(Draft& draft, const CreateParameterGroup& request);
Status Modify(Draft& draft, const ModifyParameterGroup& request);
Status RestoreDefaults(Draft& draft, const ResetParameterGroup& request);
Status Delete(Draft& draft, const DeleteParameterGroup& request);

// The group that a cluster of this family uses: the one asked for, or the default one.
// kCacheParameterGroupNotFound; kInvalidParameterCombination: it is of another family.
Result<std::string> ChooseParameterGroup(const Draft& draft, std::string_view family,
                                         const std::optional<std::string>& asked);

// Gives the cluster another group: its engines take over at once what they can.
void UseParameterGroup(Draft& draft, const model::ClusterId& id, const std::string& name);

// What is in the plans of all the cluster's members has changed.
void TellMembers(Draft& draft, const model::Cluster& cluster);

}  // namespace ec::core
