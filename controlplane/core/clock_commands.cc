#include "controlplane/core/clock_commands.h"

#include <algorithm>

#include "controlplane/core/group_commands.h"
#include "controlplane/core/hosts.h"
#include "controlplane/core/snapshot_commands.h"
#include "controlplane/core/validate.h"

namespace ec::core {
namespace {

// Times are written with four digits for the year.
constexpr WallTime kEarliest{std::chrono::sys_days(std::chrono::year{1970} / 1 / 1)};
constexpr WallTime kLatest{std::chrono::sys_days(std::chrono::year{9999} / 12 / 31)};

Status CheckTime(std::string_view parameter, WallTime time) {
  if (time >= kEarliest && time <= kLatest) return {};
  return BadValue(parameter, ToString(time), "It must be between the years 1970 and 9999.");
}

model::EmulatorClock Moved(const Draft& draft, WallTime to) {
  model::EmulatorClock clock = draft.installation().clock;
  clock.offset = to - draft.machine_wall();
  if (clock.frozen) clock.frozen = to;
  return clock;
}

}  // namespace

Status Set(Draft& draft, const Settings&, const SetClock& request) {
  if (request.to && request.reset) {
    return BadCombination("The clock is set either to a time or to the machine's.");
  }
  if (request.to) EC_RETURN_IF_ERROR(CheckTime("Time", *request.to));
  model::EmulatorClock clock = draft.installation().clock;
  if (request.to) clock = Moved(draft, *request.to);
  if (request.reset) clock = Moved(draft, draft.machine_wall());
  const bool frozen = request.frozen.value_or(clock.frozen.has_value());
  if (frozen && !clock.frozen) clock.frozen = TimeOn(clock, draft.machine_wall());
  if (!frozen && clock.frozen) {  // it goes on from where it stood
    clock.offset = *clock.frozen - draft.machine_wall();
    clock.frozen.reset();
  }
  draft.SetClock(clock);
  return {};
}

Status Step(Draft& draft, const Settings& settings, const StepClock& request) {
  EC_RETURN_IF_ERROR(CheckTime("Until", request.until));
  WallTime to = request.until;
  const auto next = NextScheduled(draft.state());
  if (next && *next > draft.now().wall) to = std::min(to, *next);
  if (to > draft.now().wall) draft.SetClock(Moved(draft, to));
  PassSchedules(draft, settings, /*is_sure=*/true);
  return {};
}

void PassSchedules(Draft& draft, const Settings& settings, bool is_sure) {
  OpenWindows(draft, settings);
  OpenGroupWindows(draft, settings);
  BeginDueBackups(draft, settings);
  ExpireSnapshots(draft, is_sure);
  DropOldEvents(draft);
}

std::optional<WallTime> NextScheduled(const model::State& state) {
  std::optional<WallTime> next;
  const auto consider = [&](WallTime at) { next = next ? std::min(*next, at) : at; };
  if (!state.windows.empty()) consider(state.windows.begin()->first);
  if (!state.group_windows.empty()) consider(state.group_windows.begin()->first);
  if (!state.backups.empty()) consider(state.backups.begin()->at);
  if (!state.expiries.empty()) consider(state.expiries.begin()->first);
  return next;
}

}  // namespace ec::core
