#include "cli/instance_route.h"

#include <netinet/in.h>

#include <cstring>

namespace ec::cli {
namespace {

constexpr Cidr kLoopback{{127u << 24}, 8};
constexpr Cidr kMachine{{127u << 24}, 16};

constexpr size_t kMappedAt = 12;  // behind ::ffff:

}  // namespace

std::optional<Ip4> LoopbackOf(const InstanceNetwork& network, Ip4 dialled) {
  if (network.block.Contains(dialled)) {
    const uint32_t host_bits = network.slice.Last().bits ^ network.slice.First().bits;
    return Ip4{network.slice.network.bits | (dialled.bits & host_bits)};
  }
  if (kLoopback.Contains(dialled) && !kMachine.Contains(dialled)) return dialled;
  return std::nullopt;
}

SocketAddress ToSocketAddress(Address address) {
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address.ip.bits);
  name.sin_port = htons(address.port);
  SocketAddress out;
  out.size = sizeof(name);
  std::memcpy(&out.bytes, &name, sizeof(name));
  return out;
}

SocketAddress ToMappedAddress(Address address) {
  sockaddr_in6 name = {};
  name.sin6_family = AF_INET6;
  name.sin6_port = htons(address.port);
  const uint32_t bits = htonl(address.ip.bits);
  std::memset(name.sin6_addr.s6_addr + kMappedAt - 2, 0xff, 2);
  std::memcpy(name.sin6_addr.s6_addr + kMappedAt, &bits, sizeof(bits));
  SocketAddress out;
  out.size = sizeof(name);
  std::memcpy(&out.bytes, &name, sizeof(name));
  return out;
}

std::optional<Address> AddressOf(std::string_view bytes) {
  sa_family_t family = AF_UNSPEC;
  if (bytes.size() < sizeof(family)) return std::nullopt;
  std::memcpy(&family, bytes.data(), sizeof(family));
  if (family == AF_INET && bytes.size() >= sizeof(sockaddr_in)) {
    sockaddr_in name;
    std::memcpy(&name, bytes.data(), sizeof(name));
    return Address{{ntohl(name.sin_addr.s_addr)}, ntohs(name.sin_port)};
  }
  if (family == AF_INET6 && bytes.size() >= sizeof(sockaddr_in6)) {
    sockaddr_in6 name;
    std::memcpy(&name, bytes.data(), sizeof(name));
    if (!IN6_IS_ADDR_V4MAPPED(&name.sin6_addr)) return std::nullopt;
    uint32_t bits = 0;
    std::memcpy(&bits, name.sin6_addr.s6_addr + kMappedAt, sizeof(bits));
    return Address{{ntohl(bits)}, ntohs(name.sin6_port)};
  }
  return std::nullopt;
}

std::optional<Route> RouteOf(const InstanceNetwork& network, std::string_view bytes) {
  const std::optional<Address> dialled = AddressOf(bytes);
  if (!dialled) return std::nullopt;
  const std::optional<Ip4> found = LoopbackOf(network, dialled->ip);
  if (!found) return std::nullopt;
  const Address source{network.source, 0};
  const Address destination{*found, dialled->port};
  // AF_INET's address begins with its family, and so does AF_INET6's: AddressOf() has seen to it.
  sa_family_t family = AF_UNSPEC;
  std::memcpy(&family, bytes.data(), sizeof(family));
  if (family == AF_INET) return Route{ToSocketAddress(source), ToSocketAddress(destination)};
  return Route{ToMappedAddress(source), ToMappedAddress(destination)};
}

}  // namespace ec::cli
