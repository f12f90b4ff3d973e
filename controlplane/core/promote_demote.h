// A replica becomes a master of its own, and a master becomes a replica: our own two operations.
#pragma once

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

Status PromoteReplica(Draft& draft, const Settings& settings, const Promote& request);
Status DemoteMaster(Draft& draft, const Settings& settings, const Demote& request);

// Lets the replica go that is being promoted once it has proved to have everything, or gives up.
void AdvancePromotion(Draft& draft, const Settings& settings, const model::GroupId& id);

// Ends the demotion that is under way once the former master has everything, or undoes it.
void AdvanceDemotion(Draft& draft, const Settings& settings, const model::GroupId& id);

}  // namespace ec::core
