// Looks a Fault up in fault.def: what AWS calls it, and its HTTP and gRPC numbers.
#pragma once

#include <string_view>

#include "common/status.h"

namespace ec {

// The numbers of gRPC's status codes, written out so that this floor needs no gRPC.
enum class GrpcCode {
  kOk = 0,
  kUnknown = 2,
  kInvalidArgument = 3,
  kNotFound = 5,
  kAlreadyExists = 6,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kInternal = 13,
  kUnavailable = 14,
};

struct FaultInfo {
  std::string_view wire_code;  // such as "CacheClusterNotFound"; empty for kOk
  int http_status = 200;
  GrpcCode grpc_code = GrpcCode::kOk;
};

FaultInfo InfoOf(Fault fault);

}  // namespace ec
