// The emulator's clock, and what it makes happen.
#pragma once

#include <optional>

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// kInvalidParameterValue, kInvalidParameterCombination.
Status Set(Draft& draft, const Settings& settings, const SetClock& request);
Status Step(Draft& draft, const Settings& settings, const StepClock& request);

// Does what the clock has made due: maintenance windows, backups, deletions, old events. `is_sure`:
// the clock is known not to be wrong.
void PassSchedules(Draft& draft, const Settings& settings, bool is_sure);

// The earliest moment, on the emulator's clock, for which something is scheduled.
std::optional<WallTime> NextScheduled(const model::State& state);

}  // namespace ec::core
