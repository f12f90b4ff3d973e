#include "nodeagent/endpoint/first_bytes.h"

#include <array>

namespace ec::endpoint {
namespace {

// Memcached has no command of its own that begins like one of these, and refuses the keys.
constexpr std::array<std::string_view, 3> kDiscovery = {"config", "get AmazonElastiCache:cluster",
                                                        "gets AmazonElastiCache:cluster"};

}  // namespace

FirstBytes Classify(std::string_view bytes) {
  FirstBytes result = FirstBytes::kOther;
  for (const std::string_view command : kDiscovery) {
    if (bytes.starts_with(command)) return FirstBytes::kDiscovers;
    if (command.starts_with(bytes)) result = FirstBytes::kUndecided;
  }
  return result;
}

}  // namespace ec::endpoint
