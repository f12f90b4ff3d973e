// `ecctl event`.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/cluster_view.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/interrupt.h"
#include "cli/lookup.h"

namespace ec::cli {
namespace {

constexpr Duration kRetryPause = std::chrono::milliseconds(100);
constexpr int kMinutesKept = 14 * 24 * 60;

struct EventOptions {
  std::string cluster, group;
  std::optional<Duration> since;
  bool all = false;
  std::optional<uint64_t> after;
};

// The one that the options name; empty: all.
const std::string& SourceOf(const EventOptions& options) {
  return options.cluster.empty() ? options.group : options.cluster;
}

const char* SourceTypeOf(const EventOptions& options) {
  return options.cluster.empty() ? kGroupSource : kClusterSource;
}

Outcome ListEvents(Context& context, const EventOptions& options) {
  v1::DescribeEventsRequest request;
  if (const std::string& source = SourceOf(options); !source.empty()) {
    request.set_source_identifier(source);
    request.set_source_type(SourceTypeOf(options));
  }
  if (options.all) request.set_duration(kMinutesKept);
  if (options.since) {
    // Events are dated by the service's clock, which may have been advanced.
    WallTime now = context.now().wall;
    v1::DescribeClockResponse clock;
    if (context.Call(&v1::Emulator::Stub::DescribeClock, {}, &clock).ok()) {
      now = ToWallTime(clock.clock().time());
    }
    const WallTime from =
        now - std::chrono::duration_cast<std::chrono::milliseconds>(*options.since);
    const auto ms = from.time_since_epoch().count();
    request.mutable_start_time()->set_seconds(ms / 1000);
    request.mutable_start_time()->set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
  }
  v1::DescribeEventsResponse response;
  EC_RETURN_UNLESS_OK(FindEvents(context, request, &response));
  if (context.json()) {
    context.Print(response);
    return {};
  }
  context.Print(EventTable({response.events().begin(), response.events().end()}),
                options.all || options.since ? "There are no events."
                                             : "There are no events of the last hour (see --all).");
  return {};
}

bool PrintEvent(const Context& context, const v1::Event& event) {
  return PrintLineNow(context.json() ? ToJson(event, /*one_line=*/true)
                                     : fmt::format("{}  {:>6}  {}  {}", FormatTime(event.date()),
                                                   event.serial(), event.source_identifier(),
                                                   event.message()));
}

// Reads one stream until it ends, and counts `last_serial` along.
grpc::Status FollowOnce(const Context& context, Client& client, const std::string& source,
                        bool wait_for_ready, uint64_t* last_serial) {
  v1::WatchEventsRequest request;
  request.set_after_serial(*last_serial);
  if (!source.empty()) request.set_source_identifier(source);
  grpc::ClientContext call;
  call.set_wait_for_ready(wait_for_ready);
  const auto reader = client.emulator().WatchEvents(&call, request);
  v1::Event event;
  while (reader->Read(&event)) {
    if (event.serial() <= *last_serial) continue;
    *last_serial = event.serial();
    if (!PrintEvent(context, event)) call.TryCancel();
  }
  return reader->Finish();
}

// The number to begin after is settled before the first stream, so that nothing that happens while
// the control plane restarts can be missed. Ctrl-C ends the program.
Outcome WatchEvents(Context& context, const EventOptions& options) {
  Client* client = nullptr;
  EC_RETURN_UNLESS_OK(context.Connect(&client));
  uint64_t last_serial = 0;
  const std::string& source = SourceOf(options);
  EC_RETURN_UNLESS_OK(FindLastSerial(context, SourceTypeOf(options), source, &last_serial));
  last_serial = options.after.value_or(last_serial);
  bool away = false;
  while (true) {
    const uint64_t before = last_serial;
    const grpc::Status ended = FollowOnce(context, *client, source, away, &last_serial);
    if (last_serial != before) away = false;
    if (std::ferror(stdout) != 0) return {};  // said at the end of the program
    const bool again = ended.ok() || ended.error_code() == grpc::StatusCode::UNAVAILABLE;
    if (!again) return client->ToOutcome(ended);
    if (!away) PrintNote("ecctl: the control plane is away; going on when it is back");
    away = true;
    Pause(kRetryPause);
  }
}

}  // namespace

void AddEventCommands(CommandLine& line) {
  CLI::App* event =
      line.AddGroup(kClusterSection, "event", "What has happened to clusters and groups");
  auto options = std::make_shared<EventOptions>();
  line.AddCommand(
          event, "list", "List events, oldest first; those of the last hour unless told otherwise",
          [options](Context& context) { return ListEvents(context, *options); },
          "Examples:\n"
          "  ecctl event list --cluster demo\n"
          "  ecctl event list --since 2h\n"
          "  ecctl event list --all -o json\n")
      .Option("--cluster", "CLUSTER", &options->cluster, "Only those of this cache cluster")
      .Option("--group", "REPLICATION-GROUP", &options->group,
              "Only those of this replication group itself")
      .Excludes("--cluster")
      .Option("--since", &options->since, "Not older than this: 30m, 2h, 7d")
      .Flag("--all", &options->all, "All that are kept: 14 days")
      .Excludes("--since");
  line.AddCommand(
          event, "watch", "Print events as they happen, until Ctrl-C",
          [options](Context& context) { return WatchEvents(context, *options); },
          "Goes on without a gap when the control plane restarts. With --output json: one object\n"
          "per line.\n\n"
          "Examples:\n"
          "  ecctl event watch\n"
          "  ecctl event watch --cluster demo --after 0\n")
      .Option("--cluster", "CLUSTER", &options->cluster, "Only those of this cache cluster")
      .Option("--group", "REPLICATION-GROUP", &options->group,
              "Only those of this replication group itself")
      .Excludes("--cluster")
      .Option("--after", "SERIAL", &options->after,
              "Begin after the event with this serial; 0 is the very beginning");
}

}  // namespace ec::cli
