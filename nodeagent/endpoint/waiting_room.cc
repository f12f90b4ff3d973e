#include "nodeagent/endpoint/waiting_room.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string_view>
#include <utility>

#include "common/check.h"
#include "common/unix_socket.h"
#include "nodeagent/endpoint/first_bytes.h"
#include "nodeagent/endpoint/stream.h"

namespace ec::endpoint {
namespace {

constexpr Duration kRetryEvery = std::chrono::milliseconds(5);

}  // namespace

WaitingRoom::WaitingRoom(Duration hold_max, Passer* passer, EnginePath engine_path,
                         ToRelay to_relay)
    : hold_max_(hold_max),
      passer_(passer),
      engine_path_(std::move(engine_path)),
      to_relay_(std::move(to_relay)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  EC_CHECK(epoll_);
  // Guests' events carry the guest, a passing socket's nothing.
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &inbox_}};
  EC_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, inbox_.fd(), &event) == 0);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "waiting room");
}

WaitingRoom::~WaitingRoom() {
  inbox_.Post(StopCommand{});
  thread_.join();
  for (Guest& guest : guests_) Reset(std::move(guest.client));
}

void WaitingRoom::Enter(Client client, std::shared_ptr<Endpoint> endpoint) {
  ++open_;
  ++endpoint->tally().open;
  inbox_.Post(Arrival{std::move(client), std::move(endpoint)});
}

void WaitingRoom::Cut(std::vector<std::shared_ptr<Endpoint>> endpoints,
                      std::shared_ptr<std::latch> done) {
  inbox_.Post(CutCommand{std::move(endpoints), std::move(done)});
}

void WaitingRoom::Run() {
  std::array<epoll_event, 256> events;
  while (!stopping_) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 WaitMilliseconds());
    EC_CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.ptr == nullptr) {
        room_again_ = true;
      } else if (event.data.ptr == &inbox_) {
        ReadInbox();
      } else {
        OnEvent(*static_cast<Guest*>(event.data.ptr), event.events);
      }
    }
    RetryHeld();
    if (gone_.empty()) continue;
    std::erase_if(held_, [](const Guest* guest) { return !guest->client; });
    gone_.clear();
  }
}

int WaitingRoom::WaitMilliseconds() {
  if (held_.empty()) return -1;
  const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(next_retry_ - clock_.now().instant);
  return static_cast<int>(std::max<int64_t>(wait.count(), 0));
}

void WaitingRoom::ReadInbox() {
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

void WaitingRoom::Admit(Arrival arrival) {
  Guest& guest = guests_.emplace_back();
  guest.place = std::prev(guests_.end());
  guest.client = std::move(arrival.client.socket);
  guest.ip = arrival.client.ip;
  guest.endpoint = std::move(arrival.endpoint);
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.ptr = &guest}};
  // The rules may have changed since it was judged, and all others have been cut.
  const bool admitted = guest.endpoint->Admits(guest.ip);
  if (!admitted || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, guest.client.get(), &event) < 0) {
    ++guest.endpoint->tally().refused;
    Leave(guest, true);
  } else if (guest.endpoint->IsAfflicted(guest.ip)) {
    Relay(guest);
  } else if (guest.endpoint->carry() == Carry::kHandOver) {
    Hold(guest);
  }
  // Else epoll tells of its first bytes, also of those that are there already.
}

void WaitingRoom::CutAll(const CutCommand& command) {
  for (auto next = guests_.begin(); next != guests_.end();) {
    Guest& guest = *next++;
    if (std::ranges::find(command.endpoints, guest.endpoint) == command.endpoints.end()) continue;
    if (guest.endpoint->Keeps(guest.ip, std::nullopt)) {
      if (guest.endpoint->IsAfflicted(guest.ip)) Relay(guest);
      continue;
    }
    ++guest.endpoint->tally().cut;
    Leave(guest, true);
  }
  next_retry_ = clock_.now().instant;  // those that stay may have somewhere to go now
  command.done->count_down();
}

