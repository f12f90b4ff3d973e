// What all handlers do with the members of a request.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ec::server {

// An optional member of a request, as std::optional.
#define EC_OPTIONAL(request, field) \
  ((request).has_##field() ? std::optional((request).field()) : std::nullopt)

template <typename Repeated>
std::vector<std::string> ToVector(const Repeated& list) {
  return {list.begin(), list.end()};
}

}  // namespace ec::server
