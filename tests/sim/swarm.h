// One seed's history: a random world, random calls and faults, then peace.
#pragma once

#include <cstdint>
#include <string>

namespace ec::sim {

struct Outcome {
  std::string violation;  // empty when all went well
  uint64_t trace_hash = 0;
  int calls_accepted = 0;
  int calls_refused = 0;
  int faults = 0;
};

Outcome RunSeed(uint64_t seed, bool print);

}  // namespace ec::sim
