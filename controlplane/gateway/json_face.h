// The JSON face: POST /ec.v1.Service/Method with a JSON body, by the convention of Connect's unary
// calls (https://connectrpc.com/docs/protocol). A method that answers with a stream is called in
// the same way and answers with lines, each of them a message in JSON (application/x-ndjson); when
// it fails, the last line is {"error": ...} with what is else the body of an error.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <map>
#include <memory>
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

// Everything that the stream will say, in lines.
HttpAnswer JsonLines(std::shared_ptr<ApiStream> stream);

// {"code": "not_found", "message": "...", "details": [...]}, with the HTTP status that Connect has
// for the code. AWS's code is the reason of the google.rpc.ErrorInfo in the details.
HttpAnswer JsonError(const grpc::Status& status);

}  // namespace ec::gateway
