// What every suite needs: sizes, a stopwatch, processes, and the machine's description.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/report.h"

namespace ec::bench {

struct Options {
  bool quick = false;  // tiny sizes: shows that everything runs, measures nothing
  std::string out;     // directory of the results

  // The first in earnest, the second in a quick run.
  int Size(int full, int tiny) const { return quick ? tiny : full; }
};

// A suite fills in its report; it throws std::runtime_error when it cannot go on.
using Suite = std::function<void(const Options&, Report*)>;

void RunDataPath(const Options& options, Report* report);
void RunSetupRate(const Options& options, Report* report);
void RunAccess(const Options& options, Report* report);
void RunLifecycle(const Options& options, Report* report);
void RunFailover(const Options& options, Report* report);
void RunFalseFailovers(const Options& options, Report* report);
void RunControlPlane(const Options& options, Report* report);
void RunGateway(const Options& options, Report* report);
void RunBackup(const Options& options, Report* report);
void RunFootprint(const Options& options, Report* report);
void RunFirstMinute(const Options& options, Report* report);
void RunMicro(const Options& options, Report* report);

// From now on SIGINT and SIGTERM do not end the process: the next measurement throws instead, so
// that everything that was started is stopped.
void StopInOrderOnSignals();
// Throws std::runtime_error after such a signal.
void CheckInterrupted();

class Stopwatch {
 public:
  // Since it was made, or since the last call of Restart().
  double seconds() const;
  double milliseconds() const { return seconds() * 1000; }
  void Restart() { begin_ = std::chrono::steady_clock::now(); }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// A directory of its own under the temporary one, removed in the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A program of this build.
std::string OwnProgram(const std::string& name);
// The program's path by $PATH or among the system's own; nullopt when it is not installed.
std::optional<std::string> FindProgram(const std::string& name);
// The same; throws std::runtime_error when it is not installed.
std::string Must(const std::string& name);
// A port of 127.0.0.1 that was free a moment ago.
uint16_t FreePort();

struct Finished {
  int status = -1;  // of exit; 128 + n after signal n
  std::string output;
  double milliseconds = 0;  // from its start to its end
  double processor_ms = 0;  // that it used itself; tells more than the clock on a busy machine
};
// Runs a program to its end and takes its standard output; its errors go to `errors`.
Finished RunProgram(const std::vector<std::string>& arguments,
                    const std::string& errors = "/dev/null");
// The same for one that has to succeed. Throws std::runtime_error.
Finished MustRun(const std::vector<std::string>& arguments);

// Kernel, processors, memory, the file system of the temporary directory.
nlohmann::json DescribeMachine();
// The versions of what was measured and of what it was measured with.
nlohmann::json DescribePrograms();
// The load averages, as the kernel says them.
std::string LoadNow();

}  // namespace ec::bench
