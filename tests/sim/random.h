// The simulator's only source of chance: one seed, one sequence, the same on every machine.
#pragma once

#include <cstdint>

namespace ec::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {  // SplitMix64
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // min..max, both included.
  int64_t Between(int64_t min, int64_t max) {
    return min + static_cast<int64_t>(Next() % static_cast<uint64_t>(max - min + 1));
  }
  // True in `percent` of a hundred times.
  bool Chance(int percent) { return Between(1, 100) <= percent; }
  // True once in `times`.
  bool OneIn(int64_t times) { return Between(1, times) == 1; }

 private:
  uint64_t state_;
};

}  // namespace ec::sim
