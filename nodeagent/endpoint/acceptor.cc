#include "nodeagent/endpoint/acceptor.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "common/check.h"
#include "nodeagent/endpoint/stream.h"

namespace ec::endpoint {
namespace {

// From one listener before the others get their turn, and while the table is locked.
constexpr int kAcceptsPerTurn = 64;
// A listening socket stays readable when a connection cannot be accepted for want of descriptors:
// after such a failure none is looked at for this long.
constexpr int kPauseMilliseconds = 20;

}  // namespace

Acceptor::Acceptor(size_t connections_max, Carrier* carrier)
    : connections_max_(connections_max),
      carrier_(carrier),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      stop_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  EC_CHECK(epoll_ && stop_);
  epoll_event event{.events = EPOLLIN, .data = {.fd = stop_.get()}};
  EC_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event) == 0);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "acceptor");
}

Acceptor::~Acceptor() {
  const uint64_t one = 1;
  EC_CHECK(write(stop_.get(), &one, sizeof(one)) == sizeof(one));
  thread_.join();
  while (!entries_.empty()) Remove(entries_.begin()->first);
}

std::optional<int> Acceptor::Add(Listening listener, std::shared_ptr<Endpoint> endpoint,
                                 const std::optional<VpcBlocks>& vpc) {
  const std::lock_guard lock(mutex_);
  const int fd = listener.socket.get();
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0) return std::nullopt;
  entries_[fd] = {std::move(listener), std::move(endpoint), vpc};
  return fd;
}

void Acceptor::Replace(int listener, std::shared_ptr<Endpoint> endpoint) {
  const std::lock_guard lock(mutex_);
  entries_.at(listener).endpoint = std::move(endpoint);
}

bool Acceptor::DropOthers(int listener, const VpcSources& sources) {
  const std::lock_guard lock(mutex_);
  return DropAllBut(sources, entries_.at(listener).listener);
}

Dropped Acceptor::DroppedBy(int listener) const {
  const std::lock_guard lock(mutex_);
  return DroppedAt(entries_.at(listener).listener);
}

void Acceptor::Remove(int listener) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(listener);
  EC_CHECK(found != entries_.end());
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener, nullptr);
  CloseListener(std::move(found->second.listener));
  entries_.erase(found);
}

void Acceptor::Run() {
  std::array<epoll_event, 64> events;
  while (true) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    EC_CHECK(count >= 0 || errno == EINTR);
    bool room = true;
    for (int i = 0; i < count && room; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == stop_.get()) return;
      room = AcceptFrom(fd);
    }
    if (!room) {
      pollfd stop{.fd = stop_.get(), .events = POLLIN, .revents = 0};
      poll(&stop, 1, kPauseMilliseconds);
    }
  }
}

bool Acceptor::AcceptFrom(int listener) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(listener);
  if (found == entries_.end()) return true;  // it was removed after epoll had named it
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    Accepted accepted = Accept(listener);
    switch (accepted.outcome) {
      case Accepted::Outcome::kAccepted:
        Take(std::move(accepted), found->second);
        break;
      case Accepted::Outcome::kGone:
        break;
      case Accepted::Outcome::kNoneLeft:
        return true;
      case Accepted::Outcome::kExhausted:
        return false;
    }
  }
  return true;
}

void Acceptor::Take(Accepted accepted, const Entry& entry) {
  const std::shared_ptr<Endpoint>& endpoint = entry.endpoint;
  Tally& tally = endpoint->tally();
  ++tally.accepted;
  const auto source =
      entry.vpc ? entry.vpc->InSlice(accepted.peer.ip) : std::optional(accepted.peer.ip);
  const Judgement::Cause cause = source ? endpoint->Judge(*source) : Judgement::Cause::kNoInstance;
  const bool admitted = Judgement{.cause = cause}.admitted();
  const bool full = carrier_->open() >= connections_max_;
  if (!admitted || full) {
    ++tally.refused;
    if (cause == Judgement::Cause::kNoRule) {
      ++tally.refused_by_rules;
    } else {
      ++(admitted ? tally.refused_full : tally.refused_outside);
    }
    Reset(std::move(accepted.socket));
    return;
  }
  if (endpoint->EffectOn(*source).refuse) {
    ++tally.refused;
    ++tally.refused_by_fault;
    Reset(std::move(accepted.socket));
    return;
  }
  carrier_->Take({std::move(accepted.socket), *source, entry.vpc.has_value()}, endpoint);
}

}  // namespace ec::endpoint
