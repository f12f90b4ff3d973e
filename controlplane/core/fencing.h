// Whether a leader's end is certain, and what has to be done to make it so.
#pragma once

#include <vector>

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// Whether the engine that the member last had is known to have ended.
bool HasEnded(const Draft& draft, const Settings& settings, const model::Member& member);

// An engine's process on a host that is not heard. Its end proves that another one may lead.
struct Fence {
  MemberId member = 0;
  int64_t pid = 0;
  uint64_t start_time = 0;
  bool kill = false;      // the host has been silent for too long: end the process, and its agent's
  int64_t agent_pid = 0;  // 0: it is to be left alone
  uint64_t agent_start_time = 0;
};

// The processes that the control plane itself should watch, and end if it says so. Only those on
// the control plane's own machine, where a process number means the same.
std::vector<Fence> Fences(const model::State& state, const Settings& settings, Now now);

}  // namespace ec::core
