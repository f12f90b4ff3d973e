#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "common/clock.h"
#include "common/engine_login.h"
#include "common/log.h"
#include "common/unix_socket.h"
#include "nodeagent/engine/engine_host.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {
namespace {

struct Stopping {
  MemberDirectory directory;
  host::Found found;
  ProcessId id;
  UniqueFd pidfd;
  UniqueFd socket;  // to a Redis that was asked to save and go
  size_t greetings = 0;
  std::string heard{};
};

// A Redis that cannot save answers with an error and goes on; one that can just goes.
void AskToSave(Stopping* one) {
  const EngineLogin login = LoginBeside(one->directory.socket_path());
  const std::string request = login.Greeting() + login.Name("SHUTDOWN") + " SAVE\r\n";
  one->greetings = login.greetings();
  one->socket = ConnectUnix(one->directory.socket_path());
  if (one->socket && send(one->socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    one->socket.reset();
  }
}

bool HasRefused(Stopping* one) {
  char bytes[256];
  const ssize_t got = one->socket ? recv(one->socket.get(), bytes, sizeof(bytes), MSG_DONTWAIT) : 0;
  if (got > 0) one->heard.append(bytes, static_cast<size_t>(got));
  std::string_view rest = one->heard;
  if (one->greetings > 0 && !TakeRedisReply(&rest)) return false;
  return rest.starts_with('-');
}

bool HasEnded(const UniqueFd& pidfd, int timeout_ms) {
  pollfd ready{pidfd.get(), POLLIN, 0};
  return poll(&ready, 1, timeout_ms) == 1;
}

std::vector<Stopping> FindRunning(const std::string& members) {
  std::vector<Stopping> running;
  for (const MemberId id : ListMembers(members)) {
    MemberDirectory directory(members, id);
    const auto process = directory.FindEngine();
    const auto found = directory.Look();
    if (!process || !found) continue;
    UniqueFd pidfd = OpenProcess(*process);
    if (!pidfd) continue;
    running.push_back({std::move(directory), *found, *process, std::move(pidfd), UniqueFd()});
  }
  return running;
}

// Waits for one engine to end, and notes that what it held is kept; else says why not.
std::string AwaitEnd(Stopping& one, bool discard, const Clock& clock, Instant deadline) {
  constexpr int kLookEveryMs = 5;
  while (!HasEnded(one.pidfd, kLookEveryMs)) {
    if (HasRefused(&one)) return "it could not save its data";
    if (clock.now().instant >= deadline) return "it did not end in time";
  }
  return discard ? "" : one.directory.MarkKept().message();
}

}  // namespace

Status StopEngines(const std::string& members, bool discard, Duration timeout) {
  const SystemClock clock;
  const Instant deadline = clock.now().instant + timeout;
  std::vector<Stopping> running = FindRunning(members);
  for (Stopping& one : running) {
    const bool saves = SpeaksRedis(one.found.engine) && !discard;
    if (saves) AskToSave(&one);
    if (!saves) SendSignal(one.pidfd, SIGKILL);  // nothing of it is kept, so nothing is waited for
  }
  std::string left;
  for (Stopping& one : running) {
    const std::string why = AwaitEnd(one, discard, clock, deadline);
    if (why.empty()) {
      LogInfo("engine stopped", {{"member", one.found.id}, {"pid", one.id.pid}});
      continue;
    }
    if (!left.empty()) left += ", ";
    left += fmt::format("member {} (pid {}): {}", one.found.id, one.id.pid, why);
  }
  if (left.empty()) return {};
  return {Fault::kUnavailable, "These engines were not stopped in order: " + left + "."};
}

}  // namespace ec::engine
