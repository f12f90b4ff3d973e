// Streams of a real gRPC server within the process, as the gateway reads them.
#include "controlplane/gateway/api.h"

#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <utility>

#include "ec/v1/emulator.grpc.pb.h"

namespace ec::gateway {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// Writes so many events, and then ends; or waits until the caller has gone.
class Events : public v1::Emulator::Service {
 public:
  int count = 0;
  grpc::Status end;
  bool waits = false;
  std::promise<void> has_ended;

 private:
  grpc::Status WatchEvents(grpc::ServerContext* context, const v1::WatchEventsRequest* request,
                           grpc::ServerWriter<v1::Event>* writer) override {
    for (int i = 1; i <= count; ++i) {
      v1::Event event;
      event.set_serial(request->after_serial() + static_cast<uint64_t>(i));
      writer->Write(event);
    }
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (waits && !context->IsCancelled() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    if (context->IsCancelled()) has_ended.set_value();
    return end;
  }
};

class StreamOverGrpc : public ::testing::Test {
 protected:
  // An answer, or the status that the stream ends with.
  using Got = std::pair<grpc::Status, MessagePtr>;

  std::shared_ptr<ApiStream> Watch() {
    const auto* service = v1::Host::descriptor()->file()->service(0);
    const auto* method = service->FindMethodByName("WatchEvents");
    MessagePtr request = NewMessage(*method->input_type());
    dynamic_cast<v1::WatchEventsRequest&>(*request).set_after_serial(7);
    return api_->Stream(*method, std::move(request));
  }
  static Got Read(ApiStream& stream) {
    auto got = std::make_shared<std::promise<Got>>();
    stream.Read([got](const grpc::Status& status, MessagePtr answer) {
      got->set_value({status, std::move(answer)});
    });
    auto future = got->get_future();
    EXPECT_EQ(future.wait_for(kPatience), std::future_status::ready);
    return future.get();
  }
  static uint64_t SerialOf(const Got& got) {
    return got.second ? dynamic_cast<const v1::Event&>(*got.second).serial() : 0;
  }

  Events events_;
  std::unique_ptr<grpc::Server> server_ =
      grpc::ServerBuilder().RegisterService(&events_).BuildAndStart();
  std::unique_ptr<Api> api_ = MakeGrpcApi(server_->InProcessChannel({}));
};

TEST_F(StreamOverGrpc, GivesEveryAnswerAndThenTheEnd) {
  events_.count = 3;
  const auto stream = Watch();
  for (uint64_t serial = 8; serial <= 10; ++serial) EXPECT_EQ(SerialOf(Read(*stream)), serial);
  const Got end = Read(*stream);
  EXPECT_TRUE(end.first.ok());
  EXPECT_EQ(end.second, nullptr);
}

TEST_F(StreamOverGrpc, EndsWithTheErrorOfTheCall) {
  events_.count = 1;
  events_.end = {grpc::StatusCode::NOT_FOUND, "there is none"};
  const auto stream = Watch();
  EXPECT_EQ(SerialOf(Read(*stream)), 8u);
  EXPECT_EQ(Read(*stream).first.error_message(), "there is none");
}

TEST_F(StreamOverGrpc, ACancelledOneEndsAtTheServerToo) {
  events_.count = 1;
  events_.waits = true;
  const auto stream = Watch();
  EXPECT_EQ(SerialOf(Read(*stream)), 8u);
  stream->Cancel();
  EXPECT_EQ(events_.has_ended.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(Read(*stream).first.error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(StreamOverGrpc, WhoWaitsForAnAnswerIsToldOfTheCancellation) {
  events_.waits = true;
  const auto stream = Watch();
  auto got = std::make_shared<std::promise<grpc::Status>>();
  stream->Read([got](const grpc::Status& status, const MessagePtr&) { got->set_value(status); });
  stream->Cancel();
  auto future = got->get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(future.get().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace ec::gateway
