#include "nodeagent/endpoint/relay.h"

#include <pthread.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/check.h"
#include "common/unix_socket.h"

namespace ec::endpoint {
namespace {

constexpr Duration kRetryEvery = std::chrono::milliseconds(5);

}  // namespace

Relay::Relay(Duration hold_max, EnginePath engine_path)
    : hold_max_(hold_max),
      engine_path_(std::move(engine_path)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  EC_CHECK(epoll_);
  // The event without a Stream is the inbox's.
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  EC_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, inbox_.fd(), &event) == 0);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "relay");
}

Relay::~Relay() {
  inbox_.Post(StopCommand{});
  thread_.join();
}

void Relay::Carry(UniqueFd client, std::shared_ptr<Endpoint> endpoint) {
  ++open_;
  ++endpoint->tally().open;
  inbox_.Post(Arrival{std::move(client), std::move(endpoint)});
}

void Relay::Cut(std::vector<std::shared_ptr<Endpoint>> endpoints,
                std::shared_ptr<std::latch> done) {
  inbox_.Post(CutCommand{std::move(endpoints), std::move(done)});
}

void Relay::Run() {
  std::array<epoll_event, 256> events;
  while (!stopping_) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 WaitMilliseconds());
    EC_CHECK(count >= 0 || errno == EINTR);
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
    GiveTurns();
    RetryHeld();
    ForgetBuried();
  }
}

int Relay::WaitMilliseconds() {
  if (!in_turn_.empty()) return 0;
  if (held_.empty()) return -1;
  const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(next_retry_ - clock_.now().instant);
  return static_cast<int>(std::max<int64_t>(wait.count(), 0));
}

void Relay::ReadInbox() {
  for (Message& message : inbox_.TakeAll()) {
    if (auto* arrival = std::get_if<Arrival>(&message)) {
      Admit(std::move(*arrival));
    } else if (const auto* cut = std::get_if<CutCommand>(&message)) {
      CutAll(*cut);
    } else {
      stopping_ = true;
    }
  }
}

void Relay::Admit(Arrival arrival) {
  Connection& connection = connections_.emplace_back(std::move(arrival.endpoint));
  connection.place = std::prev(connections_.end());
  if (!connection.OpenClient(std::move(arrival.client), epoll_.get())) {
    Refuse(connection);
    return;
  }
  if (!FindEngine(connection)) {
    const Instant now = clock_.now().instant;
    if (held_.empty()) next_retry_ = now + kRetryEvery;
    connection.held_until = now + hold_max_;
    held_.push_back(&connection);
  }
}

// Nothing is pumped: the arrival of an engine is not news of the client, which epoll brings soon.
bool Relay::FindEngine(Connection& connection) {
  UniqueFd engine = ConnectUnix(engine_path_(connection.endpoint()->target()));
  if (!engine || !connection.OpenEngine(std::move(engine), epoll_.get())) return false;
  ++connection.endpoint()->tally().relayed;
  return true;
}

void Relay::CutAll(const CutCommand& command) {
  for (auto next = connections_.begin(); next != connections_.end();) {
    Connection& connection = *next++;
    if (std::ranges::find(command.endpoints, connection.endpoint()) == command.endpoints.end()) {
      continue;
    }
    ++connection.endpoint()->tally().cut;
    Bury(connection, true);
  }
  command.done->count_down();
}

void Relay::Pump(Connection& connection) {
  switch (connection.Pump(&bench_)) {
    case Connection::Progress::kWaits:
      break;
    case Connection::Progress::kGoesOn:
      if (!std::exchange(connection.in_turn, true)) in_turn_.push_back(&connection);
      break;
    case Connection::Progress::kEnded:
      if (connection.end() == Connection::End::kEngineDied) ++connection.endpoint()->tally().cut;
      Bury(connection, false);
      break;
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
  // An engine that is not there for one connection is not there for the others either.
  std::vector<MemberId> missing;
  for (Connection* connection : std::exchange(held_, {})) {
    if (connection->is_closed()) continue;
    const MemberId target = connection->endpoint()->target();
    const bool is_missing = std::ranges::find(missing, target) != missing.end();
    if (!is_missing && FindEngine(*connection)) {
      Pump(*connection);
    } else if (now >= connection->held_until) {
      Refuse(*connection);
    } else {
      if (!is_missing) missing.push_back(target);
      held_.push_back(connection);
    }
  }
}

void Relay::Refuse(Connection& connection) {
  ++connection.endpoint()->tally().refused;
  Bury(connection, true);
}

void Relay::Bury(Connection& connection, bool reset) {
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
