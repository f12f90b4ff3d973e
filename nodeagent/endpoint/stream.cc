#include "nodeagent/endpoint/stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "common/check.h"

namespace ec::endpoint {
namespace {

constexpr uint32_t kAlways = EPOLLIN | EPOLLRDHUP | EPOLLET;
// A copy of more costs more than the wake-up that it spares.
constexpr size_t kSoonMax = 4096;

}  // namespace

void Reset(UniqueFd client) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

bool Stream::Open(UniqueFd socket, int epoll) {
  EC_CHECK(!socket_ && socket);
  epoll_event event{.events = kAlways, .data = {.ptr = this}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket.get(), &event) < 0) return false;
  socket_ = std::move(socket);
  epoll_ = epoll;
  writable_ = true;
  return true;
}

void Stream::Close(bool reset) {
  if (!socket_) return;
  // Closing alone would leave the socket watched for as long as a forked child holds a copy.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, socket_.get(), nullptr);
  if (reset) Reset(std::move(socket_));
  socket_.reset();
}

void Stream::Note(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) end_announced_ = true;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) peer_closed_ = true;
  if ((events & EPOLLERR) != 0) reset_announced_ = true;
}

std::string_view Stream::Receive(std::span<char> buffer) {
  EC_CHECK(can_receive());
  ssize_t length = 0;
  do {
    length = recv(fd(), buffer.data(), buffer.size(), 0);
  } while (length < 0 && errno == EINTR);
  if (length > 0) {
    const std::string_view bytes(buffer.data(), static_cast<size_t>(length));
    // Less than there was room for: there is no more, and epoll will tell when there is. But the
    // end has been told of already, and must still be read.
    if (bytes.size() < buffer.size() && !end_announced_) readable_ = false;
    return bytes;
  }
  readable_ = false;
  if (length == 0) {
    ended_ = true;
  } else if (errno != EAGAIN) {
    ended_ = peer_closed_ = failed_ = true;
  }
  return {};
}

bool Stream::PeerIsGone() const {
  if (reset_announced_) return true;
  if (!end_announced_) return false;
  char byte = 0;
  const ssize_t length = recv(fd(), &byte, sizeof(byte), MSG_PEEK);
  return length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR);
}

void Stream::Send(std::string_view bytes) {
  if (pending_.empty()) bytes.remove_prefix(SendNow(bytes));
  if (bytes.empty()) return;
  pending_ += bytes;
  WatchWriting(true);
}

void Stream::SendSoon(std::string_view bytes) {
  if (!pending_.empty() || bytes.size() > kSoonMax) return Send(bytes);
  pending_ = bytes;
}

void Stream::Flush() {
  if (pending_.empty() || !writable_) return;
  pending_sent_ += SendNow(std::string_view(pending_).substr(pending_sent_));
  const bool all = pending_sent_ == pending_.size();
  if (all) {
    std::string().swap(pending_);  // gives the memory back
    pending_sent_ = 0;
  }
  WatchWriting(!all);
}

size_t Stream::SendNow(std::string_view bytes) {
  size_t sent = 0;
  while (writable_ && sent < bytes.size()) {
    const ssize_t length = send(fd(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (length >= 0) {
      sent += static_cast<size_t>(length);
    } else if (errno == EAGAIN) {
      writable_ = false;
    } else if (errno != EINTR) {
      // Nobody will take the rest. What the peer has sent before can still be received.
      peer_closed_ = failed_ = true;
      readable_ = end_announced_ = true;
      return bytes.size();
    }
  }
  return sent;
}

void Stream::SendEnd() {
  EC_CHECK(!has_pending());
  if (std::exchange(end_sent_, true)) return;
  shutdown(fd(), SHUT_WR);
}

void Stream::WatchWriting(bool wanted) {
  if (watches_writing_ == wanted || !socket_) return;
  watches_writing_ = wanted;
  epoll_event event{.events = kAlways | (wanted ? uint32_t{EPOLLOUT} : 0), .data = {.ptr = this}};
  EC_CHECK(epoll_ctl(epoll_, EPOLL_CTL_MOD, fd(), &event) == 0);
}

}  // namespace ec::endpoint
