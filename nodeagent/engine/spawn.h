// Starts processes without a shell.
#pragma once

#include <string>
#include <vector>

#include "common/process.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace ec::engine {

struct Spawn {
  std::string path;                      // absolute
  std::vector<std::string> arguments;    // the first is the program's own name
  std::vector<std::string> environment;  // all of it, as NAME=value
  int directory = -1;  // descriptor of the working directory, which the process keeps open
  int output = -1;     // its standard output and error
  int identity = -1;   // the process writes "pid start-time\n" here before it becomes the program
};

struct Spawned {
  ProcessId id;
  UniqueFd pidfd;
};

// In a session of its own, so that it outlives us; with our limit of open files, no core dumps, no
// new privileges, default signals, and no descriptors but those named. Its `directory` descriptor
// stays open under number 3: a lock on it lasts exactly as long as the process and its children.
//
// kUnavailable, with the reason, when the process or the program could not be started.
Result<Spawned> SpawnDetached(const Spawn& spawn);

// Runs a program to its end, at most `timeout_ms`, and gives back what it printed (4 KiB at most).
Result<std::string> RunForOutput(const std::string& path, const std::vector<std::string>& arguments,
                                 int timeout_ms);

}  // namespace ec::engine
