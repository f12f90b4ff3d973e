// Many seeds, each run twice: no invariant is broken, everything settles, and the two runs of a
// seed are the same to the letter. EC_SIM_FIRST_SEED and EC_SIM_SEEDS choose others than the usual
// ones.
#include "tests/sim/swarm.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace ec::sim {
namespace {

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Swarm, NoSeedBreaksAnInvariantAndEachRunsTheSameTwice) {
  const uint64_t first = NumberFrom("EC_SIM_FIRST_SEED", 1);
  const uint64_t count = NumberFrom("EC_SIM_SEEDS", 1000);
  int accepted = 0;
  int faults = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome once = RunSeed(seed, false);
    ASSERT_EQ(once.violation, "") << "see it with: ec_sim --seed " << seed;
    const Outcome again = RunSeed(seed, false);
    ASSERT_EQ(once.trace_hash, again.trace_hash) << "seed " << seed << " runs in two ways";
    accepted += once.calls_accepted;
    faults += once.faults;
  }
  // A swarm that does nothing would find nothing.
  EXPECT_GT(accepted, static_cast<int>(count) * 3);
  EXPECT_GT(faults, static_cast<int>(count) * 3);
}

}  // namespace
}  // namespace ec::sim
