// Small pure functions on words: durations, lists, quoting, the nearest spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/time.h"

namespace ec::cli {

// "30" and "1.5s" are seconds; also "500ms", "2m", "1h", "3d". Refuses what is negative.
std::optional<Duration> ParseDuration(std::string_view text);

// "350 ms", "1.8 s", "95 s".
std::string FormatDuration(Duration duration);

// How old something is, in one unit: "12s", "5m", "3h", "4d". A clock that jumped back gives "0s".
std::string FormatAge(Duration age);

// How far apart two times are, rounded, in up to two units: "45s", "5m", "3h 20m", "36d", "35d 4h".
std::string FormatSpan(Duration span);

// Parts between commas; empty parts are dropped.
std::vector<std::string> SplitList(std::string_view text);

// Fit to be a word of a POSIX shell; plain words are left as they are.
std::string ShellQuote(std::string_view text);

// The candidate nearest to `word`, if it is near enough to be a slip of the finger.
std::optional<std::string> ClosestWord(std::string_view word,
                                       const std::vector<std::string>& candidates);

// The last line with something on it; empty if there is none.
std::string LastLine(std::string_view text);

}  // namespace ec::cli
