#include "nodeagent/endpoint/client_kill.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "common/clock.h"
#include "common/engine_login.h"
#include "common/unique_fd.h"
#include "common/unix_socket.h"

namespace ec::endpoint {
namespace {

constexpr int kRetryMilliseconds = 5;

// The conversation with one engine.
struct Talk {
  const ClientKill* kill;
  ClientsKilled* result;
  UniqueFd socket;       // empty: nothing was said yet
  size_t greetings = 0;  // replies that come before the one that counts
  std::string reply;
  bool over = false;
};

void End(Talk* talk, uint64_t count) {
  *talk->result = {.done = true, .count = count};
  talk->over = true;
}

// A dead engine has no connections. One whose backlog is full, because it hangs, is asked again.
void Begin(Talk* talk) {
  talk->socket = ConnectUnix(talk->kill->engine_socket);
  if (!talk->socket) {
    if (errno != EAGAIN) End(talk, 0);
    return;
  }
  const EngineLogin login = LoginBeside(talk->kill->engine_socket);
  talk->greetings = login.greetings();
  const std::string command =
      login.Greeting() + "CLIENT KILL LADDR " + ToString(talk->kill->address) + "\r\n";
  send(talk->socket.get(), command.data(), command.size(), MSG_NOSIGNAL);
}

void Listen(Talk* talk) {
  char bytes[256];
  const ssize_t length = recv(talk->socket.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {  // it has died meanwhile
    End(talk, 0);
    return;
  }
  talk->reply.append(bytes, static_cast<size_t>(length));
  while (talk->greetings > 0) {
    const size_t end = talk->reply.find('\n');
    if (end == std::string::npos) return;
    talk->reply.erase(0, end + 1);
    --talk->greetings;
  }
  if (!talk->reply.ends_with("\n")) return;
  if (talk->reply.starts_with(':')) {
    End(talk, std::strtoull(talk->reply.c_str() + 1, nullptr, 10));
  } else {  // such as BUSY, in the middle of a script
    talk->reply.clear();
    talk->socket.reset();
  }
}

}  // namespace

std::vector<ClientsKilled> KillClients(const std::vector<ClientKill>& kills, Duration deadline) {
  std::vector<ClientsKilled> results(kills.size());
  std::vector<Talk> talks;
  for (size_t i = 0; i < kills.size(); ++i) talks.push_back({&kills[i], &results[i], {}, 0, {}});
  const SystemClock clock;
  const Instant end = clock.now().instant + deadline;
  while (true) {
    std::vector<pollfd> replies;
    for (Talk& talk : talks) {
      if (talk.over) continue;
      if (!talk.socket) Begin(&talk);
      if (talk.socket) replies.push_back({.fd = talk.socket.get(), .events = POLLIN, .revents = 0});
    }
    if (std::ranges::all_of(talks, &Talk::over) || clock.now().instant >= end) return results;
    poll(replies.data(), replies.size(), kRetryMilliseconds);
    for (Talk& talk : talks) {
      if (!talk.over && talk.socket) Listen(&talk);
    }
  }
}

}  // namespace ec::endpoint
