// An API that knows nothing: it records what it is asked and answers what a test has told it.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/gateway/api.h"
#include "ec/v1/error.pb.h"

namespace ec::gateway {

// A status as the services make it.
inline grpc::Status Refusal(const std::string& code, int http_status, const std::string& message) {
  v1::RpcErrorInfo info;
  info.set_reason(code);
  info.set_domain("elasticache.amazonaws.com");
  (*info.mutable_metadata())["http_status"] = std::to_string(http_status);
  v1::RpcStatus details;
  details.set_message(message);
  google::protobuf::Any* any = details.add_details();
  any->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  info.SerializeToString(any->mutable_value());
  return {grpc::StatusCode::INVALID_ARGUMENT, message, details.SerializeAsString()};
}

class FakeApi : public Api {
 public:
  using Answer = std::function<grpc::Status(const std::string& method,
                                            const google::protobuf::Message& request,
                                            google::protobuf::Message* answer)>;

  void Call(const google::protobuf::MethodDescriptor& method, MessagePtr request,
            ApiDone done) override {
    MessagePtr answer = NewMessage(*method.output_type());
    grpc::Status status;
    {
      const std::lock_guard lock(mutex_);
      calls_.emplace_back(method.name(), request->ShortDebugString());
      if (answer_) status = answer_(method.name(), *request, answer.get());
    }
    done(status, std::move(answer));
  }

  // What is answered from now on; without any, empty messages.
  void set_answer(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }

  // The methods that were called, with their requests.
  std::vector<std::pair<std::string, std::string>> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  mutable std::mutex mutex_;
  Answer answer_;
  std::vector<std::pair<std::string, std::string>> calls_;
};

}  // namespace ec::gateway
