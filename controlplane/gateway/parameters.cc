#include "controlplane/gateway/parameters.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/gateway/utf8.h"

namespace ec::gateway {
namespace {

std::optional<WireError> Malformed(std::string message) {
  return WireError{"MalformedQueryString", 404, std::move(message)};
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::optional<WireError> ParseForm(std::string_view text, Parameters* parameters) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (parameters->size() >= kParametersMax) {
      return Malformed(fmt::format("There are more than {} parameters.", kParametersMax));
    }
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = DecodePercent(pair.substr(0, equals), true);
    auto value = DecodePercent(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return Malformed("A percent sign is not followed by two hex digits.");
    // The API could not be asked with it.
    if (!IsUtf8(*name) || !IsUtf8(*value)) return Malformed("A parameter is not UTF-8.");
    if (name->empty()) return Malformed("A parameter has no name.");
    parameters->emplace_back(std::move(*name), std::move(*value));
  }
  return std::nullopt;
}

const std::string* Find(const Parameters& parameters, std::string_view name) {
  const auto found = std::ranges::find(parameters, name, &Parameters::value_type::first);
  return found == parameters.end() ? nullptr : &found->second;
}

std::optional<WireError> BuildTree(const Parameters& parameters, ParameterTree* tree) {
  for (const auto& [name, value] : parameters) {
    ParameterTree* place = tree;
    size_t depth = 0;
    for (size_t begin = 0; begin <= name.size();) {
      if (++depth > kNestingMax) {
        return Malformed(fmt::format("The parameter {} is nested too deeply.", name));
      }
      const size_t end = std::min(name.find('.', begin), name.size());
      place = &place->children[name.substr(begin, end - begin)];
      begin = end + 1;
    }
    if (!place->value) place->value = value;
  }
  return std::nullopt;
}

}  // namespace ec::gateway
