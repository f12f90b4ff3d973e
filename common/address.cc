#include "common/address.h"

#include <charconv>

namespace ec {
namespace {

// A decimal number without sign or leading zeros, at most `max`, taken off the front of `text`.
std::optional<uint32_t> TakeNumber(std::string_view& text, uint32_t max) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<size_t>(end - text.data());
  if (error != std::errc() || number > max) return std::nullopt;
  if (length > 1 && text.front() == '0') return std::nullopt;
  text.remove_prefix(length);
  return number;
}

uint32_t Mask(int prefix) { return prefix == 0 ? 0 : ~0u << (32 - prefix); }

}  // namespace

std::string ToString(Ip4 ip) {
  return std::to_string(ip.bits >> 24) + "." + std::to_string((ip.bits >> 16) & 255) + "." +
         std::to_string((ip.bits >> 8) & 255) + "." + std::to_string(ip.bits & 255);
}

std::optional<Ip4> ParseIp4(std::string_view text) {
  Ip4 ip;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    const auto part = TakeNumber(text, 255);
    if (!part) return std::nullopt;
    ip.bits = ip.bits << 8 | *part;
  }
  if (!text.empty()) return std::nullopt;
  return ip;
}

std::string ToString(Address address) {
  return ToString(address.ip) + ":" + std::to_string(address.port);
}

bool Cidr::Contains(Ip4 ip) const { return (ip.bits & Mask(prefix)) == network.bits; }

Ip4 Cidr::Last() const { return {network.bits | ~Mask(prefix)}; }

std::string ToString(const Cidr& cidr) {
  return ToString(cidr.network) + "/" + std::to_string(cidr.prefix);
}

std::optional<Cidr> ParseCidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto network = ParseIp4(text.substr(0, slash));
  text.remove_prefix(slash + 1);
  const auto prefix = TakeNumber(text, 32);
  if (!network || !prefix || !text.empty()) return std::nullopt;
  Cidr cidr{*network, static_cast<int>(*prefix)};
  if (!cidr.Contains(*network)) return std::nullopt;
  return cidr;
}

}  // namespace ec
