#include "cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <numeric>

namespace ec::cli {
namespace {

// How many insertions, deletions, replacements and swaps of neighbours lead from a to b.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<Duration> ParseDuration(std::string_view text) {
  double count = 0;
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  if (error != std::errc() || !(count >= 0)) return std::nullopt;  // NaN too
  const std::string_view unit(rest, static_cast<size_t>(text.data() + text.size() - rest));
  double seconds = 0;
  if (unit.empty() || unit == "s") {
    seconds = 1;
  } else if (unit == "ms") {
    seconds = 1e-3;
  } else if (unit == "m") {
    seconds = 60;
  } else if (unit == "h") {
    seconds = 3600;
  } else if (unit == "d") {
    seconds = 86400;
  } else {
    return std::nullopt;
  }
  constexpr double kTenYearsInSeconds = 10 * 366 * 86400.0;
  if (count * seconds > kTenYearsInSeconds) return std::nullopt;
  return Duration(static_cast<int64_t>(count * seconds * 1e6));
}

std::string FormatDuration(Duration duration) {
  const double seconds = static_cast<double>(duration.count()) / 1e6;
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  return fmt::format("{:.0f} s", seconds);
}

std::string FormatAge(Duration age) {
  const int64_t seconds = std::max<int64_t>(age.count(), 0) / 1'000'000;
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 120 * 60) return fmt::format("{}m", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

std::string FormatSpan(Duration span) {
  const auto rounded = [&](int64_t unit_in_seconds) {
    const int64_t unit = unit_in_seconds * 1'000'000;
    return (std::max<int64_t>(span.count(), 0) + unit / 2) / unit;
  };
  const auto in_two = [](int64_t count, int64_t in_larger, const char* larger, const char* unit) {
    const std::string text = fmt::format("{}{}", count / in_larger, larger);
    return count % in_larger == 0 ? text : fmt::format("{} {}{}", text, count % in_larger, unit);
  };
  if (rounded(1) < 120) return fmt::format("{}s", rounded(1));
  if (rounded(60) < 120) return fmt::format("{}m", rounded(60));
  if (rounded(60) < 48 * 60) return in_two(rounded(60), 60, "h", "m");
  return in_two(rounded(3600), 24, "d", "h");
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::string ShellQuote(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=@%+";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::optional<std::string> ClosestWord(std::string_view word,
                                       const std::vector<std::string>& candidates) {
  std::optional<std::string> closest;
  // A third of the letters may be wrong, at least one and at most three.
  size_t limit = std::clamp<size_t>(word.size() / 3, 1, 3);
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance > limit || (closest && distance == limit)) continue;
    limit = distance;
    closest = candidate;
  }
  return closest;
}

std::string LastLine(std::string_view text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const size_t newline = text.find_last_of('\n');
  return std::string(newline == std::string_view::npos ? text : text.substr(newline + 1));
}

}  // namespace ec::cli
