// What ec_bench_steps counts, and how its counts are read.
#pragma once

#include <map>
#include <string>

namespace ec::bench {

// Each kind is repeated so often; reports are one per zone.
inline constexpr int kStepRepeats = 8;
inline constexpr int kZoneCount = 4;

inline constexpr const char* kCreateWithCommit = "step: create a cluster, commit included";
inline constexpr const char* kGoneWithCommit =
    "step: a report that deleted nodes are gone, commit included";
inline constexpr const char* kSilentTick = "step: a tick while a quarter of the nodes is silent";
inline constexpr const char* kTick = "step: a tick";
inline constexpr const char* kQuietReport = "step: a report without news";
inline constexpr const char* kCreate = "step: create a cluster";
inline constexpr const char* kServingReport = "step: a report that new nodes serve";
inline constexpr const char* kDelete = "step: delete a cluster";

// Instructions of one repetition by kind, from callgrind's dumps in the directory. Throws
// std::runtime_error when a kind is missing.
std::map<std::string, double> ReadStepCosts(const std::string& dir);

}  // namespace ec::bench
