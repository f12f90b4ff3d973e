// The control plane's judgement, as functions of values. No clock, thread, file, socket, random
// source or log in this folder: the tidy test checks it.
//
//   commands, reports, ticks --> Decide --> verdicts and one edit
//
// The caller's side of the bargain (controlplane/server/controller.cc, for the simulator too):
// make the edit durable, then Apply() it, then answer, then send the touched hosts their plans. If
// the store refuses the edit, nothing has happened: drop the decision whole.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"
#include "controlplane/model/state.h"

namespace ec::core {

struct Decision {
  std::vector<Status> verdicts;  // one per input; OK for what is not a command or a hello
  model::Edit edit;
  std::vector<Question> questions;  // to be sent with the plans; nothing that lasts
};

// Several inputs make one edit, so that they share one commit; each sees those before it.
Decision Decide(const model::State& state, const Settings& settings, Now now,
                std::span<const Input> inputs);

// The earliest moment at which a Tick could decide something; nullopt: only input can.
std::optional<Instant> NextDeadline(const model::State& state, const Settings& settings, Now now);

}  // namespace ec::core
