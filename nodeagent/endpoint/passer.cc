#include "nodeagent/endpoint/passer.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/netcard.h"
#include "common/unix_socket.h"

namespace ec::endpoint {
namespace {

// Sends one datagram, with a client's socket unless that is -1; 0 or the error.
int SendDatagram(int to, std::string_view bytes, int client) {
  iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (client >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &client, sizeof(client));
  }
  return sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ? 0 : errno;
}

// EAGAIN: the engine's queue is full. ETOOMANYREFS: too many sockets are on their way to all
// engines together.
bool IsFull(int error) {
  return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == ETOOMANYREFS;
}

}  // namespace

Passer::Outcome Passer::Pass(MemberId target, int client) {
  static constexpr char kConnection = EC_NETCARD_CONNECTION;
  return Send(target, {&kConnection, 1}, client);
}

Passer::Outcome Passer::Send(MemberId target, std::string_view bytes, int client) {
  const std::lock_guard lock(mutex_);
  UniqueFd& socket = sockets_[target];
  // Twice: a socket that was connected to the engine's last life has to be connected again.
  for (int i = 0; i < 2; ++i) {
    const bool fresh = !socket;
    if (fresh) socket = ConnectUnix(passing_path_(target), SOCK_DGRAM);
    if (!socket) break;
    const int error = SendDatagram(socket.get(), bytes, client);
    if (error == 0) return Outcome::kPassed;
    if (IsFull(error)) return Outcome::kFull;
    socket.reset();
    if (fresh) break;
  }
  sockets_.erase(target);
  return Outcome::kAbsent;
}

Passer::Outcome Passer::PassFor(const Endpoint& endpoint, int client, Ip4 ip) {
  return endpoint.AtTarget(
      ip, [&](MemberId target) { return target == 0 ? Outcome::kAbsent : Pass(target, client); });
}

void Passer::Revoke(MemberId target, const std::vector<Revocation>& revocations) {
  for (size_t begin = 0; begin < revocations.size(); begin += EC_NETCARD_REVOCATIONS_MAX) {
    std::string bytes(1, EC_NETCARD_REVOKE);
    const size_t end = std::min(revocations.size(), begin + EC_NETCARD_REVOCATIONS_MAX);
    for (size_t i = begin; i < end; ++i) {
      ec_netcard_revocation item{};
      item.client = htonl(revocations[i].client.bits);
      item.address = htonl(revocations[i].endpoint.ip.bits);
      item.port = htons(revocations[i].endpoint.port);
      bytes.append(reinterpret_cast<const char*>(&item), sizeof(item));
    }
    Send(target, bytes, -1);
  }
}

void Passer::AwaitRoom(MemberId target, int epoll) {
  const std::lock_guard lock(mutex_);
  const auto found = sockets_.find(target);
  if (found == sockets_.end()) return;
  epoll_event event{.events = EPOLLOUT | EPOLLONESHOT, .data = {.ptr = nullptr}};
  const int fd = found->second.get();
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0) epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void Passer::Forget(MemberId target) {
  const std::lock_guard lock(mutex_);
  sockets_.erase(target);
}

}  // namespace ec::endpoint
