// What an engine's answer to a probe says. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/engine_kind.h"

namespace ec::engine {

// Sent to ask an engine how it is and which version it has.
std::string_view ProbeRequest(EngineKind engine);

struct ProbeReply {
  bool loading = false;  // it is there, and still reads its data
  std::string version;   // empty when it did not say
};

// The answer, once `received` holds all of it; nullopt before. Whatever is not understood counts as
// an answer without a version: an engine that refuses to tell is alive all the same.
std::optional<ProbeReply> ParseProbeReply(EngineKind engine, std::string_view received);

}  // namespace ec::engine
