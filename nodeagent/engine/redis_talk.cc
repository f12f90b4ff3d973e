#include "nodeagent/engine/redis_talk.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/clock.h"
#include "common/unix_socket.h"

namespace ec::engine {
namespace {

Status Unavailable(std::string message) { return {Fault::kUnavailable, std::move(message)}; }

}  // namespace

Result<RedisReply> RedisTalk::Ask(std::string_view command, Duration timeout) {
  size_t greetings = 0;
  std::string line;
  if (!socket_) {
    login_ = LoginBeside(path_);
    socket_ = ConnectUnix(path_);
    line = login_.Greeting();
    greetings = login_.greetings();
  }
  if (!socket_) return Unavailable("the engine does not run");
  const size_t word = std::min(command.find(' '), command.size());
  line += login_.Name(command.substr(0, word));
  line += command.substr(word);
  line += "\r\n";
  if (send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    socket_.reset();
    return Unavailable("the engine has gone");
  }
  const SystemClock clock;
  const Instant deadline = clock.now().instant + timeout;
  std::string received;
  for (;;) {
    std::string_view rest = received;
    size_t skipped = 0;
    while (skipped < greetings && TakeRedisReply(&rest)) ++skipped;
    if (skipped == greetings) {
      if (auto reply = TakeRedisReply(&rest)) return *reply;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.now().instant);
    pollfd ready{socket_.get(), POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) == 0) {
      socket_.reset();
      return Unavailable("the engine does not answer");
    }
    char buffer[16384];
    const ssize_t got = recv(socket_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) {
      socket_.reset();
      return Unavailable("the engine has gone");
    }
    received.append(buffer, static_cast<size_t>(got));
  }
}

Result<std::map<std::string, std::string>> RedisTalk::Info(std::string_view section,
                                                           Duration timeout) {
  Result<RedisReply> reply = Ask("INFO " + std::string(section), timeout);
  if (!reply.ok()) return reply.status();
  if (reply->is_error) return Unavailable("the engine says: " + reply->text);
  return ParseInfo(reply->text);
}

std::map<std::string, std::string> ParseInfo(std::string_view text) {
  std::map<std::string, std::string> fields;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      fields.emplace(line.substr(0, colon), line.substr(colon + 1));
    }
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return fields;
}

}  // namespace ec::engine
