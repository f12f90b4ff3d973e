#include "controlplane/model/network.h"

#include <fmt/format.h>

namespace ec::model {

Ip4 InSlice(const Vpc& vpc, Ip4 address) {
  return {vpc.slice.network.bits | (address.bits & 0xffffu)};
}

// The digits differ widely from one number to the next, as EC2's do: nobody should compute with
// them, or take one id for another that looks alike.
std::string Ec2Id(const std::string& prefix, uint64_t number) {
  uint64_t mixed = number + 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  mixed ^= mixed >> 31;
  return fmt::format("{}-0{:016x}", prefix, mixed);
}

bool Within(const Cidr& inner, const Cidr& outer) {
  return inner.prefix >= outer.prefix && outer.Contains(inner.network);
}

bool Overlap(const Cidr& one, const Cidr& other) {
  return Within(one, other) || Within(other, one);
}

}  // namespace ec::model
