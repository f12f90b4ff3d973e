// The plan of the agent's last run: with it, a new agent opens the endpoints of the engines that it
// finds running without having to wait for the control plane. It is a hint and nothing more.
#pragma once

#include <string>

#include "common/host_plan.h"

namespace ec::agent {

// Empty when there is none, or none that can be read.
HostPlan ReadPlanFile(const std::string& dir);
void WritePlanFile(const std::string& dir, const HostPlan& plan);

}  // namespace ec::agent
