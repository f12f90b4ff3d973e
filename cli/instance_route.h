// Where an instance's connections go on this machine, and where they come from. Functions of
// values.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/address.h"

namespace ec::cli {

// An instance, as far as its connections need it.
struct InstanceNetwork {
  std::string id;
  Cidr block;         // its VPC's, such as 10.0.0.0/16
  Cidr slice;         // of loopback, in which the VPC lives: 127.x.0.0/16
  Ip4 source;         // its address in there
  std::string netns;  // the network namespace that it is; empty: it is none
  friend bool operator==(const InstanceNetwork&, const InstanceNetwork&) = default;
};

// Where on loopback the instance finds `dialled`: an address of its VPC keeps its last bits, and
// one of loopback is meant as it is, in whichever VPC's slice it lies. nullopt for what is no
// VPC's: 127.0.0.0/16, which is the machine itself, and all that is not loopback.
std::optional<Ip4> LoopbackOf(const InstanceNetwork& network, Ip4 dialled);

struct SocketAddress {
  sockaddr_storage bytes = {};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

SocketAddress ToSocketAddress(Address address);
// As a socket of the other family names it: ::ffff:10.0.1.5.
SocketAddress ToMappedAddress(Address address);

// What an IPv4 or IPv4-mapped address names; nullopt for all others, and for bytes that are none.
std::optional<Address> AddressOf(std::string_view bytes);

struct Route {
  SocketAddress source;
  SocketAddress destination;
};

// What becomes of connect() with these bytes of a socket address; nullopt: it is left alone.
std::optional<Route> RouteOf(const InstanceNetwork& network, std::string_view bytes);

}  // namespace ec::cli
