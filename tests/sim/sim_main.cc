// ec_sim: runs one seed of the simulator with a timeline to read, or many seeds without.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "tests/sim/swarm.h"

namespace {

struct Flags {
  uint64_t seed = 1;
  uint64_t count = 1;
  bool until_broken = false;
};

// Returns how many seeds broke an invariant.
int RunSeeds(const Flags& flags) {
  int broken = 0;
  for (uint64_t seed = flags.seed; seed < flags.seed + flags.count; ++seed) {
    const bool print = flags.count == 1;
    const ec::sim::Outcome outcome = ec::sim::RunSeed(seed, print);
    if (outcome.violation.empty()) continue;
    ++broken;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                outcome.violation.c_str());
    if (!flags.until_broken) continue;
    std::printf("found with %llu seeds\n", static_cast<unsigned long long>(seed - flags.seed + 1));
    return broken;
  }
  return broken;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs the installation on fake time, with faults drawn from a seed."};
  Flags flags;
  app.add_option("--seed", flags.seed, "The seed; the same seed gives the same history");
  app.add_option("--count", flags.count, "Run this many seeds, from --seed on, without a timeline");
  app.add_flag("--until-broken", flags.until_broken,
               "Stop at the first seed that breaks an invariant, and fail if none does");
  CLI11_PARSE(app, argc, argv);
  const int broken = RunSeeds(flags);
  if (flags.until_broken && broken == 0) std::puts("no seed broke an invariant");
  if (flags.until_broken) return broken == 0 ? 1 : 0;
  if (flags.count == 1 && broken == 0) std::puts("all invariants held");
  if (flags.count > 1) {
    std::printf("%d of %llu seeds broke an invariant\n", broken,
                static_cast<unsigned long long>(flags.count));
  }
  return broken == 0 ? 0 : 1;
}
