#include "tests/integration/writer.h"

#include <poll.h>

#include <utility>

#include "tests/integration/clients.h"
#include "tests/integration/installation.h"

namespace ec::integration {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

Writer::Writer(Where where, std::string key, milliseconds patience)
    : where_(std::move(where)),
      key_(std::move(key)),
      patience_(patience),
      thread_([this] { Run(); }) {}

Writer::Writer(v1::Endpoint endpoint, std::string key)
    : Writer([endpoint = std::move(endpoint)] { return endpoint; }, std::move(key),
             std::chrono::seconds(10)) {}

void Writer::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

bool Writer::WritesAgain() {
  const int64_t before = acknowledged_;
  return WaitUntil([&] { return acknowledged_ > before + 1; });
}

std::chrono::duration<double, std::milli> Writer::TakeLongestPause() {
  return nanoseconds(longest_pause_ns_.exchange(0));
}

// Each write sets one bit: a million of them fit into one value, which replicas get quickly.
void Writer::Run() {
  std::optional<RedisClient> client;
  auto last = steady_clock::now();
  bool failed_before = false;
  while (!stopping_) {
    if (!client) {
      if (const auto endpoint = where_()) client.emplace(*endpoint, patience_);
    }
    const std::string number = std::to_string(told_.size());
    if (client && client->Do({"SETBIT", key_, number, "1"}) == "0") {
      told_.push_back(true);
      ++acknowledged_;
      failed_before = false;
      const auto now = steady_clock::now();
      const int64_t pause = nanoseconds(now - last).count();
      if (pause > longest_pause_ns_) longest_pause_ns_ = pause;
      last = now;
      continue;
    }
    // It may have been done, nobody knows: the next write is another one.
    if (client) told_.push_back(false);
    client.reset();
    if (std::exchange(failed_before, true)) poll(nullptr, 0, 1);
  }
}

int64_t Writer::Lost() const {
  std::string bits;
  // Whoever serves the endpoint may be just starting.
  WaitUntil([&] {
    const auto endpoint = where_();
    bits = endpoint ? RedisClient(*endpoint).Do({"GET", key_}) : "(gone)";
    return bits != "(gone)";
  });
  int64_t lost = 0;
  for (size_t i = 0; i < told_.size(); ++i) {
    const bool there =
        i / 8 < bits.size() && (static_cast<unsigned char>(bits[i / 8]) >> (7 - i % 8) & 1) != 0;
    if (told_[i] && !there) ++lost;
  }
  return lost;
}

}  // namespace ec::integration
