// What each host should be, as its agent is told.
#pragma once

#include "common/host_plan.h"
#include "controlplane/model/state.h"

namespace ec::core {

// What has changed in the host's plan after revision `base`; everything when the changes since then
// are not known any more. Costs what it carries.
PlanUpdate PlanSince(const model::State& state, const HostId& host, uint64_t base);

// The hosts whose plans the edit changes.
// REQUIRES: `state` is as it was before the edit was applied.
std::set<HostId> HostsTouched(const model::State& state, const model::Edit& edit);

}  // namespace ec::core
