#include "controlplane/gateway/http_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "controlplane/gateway/http_message.h"

namespace ec::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kThreads = 2;
constexpr int kBacklog = 4096;

// One connection. Every handler runs on its strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Gateway& gateway, const HttpLimits& limits, std::atomic<int>& open)
      : stream_(std::move(socket)), gateway_(gateway), limits_(limits), open_(open) {
    ++open_;
  }
  ~Session() { --open_; }

  void Start() {
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->ReadHeader(); });
  }

 private:
  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(limits_.header_bytes_max);
    parser_->body_limit(limits_.body_bytes_max);
    stream_.expires_after(limits_.idle);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) {
                              if (error) return self->Refuse(error);
                              self->ReadBody();
                            });
  }

  void ReadBody() {
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      continue_.emplace(http::status::continue_, parser_->get().version());
      http::async_write(stream_, *continue_, [self = shared_from_this()](error_code error, size_t) {
        if (!error) self->ReadRest();
      });
    } else {
      ReadRest();
    }
  }

  void ReadRest() {
    stream_.expires_after(limits_.body);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->Refuse(error);
                       self->Serve();
                     });
  }

  void Serve() {
    stream_.expires_never();  // the API has a time limit of its own
    keep_alive_ = parser_->get().keep_alive();
    version_ = parser_->get().version();
    const HttpRequest request = ToRequest(parser_->release());
    gateway_.Serve(request, [self = shared_from_this()](HttpAnswer answer) {
      asio::dispatch(self->stream_.get_executor(), [self, answer = std::move(answer)]() mutable {
        self->Write(std::move(answer));
      });
    });
  }

  // What cannot be read is answered, where it makes sense, and then the connection ends.
  void Refuse(error_code error) {
    keep_alive_ = false;
    is_refused_ = true;
    if (error == http::error::header_limit) {
      return Write(Gateway::Unreadable(431, "The headers of the request are too large."));
    }
    if (error == http::error::body_limit) {
      return Write(Gateway::Unreadable(413, "The request is too large."));
    }
    if (error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Write(Gateway::Unreadable(400, "This is not HTTP: " + error.message()));
    }
    Close();
  }

  void Write(HttpAnswer answer) {
    if (answer.pieces) keep_alive_ = false;
    response_.emplace(static_cast<http::status>(answer.status), version_);
    response_->set(http::field::server, "emucache");
    response_->set(http::field::content_type, answer.content_type);
    if (!answer.request_id.empty()) response_->set("x-amzn-RequestId", answer.request_id);
    response_->keep_alive(keep_alive_);
    if (answer.pieces) return WritePieces(std::move(answer.pieces));
    response_->body() = std::move(answer.body);
    response_->prepare_payload();
    stream_.expires_after(limits_.write);
    http::async_write(stream_, *response_, [self = shared_from_this()](error_code error, size_t) {
      if (error || !self->keep_alive_) return self->Close();
      self->ReadHeader();
    });
  }

  void WritePieces(std::shared_ptr<Pieces> pieces) {
    pieces_ = std::move(pieces);
    response_->chunked(version_ >= 11);  // before that, the connection's end is the body's
    serializer_.emplace(*response_);
    stream_.expires_after(limits_.write);
    http::async_write_header(stream_, *serializer_,
                             [self = shared_from_this()](error_code error, size_t) {
                               self->WatchClient();
                               self->AfterPiece(error);
                             });
  }

  void AfterPiece(error_code error) {
    if (error) return EndPieces();
    stream_.expires_never();
    pieces_->Next([self = shared_from_this()](std::optional<std::string> piece) {
      asio::dispatch(self->stream_.get_executor(), [self, piece = std::move(piece)]() mutable {
        self->WritePiece(std::move(piece));
      });
    });
  }

  void WritePiece(std::optional<std::string> piece) {
    stream_.expires_after(limits_.write);
    const bool is_last = !piece;
    piece_ = std::move(piece).value_or("");
    const auto written = [self = shared_from_this(), is_last](error_code error, size_t) {
      if (is_last) return self->EndPieces();
      self->AfterPiece(error);
    };
    if (version_ < 11) return asio::async_write(stream_, asio::buffer(piece_), written);
    if (is_last) return asio::async_write(stream_, http::make_chunk_last(), written);
    asio::async_write(stream_, http::make_chunk(asio::buffer(piece_)), written);
  }

  // Nothing may be written for hours, so that nothing else would notice that the client has gone.
  void WatchClient() {
    stream_.socket().async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code) {
      char next = 0;
      const int socket = self->stream_.socket().native_handle();
      const bool says_something = recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
      if (!says_something) self->EndPieces();
    });
  }

  void EndPieces() {
    pieces_->Cancel();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  }

  void Close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (!is_refused_) return;
    stream_.expires_after(limits_.drain);
    Drain();
  }

  // A socket that is closed with bytes left unread resets the connection, and a reset that
  // overtakes the answer has the client lose it.
  void Drain() {
    rest_.resize(64 << 10);
    stream_.async_read_some(asio::buffer(rest_),
                            [self = shared_from_this()](error_code error, size_t got) {
                              self->drained_ += got;
                              if (error || self->drained_ > self->limits_.drained_bytes_max) return;
                              self->Drain();
                            });
  }

  beast::tcp_stream stream_;
  Gateway& gateway_;
  const HttpLimits& limits_;
  std::atomic<int>& open_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::empty_body>> continue_;
  std::optional<http::response<http::string_body>> response_;
  std::shared_ptr<Pieces> pieces_;
  std::optional<http::response_serializer<http::string_body>>
      serializer_;  // of what is before them
  std::string piece_;
  bool keep_alive_ = false;
  bool is_refused_ = false;  // and may still be sending
  std::vector<char> rest_;   // of what it sends then
  uint64_t drained_ = 0;
  unsigned version_ = 11;
};

