// An API that knows nothing: it records what it is asked and answers what a test has told it.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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

  // Gives the answers that a test has told it, and ends then; or waits until it is cancelled.
  class FakeStream : public ApiStream {
   public:
    FakeStream(FakeApi& api, MessagePtr answer) : api_(api), answer_(std::move(answer)) {}
    void Read(ApiDone done) override {
      std::unique_lock lock(api_.mutex_);
      if (api_.streamed_ > 0) {
        --api_.streamed_;
        MessagePtr copy(answer_->New());
        copy->CopyFrom(*answer_);
        lock.unlock();
        return done({}, std::move(copy));
      }
      if (api_.stream_end_) {
        const grpc::Status end = *api_.stream_end_;
        lock.unlock();
        return done(end, nullptr);
      }
      waiting_ = std::move(done);
    }
    void Cancel() override {
      ApiDone waiting;
      {
        const std::lock_guard lock(api_.mutex_);
        api_.is_cancelled_ = true;
        waiting = std::exchange(waiting_, nullptr);
      }
      if (waiting) waiting(grpc::Status::CANCELLED, nullptr);
    }

   private:
    FakeApi& api_;
    const MessagePtr answer_;
    ApiDone waiting_;
  };

  std::shared_ptr<ApiStream> Stream(const google::protobuf::MethodDescriptor& method,
                                    MessagePtr request) override {
    MessagePtr answer = NewMessage(*method.output_type());
    const std::lock_guard lock(mutex_);
    calls_.emplace_back(method.name(), request->ShortDebugString());
    if (answer_) answer_(method.name(), *request, answer.get());
    return std::make_shared<FakeStream>(*this, std::move(answer));
  }
  // So many answers, each as set_answer says, and then this end; nullopt: none until cancelled.
  void set_stream(int answers, std::optional<grpc::Status> end) {
    const std::lock_guard lock(mutex_);
    streamed_ = answers;
    stream_end_ = std::move(end);
  }
  bool is_cancelled() const {
    const std::lock_guard lock(mutex_);
    return is_cancelled_;
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
  int streamed_ = 0;
  std::optional<grpc::Status> stream_end_ = grpc::Status();
  bool is_cancelled_ = false;
  std::vector<std::pair<std::string, std::string>> calls_;
};

}  // namespace ec::gateway
