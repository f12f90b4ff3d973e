#include "cli/forwarder.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/instance_route.h"

namespace ec::cli {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kChunk = 16 << 10;
constexpr auto kRetryAccept = std::chrono::milliseconds(50);

tcp::endpoint EndpointOf(Address address) {
  return {asio::ip::address_v4(address.ip.bits), address.port};
}

auto Into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

void Reset(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

// A socket that connects from `source`. The port is chosen with the destination: one serves many.
error_code OpenFrom(Ip4 source, tcp::socket& socket) {
  error_code error;
  socket.open(tcp::v4(), error);
  if (error) return error;
  const int on = 1;
  setsockopt(socket.native_handle(), SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  socket.bind(EndpointOf({source, 0}), error);
  return error;
}

}  // namespace

class Forwarder::Loop {
 public:
  Loop(ForwarderOptions options, std::function<void(const std::string&)> tell)
      : options_(options), tell_(std::move(tell)), io_(1), acceptor_(io_), room_(io_) {}

  error_code Listen(uint16_t port) {
    error_code error;
    acceptor_.open(tcp::v4(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind({asio::ip::address_v4::loopback(), port}, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    return error;
  }
  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void Run() {
    asio::co_spawn(io_, Accept(), asio::detached);
    io_.run();
  }

 private:
  using Task = asio::awaitable<void>;
  struct Pair;

  Task Accept();
  Task Carry(std::shared_ptr<Pair> pair);
  Task Dial(std::shared_ptr<Pair> pair, error_code* error);
  Task Pump(std::shared_ptr<Pair> pair, tcp::socket& from, tcp::socket& to);
  void Tell(const error_code& error);

  const ForwarderOptions options_;
  const std::function<void(const std::string&)> tell_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  asio::steady_timer room_;  // cancelled when a connection has ended
  size_t open_ = 0;
  std::string told_;
};

struct Forwarder::Loop::Pair {
  Pair(Loop& owner, tcp::socket accepted)
      : loop(owner), client(std::move(accepted)), server(owner.io_), timer(owner.io_) {
    ++loop.open_;
  }
  ~Pair() {
    --loop.open_;
    loop.room_.cancel();
  }

  Loop& loop;
  tcp::socket client;
  tcp::socket server;
  asio::steady_timer timer;
  bool connected = false;
};

Forwarder::Loop::Task Forwarder::Loop::Accept() {
  error_code error;
  while (true) {
    while (open_ >= options_.connections_max) {
      room_.expires_at(asio::steady_timer::time_point::max());
      co_await room_.async_wait(Into(error));
    }
    tcp::socket client(io_);
    co_await acceptor_.async_accept(client, Into(error));
    if (!error) {
      asio::co_spawn(io_, Carry(std::make_shared<Pair>(*this, std::move(client))), asio::detached);
      continue;
    }
    // Out of files, or the client has left already.
    room_.expires_after(kRetryAccept);
    co_await room_.async_wait(Into(error));
  }
}

Forwarder::Loop::Task Forwarder::Loop::Carry(std::shared_ptr<Pair> pair) {
  error_code error;
  co_await Dial(pair, &error);
  if (error) {
    Tell(error);
    Reset(pair->client);
    co_return;
  }
  told_.clear();
  pair->client.set_option(tcp::no_delay(true), error);
  pair->server.set_option(tcp::no_delay(true), error);
  asio::co_spawn(io_, Pump(pair, pair->client, pair->server), asio::detached);
  co_await Pump(pair, pair->server, pair->client);
}

Forwarder::Loop::Task Forwarder::Loop::Dial(std::shared_ptr<Pair> pair, error_code* error) {
  *error = OpenFrom(options_.source, pair->server);
  if (*error) co_return;
  pair->timer.expires_after(options_.patience);
  pair->timer.async_wait([pair](const error_code& cancelled) {
    error_code ignored;
    if (!cancelled && !pair->connected) pair->server.close(ignored);
  });
  co_await pair->server.async_connect(EndpointOf(options_.destination), Into(*error));
  pair->connected = !*error;
  pair->timer.cancel();
  if (*error == asio::error::operation_aborted) *error = asio::error::timed_out;
}

Forwarder::Loop::Task Forwarder::Loop::Pump(std::shared_ptr<Pair> pair, tcp::socket& from,
                                            tcp::socket& to) {
  std::array<char, kChunk> bytes;
  error_code error;
  while (true) {
    const size_t count = co_await from.async_read_some(asio::buffer(bytes), Into(error));
    if (error) break;
    co_await asio::async_write(to, asio::buffer(bytes.data(), count), Into(error));
    if (error) break;
  }
  if (error == asio::error::eof) {
    to.shutdown(tcp::socket::shutdown_send, error);
    co_return;
  }
  Reset(pair->client);
  Reset(pair->server);
}

void Forwarder::Loop::Tell(const error_code& error) {
  const std::string text =
      fmt::format("cannot connect to {} from {}: {}", ToString(options_.destination),
                  ToString(options_.source), std::strerror(error.value()));
  if (text == told_) return;
  told_ = text;
  tell_(text);
}

Forwarder::Forwarder(ForwarderOptions options, std::function<void(const std::string&)> tell)
    : loop_(std::make_unique<Loop>(options, std::move(tell))) {}

Forwarder::~Forwarder() = default;

int Forwarder::Listen(uint16_t port) { return loop_->Listen(port).value(); }

uint16_t Forwarder::port() const { return loop_->port(); }

void Forwarder::Run() { loop_->Run(); }

}  // namespace ec::cli
