// Two bytes choose a family's parameter, and the rest is its value. A value that passes is one line
// of printable ASCII, and leaves the engine some memory.
#include "controlplane/model/parameters.h"

#include <array>
#include <string>

#include "common/check.h"
#include "controlplane/model/node_types.h"
#include "tests/fuzz/targets.h"

namespace ec::fuzz {
namespace {

constexpr std::array kFamilies = {"memcached1.4", "memcached1.6", "redis2.6", "redis5.0",
                                  "redis7",       "valkey7",      "valkey8"};

bool IsPrintableAscii(std::string_view value) {
  for (const char c : value) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

}  // namespace

void Parameters(std::string_view bytes) {
  static const std::vector<model::NodeType> types = model::NodeTypeCatalogue();
  if (bytes.size() < 2) return;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const char* const family = kFamilies[byte(0) % kFamilies.size()];
  EC_CHECK(model::IsFamily(family));
  const auto& parameters = model::ParametersOf(family);
  const model::ParameterInfo& parameter = parameters[byte(1) % parameters.size()];
  const std::string value(bytes.substr(2));
  if (!model::CheckParameterValue(parameter, value).ok()) return;
  EC_CHECK(IsPrintableAscii(value));
  const auto values = model::WithValues(family, {{parameter.name, value}});
  const bool is_memcached = std::string_view(family).starts_with("memcached");
  const EngineKind engine = is_memcached ? EngineKind::kMemcached : EngineKind::kRedis;
  for (const model::NodeType& type : types) {
    if (model::IsOffered(type, engine)) EC_CHECK(model::MemoryMaxBytes(type, engine, values) > 0);
  }
}

}  // namespace ec::fuzz
