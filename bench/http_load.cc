#include "bench/http_load.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "bench/run.h"
#include "common/unique_fd.h"

namespace ec::bench {
namespace {

constexpr double kPatienceSeconds = 10;

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error("HTTP: " + what); }

struct Connection {
  UniqueFd fd;
  double due = 0;  // of the request under way, in seconds since the start
  std::string received;
  size_t answer_bytes = 0;  // of the answer under way; 0: its headers have not all come
  bool is_last = false;     // it says that the server closes the connection
};

UniqueFd Connect(const Target& target) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(target.port);
  if (inet_pton(AF_INET, target.ip.c_str(), &name.sin_addr) != 1) Fail("no address " + target.ip);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) != 0) {
    Fail(fmt::format("cannot connect to {}:{}: {}", target.ip, target.port, std::strerror(errno)));
  }
  return fd;
}

// How long the whole answer is, once its headers are there.
void ReadHead(Connection* connection) {
  constexpr std::string_view kLength = "content-length:";
  const std::string_view received = connection->received;
  const size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) return;
  if (!received.starts_with("HTTP/1.1 200 ")) {
    Fail("the answer was " + std::string(received.substr(0, 300)));
  }
  std::string headers(received.substr(0, end));
  std::ranges::transform(headers, headers.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  size_t at = headers.find(kLength);
  if (at == std::string::npos) Fail("an answer without a length");
  at = headers.find_first_not_of(' ', at + kLength.size());
  size_t length = 0;
  std::from_chars(headers.data() + at, headers.data() + headers.size(), length);
  connection->answer_bytes = end + 4 + length;
  connection->is_last = headers.find("connection: close") != std::string::npos;
}

class Load {
 public:
  explicit Load(const HttpLoad& load) : load_(load), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  HttpTimes Run() {
    connections_.resize(static_cast<size_t>(load_.connections));
    for (Connection& connection : connections_) {
      Open(&connection);
      free_.push_back(&connection);
    }
    times_.milliseconds.reserve(static_cast<size_t>(load_.count));
    watch_.Restart();
    while (static_cast<int64_t>(times_.milliseconds.size()) < load_.count) {
      SendDue();
      Turn();
    }
    times_.seconds = watch_.seconds();
    return std::move(times_);
  }

  const std::string& last_answer() const { return last_answer_; }

 private:
  void Open(Connection* connection) {
    connection->fd = Connect(load_.target);
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.ptr = connection;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->fd.get(), &event);
  }

  double DueAt(int64_t number) const { return static_cast<double>(number) / load_.per_second; }

  void SendDue() {
    while (sent_ < load_.count && !free_.empty()) {
      const double now = watch_.seconds();
      if (load_.per_second > 0 && DueAt(sent_) > now) return;
      Connection& connection = *free_.back();
      free_.pop_back();
      connection.due = load_.per_second > 0 ? DueAt(sent_) : now;
      const std::string& request =
          load_.requests[static_cast<size_t>(sent_) % load_.requests.size()];
      const ssize_t sent = send(connection.fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
      if (sent != static_cast<ssize_t>(request.size())) Fail("cannot send");
      ++sent_;
    }
  }

  // Waits for answers, and until the next request is due at the most.
  void Turn() {
    CheckInterrupted();
    double wait = kPatienceSeconds;
    const bool may_send = load_.per_second > 0 && sent_ < load_.count && !free_.empty();
    // Not spent looking: on a small machine that would take a processor away from who answers.
    if (may_send) wait = std::max(0.0, DueAt(sent_) - watch_.seconds());
    const auto whole = static_cast<time_t>(wait);
    const timespec limit{whole, static_cast<long>((wait - static_cast<double>(whole)) * 1e9)};
    epoll_event events[64];
    const int ready = epoll_pwait2(epoll_.get(), events, std::size(events), &limit, nullptr);
    if (ready == 0 && !may_send) Fail("nothing moves");
    for (int i = 0; i < ready; ++i) Receive(*static_cast<Connection*>(events[i].data.ptr));
  }

  void Receive(Connection& connection) {
    const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (got <= 0) Fail("a connection ended");
    connection.received.append(buffer_.data(), static_cast<size_t>(got));
    if (connection.answer_bytes == 0) ReadHead(&connection);
    if (connection.answer_bytes == 0 || connection.received.size() < connection.answer_bytes) {
      return;
    }
    if (connection.received.size() > connection.answer_bytes) Fail("an answer that is too long");
    times_.milliseconds.push_back((watch_.seconds() - connection.due) * 1000);
    times_.bytes += connection.answer_bytes;
    last_answer_ = std::exchange(connection.received, {});
    connection.answer_bytes = 0;
    if (std::exchange(connection.is_last, false)) Open(&connection);
    free_.push_back(&connection);
  }

  const HttpLoad& load_;
  const UniqueFd epoll_;
  std::vector<Connection> connections_;
  std::vector<Connection*> free_;
  std::vector<char> buffer_ = std::vector<char>(1 << 18);
  int64_t sent_ = 0;
  HttpTimes times_;
  std::string last_answer_;
  Stopwatch watch_;
};

}  // namespace

HttpTimes RunHttpLoad(const HttpLoad& load) { return Load(load).Run(); }

std::string AskHttp(const Target& target, const std::string& request) {
  const HttpLoad load{.target = target, .requests = {request}, .connections = 1, .count = 1};
  Load once(load);
  once.Run();
  return once.last_answer().substr(once.last_answer().find("\r\n\r\n") + 4);
}

std::string GetRequest(const std::string& path, const std::string& headers) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, headers);
}

}  // namespace ec::bench
