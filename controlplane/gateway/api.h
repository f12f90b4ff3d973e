// The way from the gateway to the API: any method that takes one request, by its descriptor.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>

namespace ec::gateway {

using MessagePtr = std::unique_ptr<google::protobuf::Message>;

MessagePtr NewMessage(const google::protobuf::Descriptor& type);

// `answer` is there also when the status is not OK, and then empty.
using ApiDone = std::function<void(const grpc::Status& status, MessagePtr answer)>;

// The answers of a call that gives several.
class ApiStream {
 public:
  virtual ~ApiStream() = default;
  // Calls `done` once, on any thread, perhaps before it returns: with the next answer, or without
  // one and with the status that all has ended with. REQUIRES: the one before is done.
  virtual void Read(ApiDone done) = 0;
  // To be called by whom does not read to the end.
  virtual void Cancel() = 0;
};

class Api {
 public:
  virtual ~Api() = default;
  // Calls `done` once, on any thread. REQUIRES: the method is unary.
  virtual void Call(const google::protobuf::MethodDescriptor& method, MessagePtr request,
                    ApiDone done) = 0;
  // REQUIRES: the method answers with a stream, and takes none.
  virtual std::shared_ptr<ApiStream> Stream(const google::protobuf::MethodDescriptor& method,
                                            MessagePtr request) = 0;
};

// Over a channel, such as the one within the process.
std::unique_ptr<Api> MakeGrpcApi(std::shared_ptr<grpc::Channel> channel);

}  // namespace ec::gateway
