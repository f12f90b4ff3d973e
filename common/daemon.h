// What the mains of all daemons do in the same way: the flags they share, their directory, their
// log, and the signals that stop them.
#pragma once

#include <signal.h>

#include <CLI/CLI.hpp>
#include <string>

#include "common/status.h"

namespace ec {

struct DaemonFlags {
  std::string dir;
  std::string log_level = "info";
  std::string log_file;
};

void AddDaemonFlags(CLI::App* app, DaemonFlags* flags);

// nullopt when the daemon is to go on; else its exit code: 0 after --help, 2 for a wrong command
// line, which has been explained on standard error.
std::optional<int> ParseCommandLine(CLI::App* app, int argc, char** argv);

// Starts the log and makes the directory, which nobody else may enter; flags->dir is then its true
// path.
Status EnterDirectory(DaemonFlags* flags);

// Says it to the person and to the log. Returns the exit code of a daemon that failed.
int FailDaemon(const std::string& program, const std::string& why);

// SIGTERM and SIGINT, which from now on are for the one who waits for them, and nobody else.
// REQUIRES: the process has one thread yet
sigset_t BlockStopSignals();

// Waits for one of them, and says which it was.
int AwaitStopSignal(const sigset_t& signals);

}  // namespace ec
