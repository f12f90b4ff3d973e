// Changes of the network, with EC2's rules and errors.
#pragma once

#include "common/status.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/network_requests.h"

namespace ec::core {

Status Obey(Draft& draft, const NetworkCommand& command);

}  // namespace ec::core
