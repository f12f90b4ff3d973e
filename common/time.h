// The two kinds of time, as types that do not compare with each other.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ec {

using Duration = std::chrono::microseconds;

// The clock behind Instant: counts from boot and goes on through a suspend (CLOCK_BOOTTIME).
// It has no now(): only a Clock (clock.h) reads the time.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

// For deadlines and judgement. Means nothing after a reboot: never stored.
using Instant = BootClock::time_point;

// For people, schedules and retention: milliseconds since the epoch, UTC. May jump.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// The moment of one step, read once by the shell and passed down.
struct Now {
  Instant instant;
  WallTime wall;
};

std::string ToString(WallTime time);  // "2014-12-21T21:59:43.794Z"
// Exactly that form; nullopt for anything else.
std::optional<WallTime> ParseWallTime(std::string_view text);

}  // namespace ec
