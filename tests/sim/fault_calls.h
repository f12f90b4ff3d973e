// Faults of the wire that somebody puts in on purpose (`ecctl fault`), drawn by the swarm.
#pragma once

#include <string>

#include "controlplane/core/commands.h"
#include "tests/sim/world.h"

namespace ec::sim {

class FaultCalls {
 public:
  FaultCalls(Random& dice, World& world) : dice_(dice), world_(world) {}

  // A fault of some kind at some place, mostly for a time; or the end of all faults. Those of
  // engines and hosts, which the world has by itself, are left to the scenarios.
  core::Command Some();

 private:
  std::string SomeHost();
  std::string SomeZone();
  std::string SomeTarget();
  void SetPlace(core::AddFault* request);

  Random& dice_;
  World& world_;
};

}  // namespace ec::sim
