#include "nodeagent/endpoint/relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

#include "common/check.h"
#include "common/tcp_socket.h"
#include "common/unix_socket.h"

namespace ec::endpoint {
namespace {

constexpr Duration kRetryEvery = std::chrono::milliseconds(5);
// An address that has not taken a connection by then is passed over.
constexpr Duration kConnectMax = std::chrono::milliseconds(200);

// Whether the connection stands; nullopt while that is open.
std::optional<bool> IsConnected(const UniqueFd& attempt) {
  pollfd poll_fd{.fd = attempt.get(), .events = POLLOUT, .revents = 0};
  if (poll(&poll_fd, 1, 0) <= 0) return std::nullopt;
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(attempt.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0;
}

}  // namespace

Relay::Relay(Duration hold_max, EnginePath engine_path, Passer* passer)
    : hold_max_(hold_max),
      engine_path_(std::move(engine_path)),
      passer_(passer),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  EC_CHECK(epoll_);
  // The event without a Stream is the inbox's.
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  EC_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, inbox_.fd(), &event) == 0);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "relay");
  // Not to run before those whose bytes have woken it: the more they write meanwhile, the fewer
  // pieces it has to copy. If the system refuses, it only takes more turns.
  const sched_param unused{};
  pthread_setschedparam(thread_.native_handle(), SCHED_BATCH, &unused);
}

Relay::~Relay() {
  inbox_.Post(StopCommand{});
  thread_.join();
}

void Relay::Carry(Client client, std::shared_ptr<Endpoint> endpoint) {
  ++open_;
  ++endpoint->tally().open;
  inbox_.Post(Arrival{std::move(client), std::move(endpoint)});
}

void Relay::Cut(std::vector<std::shared_ptr<Endpoint>> endpoints,
                std::shared_ptr<std::latch> done) {
  inbox_.Post(CutCommand{std::move(endpoints), std::move(done)});
}

void Relay::List(std::shared_ptr<Listing> listing) { inbox_.Post(std::move(listing)); }

void Relay::Run() {
  std::array<epoll_event, 256> events;
  while (!stopping_) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 WaitMilliseconds());
    EC_CHECK(count >= 0 || errno == EINTR);
    // First everything is received, then everything is sent. An engine, or a client, that is woken
    // by a piece finds the others beside it, instead of going to sleep before the next one.
    bench_.gathers = count > 1;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* const stream = static_cast<Stream*>(event.data.ptr);
      if (stream == nullptr) {
        ReadInbox();
      } else if (stream->is_open()) {
        stream->Note(event.events);
        Pump(*stream->connection());
      }
    }
    bench_.gathers = false;
    for (Connection* connection : gathered_) {
      if (!connection->is_closed()) Pump(*connection);
    }
    gathered_.clear();
    GiveTurns();
    RetryHeld();
    WakeDue();
    ForgetBuried();
  }
}

int Relay::WaitMilliseconds() {
  if (!in_turn_.empty()) return 0;
  Instant next = held_.empty() ? Instant::max() : next_retry_;
  if (!wakes_.empty()) next = std::min(next, wakes_.begin()->first);
  if (next == Instant::max()) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - clock_.now().instant);
  return static_cast<int>(std::max<int64_t>(wait.count(), 0));
}

void Relay::ReadInbox() {
  for (Message& message : inbox_.TakeAll()) {
    if (auto* arrival = std::get_if<Arrival>(&message)) {
      Admit(std::move(*arrival));
    } else if (const auto* cut = std::get_if<CutCommand>(&message)) {
      CutAll(*cut);
    } else if (const auto* listing = std::get_if<std::shared_ptr<Listing>>(&message)) {
      Enter(listing->get());
    } else {
      stopping_ = true;
    }
  }
}

void Relay::Admit(Arrival arrival) {
  Connection& connection = connections_.emplace_back(arrival.client.ip, arrival.client.in_netns,
                                                     std::move(arrival.endpoint));
  connection.place = std::prev(connections_.end());
  // The rules may have changed since it was judged, and all others have been cut.
  const bool admitted = connection.endpoint()->Admits(connection.client_ip());
  if (!connection.OpenClient(std::move(arrival.client.socket), epoll_.get()) || !admitted) {
    Refuse(connection);
    return;
  }
  if (connection.endpoint()->has_faults()) {
    const WireEffect effect = connection.endpoint()->EffectOn(connection.client_ip());
    connection.SetEffect(effect, clock_.now().instant);
  }
  Seek(connection);
}

