// What hosts say, and what their silence means.
#pragma once

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// An agent has started or has come back. A zone that is new gets a subnet of the VPC.
// Errors: kInvalidParameterValue, kInvalidCacheClusterState (it has moved while it has members).
Status Register(Draft& draft, const HostHello& hello);

// Moves the clusters on that the report has something to say about.
void Heed(Draft& draft, const Settings& settings, const Reported& reported);

// An engine's end was seen by the control plane itself.
void HeedEnd(Draft& draft, const Settings& settings, const EngineEnded& ended);

// Moves the clusters on that time alone has changed something for: silent hosts, operations that
// stand still, maintenance windows that open; and drops old events.
void PassTime(Draft& draft, const Settings& settings, bool everything);

// Begins the changes that have waited for a maintenance window that is open now.
void OpenWindows(Draft& draft, const Settings& settings);
// Those that are too old, or too many.
void DropOldEvents(Draft& draft);

Status InstallAt(Draft& draft, const Install& install);

void ForgetAll(Draft& draft);

}  // namespace ec::core
