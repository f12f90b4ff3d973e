// Operations per second through an endpoint, beside the engine itself and HAProxy.
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "bench/load.h"
#include "bench/paths.h"
#include "bench/run.h"

namespace ec::bench {
namespace {

constexpr int kConnections = 50;

// One kind of load.
struct Cell {
  std::string command;  // GET, SET
  int value_bytes = 0;
  int pipeline = 0;
  auto operator<=>(const Cell&) const = default;
};

std::string NameOf(const Cell& cell) {
  return fmt::format("{} {} B, pipeline {}", cell.command, cell.value_bytes, cell.pipeline);
}

// Operations per second: by path, by cell, by round.
using Results = std::map<std::string, std::map<Cell, std::vector<double>>>;

int CommandsFor(const Options& options, int value_bytes, int pipeline) {
  // About a second: redis-benchmark's clock runs while it connects, which is another suite's
  // matter.
  const int full =
      (pipeline == 1 ? 60'000 : 600'000) / (value_bytes > 1000 && pipeline > 1 ? 3 : 1);
  // Fewer would be over within a millisecond, which is all that redis-benchmark can tell apart.
  return options.Size(full, 10'000);
}

// redis-benchmark's lines are "SET","12345.67",...
std::map<std::string, double> ReadRates(const std::string& csv) {
  std::map<std::string, double> rates;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    const size_t comma = line.find("\",\"");
    if (!line.starts_with('"') || comma == std::string::npos) continue;
    const std::string name = line.substr(1, comma - 1);
    if (name == "GET" || name == "SET") rates[name] = std::stod(line.substr(comma + 3));
  }
  return rates;
}

void LoadRedis(const Options& options, const Path& path, int value_bytes, int pipeline,
               Results* results, Report* report) {
  const auto program = FindProgram("redis-benchmark");
  if (!program) throw std::runtime_error("redis-benchmark is not installed: ./dev setup");
  const std::vector<std::string> load = {
      "-c",   std::to_string(kConnections),
      "-n",   std::to_string(CommandsFor(options, value_bytes, pipeline)),
      "-d",   std::to_string(value_bytes),
      "-P",   std::to_string(pipeline),
      "-t",   "set,get",
      "--csv"};
  std::vector<std::string> arguments = {*program, "-h", path.redis.ip, "-p",
                                        std::to_string(path.redis.port)};
  arguments.insert(arguments.end(), load.begin(), load.end());
  std::vector<std::string> shown = {"redis-benchmark", "-h", "HOST", "-p", "PORT"};
  shown.insert(shown.end(), load.begin(), load.end());
  report->AddCommand(shown);
  const std::map<std::string, double> rates = ReadRates(MustRun(arguments).output);
  for (const char* const command : {"GET", "SET"}) {
    if (!rates.contains(command) || !std::isfinite(rates.at(command))) {
      throw std::runtime_error("redis-benchmark gave no rate");
    }
    (*results)[path.name][{command, value_bytes, pipeline}].push_back(rates.at(command));
  }
}

void LoadMemcached(const Options& options, const Path& path, int value_bytes, int pipeline,
                   Results* results, Report*) {
  MemcachedLoad load;
  load.target = path.memcached;
  load.connections = kConnections;
  load.value_bytes = value_bytes;
  load.pipeline = pipeline;
  load.commands = CommandsFor(options, value_bytes, pipeline);
  load.set = true;
  const double set = RunMemcachedLoad(load);
  load.set = false;
  (*results)[path.name][{"SET", value_bytes, pipeline}].push_back(set);
  (*results)[path.name][{"GET", value_bytes, pipeline}].push_back(RunMemcachedLoad(load));
}

using Loader = std::function<void(const Options&, const Path&, int value_bytes, int pipeline,
                                  Results*, Report*)>;

Results Measure(const Options& options, const Paths& paths, const Loader& load, Report* report) {
  Results results;
  for (int round = 0; round < options.Size(5, 1); ++round) {
    for (const int value_bytes : {64, 4096}) {
      for (const int pipeline : {1, 16}) {
        // Each round begins with another path: none is always the first after a pause.
        for (size_t i = 0; i < paths.all().size(); ++i) {
          const size_t which = (i + static_cast<size_t>(round)) % paths.all().size();
          load(options, paths.all()[which], value_bytes, pipeline, &results, report);
        }
      }
    }
  }
  return results;
}

// One number per round: the geometric mean over all cells of a path's rate to another's.
std::vector<double> Ratios(const Results& results, const std::string& path, const std::string& to) {
  std::vector<double> ratios;
  const auto& cells = results.at(path);
  for (size_t round = 0; round < cells.begin()->second.size(); ++round) {
    std::vector<double> of_round;
    for (const auto& [cell, rates] : cells) {
      of_round.push_back(rates.at(round) / results.at(to).at(cell).at(round));
    }
    ratios.push_back(GeometricMean(of_round));
  }
  return ratios;
}

void Tell(const std::string& engine, const Paths& paths, const Results& results, Report* report) {
  for (const Path& path : paths.all()) {
    if (path.name == kDirect) continue;
    report->Add(fmt::format("{}: {} to direct, geometric mean", engine, path.name), "x",
                Ratios(results, path.name, kDirect),
                path.name == kDefault ? AtLeast(0.97) : Goal{});
  }
  for (const int threads : {1, 2}) {
    const std::string proxy = HaproxyName(threads);
    if (!paths.Has(proxy)) continue;
    for (const std::string& path : {std::string(kDefault), RelayName(threads)}) {
      report->Add(fmt::format("{}: {} to {}, geometric mean", engine, path, proxy), "x",
                  Ratios(results, path, proxy), path == kDefault ? Goal{} : AtLeast(1));
    }
  }
  std::vector<std::string> series, labels;
  std::vector<std::vector<double>> values;
  for (const Path& path : paths.all()) series.push_back(path.name);
  for (const auto& [cell, rounds] : results.at(kDirect)) {
    labels.push_back(NameOf(cell));
    std::vector<double>& group = values.emplace_back();
    for (const Path& path : paths.all()) {
      const std::vector<double>& rates = results.at(path.name).at(cell);
      report->Add(fmt::format("{} {}: {}", engine, NameOf(cell), path.name), "ops/s", rates);
      group.push_back(Summarize(rates).median);
    }
  }
  report->AddChart(engine + ", 50 clients", "operations per second", series, labels, values);
}

}  // namespace

void RunDataPath(const Options& options, Report* report) {
  const Paths paths(report);
  Tell("Redis", paths, Measure(options, paths, LoadRedis, report), report);
  Tell("Memcached", paths, Measure(options, paths, LoadMemcached, report), report);
  report->AddNote(
      "Redis is loaded by redis-benchmark, Memcached by bench/load.cc (one thread, 50 connections, "
      "one key). Engines, proxies and load share the machine's cores.");
}

}  // namespace ec::bench
