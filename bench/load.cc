#include "bench/load.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/run.h"
#include "common/unique_fd.h"
#include "tests/integration/installation.h"

namespace ec::bench {
namespace {

constexpr int kPatienceMs = 10'000;

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error("load: " + what); }

// A connection that sends the same bytes again and again and expects the same number back.
struct Connection {
  UniqueFd fd;
  size_t sent = 0;      // of the request under way
  size_t received = 0;  // of the answer under way
};

UniqueFd BeginConnect(const Target& target) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) Fail("no socket");
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(target.port);
  if (inet_pton(AF_INET, target.ip.c_str(), &name.sin_addr) != 1) Fail("no address " + target.ip);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) != 0 &&
      errno != EINPROGRESS) {
    Fail(fmt::format("cannot connect to {}:{}: {}", target.ip, target.port, std::strerror(errno)));
  }
  return fd;
}

// Sends requests, takes answers, and counts them, on all connections.
class Load {
 public:
  // `reopen`: every exchange has a connection of its own.
  Load(Target target, std::string request, size_t answer_bytes, std::string answer_begins,
       bool reopen)
      : target_(std::move(target)),
        request_(std::move(request)),
        answer_bytes_(answer_bytes),
        answer_begins_(std::move(answer_begins)),
        reopen_(reopen),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  // Exchanges per second.
  double Run(int connections, int64_t exchanges) {
    connections_.resize(static_cast<size_t>(std::min<int64_t>(connections, exchanges)));
    left_to_begin_ = exchanges;
    left_to_end_ = exchanges;
    if (!reopen_) {  // the connections are there before the clock starts
      for (Connection& connection : connections_) Open(connection);
    }
    const Stopwatch watch;
    for (Connection& connection : connections_) Begin(connection);
    while (left_to_end_ > 0) Turn();
    return static_cast<double>(exchanges) / watch.seconds();
  }

 private:
  void Open(Connection& connection) {
    connection.fd = BeginConnect(target_);
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &connection;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event);
  }

  // Begins an exchange if there is one left.
  void Begin(Connection& connection) {
    if (left_to_begin_ == 0) return;
    --left_to_begin_;
    connection.sent = 0;
    connection.received = 0;
    if (reopen_) {
      Open(connection);
    } else {
      Send(connection);
    }
  }

  void Turn() {
    epoll_event events[64];
    const int ready = epoll_wait(epoll_.get(), events, std::size(events), kPatienceMs);
    if (ready == 0) Fail(fmt::format("{}:{} stands still", target_.ip, target_.port));
    for (int i = 0; i < ready; ++i) {
      auto& connection = *static_cast<Connection*>(events[i].data.ptr);
      if ((events[i].events & EPOLLOUT) != 0) Send(connection);
      if ((events[i].events & ~EPOLLOUT) != 0) Receive(connection);
    }
  }

  void Send(Connection& connection) {
    while (connection.sent < request_.size()) {
      const ssize_t sent = send(connection.fd.get(), request_.data() + connection.sent,
                                request_.size() - connection.sent, MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS)) return;
      if (sent < 0) Fail(std::string("cannot send: ") + std::strerror(errno));
      connection.sent += static_cast<size_t>(sent);
    }
  }

  void Receive(Connection& connection) {
    for (;;) {
      const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) Fail(fmt::format("{}:{} ended a connection", target_.ip, target_.port));
      const std::string_view bytes(buffer_.data(), static_cast<size_t>(got));
      if (connection.received == 0 && !bytes.starts_with(answer_begins_.substr(0, bytes.size()))) {
        Fail("a wrong answer: " + std::string(bytes.substr(0, 60)));
      }
      connection.received += bytes.size();
      if (connection.received > answer_bytes_) Fail("an answer that is too long");
      if (connection.received < answer_bytes_) continue;
      --left_to_end_;
      if (reopen_) connection.fd = UniqueFd();
      Begin(connection);
      return;  // edge-triggered: what comes next is a new edge
    }
  }

  const Target target_;
  const std::string request_;
  const size_t answer_bytes_;
  const std::string answer_begins_;
  const bool reopen_;
  const UniqueFd epoll_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_ = std::vector<char>(1 << 18);
  int64_t left_to_begin_ = 0;
  int64_t left_to_end_ = 0;
};

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

bool Accepts(const Target& target) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(target.port);
  inet_pton(AF_INET, target.ip.c_str(), &name.sin_addr);
  return connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0;
}

}  // namespace

double RunMemcachedLoad(const MemcachedLoad& load) {
  CheckInterrupted();
  const std::string value(static_cast<size_t>(load.value_bytes), 'v');
  const std::string set = fmt::format("set key 0 0 {}\r\n{}\r\n", value.size(), value);
  const std::string get = "get key\r\n";
  const std::string stored = "STORED\r\n";
  const std::string found = fmt::format("VALUE key 0 {}\r\n{}\r\nEND\r\n", value.size(), value);
  const std::string& answer = load.set ? stored : found;
  Load run(load.target, Repeat(load.set ? set : get, load.pipeline),
           answer.size() * static_cast<size_t>(load.pipeline), answer, false);
  const int64_t exchanges = std::max<int64_t>(load.commands / load.pipeline, 1);
  return run.Run(load.connections, exchanges) * load.pipeline;
}

double RunConnections(const Target& target, int connections, int at_once) {
  CheckInterrupted();
  return Load(target, "PING\r\n", 7, "+PONG\r\n", true).Run(at_once, connections);
}

void AwaitAccept(const Target& target, const std::string& what) {
  if (!integration::WaitUntil([&] { return Accepts(target); })) {
    throw std::runtime_error(what + " did not start");
  }
}

}  // namespace ec::bench
