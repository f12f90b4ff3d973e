// Asks the control plane where on this machine an instance is.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/instance_route.h"

namespace ec::cli {

// `word` is the instance's id or name. Where its connections come from, and what its VPC's
// addresses are on this machine.
Outcome FindInstanceNetwork(Context& context, const std::string& word, InstanceNetwork* network);

}  // namespace ec::cli
