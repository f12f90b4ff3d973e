// The engines' programs on this machine.
#pragma once

#include <map>
#include <string>

#include "common/engine_kind.h"

namespace ec::engine {

struct Program {
  std::string path;     // absolute
  std::string version;  // "7.0.15"
  std::string netcard;  // the library to preload, absolute; empty: connections are relayed to it
  std::string why_no_netcard;  // in a few words, when it cannot be preloaded
};

// Looks through PATH for redis-server, memcached and valkey-server, and asks each for its version.
// One that is not there, or does not answer sensibly, is left out. `netcard` is the library that
// those get which can be preloaded; empty: none.
std::map<EngineKind, Program> FindPrograms(const std::string& netcard);

}  // namespace ec::engine
