// The commands about cache clusters. Each checks the whole request first and changes the draft only
// when it cannot fail any more; the faults are AWS's (proto/ec/v1/elasticache.proto lists them).
#pragma once

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

Status Create(Draft& draft, const Settings& settings, const CreateCluster& request);
Status Modify(Draft& draft, const Settings& settings, const ModifyCluster& request);
Status Delete(Draft& draft, const Settings& settings, const DeleteCluster& request);
Status Reboot(Draft& draft, const Settings& settings, const RebootCluster& request);

// The cluster that such a request makes, if nothing in the request is wrong: with its settings, and
// without a place in the records. `wish` is what it asks about zones.
struct ZoneWish;
Result<model::Cluster> DraftCluster(const Draft& draft, const Settings& settings,
                                    const CreateCluster& request, ZoneWish* wish);

// Makes the changes that wait for the maintenance window or a reboot. When there is no room for
// new nodes any more, an event says so and the rest is done.
void ApplyPending(Draft& draft, const Settings& settings, const model::ClusterId& id);

// The cluster of a request, by an id in any letter case.
Result<model::ClusterId> FindExisting(const Draft& draft, const std::string& id);

}  // namespace ec::core
