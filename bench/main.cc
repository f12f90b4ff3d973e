// ec_bench: measures, and writes what it measured. `./dev bench` builds what it needs and runs it.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/render.h"
#include "bench/run.h"
#include "common/clock.h"
#include "common/process.h"
#include "common/time.h"

namespace ec::bench {
namespace {

struct NamedSuite {
  const char* name;
  const char* title;
  Suite run;
};

const std::vector<NamedSuite>& Suites() {
  static const std::vector<NamedSuite> suites = {
      {"data-path", "Data path: operations per second through an endpoint", RunDataPath},
      {"access", "Who may connect: verdicts, and rules that change", RunAccess},
      {"setup-rate", "Connections per second through an endpoint", RunSetupRate},
      {"lifecycle", "From the call to an available cluster, and to a deleted one", RunLifecycle},
      {"failover", "A writer's pause when the leader changes", RunFailover},
      {"false-failovers", "Changes of leader without a reason", RunFalseFailovers},
      {"control-plane", "Control plane: calls, commits, memory, start, steps", RunControlPlane},
      {"gateway", "The HTTP gateway: requests, and how long they take", RunGateway},
      {"backup", "Backups: what writers notice", RunBackup},
      {"footprint", "Memory of the control plane and an agent", RunFootprint},
      {"first-minute", "ecctl: a person's first minute", RunFirstMinute},
      {"micro", "Small pieces that are run often", RunMicro},
  };
  return suites;
}

// Whether everything was measured.
bool RunSuite(const NamedSuite& suite, const Options& options) {
  std::fprintf(stderr, "== %s\n", suite.name);
  SystemClock clock;
  Report report(suite.name, suite.title);
  const std::string date = ToString(clock.now().wall);
  const std::string load_before = LoadNow();
  const Stopwatch watch;
  suite.run(options, &report);
  nlohmann::json result = report.ToJson();
  result["date"] = date;
  result["seconds"] = watch.seconds();
  result["quick"] = options.quick;
  result["load_before"] = load_before;
  result["load_after"] = LoadNow();
  result["machine"] = DescribeMachine();
  result["programs"] = DescribePrograms();
  const std::string path = fmt::format("{}/{}.json", options.out, suite.name);
  if (!ReplaceFile(path, result.dump(1) + "\n", false)) {
    throw std::runtime_error("cannot write " + path);
  }
  RenderDirectory(options.out);
  for (const nlohmann::json& row : result["rows"]) {
    if (row.contains("missing")) {
      std::fprintf(stderr, "   %s: NOT MEASURED: %s\n", row["name"].get<std::string>().c_str(),
                   row["missing"].get<std::string>().c_str());
      continue;
    }
    std::fprintf(stderr, "   %s: %s %s%s\n", row["name"].get<std::string>().c_str(),
                 Pretty(row["median"]).c_str(), row["unit"].get<std::string>().c_str(),
                 !row.contains("met")     ? ""
                 : row["met"].get<bool>() ? "  (goal met)"
                                          : "  (GOAL NOT MET)");
  }
  return report.missing() == 0;
}

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  StopInOrderOnSignals();
  Options options;
  std::string wanted = "all";
  std::vector<std::string> names = {"all"};
  for (const NamedSuite& suite : Suites()) names.emplace_back(suite.name);
  CLI::App app{"Measures emucache beside its peers. Writes JSON, tables and plots."};
  app.add_option("suite", wanted, "What to measure")->check(CLI::IsMember(names));
  app.add_flag("--quick", options.quick, "Tiny sizes: shows that everything runs");
  app.add_option("--out", options.out, "Directory of the results")->required();
  CLI11_PARSE(app, argc, argv);
  std::filesystem::create_directories(options.out);
  bool complete = true;
  try {
    for (const NamedSuite& suite : Suites()) {
      if (wanted == "all" || wanted == suite.name) complete &= RunSuite(suite, options);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ec_bench: %s\n", error.what());
    return 1;
  }
  // A quick run shows that the suites work; what is not installed is said and forgiven.
  return complete || options.quick ? 0 : 1;
}

}  // namespace
}  // namespace ec::bench

int main(int argc, char** argv) { return ec::bench::Main(argc, argv); }
