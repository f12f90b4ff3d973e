// What a person waits for first: `ecctl up`, and a command.
#include "bench/run.h"

namespace ec::bench {
namespace {

// Takes an installation away, whatever became of it.
class Discard {
 public:
  explicit Discard(std::string dir) : dir_(std::move(dir)) {}
  ~Discard() { RunProgram({OwnProgram("ecctl"), "--dir", dir_, "down", "--discard"}); }

 private:
  const std::string dir_;
};

}  // namespace

void RunFirstMinute(const Options& options, Report* report) {
  const std::string ecctl = OwnProgram("ecctl");
  std::vector<double> first_up, next_up, list, status, describe, list_processor;
  double processor_ms = 0;  // of the last command
  for (int round = 0; round < options.Size(7, 1); ++round) {
    const ScratchDirectory scratch;
    const std::string dir = scratch.path() + "/emucache";
    const Discard discard(dir);
    const auto run = [&](const std::vector<std::string>& arguments) {
      std::vector<std::string> all = {ecctl, "--dir", dir};
      all.insert(all.end(), arguments.begin(), arguments.end());
      std::vector<std::string> shown = {"ecctl", "--dir", "DIR"};
      shown.insert(shown.end(), arguments.begin(), arguments.end());
      report->AddCommand(shown);
      const Finished finished = MustRun(all);
      processor_ms = finished.processor_ms;
      return finished.milliseconds;
    };
    first_up.push_back(run({"up"}));
    run({"cluster", "create", "orders", "--wait"});
    for (int i = 0; i < options.Size(10, 1); ++i) {
      list.push_back(run({"cluster", "list"}));
      list_processor.push_back(processor_ms);
      describe.push_back(run({"cluster", "show", "orders"}));
      status.push_back(run({"status"}));
    }
    run({"down"});
    next_up.push_back(run({"up"}));
  }
  report->Add("ecctl up, a new installation, until ready", "ms", first_up, AtMost(500));
  report->Add("ecctl up, after ecctl down, until ready", "ms", next_up, AtMost(500));
  report->Add("ecctl cluster list", "ms", list, AtMost(30));
  report->Add("ecctl cluster list, processor time", "ms", list_processor);
  report->Add("ecctl cluster show", "ms", describe, AtMost(30));
  report->Add("ecctl status", "ms", status, AtMost(30));
}

}  // namespace ec::bench