class BeastServer : public HttpServer {
 public:
  explicit BeastServer(HttpLimits limits)
      : limits_(limits), acceptor_(asio::make_strand(io_)), pause_(io_) {}
  ~BeastServer() override { Stop(); }

  Status Open(const std::string& address, uint16_t port) {
    error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (!error) acceptor_.open(ip.is_v6() ? tcp::v6() : tcp::v4(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind({ip, port}, error);
    if (!error && ip.is_loopback()) DoNotPace();
    if (!error) acceptor_.listen(kBacklog, error);
    if (!error) return {};
    return {Fault::kUnavailable,
            fmt::format("Cannot listen on {}:{}: {}.", address, port, error.message())};
  }

  uint16_t port() const override {
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  void Start(GatewaySettings settings, std::unique_ptr<Api> api, const Clock& clock) override {
    api_ = std::move(api);
    gateway_.emplace(std::move(settings), *api_, io_, clock);
    work_.emplace(io_.get_executor());
    Accept();
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  void Stop() override {
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
    });
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    api_.reset();  // waits for its last answers, for which nobody waits any more
  }

 private:
  // Within a machine there is no path to spare, and BBR, which is some machines' default, spaces a
  // page of 100 clusters out over milliseconds. Where CUBIC is not allowed, it stays as it is.
  void DoNotPace() {
    constexpr std::string_view kCubic = "cubic";
    setsockopt(acceptor_.native_handle(), IPPROTO_TCP, TCP_CONGESTION, kCubic.data(),
               kCubic.size());
  }

  void Accept() {
    acceptor_.async_accept(asio::make_strand(io_), [this](error_code error, tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (error) return AcceptLater();  // no more descriptors, for now
      // One too many is closed at once: it finds room when others are done.
      if (open_ < limits_.connections_max) {
        std::make_shared<Session>(std::move(socket), *gateway_, limits_, open_)->Start();
      }
      Accept();
    });
  }

  void AcceptLater() {
    pause_.expires_after(std::chrono::milliseconds(50));
    pause_.async_wait(
        [this](error_code) { asio::post(acceptor_.get_executor(), [this] { Accept(); }); });
  }

  const HttpLimits limits_;
  std::atomic<int> open_{0};
  std::unique_ptr<Api> api_;
  std::optional<Gateway> gateway_;
  asio::io_context io_{kThreads};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(const std::string& address, uint16_t port,
                                                       HttpLimits limits) {
  auto server = std::make_unique<BeastServer>(limits);
  if (Status opened = server->Open(address, port); !opened.ok()) return opened;
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace ec::gateway