void Relay::Seek(Connection& connection) {
  if (connection.is_in_blackhole() || connection.is_waiting || FindEngine(connection)) return;
  const Instant now = clock_.now().instant;
  if (held_.empty()) next_retry_ = now + kRetryEvery;
  connection.held_until = now + hold_max_;
  connection.is_waiting = true;
  held_.push_back(&connection);
}

// Nothing is pumped: the arrival of an engine is not news of the client, which epoll brings soon.
bool Relay::FindEngine(Connection& connection) {
  std::optional<Destination> failed;
  if (connection.attempt) {
    if (connection.endpoint()->Keeps(connection.client_ip(), connection.attempted)) {
      const auto connected = IsConnected(connection.attempt);
      if (!connected && clock_.now().instant < connection.attempt_until) return false;
      if (connected.value_or(false)) return TakeAttempt(connection);
    }
    connection.attempt.reset();
    failed = connection.attempted;
  }
  std::vector<Destination> destinations = connection.endpoint()->NextDestinations();
  // After one that has failed comes the next one of the list, whatever others have tried meanwhile.
  const auto last = std::ranges::find(destinations, failed);
  if (last != destinations.end()) {
    std::rotate(destinations.begin(), std::next(last), destinations.end());
  }
  for (const Destination& destination : destinations) {
    if (TryToReach(connection, destination)) return true;
    if (connection.attempt) return false;  // the others get their turn when this one fails
  }
  return false;
}

// An engine that speaks TLS does so where it takes clients' connections, so it is passed one, whose
// other end is ours. On its own socket it speaks plainly, to its agent alone.
UniqueFd Relay::Reach(const Endpoint& endpoint, MemberId target) {
  if (!endpoint.encrypted()) return ConnectUnix(engine_path_(target));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) return {};
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  if (passer_->Pass(target, theirs.get()) != Passer::Outcome::kPassed) ours.reset();
  return ours;
}

bool Relay::TryToReach(Connection& connection, const Destination& destination) {
  if (destination.target != 0) {
    UniqueFd engine = Reach(*connection.endpoint(), destination.target);
    if (!engine || !connection.OpenEngine(std::move(engine), epoll_.get())) return false;
    connection.destination = destination;
    ++connection.endpoint()->tally().relayed;
    return true;
  }
  connection.attempt = ConnectTcp(destination.address, connection.endpoint()->source());
  if (!connection.attempt) return false;
  connection.attempted = destination;
  connection.attempt_until = clock_.now().instant + kConnectMax;
  const auto connected = IsConnected(connection.attempt);  // on this machine it is known at once
  if (connected.value_or(false)) return TakeAttempt(connection);
  if (connected) connection.attempt.reset();
  return false;
}

bool Relay::TakeAttempt(Connection& connection) {
  if (!connection.OpenEngine(std::move(connection.attempt), epoll_.get())) return false;
  connection.destination = connection.attempted;
  ++connection.endpoint()->tally().relayed;
  return true;
}

void Relay::CutAll(const CutCommand& command) {
  for (auto next = connections_.begin(); next != connections_.end();) {
    Connection& connection = *next++;
    if (std::ranges::find(command.endpoints, connection.endpoint()) == command.endpoints.end()) {
      continue;
    }
    CutOrKeep(connection);
  }
  next_retry_ = clock_.now().instant;
  command.done->count_down();
}

void Relay::CutOrKeep(Connection& connection) {
  const Endpoint& endpoint = *connection.endpoint();
  const WireEffect effect = endpoint.EffectOn(connection.client_ip());
  const bool keeps =
      !connection.is_doomed() && endpoint.Keeps(connection.client_ip(), connection.destination);
  if (!keeps && effect.blackhole && connection.is_in_blackhole()) {
    connection.Doom();
  } else if (!keeps) {
    ++connection.endpoint()->tally().cut;
    Bury(connection, true);
  } else if (connection.SetEffect(effect, clock_.now().instant)) {
    if (connection.is_held()) Seek(connection);
    Pump(connection);
  }
}

