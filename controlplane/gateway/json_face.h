// The JSON face: POST /ec.v1.Service/Method with a JSON body, by the convention of Connect's unary
// calls (https://connectrpc.com/docs/protocol), for every unary method.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <map>
#include <string>
#include <string_view>

#include "controlplane/gateway/api.h"
#include "controlplane/gateway/headers.h"

namespace ec::gateway {

class JsonMethods {
 public:
  JsonMethods();
  // By the path of a request, "/ec.v1.ElastiCache/CreateCacheCluster"; nullptr: there is none.
  const google::protobuf::MethodDescriptor* Find(std::string_view path) const;

 private:
  std::map<std::string, const google::protobuf::MethodDescriptor*, std::less<>> methods_;
};

// The request that the body says. Not OK: it is none, or not said to be JSON.
grpc::Status ParseJson(const HttpRequest& request, google::protobuf::Message* message);

HttpAnswer JsonAnswer(const google::protobuf::Message& message);

// {"code": "not_found", "message": "...", "details": [...]}, with the HTTP status that Connect has
// for the code. AWS's code is the reason of the google.rpc.ErrorInfo in the details.
HttpAnswer JsonError(const grpc::Status& status);

}  // namespace ec::gateway
