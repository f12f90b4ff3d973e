#include "controlplane/server/filters.h"

#include <fmt/format.h>

#include <algorithm>

namespace ec::server {

Status CheckFilters(const Filters& filters, const std::set<std::string>& known) {
  for (const v1::Filter& filter : filters) {
    const std::string& name = filter.name();
    if (!known.contains(name) && name != "tag-key" && !name.starts_with("tag:")) {
      return {Fault::kInvalidParameterValue, fmt::format("The filter '{}' is invalid", name)};
    }
    if (filter.values().empty()) {
      return {Fault::kInvalidParameterValue, fmt::format("The filter '{}' has no values", name)};
    }
  }
  return {};
}

bool Matches(const Filters& filters, const Attributes& attributes) {
  return std::ranges::all_of(filters, [&](const v1::Filter& filter) {
    const auto [begin, end] = attributes.equal_range(filter.name());
    return std::any_of(begin, end, [&](const auto& attribute) {
      return std::ranges::any_of(filter.values(), [&](const std::string& pattern) {
        return FitsPattern(pattern, attribute.second);
      });
    });
  });
}

void AddTagAttributes(const std::map<std::string, std::string>& tags, Attributes* attributes) {
  for (const auto& [key, value] : tags) {
    attributes->emplace("tag:" + key, value);
    attributes->emplace("tag-key", key);
  }
}

// Goes back to the last star when what follows it does not fit: linear in practice, and never more
// than the product of the lengths.
bool FitsPattern(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (!escaped && p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && !escaped && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (escaped && pattern[p + 1] == text[t]) {
      p += 2;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace ec::server
