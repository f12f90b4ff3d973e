#include "tests/sim/engine.h"

#include <algorithm>

namespace ec::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPause = seconds(3);

// What the leader has too is not sent again.
bool IsContinuedBy(const Engine& follower, const Engine& leader) {
  return follower.stream_base == leader.stream_base &&
         follower.writes.size() <= leader.writes.size() &&
         std::equal(follower.writes.begin(), follower.writes.end(), leader.writes.begin()) &&
         !follower.writes.empty();
}

}  // namespace

Engine::Reply Engine::Write(uint64_t write, Instant now) {
  if (follows) return Reply::kReadOnly;
  if (now < paused_until) return Reply::kHeld;
  writes.push_back(write);
  return Reply::kDone;
}

void Engine::Follow(const Address& leader) {
  if (follows == leader) return;
  follows = leader;  // its own followers stay connected
  synced_with = 0;
  syncing_with = 0;
}

void Engine::Lead() {
  if (!follows) return;
  follows.reset();
  ++streams;
  synced_with = 0;
  syncing_with = 0;
}

void Engine::PauseWrites(Instant now) { paused_until = now + kPause; }

bool Engine::Streams(const Engine& leader, Instant now) const {
  return synced_with == leader.stream() && now >= stream_from;
}

void Engine::CatchUp(const Engine& leader) {
  writes = leader.writes;
  stream_base = leader.stream_base;
}

void Engine::Pull(const Engine* leader, Instant now, Random& random) {
  if (leader == nullptr || leader == this || now < leader->ready_at) {
    synced_with = 0;
    syncing_with = 0;
    return;
  }
  if (synced_with != leader->stream()) synced_with = 0;
  if (leader->stopped) return;  // the connection stays, and nothing comes over it
  if (synced_with != 0) {
    if (Streams(*leader, now)) CatchUp(*leader);
    return;
  }
  if (leader->follows && leader->synced_with == 0) {  // NOMASTERLINK
    syncing_with = 0;
    return;
  }
  if (syncing_with != leader->stream()) {
    syncing_with = leader->stream();
    const bool partial = IsContinuedBy(*this, *leader);
    copy_is_full = !partial;
    if (!partial) ++full_copies;
    const auto time = partial ? random.Between(2, 30) : random.Between(30, 600);
    synced_at = now + milliseconds(time);
    return;
  }
  if (now < synced_at) return;
  syncing_with = 0;
  synced_with = leader->stream();
  if (copy_is_full) ++streams;
  CatchUp(*leader);
  stream_from = now;
  if (random.Chance(30)) stream_from += milliseconds(random.Between(1, 1000));
}

}  // namespace ec::sim
