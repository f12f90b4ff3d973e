// A small network: two VPCs, with an instance of the first in a group that a rule lets in, one that
// no rule lets in, and one in the second VPC.
#pragma once

#include <utility>

#include "tests/endpoint/support.h"

namespace ec::endpoint {

inline constexpr Ip4 kFriend{0x7f0b0005};     // 127.11.0.5, 10.0.0.5 in its VPC
inline constexpr Ip4 kStranger{0x7f0b0006};   // 127.11.0.6
inline constexpr Ip4 kForeigner{0x7f0c0005};  // 127.12.0.5, of the other VPC, with the same block
inline constexpr Ip4 kNobody{0x7f0d0001};     // of no VPC

// Revisions rise, so that each one is news.
inline Network AccessNetwork(std::vector<IngressRule> rules) {
  static uint64_t revision = 0;
  Network network;
  network.revision = ++revision;
  network.groups[kGroup] = {kGroup, kVpc, std::move(rules)};
  network.groups["sg-friends"] = {"sg-friends", kVpc, {}};
  network.groups["sg-other"] = {"sg-other", "vpc-other", {}};
  network.instances = {
      {"i-friend", kVpc, kFriend, {0x0a000005}, {"sg-friends"}},
      {"i-stranger", kVpc, kStranger, {0x0a000006}, {}},
      {"i-foreigner", "vpc-other", kForeigner, {0x0a000005}, {"sg-other"}},
  };
  return network;
}

inline SharedNetwork WithRules(std::vector<IngressRule> rules) {
  return SharedNetwork(AccessNetwork(std::move(rules)));
}

inline IngressRule FromFriends() { return {.id = "sgr-friends", .group = "sg-friends"}; }
inline IngressRule FromAnywhere() { return {.id = "sgr-all", .block = Cidr{}}; }

}  // namespace ec::endpoint
