// The commands about replication groups. As with clusters: each checks the whole request first, and
// changes the draft only when it cannot fail any more.
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

// CreateCacheCluster with a ReplicationGroupId: one more follower, with the leader's settings.
Status AddReadReplica(Draft& draft, const Settings& settings, const CreateCluster& request);

// --- what the commands share ---

// A group of that name, not yet in the records; AWS's faults.
Result<model::Group> NewGroup(const Draft& draft, const std::string& id,
                              const std::string& description);

// Puts the group and its endpoints around a master that is to lead it.
Status FormGroupAround(Draft& draft, const model::Cluster& master, model::Group group);

// Adds a follower for each of `zones` ("": choose), under `names` or, without any, under the next
// free ones. Their settings are the leader's.
Status AddFollowers(Draft& draft, const Settings& settings, const model::GroupId& id,
                    const std::vector<model::ClusterId>& names,
                    const std::vector<std::string>& zones, const Tags& tags);

// Whether the cluster may be deleted or promoted as far as its group is concerned; AWS's faults.
Status CheckMayLeave(const Draft& draft, const model::Cluster& cluster);

// Has a pending primary, if there is one, wait for the leader's maintenance window as it is now.
void PutOffPendingPrimary(Draft& draft, const model::GroupId& id);

// Begins the changes of primary that have waited for the maintenance window.
void OpenGroupWindows(Draft& draft, const Settings& settings);

// Whether the group may be changed; AWS's fault.
Status CheckAvailable(const model::Group& group);

// The group's follower of that name; the faults say what else it is.
Result<const model::Member*> FindFollower(const Draft& draft, const model::Group& group,
                                          std::string_view parameter, const std::string& text);

// The group of a request, by an id in any letter case.
Result<model::GroupId> FindExistingGroup(const Draft& draft, const std::string& id);

}  // namespace ec::core
