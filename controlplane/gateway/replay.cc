#include "controlplane/gateway/replay.h"

#include <utility>

namespace ec::gateway {

bool ReplayCache::Begin(const std::string& key, AnswerDone* done) {
  std::optional<HttpAnswer> answer;
  {
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = entries_.try_emplace(key);
    if (is_new) {
      *done = [this, key, first = std::move(*done)](const HttpAnswer& fresh) {
        Finish(key, fresh);
        first(fresh);
      };
      return true;
    }
    answer = entry->second.answer;
    if (!answer) entry->second.waiting.push_back(std::move(*done));
  }
  if (answer) (*done)(*std::move(answer));
  return false;
}

void ReplayCache::Finish(const std::string& key, const HttpAnswer& answer) {
  std::vector<AnswerDone> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(key);
    waiting.swap(entry->second.waiting);
    if (answer.status >= 500) {  // the next attempt may fare better
      entries_.erase(entry);
    } else {
      entry->second.answer = answer;
      finished_.push_back(key);
      if (finished_.size() > capacity_) {
        entries_.erase(finished_.front());
        finished_.pop_front();
      }
    }
  }
  for (const AnswerDone& done : waiting) done(answer);
}

}  // namespace ec::gateway
