#include "nodeagent/endpoint/listener.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "common/netns.h"

namespace ec::endpoint {
namespace {

constexpr int kBacklog = 1024;
// Of the source's address in the header of an IPv4 packet.
constexpr uint32_t kSourceOffset = 12;

sockaddr_in ToSockaddr(Address address) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(address.port);
  result.sin_addr.s_addr = htonl(address.ip.bits);
  return result;
}

uint32_t MaskOf(const Cidr& block) { return ~(block.Last().bits ^ block.First().bits); }

// Takes everything again.
void Undrop(int socket) {
  const int unused = 0;
  setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
}

}  // namespace

Listening TroubleWith(Address address, int error) {
  const std::string name = ToString(address);
  switch (error) {
    case EADDRINUSE:
      return {.trouble = EndpointTrouble::kAddressInUse,
              .trouble_text = "the address " + name + " is in use"};
    case EADDRNOTAVAIL:
      return {.trouble = EndpointTrouble::kAddressNotAvailable,
              .trouble_text = "this machine does not have the address " + name};
    case EACCES:
      return {.trouble = EndpointTrouble::kOther,
              .trouble_text = "the agent may not listen on " + name +
                              ": ports below 1024 usually need a privilege"};
    default:
      return {.trouble = EndpointTrouble::kOther,
              .trouble_text =
                  "cannot listen on " + name + ": " + std::generic_category().message(error)};
  }
}

Listening Listen(Address address) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return TroubleWith(address, errno);
  const int on = 1;
  const sockaddr_in name = ToSockaddr(address);
  if (setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
      setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) < 0 ||
      listen(socket.get(), kBacklog) < 0) {
    return TroubleWith(address, errno);
  }
  return {.socket = std::move(socket)};
}

Listening ListenIn(const std::string& netns, Address address) {
  const UniqueFd space = OpenNetns(netns);
  Listening listening;
  if (space && InNetns(space.get(), [&] { listening = Listen(address); })) return listening;
  return {.trouble = EndpointTrouble::kOther,
          .trouble_text = "cannot enter the network namespace " + netns + ": " +
                          std::generic_category().message(errno)};
}

void CloseListener(UniqueFd socket) { shutdown(socket.get(), SHUT_RDWR); }

bool DropAllBut(const std::vector<Cidr>& admitted, int listener) {
  if (admitted.size() > kAdmittedMax) {
    Undrop(listener);
    return false;
  }
  // The packet's source, which the header of the network has, before that of TCP.
  const sock_filter load_source =
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_NET_OFF) + kSourceOffset);
  std::vector<sock_filter> program = {load_source};
  for (const Cidr& block : admitted) {
    if (block.prefix < 32) {
      program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MaskOf(block)));
    }
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, block.network.bits, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, UINT32_MAX));
    if (block.prefix < 32) program.push_back(load_source);
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  const sock_fprog attached{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
  return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof(attached)) == 0;
}

uint64_t DroppedAt(int listener) {
  std::array<uint32_t, SK_MEMINFO_VARS> counts{};
  socklen_t length = sizeof(counts);
  const int got = getsockopt(listener, SOL_SOCKET, SO_MEMINFO, counts.data(), &length);
  return got == 0 && length > SK_MEMINFO_DROPS * sizeof(uint32_t) ? counts[SK_MEMINFO_DROPS] : 0;
}

Accepted Accept(int listener) {
  using Outcome = Accepted::Outcome;
  sockaddr_in peer{};
  socklen_t length = sizeof(peer);
  UniqueFd socket(
      accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    // It has inherited the listener's filter, if there is one, and needs none any more.
    Undrop(socket.get());
    const Address address{.ip = {ntohl(peer.sin_addr.s_addr)}, .port = ntohs(peer.sin_port)};
    return {.outcome = Outcome::kAccepted, .socket = std::move(socket), .peer = address};
  }
  switch (errno) {
    case EAGAIN:
      return {.outcome = Outcome::kNoneLeft};
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return {.outcome = Outcome::kExhausted};
    default:
      // Among them are ECONNABORTED and what accept(2) calls errors of the network.
      return {.outcome = Outcome::kGone};
  }
}

}  // namespace ec::endpoint
