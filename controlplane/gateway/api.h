// The way from the gateway to the API: any unary method, by its descriptor.
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

class Api {
 public:
  virtual ~Api() = default;
  // Calls `done` once, on any thread. REQUIRES: the method is unary.
  virtual void Call(const google::protobuf::MethodDescriptor& method, MessagePtr request,
                    ApiDone done) = 0;
};

// Over a channel, such as the one within the process.
std::unique_ptr<Api> MakeGrpcApi(std::shared_ptr<grpc::Channel> channel);

}  // namespace ec::gateway
