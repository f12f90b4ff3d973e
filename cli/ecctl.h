// The program, from its arguments to its exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/exit_code.h"

namespace ec::cli {

// Runs the command that the words ask for (the program's own name is not among them). Errors go to
// standard error; both streams are flushed.
ExitCode RunEcctl(const std::vector<std::string>& words);

}  // namespace ec::cli
