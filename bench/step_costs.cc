#include "bench/step_costs.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace ec::bench {

std::map<std::string, double> ReadStepCosts(const std::string& dir) {
  constexpr const char* kKinds[] = {kCreateWithCommit, kTick,          kQuietReport,
                                    kCreate,           kServingReport, kDelete};
  std::map<std::string, double> costs;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (!entry.path().filename().string().starts_with("dump")) continue;
    std::ifstream file(entry.path());
    std::string kind;
    for (std::string line; std::getline(file, line);) {
      for (const char* const known : kKinds) {
        if (line.starts_with("desc: Trigger:") && line.ends_with(known)) kind = known;
      }
      if (kind.empty() || !line.starts_with("totals: ")) continue;
      costs[kind] = std::stod(line.substr(8)) / (kind == kServingReport ? 4 : kStepRepeats);
    }
  }
  for (const char* const kind : kKinds) {
    if (!costs.contains(kind)) throw std::runtime_error(std::string("no dump of ") + kind);
  }
  return costs;
}

}  // namespace ec::bench
