// PreferredMaintenanceWindow ("sun:05:00-sun:06:00") and SnapshotWindow ("05:00-06:00"), in UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "common/time.h"

namespace ec::model {

// Minutes from the beginning of the week (Sunday 00:00 UTC). It may end beyond the week's end.
struct WeeklyWindow {
  int begin = 0;   // 0..10079
  int length = 0;  // 60..1440
  friend bool operator==(const WeeklyWindow&, const WeeklyWindow&) = default;
};

// Minutes from midnight UTC.
struct DailyWindow {
  int begin = 0;   // 0..1439
  int length = 0;  // 60..1440
  friend bool operator==(const DailyWindow&, const DailyWindow&) = default;
};

// Any letter case. The error names the parameter and the value.
Result<WeeklyWindow> ParseMaintenanceWindow(std::string_view text);
Result<DailyWindow> ParseSnapshotWindow(std::string_view text);

std::string ToString(const WeeklyWindow& window);  // lower case
std::string ToString(const DailyWindow& window);

// Whether the daily window touches the weekly one on any day.
bool Overlap(const WeeklyWindow& weekly, const DailyWindow& daily);

// The windows of a cluster that names none: 60 minutes somewhere in the region's hours, the
// same for the same `seed`. One that `other` overlaps is not chosen.
WeeklyWindow DefaultMaintenanceWindow(std::string_view region, std::string_view seed,
                                      const std::optional<DailyWindow>& other);
DailyWindow DefaultSnapshotWindow(std::string_view region, std::string_view seed,
                                  const WeeklyWindow& other);

// Whether it is open.
bool IsOpen(const DailyWindow& window, WallTime at);

// The next time that the window opens, later than `after`.
WallTime NextOpening(const DailyWindow& window, WallTime after);
WallTime NextOpening(const WeeklyWindow& window, WallTime after);

}  // namespace ec::model
