// `ecctl clock`: the clock that schedules run on.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/interrupt.h"
#include "cli/text.h"

namespace ec::cli {
namespace {

struct ClockOptions {
  std::string duration;
  std::string time;
};

void SetTime(WallTime time, google::protobuf::Timestamp* out) {
  const auto ms = time.time_since_epoch().count();
  out->set_seconds(ms / 1000);
  out->set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
}

// "3d 4h ahead of the machine's"
std::string OffsetText(int64_t offset_ms) {
  if (offset_ms > -1000 && offset_ms < 1000) return "as the machine's";
  const Duration offset = std::chrono::milliseconds(offset_ms < 0 ? -offset_ms : offset_ms);
  return fmt::format("{} {} the machine's", FormatSpan(offset),
                     offset_ms < 0 ? "behind" : "ahead of");
}

std::string ClockText(const v1::ClockStatus& clock) {
  std::string text = fmt::format("{}  {}{}", FormatTime(clock.time()),
                                 OffsetText(clock.offset_ms()), clock.frozen() ? ", frozen" : "");
  if (clock.has_next_due()) text += fmt::format("\nnext due: {}", FormatTime(clock.next_due()));
  return text;
}

template <typename Response>
Outcome Print(const Context& context, const Response& response) {
  if (context.json()) {
    context.Print(response);
  } else {
    PrintLine(ClockText(response.clock()));
  }
  return {};
}

Outcome ShowClock(Context& context) {
  v1::DescribeClockResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::DescribeClock, {}, &response));
  return Print(context, response);
}

Outcome SetFrozen(Context& context, bool frozen) {
  v1::SetClockRequest request;
  request.set_frozen(frozen);
  v1::SetClockResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::SetClock, request, &response));
  return Print(context, response);
}

std::string ProgressText(const v1::AdvanceClockResponse& now) {
  const double whole = static_cast<double>(now.end().seconds() - now.begin().seconds());
  const double past = static_cast<double>(now.clock().time().seconds() - now.begin().seconds());
  const int percent = whole <= 0 ? 100 : std::clamp(static_cast<int>(past * 100 / whole), 0, 100);
  return fmt::format("{}  {} %, {} snapshots taken, {} expired", FormatTime(now.clock().time()),
                     percent, now.snapshots_taken(), now.snapshots_expired());
}

Outcome Advance(Context& context, const v1::AdvanceClockRequest& request) {
  const InterruptScope interrupt_scope;
  Client* client = nullptr;
  EC_RETURN_UNLESS_OK(context.Connect(&client));
  grpc::ClientContext call;
  if (context.global().timeout) client->SetDeadline(&call);
  const auto reader = client->emulator().AdvanceClock(&call, request);
  v1::AdvanceClockResponse last;
  bool interrupted = false;
  {
    Progress progress;
    v1::AdvanceClockResponse response;
    while (reader->Read(&response)) {
      last = response;
      progress.Live(ProgressText(last));
      if (!interrupted && WasInterrupted()) {
        interrupted = true;
        call.TryCancel();
      }
    }
  }
  const grpc::Status status = reader->Finish();
  if (interrupted) return Interrupted("stopped; the clock stays where it got to");
  EC_RETURN_UNLESS_OK(client->ToOutcome(status));
  if (context.json()) {
    context.Print(last);
  } else {
    PrintLine(fmt::format("{}\n{} snapshots taken, {} expired on the way", ClockText(last.clock()),
                          last.snapshots_taken(), last.snapshots_expired()));
  }
  return {};
}

Outcome AdvanceBy(Context& context, const std::string& text) {
  const auto duration = ParseDuration(text);
  if (!duration || duration->count() < 1000) {
    return UsageError(fmt::format("'{}' is not a duration such as 90m, 12h or 36d", text));
  }
  v1::AdvanceClockRequest request;
  request.set_duration_ms(duration->count() / 1000);
  return Advance(context, request);
}

// "2026-11-22T05:00:00Z", also without seconds, or a day alone.
std::optional<WallTime> ParseTime(std::string text) {
  if (text.size() == 10) text += "T00:00";
  if (text.ends_with('Z')) text.pop_back();
  if (text.size() == 16) text += ":00";
  if (text.size() == 19) text += ".000";
  return ParseWallTime(text + "Z");
}

// Forwards, everything happens that is due on the way; backwards there is nothing to undo.
Outcome SetClock(Context& context, const std::string& text) {
  v1::DescribeClockResponse now;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::DescribeClock, {}, &now));
  v1::SetClockRequest request;
  if (text == "machine") {
    request.set_reset(true);
  } else {
    const auto time = ParseTime(text);
    if (!time) {
      return UsageError(fmt::format(
          "'{}' is neither a time in UTC such as 2026-11-22T05:00:00Z nor 'machine'", text));
    }
    if (*time > ToWallTime(now.clock().time())) {
      v1::AdvanceClockRequest advance;
      SetTime(*time, advance.mutable_until());
      return Advance(context, advance);
    }
    SetTime(*time, request.mutable_time());
  }
  v1::SetClockResponse response;
  EC_RETURN_UNLESS_OK(context.Call(&v1::Emulator::Stub::SetClock, request, &response));
  return Print(context, response);
}

}  // namespace

void AddClockCommands(CommandLine& line) {
  CLI::App* clock = line.AddGroup(kServiceSection, "clock",
                                  "The clock that backups, retention and windows go by");
  auto options = std::make_shared<ClockOptions>();
  line.AddCommand(clock, "show", "Show the clock, and when something is due next", ShowClock,
                  "Examples:\n"
                  "  ecctl clock show\n");
  line.AddCommand(
          clock, "advance", "Let time pass at once, with all that falls due on the way, in order",
          [options](Context& context) { return AdvanceBy(context, options->duration); },
          "Examples:\n"
          "  ecctl clock advance 36d       # 36 nights with their backups\n"
          "  ecctl clock advance 90m\n"
          "Failure detection has a clock of its own: no jump ever causes a failover.\n")
      .Argument("DURATION", "DURATION", &options->duration, "How long, such as 90m, 12h or 36d");
  line.AddCommand(
          clock, "set", "Set the clock: forwards as 'advance' does, backwards at once",
          [options](Context& context) { return SetClock(context, options->time); },
          "Examples:\n"
          "  ecctl clock set 2026-12-24T05:00:00Z\n"
          "  ecctl clock set machine       # the machine's time again\n")
      .Argument("TIME", "TIME", &options->time, "In UTC, or 'machine'");
  line.AddCommand(
      clock, "freeze", "Have the clock stand still",
      [](Context& context) { return SetFrozen(context, true); },
      "Examples:\n"
      "  ecctl clock freeze\n");
  line.AddCommand(
      clock, "resume", "Have the clock go on from where it stands",
      [](Context& context) { return SetFrozen(context, false); },
      "Examples:\n"
      "  ecctl clock resume\n");
}

}  // namespace ec::cli
