// Our faults as gRPC's: the code from the fault table, the message as it is, and AWS's error code
// in the status details, where clients' rich-error helpers look for it.
#pragma once

#include <grpcpp/support/status.h>

#include "common/status.h"

namespace ec::server {

grpc::Status ToGrpc(const Status& status);

}  // namespace ec::server
