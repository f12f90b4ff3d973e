// What ecctl's exit code tells a script. `ecctl --help` prints this table.
#pragma once

namespace ec::cli {

enum class ExitCode {
  kSuccess = 0,
  kRefused = 1,      // the service refused, or the operation failed
  kUsage = 2,        // the command line is wrong
  kUnreachable = 3,  // not running, or cannot be reached
  kTimedOut = 4,     // --timeout passed first
  kInterrupted = 130,
};

inline constexpr char kExitCodeHelp[] =
    "Exit codes:\n"
    "  0    success\n"
    "  1    the service refused, or the operation failed\n"
    "  2    the command line is wrong\n"
    "  3    not running, or cannot be reached\n"
    "  4    timed out\n"
    "  130  interrupted\n";

}  // namespace ec::cli
