// The commands about replication groups. As with clusters: each checks the whole request first, and
// changes the draft only when it cannot fail any more.
#pragma once

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

Status Create(Draft& draft, const Settings& settings, const CreateGroup& request);
Status Modify(Draft& draft, const Settings& settings, const ModifyGroup& request);
Status Delete(Draft& draft, const Settings& settings, const DeleteGroup& request);
Status Increase(Draft& draft, const Settings& settings, const IncreaseReplicas& request);
Status Decrease(Draft& draft, const Settings& settings, const DecreaseReplicas& request);
Status Test(Draft& draft, const Settings& settings, const TestFailover& request);
Status SwitchOver(Draft& draft, const Settings& settings, const Switchover& request);
Status PromoteReplica(Draft& draft, const Settings& settings, const Promote& request);
Status DemoteMaster(Draft& draft, const Settings& settings, const Demote& request);

// The group of a request, by an id in any letter case.
Result<model::GroupId> FindExistingGroup(const Draft& draft, const std::string& id);

}  // namespace ec::core
