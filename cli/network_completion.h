// The values of options that name things of the network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/completion.h"

namespace ec::cli {

// nullopt: these values are no business of the network.
std::optional<std::vector<Candidate>> NetworkValues(Context& context, const std::string& kind);

}  // namespace ec::cli
