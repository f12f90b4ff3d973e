#include "bench/step_costs.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace ec::bench {

std::map<std::string, double> ReadStepCosts(const std::string& dir) {
  const std::map<std::string, int> repeats = {{kCreateWithCommit, kStepRepeats},
                                              {kGoneWithCommit, kZoneCount},
                                              {kTick, kStepRepeats},
                                              {kQuietReport, kStepRepeats},
                                              {kCreate, kStepRepeats},
                                              {kServingReport, kZoneCount},
                                              {kDelete, kStepRepeats},
                                              {kSilentTick, kStepRepeats}};
  std::map<std::string, double> costs;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (!entry.path().filename().string().starts_with("dump")) continue;
    std::ifstream file(entry.path());
    std::string kind;
    for (std::string line; std::getline(file, line);) {
      for (const auto& [known, times] : repeats) {
        if (line.starts_with("desc: Trigger:") && line.ends_with(known)) kind = known;
      }
      if (kind.empty() || !line.starts_with("totals: ")) continue;
      costs[kind] = std::stod(line.substr(8)) / repeats.at(kind);
    }
  }
  for (const auto& [kind, times] : repeats) {
    if (!costs.contains(kind)) throw std::runtime_error("no dump of " + kind);
  }
  return costs;
}

}  // namespace ec::bench
