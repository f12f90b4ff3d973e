// What the files behind `ecctl instance` share.
#pragma once

#include "cli/command_line.h"
#include "cli/context.h"
#include "ec/v1/network.pb.h"

namespace ec::cli {

// The instances, one per line.
Outcome PrintInstances(const Context& context, const v1::DescribeInstancesResponse& response);

}  // namespace ec::cli
