#include "controlplane/model/network.h"

#include <fmt/format.h>

namespace ec::model {

Ip4 InSlice(const Vpc& vpc, Ip4 address) {
  return {vpc.slice.network.bits | (address.bits & 0xffffu)};
}

Cidr InSlice(const Vpc& vpc, const Cidr& block) {
  return {InSlice(vpc, block.network), block.prefix};
}

Ip4 SourceOf(const Vpc& vpc, const InstanceRow& instance) {
  if (instance.id == kLocalhostInstance) return {127u << 24 | 1u};
  return InSlice(vpc, instance.address);
}

// FNV-1a, and then mixed: the digits of two ids differ widely however alike the texts are.
std::string Ec2Id(const std::string& prefix, const std::string& text) {
  uint64_t mixed = 14695981039346656037u;
  for (const char c : text) mixed = (mixed ^ static_cast<unsigned char>(c)) * 1099511628211u;
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
