#include "controlplane/gateway/wire_error.h"

#include <cstdlib>

#include "common/check.h"
#include "ec/v1/error.pb.h"

namespace ec::gateway {
namespace {

// What gRPC itself says, and no service of ours.
WireError ErrorWithoutDetails(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return {"ServiceUnavailable", 503, "The control plane does not answer; try again."};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {"InvalidAction", 400, "The action is not emulated."};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {"InvalidParameterValue", 400, "The request or its answer is too large."};
    default:
      return {"InternalFailure", 500, status.error_message()};
  }
}

}  // namespace

WireError BadParameter(std::string message) {
  return {"InvalidParameterValue", 400, std::move(message)};
}

WireError ErrorOf(const grpc::Status& status) {
  EC_CHECK(!status.ok());
  v1::RpcStatus details;
  if (!details.ParseFromString(status.error_details())) return ErrorWithoutDetails(status);
  for (const google::protobuf::Any& detail : details.details()) {
    v1::RpcErrorInfo info;
    if (detail.type_url() != "type.googleapis.com/google.rpc.ErrorInfo" ||
        !info.ParseFromString(detail.value()) || info.reason().empty()) {
      continue;
    }
    const auto http = info.metadata().find("http_status");
    const int number = http == info.metadata().end() ? 0 : std::atoi(http->second.c_str());
    return {info.reason(), number == 0 ? 400 : number, status.error_message()};
  }
  return ErrorWithoutDetails(status);
}

}  // namespace ec::gateway
