// Answers that were given, so that a client whose connection broke gets the same one again. AWS's
// SDKs repeat such a call, with the same Amz-Sdk-Invocation-Id; without this, a creation that has
// succeeded would be answered with "already exists".
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/gateway/headers.h"

namespace ec::gateway {

using AnswerDone = std::function<void(HttpAnswer)>;

// Thread safe.
class ReplayCache {
 public:
  explicit ReplayCache(size_t capacity) : capacity_(capacity) {}

  // True: the call is new, and must be done; its answer goes to what is left in `done`, which also
  // answers those that came with the same key meanwhile. False: `done` has been or will be called.
  bool Begin(const std::string& key, AnswerDone* done);

 private:
  struct Entry {
    std::optional<HttpAnswer> answer;
    std::vector<AnswerDone> waiting;
  };
  void Finish(const std::string& key, const HttpAnswer& answer);

  const size_t capacity_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::deque<std::string> finished_;  // keys of those with an answer, the oldest first
};

}  // namespace ec::gateway
