#include "controlplane/model/windows.h"

#include <fmt/format.h>

#include <array>

#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"

namespace ec::model {
namespace {

constexpr int kDay = 24 * 60;
constexpr int kWeek = 7 * kDay;
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

// "hh24:mi"; nullopt when it is anything else.
std::optional<int> ParseClock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const size_t i : {0u, 1u, 3u, 4u}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  return hours * 60 + minutes;
}

// "ddd:hh24:mi", in lower case.
std::optional<int> ParseDayAndClock(std::string_view text) {
  if (text.size() != 9 || text[3] != ':') return std::nullopt;
  const auto clock = ParseClock(text.substr(4));
  if (!clock) return std::nullopt;
  for (size_t day = 0; day < kDays.size(); ++day) {
    if (text.substr(0, 3) == kDays[day]) return static_cast<int>(day) * kDay + *clock;
  }
  return std::nullopt;
}

Status BadWindow(std::string_view parameter, std::string_view text, std::string_view why) {
  return {Fault::kInvalidParameterValue,
          fmt::format("Invalid value for {}: '{}'. {}", parameter, text, why)};
}

Status CheckLength(std::string_view parameter, std::string_view text, int length) {
  if (length < kWindowMin.count()) {
    return BadWindow(parameter, text, "The window must be at least 60 minutes long.");
  }
  if (length > kWindowMax.count()) {
    return BadWindow(parameter, text, "The window must be at most 24 hours long.");
  }
  return {};
}

std::string Clock(int minutes) { return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60); }

// The hours of a region in which AWS picks windows, in minutes (UTC). They are eight, but for one.
struct Block {
  std::string_view region;
  int begin;
  int length = 8 * 60;
};
constexpr Block kBlocks[] = {
    {"us-east-1", 3 * 60},
    {"us-east-2", 4 * 60},
    {"us-west-1", 6 * 60},
    {"us-west-2", 6 * 60},
    {"us-gov-west-1", 6 * 60},
    {"sa-east-1", 1 * 60},
    {"eu-west-1", 22 * 60},
    {"eu-west-2", 23 * 60},
    {"eu-west-3", 23 * 60 + 59, 7 * 60 + 30},
    {"eu-central-1", 23 * 60},
    {"eu-south-1", 21 * 60},
    {"af-south-1", 13 * 60},
    {"me-south-1", 13 * 60},
    {"me-central-1", 13 * 60},
    {"ap-east-1", 13 * 60},
    {"ap-northeast-1", 13 * 60},
    {"ap-northeast-2", 12 * 60},
    {"ap-northeast-3", 12 * 60},
    {"ap-southeast-1", 14 * 60},
    {"ap-southeast-2", 12 * 60},
    {"ap-southeast-3", 14 * 60},
    {"cn-north-1", 14 * 60},
    {"cn-northwest-1", 14 * 60},
    {"ap-south-1", 17 * 60 + 30},
};

const Block& BlockOf(std::string_view region) {
  for (const Block& block : kBlocks) {
    if (block.region == region) return block;
  }
  return kBlocks[0];
}

// A minute of the day at which an hour may begin and still end inside the block.
int BeginInside(const Block& block, uint64_t choice) {
  const auto choices = static_cast<uint64_t>((block.length - 60) / 30 + 1);
  return block.begin + static_cast<int>(choice % choices) * 30;
}

// FNV-1a. The choice need not be random, only spread out and always the same.
uint64_t Spread(std::string_view seed, uint64_t attempt) {
  uint64_t hash = 14695981039346656037u + attempt;
  for (const char c : seed) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  return hash ^ hash >> 29;
}

}  // namespace

