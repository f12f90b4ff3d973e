// Asks the control plane about instances and their VPCs.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/instance_route.h"
#include "ec/v1/network.pb.h"

namespace ec::cli {

// Where the instance's connections come from, and what its VPC's addresses are on this machine.
Outcome FindInstanceNetwork(Context& context, const std::string& id, InstanceNetwork* network);

}  // namespace ec::cli
