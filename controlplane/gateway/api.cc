#include "controlplane/gateway/api.h"

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace ec::gateway {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr int64_t kCallSecondsMax = 30;

struct CallUnderWay {
  grpc::ClientContext context;
  std::string path;
  MessagePtr request;
  MessagePtr answer;
  ApiDone done;
};

class GrpcApi : public Api {
 public:
  explicit GrpcApi(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {}

  // What is under way ends when the server does, or by its deadline.
  ~GrpcApi() override {
    std::unique_lock lock(mutex_);
    all_done_.wait(lock, [&] { return under_way_ == 0; });
  }

  void Call(const MethodDescriptor& method, MessagePtr request, ApiDone done) override {
    auto call = std::make_shared<CallUnderWay>();
    call->request = std::move(request);
    call->answer = NewMessage(*method.output_type());
    call->done = std::move(done);
    call->context.set_deadline(gpr_time_from_seconds(kCallSecondsMax, GPR_TIMESPAN));
    call->path = "/" + method.service()->full_name() + "/" + method.name();
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    stub_.UnaryCall(&call->context, call->path, {}, call->request.get(), call->answer.get(),
                    [this, call](const grpc::Status& status) {
                      call->done(status, std::move(call->answer));
                      call->done = {};
                      const std::lock_guard lock(mutex_);
                      if (--under_way_ == 0) all_done_.notify_all();
                    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_done_;
  int under_way_ = 0;
  grpc::TemplatedGenericStub<Message, Message> stub_;
};

}  // namespace

MessagePtr NewMessage(const google::protobuf::Descriptor& type) {
  return MessagePtr(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

std::unique_ptr<Api> MakeGrpcApi(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcApi>(std::move(channel));
}

}  // namespace ec::gateway
