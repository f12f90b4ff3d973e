// Who may include whom.
//
//   floor 6   controlplane/main  nodeagent/main  cli                 programs
//   floor 5   controlplane/server    nodeagent/agent    gateway      shells: threads, gRPC, HTTP
//   floor 4   controlplane/store     nodeagent/engine, endpoint      adapters: SQLite, processes
//   floor 3   controlplane/core      nodeagent/core                  pure
//   floor 2   controlplane/model     proto                           model is pure
//   floor 1   common
//
// Only lower floors of one's own side, and common; proto where messages are sent or read.
#pragma once

#include "tests/tidy/source.h"

namespace ec::tidy {

Findings CheckIncludes(const Source& source);

// The folders that must not know of time, chance, threads or the outside.
bool IsPure(std::string_view path);

}  // namespace ec::tidy
