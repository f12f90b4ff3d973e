// Small pieces that are run often: ec_bench_micro's results, among the others.
#include <filesystem>
#include <map>

#include "bench/run.h"

namespace ec::bench {

void RunMicro(const Options& options, Report* report) {
  const std::string program = OwnProgram("ec_bench_micro");
  if (!std::filesystem::exists(program)) {
    report->AddMissing("small pieces", "ec_bench_micro is not built: cmake -DEC_BENCH=ON");
    return;
  }
  std::vector<std::string> flags = {"--benchmark_format=json", "--benchmark_repetitions=9",
                                    "--benchmark_enable_random_interleaving=true",
                                    "--benchmark_min_time=0.1"};
  if (options.quick) {
    flags = {"--benchmark_format=json", "--benchmark_repetitions=1", "--benchmark_min_time=0.001"};
  }
  std::vector<std::string> command = {program};
  command.insert(command.end(), flags.begin(), flags.end());
  const nlohmann::json output = nlohmann::json::parse(MustRun(command).output);
  command.front() = "ec_bench_micro";
  report->AddCommand(command);
  std::map<std::string, std::vector<double>> rounds;
  for (const nlohmann::json& run : output["benchmarks"]) {
    if (run["run_type"] != "iteration") continue;  // its own means and medians
    rounds[run["run_name"]].push_back(run["cpu_time"].get<double>() / 1000);
  }
  for (const auto& [name, microseconds] : rounds) report->Add(name, "us", microseconds);
}

}  // namespace ec::bench
