// Moves clusters on: from what the records want and what the hosts say to the next status.
//
// Nothing here asks how things came to be as they are: each function looks at the present records
// and sightings, and doing it again changes nothing. That is what makes a restart harmless.
#pragma once

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// Looks at one cluster and, if it belongs to one, at its group; a cluster that is not there is left
// alone.
void Advance(Draft& draft, const Settings& settings, const model::ClusterId& id);

// Looks at the cluster alone.
void AdvanceCluster(Draft& draft, const Settings& settings, const model::ClusterId& id);

// Marks every member for removal and closes the configuration endpoint.
void RemoveMembers(Draft& draft, const model::ClusterId& id);

// Brings the answer to `config get cluster` up to date with the nodes: new ones enter together,
// once none is being created any more; leaving ones go at once.
void RefreshDiscovery(Draft& draft, const model::ClusterId& id);

// The name of the program behind the engine, such as "redis-server".
std::string_view ProgramOf(EngineKind engine);

}  // namespace ec::core
