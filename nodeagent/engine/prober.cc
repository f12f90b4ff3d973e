#include "nodeagent/engine/prober.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <memory>

#include "common/engine_login.h"
#include "common/tcp_socket.h"
#include "common/unique_fd.h"
#include "common/unix_socket.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Outcome = host::EngineProbed::Outcome;

// An answer is a few kilobytes; more than this is not one.
constexpr size_t kReplyBytesMax = 64 << 10;

// The TLS of one conversation. The authority's certificate is the only one that it trusts.
class Tls {
 public:
  using Stream = asio::ssl::stream<asio::posix::stream_descriptor&>;

  // nullptr: that is no certificate.
  static std::unique_ptr<Tls> Over(asio::posix::stream_descriptor& socket,
                                   const std::string& authority, Ip4 address) {
    auto tls = std::unique_ptr<Tls>(new Tls);
    error_code error;
    tls->context_.add_certificate_authority(asio::buffer(authority), error);
    if (error) return nullptr;
    tls->stream_ = std::make_unique<Stream>(socket, tls->context_);
    tls->stream_->set_verify_mode(asio::ssl::verify_peer);
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(tls->stream_->native_handle());
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, ToString(address).c_str()) != 1) return nullptr;
    return tls;
  }

  Stream& stream() { return *stream_; }

 private:
  Tls() = default;
  asio::ssl::context context_{asio::ssl::context::tls_client};
  std::unique_ptr<Stream> stream_;
};

// One question and its answer.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(asio::io_context& io, EngineKind engine, UniqueFd socket, const EngineLogin& login,
               Prober::Done done)
      : engine_(engine),
        greetings_(login.greetings()),
        request_(login.Greeting() + std::string(ProbeRequest(engine))),
        socket_(io, socket.release()),
        timer_(io),
        done_(std::move(done)) {}

  // False: it cannot be done.
  bool Encrypt(const std::string& authority, Ip4 address) {
    tls_ = Tls::Over(socket_, authority, address);
    return tls_ != nullptr;
  }

  void Begin(Duration deadline) {
    timer_.expires_after(deadline);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->OnDeadline();
    });
    // A TCP connection that is still being made can be written to as soon as it stands.
    socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                       [self = shared_from_this()](error_code error) {
                         if (error) return self->Finish(Outcome::kRefused);
                         self->Greet();
                       });
  }

 private:
  void Greet() {
    if (tls_ == nullptr) return Ask();
    tls_->stream().async_handshake(asio::ssl::stream_base::client,
                                   [self = shared_from_this()](error_code error) {
                                     if (error) return self->Finish(Outcome::kRefused);
                                     self->Ask();
                                   });
  }

  void Ask() {
    auto then = [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Finish(Outcome::kRefused);
      self->Listen();
    };
    const auto bytes = asio::buffer(request_);
    if (tls_ == nullptr) {
      asio::async_write(socket_, bytes, std::move(then));
    } else {
      asio::async_write(tls_->stream(), bytes, std::move(then));
    }
  }

  void Listen() {
    auto then = [self = shared_from_this()](error_code error, size_t got) {
      if (error) return self->Finish(Outcome::kRefused);
      if (self->Hear(got)) return;
      self->Listen();
    };
    if (tls_ == nullptr) {
      socket_.async_read_some(asio::buffer(buffer_), std::move(then));
    } else {
      tls_->stream().async_read_some(asio::buffer(buffer_), std::move(then));
    }
  }

  // Takes what was read in; true when the conversation is over.
  bool Hear(size_t got) {
    received_.append(buffer_.data(), got);
    std::string_view rest = received_;
    if (greetings_ > 0 && !TakeRedisReply(&rest)) return false;
    if (const auto reply = ParseProbeReply(engine_, rest)) {
      version_ = reply->version;
      Finish(reply->loading ? Outcome::kLoading : Outcome::kAnswered);
      return true;
    }
    if (received_.size() <= kReplyBytesMax) return false;
    Finish(Outcome::kRefused);
    return true;
  }

  // The engine is not to blame when it was we who did not look: an answer that lies there counts.
  void OnDeadline() {
    ssize_t got = 0;
    if (tls_ == nullptr) {
      got = recv(socket_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    }
    if (got > 0 && Hear(static_cast<size_t>(got))) return;
    Finish(Outcome::kMissed);
  }

  void Finish(Outcome outcome) {
    if (!done_) return;
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    const Prober::Done done = std::exchange(done_, nullptr);
    done({outcome, version_});
  }

  const EngineKind engine_;
  const size_t greetings_;
  const std::string request_;
  asio::posix::stream_descriptor socket_;
  std::unique_ptr<Tls> tls_;  // null: it is plain
  asio::steady_timer timer_;
  Prober::Done done_;
  std::array<char, 4096> buffer_;
  std::string received_;
  std::string version_;
};

// Nothing is said, and that is known at once, or when the time for an answer is over.
void Decline(asio::io_context& io, Duration wait, Outcome outcome, Prober::Done done) {
  const auto timer = std::make_shared<asio::steady_timer>(io, wait);
  timer->async_wait([timer, outcome, done = std::move(done)](error_code) { done({outcome, ""}); });
}

// `authority`: see ProbeEndpoint().
void Converse(asio::io_context& io, EngineKind engine, UniqueFd socket, const EngineLogin& login,
              Duration deadline, const std::string& authority, Ip4 address, Prober::Done done) {
  if (!socket) {
    // A full backlog belongs to an engine that does not accept: that is no answer, but it is not
    // known before the time for one is over.
    const bool is_full = errno == EAGAIN;
    return Decline(io, is_full ? deadline : Duration(0),
                   is_full ? Outcome::kMissed : Outcome::kRefused, std::move(done));
  }
  const auto conversation =
      std::make_shared<Conversation>(io, engine, std::move(socket), login, done);
  if (!authority.empty() && !conversation->Encrypt(authority, address)) {
    return Decline(io, Duration(0), Outcome::kRefused, std::move(done));
  }
  conversation->Begin(deadline);
}

}  // namespace

void Prober::ProbeEngine(EngineKind engine, const std::string& socket_path, Duration deadline,
                         Done done) {
  const EngineLogin login = SpeaksRedis(engine) ? LoginBeside(socket_path) : EngineLogin{};
  Converse(io_, engine, ConnectUnix(socket_path), login, deadline, "", {}, std::move(done));
}

void Prober::ProbeEndpoint(EngineKind engine, const Address& address, const std::string& authority,
                           Duration deadline, Done done) {
  // It does not log in: an endpoint works when its engine answers, whatever it makes of clients.
  Converse(io_, engine, ConnectTcp(address, address.ip), EngineLogin{}, deadline, authority,
           address.ip, std::move(done));
}

}  // namespace ec::engine
