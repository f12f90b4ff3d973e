// The engines, by the names that AWS, the command line and the database use for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ec {

enum class EngineKind { kMemcached, kRedis, kValkey };

inline constexpr EngineKind kAllEngines[] = {EngineKind::kMemcached, EngineKind::kRedis,
                                             EngineKind::kValkey};

constexpr std::string_view NameOf(EngineKind engine) {
  switch (engine) {
    case EngineKind::kMemcached:
      return "memcached";
    case EngineKind::kRedis:
      return "redis";
    case EngineKind::kValkey:
      return "valkey";
  }
  return {};
}

constexpr std::optional<EngineKind> ParseEngine(std::string_view name) {
  for (const EngineKind engine : kAllEngines) {
    if (NameOf(engine) == name) return engine;
  }
  return std::nullopt;
}

// Redis and Valkey: they speak RESP, hold exactly one node, and can keep data.
constexpr bool SpeaksRedis(EngineKind engine) { return engine != EngineKind::kMemcached; }

constexpr uint16_t DefaultPort(EngineKind engine) {
  return engine == EngineKind::kMemcached ? 11211 : 6379;
}

}  // namespace ec
