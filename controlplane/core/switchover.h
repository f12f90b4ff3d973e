// Planned changes of leader: steps that are each safe to be stopped at.
//
//   pausing:  the leader's writes wait until the successor has all that it has
//   demoting: the leader follows the successor, or has ended; then the successor leads
#pragma once

#include <string>

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// Takes a planned change of leader to its next step, or gives it up.
void AdvanceSwitch(Draft& draft, const Settings& settings, const model::GroupId& id);

// Gives up a change of leader, planned or chosen by the operator, and says why.
void GiveUpSwitch(Draft& draft, const model::GroupId& id, const std::string& why);

}  // namespace ec::core
