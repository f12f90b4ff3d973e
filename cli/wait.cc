#include "cli/wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/interrupt.h"
#include "cli/lookup.h"
#include "cli/text.h"

namespace ec::cli {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(25);
constexpr Duration kLongestPause = std::chrono::milliseconds(250);
// Ctrl-C and the deadline are held up by no more than one call.
constexpr Duration kCallTimeoutWhileThere = std::chrono::seconds(2);
constexpr Duration kCallTimeoutWhileAway = std::chrono::milliseconds(250);
constexpr char kNotFound[] = "CacheClusterNotFound";

// One wait in progress.
struct Watch {
  Context& context;
  Client& client;
  const Wait& wait;
  Instant began;
  Instant deadline;
  Progress progress;
  std::string status;
  std::string last_event;
  uint64_t last_serial = 0;
  bool away = false;  // the control plane did not answer the last time
};

void SetAway(Watch* watch, bool away) {
  if (away && !watch->away) {
    watch->progress.Line("the control plane does not answer; waiting for it to come back");
  }
  watch->away = away;
  watch->client.set_patience(away ? kCallTimeoutWhileAway : kCallTimeoutWhileThere, away);
}

// Tells the cluster's events that have come since the last look. Best effort: they only inform.
void TellEvents(Watch* watch) {
  v1::DescribeEventsRequest request;
  request.set_source_type("cache-cluster");
  request.set_source_identifier(watch->wait.cluster_id);
  v1::DescribeEventsResponse response;
  if (!FindEvents(watch->context, request, &response).ok()) return;
  for (const v1::Event& event : response.events()) {
    if (event.serial() <= watch->last_serial) continue;
    watch->last_serial = event.serial();
    watch->last_event = event.message();
    watch->progress.Line(fmt::format("{}  {}", FormatTime(event.date()), event.message()));
  }
}

void TellStatus(Watch* watch, const std::string& status) {
  if (status == watch->status) return;
  watch->status = status;
  watch->progress.Line(fmt::format("{} is {}", watch->wait.cluster_id, status));
}

Outcome Failed(const Watch& watch, const std::string& how) {
  const std::string why = watch.last_event.empty() ? "" : ": " + watch.last_event;
  return Refused(fmt::format("{} of {} failed: the cluster is {}{}", watch.wait.operation,
                             watch.wait.cluster_id, how, why));
}

// Sets `done` when there is nothing more to wait for; the outcome is then the wait's.
Outcome Look(Watch* watch, v1::CacheCluster* cluster, bool* done) {
  *done = true;
  v1::CacheCluster seen;
  const Outcome looked = FindCluster(watch->context, watch->wait.cluster_id, &seen);
  if (looked.exit == ExitCode::kUnreachable || looked.exit == ExitCode::kTimedOut) {
    SetAway(watch, true);
    *done = false;
    return {};
  }
  SetAway(watch, false);
  // The look at the cluster comes before the look at the events: what has led to this status has
  // been recorded with it.
  TellEvents(watch);
  if (looked.code == kNotFound) {
    if (watch->wait.until_gone) return {};
    return Failed(*watch, "gone");
  }
  EC_RETURN_UNLESS_OK(looked);
  const std::string& status = seen.cache_cluster_status();
  TellStatus(watch, status);
  if (IsFailedStatus(status)) return Failed(*watch, status);
  *cluster = std::move(seen);
  *done = !watch->wait.until_gone && cluster->cache_cluster_status() == "available";
  return {};
}

}  // namespace

bool IsFailedStatus(const std::string& status) {
  static const std::set<std::string> failed = {"create-failed", "failed", "incompatible-network",
                                               "restore-failed"};
  return failed.contains(status);
}

Outcome WaitForCluster(Context& context, const Wait& wait, v1::CacheCluster* cluster) {
  const InterruptScope interrupt_scope;
  Client* client = nullptr;
  EC_RETURN_UNLESS_OK(context.Connect(&client));
  Watch watch{context, *client, wait, context.now().instant, context.Deadline(kWaitTimeout), {}};
  SetAway(&watch, false);
  watch.last_serial = wait.after_serial;
  Duration pause = kFirstPause;
  while (true) {
    bool done = false;
    const Outcome outcome = Look(&watch, cluster, &done);
    if (done) return outcome;
    const Duration waited = context.now().instant - watch.began;
    watch.progress.Live(
        fmt::format("{} is {} ({})", wait.cluster_id, watch.status, FormatDuration(waited)));
    const std::string goes_on = fmt::format("the {} of {} goes on (see 'ecctl cluster show {}')",
                                            wait.operation, wait.cluster_id, wait.cluster_id);
    if (context.now().instant >= watch.deadline) {
      return TimedOut(fmt::format("{} is still {} after {}; {}", wait.cluster_id, watch.status,
                                  FormatDuration(waited), goes_on));
    }
    if (!Pause(pause)) return Interrupted("stopped waiting; " + goes_on);
    pause = std::min(pause * 5 / 4, kLongestPause);
  }
}

}  // namespace ec::cli
