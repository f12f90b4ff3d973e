// The engines' programs on this machine.
#pragma once

#include <map>
#include <string>

#include "common/engine_kind.h"

namespace ec::engine {

struct Program {
  std::string path;     // absolute
  std::string version;  // "7.0.15"
};

// Looks through PATH for redis-server, memcached and valkey-server, and asks each for its version.
// One that is not there, or does not answer sensibly, is left out.
std::map<EngineKind, Program> FindPrograms();

}  // namespace ec::engine
