// Connections per second: connect, PING, PONG, close, 50 at a time.
#include <fmt/format.h>

#include <map>

#include "bench/load.h"
#include "bench/paths.h"
#include "bench/run.h"

namespace ec::bench {

void RunSetupRate(const Options& options, Report* report) {
  constexpr int kAtOnce = 50;
  const Paths paths(report);
  std::map<std::string, std::vector<double>> rates;
  for (int round = 0; round < options.Size(7, 1); ++round) {
    for (size_t i = 0; i < paths.all().size(); ++i) {
      const Path& path = paths.all()[(i + static_cast<size_t>(round)) % paths.all().size()];
      rates[path.name].push_back(RunConnections(path.redis, options.Size(3000, 60), kAtOnce));
    }
  }
  std::vector<std::string> labels;
  std::vector<std::vector<double>> values;
  for (const Path& path : paths.all()) {
    const std::vector<double>& mine = rates.at(path.name);
    report->Add(path.name, "connections/s", mine);
    labels.push_back(path.name);
    values.push_back({Summarize(mine).median});
    if (path.name == kDirect) continue;
    std::vector<double> ratios;
    for (size_t i = 0; i < mine.size(); ++i) ratios.push_back(mine[i] / rates.at(kDirect)[i]);
    report->Add(path.name + " to direct", "x", ratios,
                path.name.starts_with("emucache") ? AtLeast(0.5) : Goal{});
  }
  report->AddChart("Connections", "per second", {"connect, PING, PONG, close"}, labels, values);
  report->AddNote(fmt::format("{} connections at a time, made by bench/load.cc.", kAtOnce));
}

}  // namespace ec::bench
