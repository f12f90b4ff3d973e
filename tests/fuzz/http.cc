// Whole requests, parsed as the port parses them, and answered over an API that knows nothing.
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <utility>

#include "common/check.h"
#include "common/clock.h"
#include "controlplane/gateway/gateway.h"
#include "controlplane/gateway/http_message.h"
#include "controlplane/gateway/http_server.h"
#include "tests/fuzz/targets.h"

namespace ec::fuzz {
namespace {

namespace http = boost::beast::http;

std::optional<gateway::HttpRequest> Parse(std::string_view bytes) {
  const gateway::HttpLimits limits;
  http::request_parser<http::string_body> parser;
  parser.header_limit(limits.header_bytes_max);
  parser.body_limit(limits.body_bytes_max);
  parser.eager(true);
  boost::system::error_code error;
  const size_t taken = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  EC_CHECK(taken <= bytes.size());
  if (!error && !parser.is_done()) parser.put_eof(error);
  if (error || !parser.is_done()) return std::nullopt;
  return gateway::ToRequest(parser.release());
}

class EmptyStream : public gateway::ApiStream {
 public:
  void Read(gateway::ApiDone done) override { done(grpc::Status(), nullptr); }
  void Cancel() override {}
};

// Knows nothing: every answer is empty, and so is every stream.
class EmptyApi : public gateway::Api {
 public:
  void Call(const google::protobuf::MethodDescriptor& method, gateway::MessagePtr,
            gateway::ApiDone done) override {
    done(grpc::Status(), gateway::NewMessage(*method.output_type()));
  }
  std::shared_ptr<gateway::ApiStream> Stream(const google::protobuf::MethodDescriptor&,
                                             gateway::MessagePtr) override {
    return std::make_shared<EmptyStream>();
  }
};

// A gateway that serves one request after the other: to be made takes longer than to answer.
class Port {
 public:
  explicit Port(gateway::GatewaySettings settings)
      : gateway_(std::move(settings), api_, io_, clock_) {}

  gateway::HttpAnswer Answer(const gateway::HttpRequest& request) {
    std::optional<gateway::HttpAnswer> answer;
    gateway_.Serve(request, [&](gateway::HttpAnswer given) { answer = std::move(given); });
    EC_CHECK(answer.has_value());  // nothing is on its way that would have to be awaited
    return *std::move(answer);
  }

 private:
  EmptyApi api_;
  boost::asio::io_context io_;
  SystemClock clock_;
  gateway::Gateway gateway_;
};

}  // namespace

void Http(std::string_view bytes) {
  const std::optional<gateway::HttpRequest> request = Parse(bytes);
  if (!request) return;
  static Port open({});
  static Port guarded({{"example.com"}, gateway::Credentials{{"AKID", "secret"}}});
  for (Port* port : {&open, &guarded}) {
    const gateway::HttpAnswer answer = port->Answer(*request);
    EC_CHECK(answer.status >= 200 && answer.status < 600);
    EC_CHECK(!answer.content_type.empty());
  }
}

}  // namespace ec::fuzz
