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

using Stub = grpc::TemplatedGenericStub<Message, Message>;

std::string PathOf(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

// How many calls have not ended yet.
class UnderWay {
 public:
  void Begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void End() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  void AwaitNone() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [&] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
};

// A hold keeps gRPC from ending the call between two reads. It keeps itself alive until that end.
// gRPC may call it back from within every call of its own: no lock is held then.
class StreamUnderWay : public ApiStream,
                       public grpc::ClientBidiReactor<Message, Message>,
                       public std::enable_shared_from_this<StreamUnderWay> {
 public:
  StreamUnderWay(const MethodDescriptor& method, MessagePtr request, UnderWay& under_way)
      : method_(method), request_(std::move(request)), under_way_(under_way) {}

  void Start(Stub& stub) {
    self_ = shared_from_this();
    under_way_.Begin();
    stub.PrepareBidiStreamingCall(context_.get(), PathOf(method_), {}, this);
    AddHold();
    StartWriteLast(request_.get(), {});
    StartCall();
  }

  void Read(ApiDone done) override {
    const auto may_read = [&] {
      const std::lock_guard lock(mutex_);
      if (is_released_) return false;
      reader_ = done;
      answer_ = NewMessage(*method_.output_type());
      return true;
    };
    if (may_read()) return StartRead(answer_.get());
    done({grpc::StatusCode::CANCELLED, "The call was cancelled."}, nullptr);
  }

  void Cancel() override {
    const auto self = shared_from_this();
    std::shared_ptr<grpc::ClientContext> context;
    {
      const std::lock_guard lock(mutex_);
      context = context_;
    }
    if (context) context->TryCancel();
    const auto is_idle = [&] {
      const std::lock_guard lock(mutex_);
      return !reader_ && !std::exchange(is_released_, true);
    };
    if (is_idle()) RemoveHold();
  }

  void OnReadDone(bool ok) override {
    ApiDone reader;
    MessagePtr answer;
    {
      const std::lock_guard lock(mutex_);
      if (ok) reader = std::exchange(reader_, nullptr);
      if (ok) answer = std::move(answer_);
      if (!ok) is_released_ = true;
    }
    if (!ok) return RemoveHold();
    reader({}, std::move(answer));
  }

  void OnDone(const grpc::Status& status) override {
    // After a cancellation nobody may be waiting.
    if (const ApiDone reader = std::exchange(reader_, nullptr)) reader(status, nullptr);
    UnderWay& under_way = under_way_;
    // The call is given back before anybody may take the channel and the server apart.
    std::shared_ptr<grpc::ClientContext> context;
    {
      const std::lock_guard lock(mutex_);
      context = std::move(context_);
    }
    context.reset();
    self_.reset();  // perhaps the end of this object
    under_way.End();
  }

 private:
  const MethodDescriptor& method_;
  const MessagePtr request_;
  UnderWay& under_way_;
  std::shared_ptr<StreamUnderWay> self_;
  std::mutex mutex_;
  // Until the call has ended; guarded by mutex_ once it has begun.
  std::shared_ptr<grpc::ClientContext> context_ = std::make_shared<grpc::ClientContext>();
  ApiDone reader_;            // who waits; guarded by mutex_ until OnDone
  MessagePtr answer_;         // the same
  bool is_released_ = false;  // there is nothing more to read; guarded by mutex_
};

class GrpcApi : public Api {
 public:
  explicit GrpcApi(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {}

  // What is under way ends when the server does, or by its deadline.
  ~GrpcApi() override { under_way_.AwaitNone(); }

  void Call(const MethodDescriptor& method, MessagePtr request, ApiDone done) override {
    auto call = std::make_shared<CallUnderWay>();
    call->request = std::move(request);
    call->answer = NewMessage(*method.output_type());
    call->done = std::move(done);
    call->context.set_deadline(gpr_time_from_seconds(kCallSecondsMax, GPR_TIMESPAN));
    call->path = PathOf(method);
    under_way_.Begin();
    stub_.UnaryCall(&call->context, call->path, {}, call->request.get(), call->answer.get(),
                    [this, call](const grpc::Status& status) {
                      call->done(status, std::move(call->answer));
                      call->done = {};
                      under_way_.End();
                    });
  }

  std::shared_ptr<ApiStream> Stream(const MethodDescriptor& method, MessagePtr request) override {
    auto stream = std::make_shared<StreamUnderWay>(method, std::move(request), under_way_);
    stream->Start(stub_);
    return stream;
  }

 private:
  UnderWay under_way_;
  Stub stub_;
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
