// IPv4 addresses, address and port, and CIDR blocks, as plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ec {

struct Ip4 {
  uint32_t bits = 0;  // host byte order
  friend auto operator<=>(const Ip4&, const Ip4&) = default;
};

std::string ToString(Ip4 ip);
// Dotted quads only: four decimal numbers without leading zeros.
std::optional<Ip4> ParseIp4(std::string_view text);

struct Address {
  Ip4 ip;
  uint16_t port = 0;
  friend auto operator<=>(const Address&, const Address&) = default;
};

std::string ToString(Address address);  // "127.10.0.5:6379"

struct Cidr {
  Ip4 network;     // host bits are zero
  int prefix = 0;  // 0..32
  friend auto operator<=>(const Cidr&, const Cidr&) = default;

  bool Contains(Ip4 ip) const;
  Ip4 First() const { return network; }
  Ip4 Last() const;  // the broadcast address
};

std::string ToString(const Cidr& cidr);  // "127.10.0.0/16"
// Refuses set host bits, as EC2 does.
std::optional<Cidr> ParseCidr(std::string_view text);

}  // namespace ec
