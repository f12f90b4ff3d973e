// A client that writes one thing after another to a Redis and keeps account of what it was told.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ec/v1/elasticache.pb.h"

namespace ec::integration {

class Writer {
 public:
  // Asked before every connection. nullopt: it is not known at this moment.
  using Where = std::function<std::optional<v1::Endpoint>()>;

  // An answer that takes longer than `patience` ends the connection. The key is this writer's own.
  Writer(Where where, std::string key, std::chrono::milliseconds patience);
  // Through an address that does not change.
  explicit Writer(v1::Endpoint endpoint, std::string key = "acknowledged");
  ~Writer() { Stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Stop();
  int64_t acknowledged() const { return acknowledged_; }
  // Waits for a write that begins and is acknowledged from now on.
  bool WritesAgain();
  // The longest time between two acknowledgements since the last call, as far as it has ended.
  std::chrono::duration<double, std::milli> TakeLongestPause();
  // Acknowledged writes that are not there. REQUIRES: stopped
  int64_t Lost() const;

 private:
  void Run();

  const Where where_;
  const std::string key_;
  const std::chrono::milliseconds patience_;
  std::vector<bool> told_;  // by number; the thread's until it has been joined
  std::atomic<int64_t> acknowledged_ = 0;
  std::atomic<int64_t> longest_pause_ns_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace ec::integration
