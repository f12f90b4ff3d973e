// ec_sim: runs one seed of the simulator with a timeline to read, or many seeds without.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "tests/sim/swarm.h"

int main(int argc, char** argv) {
  CLI::App app{"Runs the installation on fake time, with faults drawn from a seed."};
  uint64_t seed = 1;
  uint64_t count = 1;
  app.add_option("--seed", seed, "The seed; the same seed gives the same history");
  app.add_option("--count", count, "Run this many seeds, from --seed on, without a timeline");
  CLI11_PARSE(app, argc, argv);
  int broken = 0;
  for (uint64_t s = seed; s < seed + count; ++s) {
    const ec::sim::Outcome outcome = ec::sim::RunSeed(s, count == 1);
    if (outcome.violation.empty()) continue;
    ++broken;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(s), outcome.violation.c_str());
  }
  if (count == 1 && broken == 0) std::puts("all invariants held");
  if (count > 1)
    std::printf("%d of %llu seeds broke an invariant\n", broken,
                static_cast<unsigned long long>(count));
  return broken == 0 ? 0 : 1;
}
