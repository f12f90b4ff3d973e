#include "controlplane/server/clock.h"

#include <algorithm>
#include <thread>

#include "controlplane/core/clock_commands.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert.h"

namespace ec::server {
namespace {

using std::chrono::milliseconds;

// What is begun at one moment is waited for this long at most: it ends or fails by itself.
constexpr Duration kStepMax = std::chrono::minutes(2);
// How often it is looked whether it is done, and how often the caller hears of it.
constexpr milliseconds kLookEvery{2};
constexpr Duration kTellEvery = milliseconds(100);

WallTime FromProto(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::seconds(time.seconds()) + milliseconds(time.nanos() / 1'000'000));
}

void Fill(const model::State& state, WallTime machine, v1::ClockStatus* out) {
  const model::EmulatorClock& clock = state.records.installation.clock;
  const WallTime shown = TimeOn(clock, machine);
  ToProto(shown, out->mutable_time());
  ToProto(machine, out->mutable_machine_time());
  out->set_offset_ms((shown - machine).count());
  out->set_frozen(clock.frozen.has_value());
  if (const auto next = core::NextScheduled(state)) ToProto(*next, out->mutable_next_due());
}

// Whether anything that has been begun is still under way.
bool IsBusy(const model::State& state) {
  const auto removes = [](const model::Snapshot& row) { return row.work.host.empty(); };
  const bool works = std::ranges::any_of(state.work_since, [&](const auto& entry) {
    return !removes(state.records.snapshots.at(entry.first));
  });
  return works || !state.phase_since.empty() || !state.group_since.empty();
}

struct Counts {
  int64_t taken = 0;
  int64_t expired = 0;
};

// One journey from `begin` to `end`.
class Journey {
 public:
  Journey(ControllerLoop& loop, const Clock& clock, WallTime begin, WallTime end)
      : loop_(loop), clock_(clock), begin_(begin), end_(end) {
    loop_.Read([&](const model::State& state) { Note(state); });
  }

  // Does what is due next, and waits for it. `tell` is false when nobody listens any more.
  Status Step(const std::function<bool()>& tell) {
    EC_RETURN_IF_ERROR(loop_.Submit(core::Command(core::StepClock{end_}),
                                    [&](const model::State& state) { Note(state); }));
    const Instant begun = clock_.now().instant;
    Instant told = begun;
    while (loop_.Read([](const model::State& state) { return IsBusy(state); })) {
      const Instant now = clock_.now().instant;
      if (now >= begun + kStepMax) break;
      if (now >= told + kTellEvery) {
        if (!tell()) return {Fault::kUnavailable, "The caller has gone."};
        told = now;
      }
      std::this_thread::sleep_for(kLookEvery);
    }
    loop_.Read([&](const model::State& state) { Note(state); });
    return {};
  }

  bool IsOver() const {
    return loop_.Read([&](const model::State& state) {
      const WallTime now = TimeOn(state.records.installation.clock, clock_.now().wall);
      const auto next = core::NextScheduled(state);
      return now >= end_ && (!next || *next > now);
    });
  }

  void Tell(bool done, v1::AdvanceClockResponse* out) const {
    loop_.Read(
        [&](const model::State& state) { Fill(state, clock_.now().wall, out->mutable_clock()); });
    ToProto(begin_, out->mutable_begin());
    ToProto(end_, out->mutable_end());
    out->set_snapshots_taken(counts_.taken);
    out->set_snapshots_expired(counts_.expired);
    out->set_done(done);
  }

 private:
  // Counts what has come and gone among the automatic snapshots since the last look.
  void Note(const model::State& state) {
    std::set<SnapshotFile> there;
    for (const auto& [name, row] : state.records.snapshots) {
      const bool counts = row.status == model::SnapshotStatus::kAvailable ||
                          row.status == model::SnapshotStatus::kExporting;
      if (row.automatic && counts) there.insert(row.file);
    }
    for (const SnapshotFile file : there) counts_.taken += begun_ && !there_.contains(file);
    for (const SnapshotFile file : there_) counts_.expired += !there.contains(file);
    there_ = std::move(there);
    begun_ = true;
  }

  ControllerLoop& loop_;
  const Clock& clock_;
  const WallTime begin_;
  const WallTime end_;
  Counts counts_;
  std::set<SnapshotFile> there_;
  bool begun_ = false;
};

}  // namespace

WallTime EmulatedTime(ControllerLoop& loop, const Clock& clock) {
  return loop.Read([&](const model::State& state) {
    return TimeOn(state.records.installation.clock, clock.now().wall);
  });
}

Status DescribeClock(ControllerLoop& loop, const Clock& clock, const v1::DescribeClockRequest&,
                     v1::DescribeClockResponse* response) {
  loop.Read(
      [&](const model::State& state) { Fill(state, clock.now().wall, response->mutable_clock()); });
  return {};
}

Status SetClock(ControllerLoop& loop, const Clock& clock, const v1::SetClockRequest& request,
                v1::SetClockResponse* response) {
  core::SetClock command;
  if (request.has_time()) command.to = FromProto(request.time());
  command.reset = request.reset();
  if (request.has_frozen()) command.frozen = request.frozen();
  return loop.Submit(core::Command(command), [&](const model::State& state) {
    Fill(state, clock.now().wall, response->mutable_clock());
  });
}

Status AdvanceClock(ControllerLoop& loop, const Clock& clock,
                    const v1::AdvanceClockRequest& request,
                    const std::function<bool(const v1::AdvanceClockResponse&)>& write,
                    const std::function<bool()>& cancelled) {
  if (request.has_duration_ms() == request.has_until()) {
    return {Fault::kInvalidParameterCombination,
            "Exactly one of DurationMs and Until says how far the clock is to be advanced."};
  }
  constexpr int64_t kDurationMax = int64_t{100} * 366 * 24 * 3600 * 1000;
  const WallTime begin = EmulatedTime(loop, clock);
  if (request.has_duration_ms() &&
      (request.duration_ms() < 1 || request.duration_ms() > kDurationMax)) {
    return {Fault::kInvalidParameterValue,
            "The clock is advanced by a millisecond to a hundred years."};
  }
  const WallTime end = request.has_until() ? FromProto(request.until())
                                           : begin + milliseconds(request.duration_ms());
  if (end <= begin) {
    return {Fault::kInvalidParameterValue,
            "The clock is past " + ToString(end) + ": it shows " + ToString(begin) + "."};
  }
  Journey journey(loop, clock, begin, end);
  const auto tell = [&](bool done) {
    v1::AdvanceClockResponse response;
    journey.Tell(done, &response);
    return !cancelled() && write(response);
  };
  do {
    EC_RETURN_IF_ERROR(journey.Step([&] { return tell(false); }));
    if (!tell(false)) return {Fault::kUnavailable, "The caller has gone."};
  } while (!journey.IsOver());
  tell(true);
  return {};
}

}  // namespace ec::server
