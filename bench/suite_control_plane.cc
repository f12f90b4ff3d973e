// The control plane by itself, with simulated hosts: calls, commits, memory, start, and steps.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>

#include "bench/callers.h"
#include "bench/commits.h"
#include "bench/memory.h"
#include "bench/run.h"
#include "bench/simulated_world.h"
#include "bench/step_costs.h"
#include "tests/integration/installation.h"

namespace ec::bench {
namespace {

using integration::WaitUntil;

constexpr int kCallersMany = 16;

// One chart's bars: calls per second by number of records.
struct Rates {
  std::vector<std::string> labels;
  std::vector<std::vector<double>> per_second;
};

void AddCalls(const std::string& what, const std::vector<CallTimes>& rounds, Report* report) {
  std::vector<double> rates;
  std::vector<double> tails;
  for (const CallTimes& times : rounds) {
    rates.push_back(times.per_second());
    tails.push_back(Percentile(times.milliseconds, 0.99));
  }
  report->Add(what, "calls/s", rates);
  report->Add(what + ", p99", "ms", tails);
}

double MedianRate(const std::vector<CallTimes>& rounds) {
  std::vector<double> rates;
  for (const CallTimes& times : rounds) rates.push_back(times.per_second());
  return Summarize(rates).median;
}

void MeasureCalls(const Options& options, SimulatedWorld& world, int records, Rates* rates,
                  Report* report) {
  std::vector<CallTimes> create_one, create_many, describe_one, describe_many, pages;
  std::vector<double> processor;
  for (int round = 0; round < options.Size(5, 1); ++round) {
    create_one.push_back(world.Create(options.Size(40, 2), 1));
    const int many = options.Size(160, 16);
    const double before = world.processor_ms();
    create_many.push_back(world.Create(many, kCallersMany));
    processor.push_back((world.processor_ms() - before) / many);
    world.Settle(records);
    world.Shrink(records);
    describe_one.push_back(world.Describe(options.Size(1000, 4), 1, false));
    describe_many.push_back(world.Describe(options.Size(4000, 4), kCallersMany, false));
    pages.push_back(world.Describe(options.Size(200, 4), 1, true));
  }
  const std::string with = fmt::format("{} clusters recorded", Pretty(records));
  AddCalls("CreateCacheCluster, 1 caller, " + with, create_one, report);
  AddCalls(fmt::format("CreateCacheCluster, {} callers, {}", kCallersMany, with), create_many,
           report);
  report->Add("processor time of the control plane per CreateCacheCluster, " + with, "ms",
              processor);
  AddCalls("DescribeCacheClusters by id, 1 caller, " + with, describe_one, report);
  AddCalls(fmt::format("DescribeCacheClusters by id, {} callers, {}", kCallersMany, with),
           describe_many, report);
  AddCalls("DescribeCacheClusters, page of 100 with nodes, 1 caller, " + with, pages, report);
  rates->labels.push_back(with);
  rates->per_second.push_back({MedianRate(create_one), MedianRate(create_many)});
}

void MeasureGrowth(const Options& options, Report* report) {
  SimulatedWorld world;
  Rates rates;
  const std::vector<int> sizes = options.quick ? std::vector{1, 10} : std::vector{1, 1'000, 10'000};
  double before = 0;  // at the size before
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int size = sizes[i];
    world.Fill(size);
    const double resident = world.memory().resident_mib;
    report->Add(fmt::format("resident memory, {} clusters recorded", Pretty(size)), "MiB",
                {resident});
    // Above the first calls' buffers and threads: what a cluster itself takes.
    if (i + 1 == sizes.size()) {
      report->Add(fmt::format("resident memory per cluster, {} to {} clusters",
                              Pretty(sizes[i - 1]), Pretty(size)),
                  "KiB", {(resident - before) * 1024 / (size - sizes[i - 1])});
    }
    before = resident;
    MeasureCalls(options, world, size, &rates, report);
  }
  report->AddChart("CreateCacheCluster", "calls per second",
                   {"1 caller", fmt::format("{} callers", kCallersMany)}, rates.labels,
                   rates.per_second);
  std::vector<double> starts;
  for (int round = 0; round < options.Size(5, 1); ++round) {
    world.Stop();
    const ScratchDirectory scratch;
    const Stopwatch watch;
    integration::Child control_plane(
        OwnProgram("ec-controlplane"),
        {"--dir", world.control_plane_dir(), "--listen", "127.0.0.1:0"}, scratch.path() + "/out");
    const bool ready = WaitUntil(
        [&] { return std::filesystem::exists(world.control_plane_dir() + "/controlplane.json"); });
    if (!ready) throw std::runtime_error("the control plane did not start again");
    starts.push_back(watch.milliseconds());
    control_plane.Signal(SIGTERM);
    (void)control_plane.Wait();
    world.Start();
  }
  report->Add(fmt::format("start with {} clusters, until the API answers", Pretty(sizes.back())),
              "ms", starts);
}

void MeasureCommits(const Options& options, Report* report) {
  std::vector<double> store, bare, ratios;
  const int count = options.Size(200, 5);
  for (int round = 0; round < options.Size(7, 1); ++round) {
    const ScratchDirectory one;
    const ScratchDirectory other;
    store.push_back(StoreCommitsPerSecond(one.path(), count));
    bare.push_back(BareCommitsPerSecond(other.path(), count));
    ratios.push_back(store.back() / bare.back());
  }
  report->Add("commits of the store: a new cluster's five rows", "commits/s", store);
  report->Add("commits of bare SQLite: one row, prepared", "commits/s", bare);
  report->Add("the store's commits to bare SQLite's", "x", ratios);
}

// The instructions of one step by callgrind: the same in every run of the same program.
void MeasureSteps(const Options& options, Report* report) {
  const std::string program = OwnProgram("ec_bench_steps");
  const auto valgrind = FindProgram("valgrind");
  if (!valgrind || !std::filesystem::exists(program)) {
    report->AddMissing("instructions per step",
                       !valgrind ? "valgrind is not installed: ./dev setup --bench"
                                 : "ec_bench_steps is not built: cmake -DEC_BENCH=ON");
    return;
  }
  const std::vector<int> sizes =
      options.quick ? std::vector{20, 40} : std::vector{100, 1'000, 10'000};
  std::map<std::string, std::vector<double>> costs;
  for (const int size : sizes) {
    const ScratchDirectory scratch;
    const std::vector<std::string> arguments = {*valgrind,
                                                "--tool=callgrind",
                                                "--instr-atstart=no",
                                                "--combine-dumps=no",
                                                "--callgrind-out-file=" + scratch.path() + "/dump",
                                                program,
                                                "--clusters",
                                                std::to_string(size),
                                                "--dir",
                                                scratch.path()};
    report->AddCommand({"valgrind", "--tool=callgrind", "--instr-atstart=no", "ec_bench_steps",
                        "--clusters", std::to_string(size)});
    MustRun(arguments);
    for (const auto& [what, cost] : ReadStepCosts(scratch.path())) costs[what].push_back(cost);
  }
  std::vector<std::string> labels, series;
  for (const int size : sizes) series.push_back(Pretty(size) + " clusters");
  std::vector<std::vector<double>> values;
  for (const auto& [what, by_size] : costs) {
    for (size_t i = 0; i < by_size.size(); ++i) {
      report->Add(fmt::format("{}, {} clusters", what, Pretty(sizes[i])), "thousand instructions",
                  {by_size[i] / 1000});
    }
    // log(10,000) is twice log(100).
    report->Add(fmt::format("{}: growth from {} to {} clusters", what, Pretty(sizes.front()),
                            Pretty(sizes.back())),
                "x", {by_size.back() / by_size.front()}, AtMost(2));
    labels.push_back(what);
    values.push_back(by_size);
  }
  report->AddChart("Cost of one step", "instructions", series, labels, values);
}

}  // namespace

void RunControlPlane(const Options& options, Report* report) {
  MeasureCommits(options, report);
  MeasureSteps(options, report);
  MeasureGrowth(options, report);
}

}  // namespace ec::bench
