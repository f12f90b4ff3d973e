// What a request of AWS's Query or EC2 protocol says: names and values, and the tree that the names
// span ("Tags.Tag.1.Key").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controlplane/gateway/wire_error.h"

namespace ec::gateway {

inline constexpr size_t kParametersMax = 4000;
inline constexpr size_t kNestingMax = 12;

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Appends what a query string or a form says. MalformedQueryString for what is neither, or too much
// of it.
std::optional<WireError> ParseForm(std::string_view text, Parameters* parameters);

// "%2F" and "+"; nullopt when an escape is broken.
std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_blank);

// The value of the first of that name; nullptr without one.
const std::string* Find(const Parameters& parameters, std::string_view name);

struct ParameterTree {
  std::optional<std::string> value;  // what stands right here
  std::map<std::string, ParameterTree, std::less<>> children;
};

// Of two values in one place the first counts. MalformedQueryString: nested too deeply.
std::optional<WireError> BuildTree(const Parameters& parameters, ParameterTree* tree);

}  // namespace ec::gateway