void Relay::Enter(Listing* listing) const {
  {
    const std::lock_guard lock(listing->mutex);
    for (const Connection& connection : connections_) {
      if (!connection.endpoint()->has_faults()) continue;
      sockaddr_in peer{};
      socklen_t length = sizeof(peer);
      if (getpeername(connection.client().fd(), reinterpret_cast<sockaddr*>(&peer), &length) < 0) {
        continue;
      }
      listing->clients.insert({connection.endpoint()->address(),
                               {{ntohl(peer.sin_addr.s_addr)}, ntohs(peer.sin_port)}});
    }
  }
  listing->done.count_down();
}

void Relay::Pump(Connection& connection) {
  if (bench_.gathers) gathered_.push_back(&connection);
  switch (connection.Pump(&bench_)) {
    case Connection::Progress::kWaits:
      SetWake(connection, connection.NextWake());
      break;
    case Connection::Progress::kGoesOn:
      if (!std::exchange(connection.in_turn, true)) in_turn_.push_back(&connection);
      break;
    case Connection::Progress::kEnded: {
      const bool by_fault = connection.end() == Connection::End::kFault;
      if (by_fault || connection.end() == Connection::End::kEngineDied) {
        ++connection.endpoint()->tally().cut;
      }
      Bury(connection, by_fault);
      break;
    }
  }
}

void Relay::SetWake(Connection& connection, Instant wake) {
  if (connection.wake == wake) return;
  if (connection.wake != Instant::max()) wakes_.erase({connection.wake, &connection});
  connection.wake = wake;
  if (wake != Instant::max()) wakes_.emplace(wake, &connection);
}

void Relay::WakeDue() {
  if (wakes_.empty()) return;
  const Instant now = clock_.now().instant;
  while (!wakes_.empty() && wakes_.begin()->first <= now) {
    Connection& connection = *wakes_.begin()->second;
    SetWake(connection, Instant::max());
    Pump(connection);
  }
}

void Relay::GiveTurns() {
  for (Connection* connection : std::exchange(in_turn_, {})) {
    if (connection->is_closed()) continue;
    connection->in_turn = false;
    Pump(*connection);
  }
}

void Relay::RetryHeld() {
  if (held_.empty()) return;
  const Instant now = clock_.now().instant;
  if (now < next_retry_) return;
  next_retry_ = now + kRetryEvery;
  // An engine that is not there for one connection is not there for the others of that endpoint.
  std::vector<const Endpoint*> missing;
  for (Connection* connection : std::exchange(held_, {})) {
    if (connection->is_closed()) continue;
    connection->is_waiting = false;
    if (connection->is_in_blackhole()) continue;  // it waits for the end of that
    const Endpoint* const endpoint = connection->endpoint().get();
    const bool is_missing =
        !connection->attempt && std::ranges::find(missing, endpoint) != missing.end();
    if (!is_missing && FindEngine(*connection)) {
      Pump(*connection);
    } else if (now >= connection->held_until) {
      Refuse(*connection);
    } else {
      if (!is_missing && !connection->attempt) missing.push_back(endpoint);
      connection->is_waiting = true;
      held_.push_back(connection);
    }
  }
}

void Relay::Refuse(Connection& connection) {
  ++connection.endpoint()->tally().refused;
  Bury(connection, true);
}

void Relay::Bury(Connection& connection, bool reset) {
  SetWake(connection, Instant::max());
  connection.Close(reset);
  --connection.endpoint()->tally().open;
  --open_;
  buried_.splice(buried_.end(), connections_, connection.place);
}

void Relay::ForgetBuried() {
  if (buried_.empty()) return;
  std::erase_if(held_, [](const Connection* connection) { return connection->is_closed(); });
  std::erase_if(in_turn_, [](const Connection* connection) { return connection->is_closed(); });
  buried_.clear();
}

}  // namespace ec::endpoint