void WaitingRoom::OnEvent(Guest& guest, uint32_t events) {
  if (!guest.client) return;
  guest.ended = guest.ended || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (!guest.held) {
    LookAtFirstBytes(guest);
  } else if (guest.ended) {
    // One that has sent something may have shut down its writing side only, and waits for replies.
    char byte = 0;
    const bool gone = recv(guest.client.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
    if (gone) Leave(guest, false);
  }
}

void WaitingRoom::LookAtFirstBytes(Guest& guest) {
  std::array<char, kFirstBytesMax> bytes;
  const ssize_t length =
      recv(guest.client.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    Leave(guest, false);
    return;
  }
  switch (Classify(std::string_view(bytes.data(), static_cast<size_t>(length)))) {
    case FirstBytes::kDiscovers:
      Relay(guest);
      break;
    case FirstBytes::kOther:
      Hold(guest);
      break;
    case FirstBytes::kUndecided:
      if (guest.ended) Hold(guest);  // no more will come
      break;
  }
}

void WaitingRoom::Hold(Guest& guest) {
  guest.held = true;
  const Passer::Outcome outcome = TryToPass(guest);
  if (outcome == Passer::Outcome::kPassed) return;
  const Instant now = clock_.now().instant;
  if (held_.empty()) next_retry_ = now + kRetryEvery;
  if (outcome == Passer::Outcome::kAbsent) guest.held_until = now + hold_max_;
  held_.push_back(&guest);
}

MemberId WaitingRoom::TargetOf(const Guest& guest) {
  return guest.endpoint->AtTarget(guest.ip, [](MemberId target) { return target; });
}

bool WaitingRoom::EngineAnswers(MemberId target) const {
  return static_cast<bool>(ConnectUnix(engine_path_(target)));
}

Passer::Outcome WaitingRoom::TryToPass(Guest& guest) {
  const MemberId target = TargetOf(guest);
  Passer::Outcome outcome = passer_->PassFor(*guest.endpoint, guest.client.get(), guest.ip);
  if (outcome == Passer::Outcome::kAbsent && target != 0 && EngineAnswers(target)) {
    // An engine with a network card begins with that, and has it since if it has one.
    outcome = passer_->PassFor(*guest.endpoint, guest.client.get(), guest.ip);
    if (outcome == Passer::Outcome::kAbsent) {
      Relay(guest);
      return Passer::Outcome::kPassed;
    }
  }
  if (outcome == Passer::Outcome::kFull) passer_->AwaitRoom(target, epoll_.get());
  if (outcome == Passer::Outcome::kPassed) {
    ++guest.endpoint->tally().handed_over;
    guest.endpoint->NoteCarried(guest.endpoint->carry());
    Leave(guest, false);
  }
  return outcome;
}

void WaitingRoom::RetryHeld() {
  if (held_.empty()) return;
  const Instant now = clock_.now().instant;
  if (now < next_retry_ && !std::exchange(room_again_, false)) return;
  next_retry_ = now + kRetryEvery;
  // What one connection has found out about its engine holds for the others, too.
  std::map<MemberId, Passer::Outcome> found;
  for (Guest* guest : std::exchange(held_, {})) {
    if (!guest->client) continue;
    const MemberId target = TargetOf(*guest);
    const auto known = found.find(target);
    const Passer::Outcome outcome = known != found.end() ? known->second : TryToPass(*guest);
    if (outcome == Passer::Outcome::kPassed) continue;
    found.emplace(target, outcome);
    if (outcome == Passer::Outcome::kFull) {
      guest->held_until = Instant::max();
    } else if (guest->held_until == Instant::max()) {
      guest->held_until = now + hold_max_;
    }
    if (now >= guest->held_until) {
      ++guest->endpoint->tally().refused;
      Leave(*guest, true);
    } else {
      held_.push_back(guest);
    }
  }
}

void WaitingRoom::Relay(Guest& guest) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, guest.client.get(), nullptr);
  if (guest.held) guest.endpoint->NoteCarried(Carry::kRelay);
  // The relay counts it from now on; for a moment both do.
  to_relay_({std::move(guest.client), guest.ip}, guest.endpoint);
  Leave(guest, false);
}

void WaitingRoom::Leave(Guest& guest, bool reset) {
  if (guest.client) {
    // The socket itself may live on, in the engine.
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, guest.client.get(), nullptr);
    if (reset) {
      Reset(std::move(guest.client));
    } else {
      guest.client.reset();
    }
  }
  --guest.endpoint->tally().open;
  --open_;
  gone_.splice(gone_.end(), guests_, guest.place);
}

}  // namespace ec::endpoint
