#include "cli/wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/event_tail.h"
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

// One wait in progress.
struct Watch {
  Context& context;
  Client& client;
  const Wait& wait;
  const std::function<Outcome(Seen*)>& look;
  Instant began;
  Instant deadline;
  EventTail tail;
  Progress progress;
  std::string status;
  std::string last_event;
  std::set<std::string> sources;  // whose events are told
  bool away = false;              // the control plane did not answer the last time
};

void SetAway(Watch* watch, bool away) {
  if (away && !watch->away) {
    watch->progress.Line("the control plane does not answer; waiting for it to come back");
  }
  watch->away = away;
  watch->client.set_patience(away ? kCallTimeoutWhileAway : kCallTimeoutWhileThere, away);
}

void TellEvents(Watch* watch) {
  for (const v1::Event& event : watch->tail.Next()) {
    watch->last_event = event.message();
    // Where several are followed, each says whose it is: AWS tells some of both cluster and group.
    const std::string source =
        watch->sources.size() > 1 ? fmt::format("{:<12}  ", event.source_identifier()) : "";
    watch->progress.Line(
        fmt::format("{}  {}{}", FormatTime(event.date()), source, event.message()));
  }
}

void TellStatus(Watch* watch, const std::string& status) {
  if (status == watch->status) return;
  watch->status = status;
  watch->progress.Line(fmt::format("{} is {}", watch->wait.id, status));
}

Outcome Failed(const Watch& watch, const std::string& how) {
  const std::string why = watch.last_event.empty() ? "" : ": " + watch.last_event;
  return Refused(
      fmt::format("{} of {} failed: {}{}", watch.wait.operation, watch.wait.id, how, why));
}

// Sets `done` when there is nothing more to wait for; the outcome is then the wait's.
Outcome Look(Watch* watch, bool* done) {
  *done = true;
  Seen seen;
  const Outcome looked = watch->look(&seen);
  if (looked.exit == ExitCode::kUnreachable || looked.exit == ExitCode::kTimedOut) {
    SetAway(watch, true);
    *done = false;
    return {};
  }
  SetAway(watch, false);
  for (const std::string& source : seen.sources) watch->tail.Follow(source);
  watch->sources.insert(watch->wait.id);
  watch->sources.insert(seen.sources.begin(), seen.sources.end());
  // The look at the cluster comes before the look at the events: what has led to this status has
  // been recorded with it.
  TellEvents(watch);
  const std::string the_noun = "the " + watch->wait.noun;
  if (IsNotFound(looked)) {
    if (watch->wait.until_gone) return {};
    return Failed(*watch, the_noun + " is gone");
  }
  EC_RETURN_UNLESS_OK(looked);
  TellStatus(watch, seen.status);
  if (IsFailedStatus(seen.status)) return Failed(*watch, the_noun + " is " + seen.status);
  if (seen.given_up) return Failed(*watch, "it was given up");
  *done = !watch->wait.until_gone && seen.done;
  return {};
}

}  // namespace

bool IsFailedStatus(const std::string& status) {
  static const std::set<std::string> failed = {"create-failed", "failed", "incompatible-network",
                                               "restore-failed"};
  return failed.contains(status);
}

Outcome WaitFor(Context& context, const Wait& wait, const std::function<Outcome(Seen*)>& look) {
  const InterruptScope interrupt_scope;
  Client* client = nullptr;
  EC_RETURN_UNLESS_OK(context.Connect(&client));
  Watch watch{context,
              *client,
              wait,
              look,
              context.now().instant,
              context.Deadline(kWaitTimeout),
              EventTail(context, wait.after_serial),
              {}};
  watch.tail.Follow(LowerCase(wait.id));
  SetAway(&watch, false);
  Duration pause = kFirstPause;
  while (true) {
    bool done = false;
    const Outcome outcome = Look(&watch, &done);
    if (done) return outcome;
    const Duration waited = context.now().instant - watch.began;
    watch.progress.Live(
        fmt::format("{} is {} ({})", wait.id, watch.status, FormatDuration(waited)));
    const std::string goes_on = fmt::format("the {} of {} goes on (see 'ecctl {} show {}')",
                                            wait.operation, wait.id, wait.noun, wait.id);
    if (context.now().instant >= watch.deadline) {
      return TimedOut(fmt::format("{} is still {} after {}; {}", wait.id, watch.status,
                                  FormatDuration(waited), goes_on));
    }
    if (!Pause(pause)) return Interrupted("stopped waiting; " + goes_on);
    pause = std::min(pause * 5 / 4, kLongestPause);
  }
}

Outcome WaitForCluster(Context& context, const Wait& wait, v1::CacheCluster* cluster) {
  return WaitFor(context, wait, [&](Seen* seen) -> Outcome {
    v1::CacheCluster now;
    EC_RETURN_UNLESS_OK(FindCluster(context, wait.id, &now));
    seen->status = now.cache_cluster_status();
    seen->done = seen->status == "available";
    *cluster = std::move(now);
    return {};
  });
}

Outcome WaitForGroup(Context& context, const GroupWait& wait, v1::ReplicationGroup* group) {
  return WaitFor(context, wait.wait, [&](Seen* seen) -> Outcome {
    v1::ReplicationGroup now;
    EC_RETURN_UNLESS_OK(FindGroup(context, wait.wait.id, &now));
    seen->status = now.status();
    seen->sources = {now.member_clusters().begin(), now.member_clusters().end()};
    const bool available = now.status() == "available";
    seen->done = available && wait.reached(now);
    seen->given_up = available && !seen->done && !wait.patient && !wait.wait.until_gone;
    *group = std::move(now);
    return {};
  });
}

}  // namespace ec::cli
