// What engines say of themselves, under CloudWatch's names. Pure.
//
// The names, and what each is made of, are those of ElastiCache's documentation, "Metrics for
// Valkey and Redis OSS" and "Metrics for Memcached" [AWS]. A metric that the engine does not know,
// or that means nothing at a replica or at a primary, is missing.
#pragma once

#include <optional>
#include <string_view>

#include "common/engine_figures.h"
#include "common/engine_kind.h"
#include "common/time.h"

namespace ec::engine {

// What is sent to ask for them.
std::string_view FiguresRequest(EngineKind engine);

// Whether `received` holds all of the answer.
bool IsWholeAnswer(EngineKind engine, std::string_view received);

// What the engine's processor time was when it was looked at before.
struct ProcessorUse {
  double seconds = 0;  // of its main thread
  Instant at;
};

// The figures in a whole answer, by name; empty when it says nothing of the kind. `use` is that of
// the look before, for EngineCPUUtilization; nullopt: the average since the engine's start. It
// becomes the present one.
EngineFigures ParseFigures(EngineKind engine, std::string_view answer, Instant now,
                           std::optional<ProcessorUse>* use);

}  // namespace ec::engine
