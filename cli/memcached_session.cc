#include "cli/memcached_session.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/instance_route.h"
#include "cli/text.h"

namespace ec::cli {
namespace {

constexpr size_t kChunk = 64 << 10;

// What has been typed and not been sent yet.
struct Outbox {
  std::string bytes;
  bool line_open = false;  // the last line has no end yet
  bool last_was_cr = false;
  std::string line;        // the last line, as far as it matters for knowing "quit"
  bool said_quit = false;  // a line was "quit": the node may close
  bool ends_in_quit = false;

  // Every line ends in \r\n on the wire, whichever of the two endings it came with.
  void Add(std::string_view typed) {
    for (const char c : typed) {
      if (c == '\n') {
        bytes += last_was_cr ? "\n" : "\r\n";
        ends_in_quit = line == "quit";
        said_quit = said_quit || ends_in_quit;
        line.clear();
        line_open = false;
      } else {
        bytes += c;
        line_open = true;
        if (c != '\r' && line.size() < 8) line += c;
      }
      last_was_cr = c == '\r';
    }
  }

  void End() {
    if (line_open) Add("\n");
    if (!ends_in_quit) Add("quit\n");
  }
};

// Prints what has arrived. False when the node has closed the connection; errno is 0 if orderly.
bool Receive(int socket) {
  char buffer[kChunk];
  const ssize_t count = recv(socket, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (count > 0) {
    std::fwrite(buffer, 1, static_cast<size_t>(count), stdout);
    std::fflush(stdout);
    return true;
  }
  if (count == 0) errno = 0;
  return count < 0 && (errno == EAGAIN || errno == EINTR);
}

// Sends what there is. False when the connection is broken; what the node has said before that is
// still to be read.
bool Send(int socket, std::string* bytes) {
  const ssize_t count = send(socket, bytes->data(), bytes->size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count > 0) bytes->erase(0, static_cast<size_t>(count));
  return count >= 0 || errno == EAGAIN || errno == EINTR;
}

}  // namespace

Outcome ConnectTo(const std::string& host, int port, std::optional<Ip4> source, Duration timeout,
                  UniqueFd* socket_out) {
  const std::string where = fmt::format("{}:{}", host, port);
  addrinfo hints = {};
  hints.ai_family = source ? AF_INET : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      error != 0) {
    return Unreachable(fmt::format("cannot resolve {}: {}", host, gai_strerror(error)));
  }
  int error = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    UniqueFd fd(socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    error = errno;
    if (!fd) continue;
    const SocketAddress from = ToSocketAddress({source.value_or(Ip4{}), 0});
    error = source && bind(fd.get(), from.get(), from.size) != 0 ? errno : 0;
    if (error != 0) continue;
    error = connect(fd.get(), one->ai_addr, one->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd poller{fd.get(), POLLOUT, 0};
      const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
      socklen_t size = sizeof(error);
      if (poll(&poller, 1, static_cast<int>(ms)) != 1) {
        error = ETIMEDOUT;
      } else if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
      }
    }
    if (error != 0) continue;
    *socket_out = std::move(fd);
    break;
  }
  freeaddrinfo(found);
  if (*socket_out) return {};
  return Unreachable(fmt::format("cannot connect to {}: {}", where, std::strerror(error)));
}

Outcome TalkMemcached(UniqueFd socket, int input_fd, Duration patience) {
  const auto patience_ms = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
  Outbox outbox;
  bool input_open = true;
  bool sending = true;
  while (true) {
    // Input is taken only as fast as it can be sent, so that a long pipe needs little memory.
    const bool wants_input = input_open && outbox.bytes.size() < kChunk;
    const bool wants_send = sending && !outbox.bytes.empty();
    pollfd pollers[] = {{socket.get(), static_cast<short>(POLLIN | (wants_send ? POLLOUT : 0)), 0},
                        {wants_input ? input_fd : -1, POLLIN, 0}};
    const int ready = poll(pollers, 2, input_open ? -1 : static_cast<int>(patience_ms));
    if (ready < 0 && errno != EINTR) return Refused(std::strerror(errno));
    if (ready == 0) {
      return TimedOut(fmt::format("no answer from the node for {}", FormatDuration(patience)));
    }
    if ((pollers[0].revents & ~POLLOUT) != 0 && !Receive(socket.get())) {
      if (outbox.said_quit) return {};
      return Refused(errno == 0 ? "the node has closed the connection"
                                : fmt::format("connection lost: {}", std::strerror(errno)));
    }
    if ((pollers[0].revents & POLLOUT) != 0) sending = Send(socket.get(), &outbox.bytes);
    if (wants_input && pollers[1].revents != 0) {
      char buffer[kChunk];
      const ssize_t count = read(input_fd, buffer, sizeof(buffer));
      if (count > 0) {
        outbox.Add({buffer, static_cast<size_t>(count)});
      } else if (count == 0 || errno != EINTR) {
        input_open = false;
        outbox.End();
      }
    }
  }
}

}  // namespace ec::cli
