// Faults that people put in: what may be asked for, and when it is over.
#pragma once

#include <optional>

#include "common/status.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/fault_requests.h"

namespace ec::core {

Status Obey(Draft& draft, const FaultCommand& command);

// Drops the faults whose time is over, or that are about something that is gone.
void DropPastFaults(Draft& draft);
// When the next one's time is over.
std::optional<Instant> NextFaultEnd(const model::State& state, Now now);

}  // namespace ec::core
