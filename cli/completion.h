// What could come next on a half-typed command line.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/context.h"

namespace ec::cli {

struct Candidate {
  std::string word;
  std::string description;
};

// The candidates for the last word. The service is asked for cluster ids and the like, briefly;
// when it does not answer there are just fewer candidates.
std::vector<Candidate> Complete(CommandLine& line, const std::vector<std::string>& words);

}  // namespace ec::cli
