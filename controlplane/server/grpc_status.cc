#include "controlplane/server/grpc_status.h"

#include "common/fault.h"
#include "ec/v1/error.pb.h"

namespace ec::server {

grpc::Status ToGrpc(const Status& status, std::string_view domain) {
  if (status.ok()) return grpc::Status::OK;
  const FaultInfo info = InfoOf(status.fault());
  v1::RpcErrorInfo error;
  error.set_reason(std::string(info.wire_code));
  error.set_domain(std::string(domain));
  (*error.mutable_metadata())["http_status"] = std::to_string(info.http_status);
  v1::RpcStatus details;
  details.set_code(static_cast<int>(info.grpc_code));
  details.set_message(status.message());
  google::protobuf::Any* any = details.add_details();
  any->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  error.SerializeToString(any->mutable_value());
  return {static_cast<grpc::StatusCode>(info.grpc_code), status.message(),
          details.SerializeAsString()};
}

}  // namespace ec::server
