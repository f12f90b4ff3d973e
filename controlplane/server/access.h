// Explains what the agents do with a connection.
#pragma once

#include "common/status.h"
#include "ec/v1/emulator.pb.h"

namespace ec::server {

class ControllerLoop;

Status ExplainAccess(ControllerLoop& loop, const v1::ExplainAccessRequest& request,
                     v1::ExplainAccessResponse* response);

}  // namespace ec::server
