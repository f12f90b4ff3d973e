// Faults that somebody puts in on purpose (`ecctl fault`), drawn by the swarm.
#pragma once

#include <string>

#include "controlplane/core/commands.h"
#include "tests/sim/world.h"

namespace ec::sim {

class FaultCalls {
 public:
  // `of_hosts`: also those of engines and hosts; else those of the wire only.
  FaultCalls(Random& dice, World& world, bool of_hosts)
      : dice_(dice), world_(world), of_hosts_(of_hosts) {}

  // A fault of some kind at some place, mostly for a time; or the end of all faults.
  core::Command Some();

 private:
  std::string SomeHost();
  std::string SomeZone();
  std::string SomeTarget();
  void SetPlace(core::AddFault* request);

  Random& dice_;
  World& world_;
  const bool of_hosts_;
};

}  // namespace ec::sim
