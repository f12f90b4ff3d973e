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

// What the program answers: which of the sockets of one address it is for, in the order in which
// they have begun to listen.
constexpr uint32_t kTaken = 0;
constexpr uint32_t kOutside = 1;
constexpr uint32_t kByRules = 2;

using Program = std::vector<sock_filter>;

constexpr sock_filter Answer(uint32_t answer) { return BPF_STMT(BPF_RET | BPF_K, answer); }

bool Attach(int socket, int option, Program program) {
  const sock_fprog attached{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
  return setsockopt(socket, SOL_SOCKET, option, &attached, sizeof(attached)) == 0;
}
bool Lead(int socket, Program program) {
  return Attach(socket, SO_ATTACH_REUSEPORT_CBPF, std::move(program));
}

// Answers so for these sources, and goes on with the others.
void Append(const std::vector<Cidr>& sources, uint32_t answer, Program* program) {
  // The packet's source, which the header of the network has, before that of TCP.
  const sock_filter load_source =
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_NET_OFF) + kSourceOffset);
  program->push_back(load_source);
  for (const Cidr& block : sources) {
    if (block.prefix < 32) {
      program->push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MaskOf(block)));
    }
    program->push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, block.network.bits, 0, 1));
    program->push_back(Answer(answer));
    if (block.prefix < 32) program->push_back(load_source);
  }
}

bool BindAndListen(int socket, Address address, bool shared) {
  const int on = 1;
  const sockaddr_in name = ToSockaddr(address);
  return bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0 &&
         (!shared || setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
         listen(socket, kBacklog) == 0;
}

// Beside the listening socket, which has the address for itself until here. False: there are none.
bool OpenSinks(Address address, Listening* listening) {
  if (!Lead(listening->socket.get(), {Answer(kTaken)})) return false;
  const int on = 1;
  for (UniqueFd& sink : listening->sinks) {
    sink.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const bool open = sink &&
                      setsockopt(sink.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                      setsockopt(sink.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
                      Attach(sink.get(), SO_ATTACH_FILTER, {Answer(0)}) &&
                      BindAndListen(sink.get(), address, false);
    if (!open) return false;
  }
  return true;
}

uint64_t DroppedBy(const UniqueFd& sink) {
  std::array<uint32_t, SK_MEMINFO_VARS> counts{};
  socklen_t length = sizeof(counts);
  const int got = getsockopt(sink.get(), SOL_SOCKET, SO_MEMINFO, counts.data(), &length);
  return got == 0 && length > SK_MEMINFO_DROPS * sizeof(uint32_t) ? counts[SK_MEMINFO_DROPS] : 0;
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

Listening Listen(Address address, Deny deny) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return TroubleWith(address, errno);
  const int on = 1;
  // It is shared only after it was bound: so the address cannot be another program's.
  if (setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
      setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
      !BindAndListen(socket.get(), address, deny == Deny::kDrop)) {
    return TroubleWith(address, errno);
  }
  Listening listening{.socket = std::move(socket)};
  if (deny == Deny::kDrop && !OpenSinks(address, &listening)) listening.sinks = {};
  return listening;
}

Listening ListenIn(const std::string& netns, Address address, Deny deny) {
  const UniqueFd space = OpenNetns(netns);
  Listening listening;
  if (space && InNetns(space.get(), [&] { listening = Listen(address, deny); })) return listening;
  return {.trouble = EndpointTrouble::kOther,
          .trouble_text = "cannot enter the network namespace " + netns + ": " +
                          std::generic_category().message(errno)};
}

void CloseListener(Listening listening) {
  shutdown(listening.socket.get(), SHUT_RDWR);
  for (const UniqueFd& sink : listening.sinks) {
    if (sink) shutdown(sink.get(), SHUT_RDWR);
  }
}

bool DropAllBut(const VpcSources& sources, const Listening& listening) {
  if (!listening.sinks.back()) return false;
  const int socket = listening.socket.get();
  if (sources.admitted.size() + sources.refused.size() <= kSourcesMax) {
    Program program;
    Append(sources.admitted, kTaken, &program);
    Append(sources.refused, kByRules, &program);
    program.push_back(Answer(kOutside));
    if (Lead(socket, std::move(program))) return true;
  }
  Lead(socket, {Answer(kTaken)});
  return false;
}

Dropped DroppedAt(const Listening& listening) {
  if (!listening.sinks.back()) return {};
  return {DroppedBy(listening.sinks[0]), DroppedBy(listening.sinks[1])};
}

Accepted Accept(int listener) {
  using Outcome = Accepted::Outcome;
  sockaddr_in peer{};
  socklen_t length = sizeof(peer);
  UniqueFd socket(
      accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
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
