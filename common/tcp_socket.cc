#include "common/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace ec {
namespace {

sockaddr_in NameOf(Address address) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ip.bits);
  return name;
}

}  // namespace

UniqueFd ConnectTcp(Address to, Ip4 from) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fd;
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // The port is chosen when the peer is known, so that many connections can share one.
  setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  const sockaddr_in own = NameOf({from, 0});
  const sockaddr_in peer = NameOf(to);
  int result = bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own));
  if (result == 0) {
    result = connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof(peer));
  }
  if (result < 0 && errno != EINPROGRESS) fd.reset();
  return fd;
}

}  // namespace ec
