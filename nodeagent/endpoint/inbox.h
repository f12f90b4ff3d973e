// Messages from other threads to the one that owns the inbox and waits for them with epoll.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/unique_fd.h"

namespace ec::endpoint {

// Unbounded by itself: its users say what bounds it.
template <typename Message>
class Inbox {
 public:
  Inbox() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { EC_CHECK(wake_); }

  // Readable while there are messages.
  int fd() const { return wake_.get(); }

  // Any thread.
  void Post(Message message) {
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      first = messages_.empty();
      messages_.push_back(std::move(message));
    }
    const uint64_t one = 1;
    if (first) EC_CHECK(write(wake_.get(), &one, sizeof(one)) == sizeof(one));
  }

  // All messages, in the order in which they were posted. The owner's thread only.
  std::vector<Message> TakeAll() {
    // The descriptor first: a message that is posted in between then wakes the owner once more.
    uint64_t count = 0;
    EC_CHECK(read(wake_.get(), &count, sizeof(count)) == sizeof(count) || errno == EAGAIN);
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }

 private:
  const UniqueFd wake_;
  std::mutex mutex_;
  std::vector<Message> messages_;  // guarded by mutex_
};

}  // namespace ec::endpoint