Result<WeeklyWindow> ParseMaintenanceWindow(std::string_view text) {
  constexpr std::string_view kName = "PreferredMaintenanceWindow";
  const std::string lower = Lower(text);
  const size_t dash = lower.find('-');
  if (dash != std::string::npos) {
    const auto begin = ParseDayAndClock(std::string_view(lower).substr(0, dash));
    const auto end = ParseDayAndClock(std::string_view(lower).substr(dash + 1));
    if (begin && end) {
      const int length = (*end - *begin + kWeek) % kWeek;
      EC_RETURN_IF_ERROR(CheckLength(kName, text, length));
      return WeeklyWindow{*begin, length};
    }
  }
  return BadWindow(kName, text,
                   "It must have the form ddd:hh24:mi-ddd:hh24:mi, such as sun:05:00-sun:06:00.");
}

Result<DailyWindow> ParseSnapshotWindow(std::string_view text) {
  constexpr std::string_view kName = "SnapshotWindow";
  const size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    const auto begin = ParseClock(text.substr(0, dash));
    const auto end = ParseClock(text.substr(dash + 1));
    if (begin && end) {
      const int length = (*end - *begin + kDay) % kDay;
      EC_RETURN_IF_ERROR(CheckLength(kName, text, length));
      return DailyWindow{*begin, length};
    }
  }
  return BadWindow(kName, text, "It must have the form hh24:mi-hh24:mi, such as 05:00-06:00.");
}

std::string ToString(const WeeklyWindow& window) {
  const int end = (window.begin + window.length) % kWeek;
  return fmt::format("{}:{}-{}:{}", kDays[static_cast<size_t>(window.begin / kDay)],
                     Clock(window.begin % kDay), kDays[static_cast<size_t>(end / kDay)],
                     Clock(end % kDay));
}

std::string ToString(const DailyWindow& window) {
  return fmt::format("{}-{}", Clock(window.begin), Clock((window.begin + window.length) % kDay));
}

bool Overlap(const WeeklyWindow& weekly, const DailyWindow& daily) {
  // The weekly window touches at most two days; the daily one may begin on the day before.
  for (int begin = daily.begin - kDay; begin < kWeek + kDay; begin += kDay) {
    if (begin < weekly.begin + weekly.length && weekly.begin < begin + daily.length) return true;
  }
  return false;
}

WeeklyWindow DefaultMaintenanceWindow(std::string_view region, std::string_view seed,
                                      const std::optional<DailyWindow>& other) {
  WeeklyWindow window{0, 60};
  for (uint64_t attempt = 0; attempt < 100; ++attempt) {
    const uint64_t hash = Spread(seed, attempt);
    const int day = static_cast<int>(hash % 7);
    window.begin = (day * kDay + BeginInside(BlockOf(region), hash / 7)) % kWeek;
    if (!other || !Overlap(window, *other)) break;
  }
  return window;
}

DailyWindow DefaultSnapshotWindow(std::string_view region, std::string_view seed,
                                  const WeeklyWindow& other) {
  DailyWindow window{0, 60};
  for (uint64_t attempt = 0; attempt < 100; ++attempt) {
    const uint64_t hash = Spread(seed, attempt + 1000);
    window.begin = BeginInside(BlockOf(region), hash) % kDay;
    if (!Overlap(other, window)) break;
  }
  return window;
}

bool IsOpen(const DailyWindow& window, WallTime at) {
  const WallTime opened = NextOpening(window, at) - std::chrono::days(1);
  return at < opened + std::chrono::minutes(window.length);
}

WallTime NextOpening(const DailyWindow& window, WallTime after) {
  WallTime opening =
      std::chrono::floor<std::chrono::days>(after) + std::chrono::minutes(window.begin);
  while (opening <= after) opening += std::chrono::days(1);
  return opening;
}

WallTime NextOpening(const WeeklyWindow& window, WallTime after) {
  const auto today = std::chrono::floor<std::chrono::days>(after);
  const std::chrono::weekday weekday{today};
  const auto week_begin = today - std::chrono::days(weekday.c_encoding());
  WallTime opening = week_begin + std::chrono::minutes(window.begin);
  while (opening <= after) opening += std::chrono::weeks(1);
  return opening;
}

}  // namespace ec::model
