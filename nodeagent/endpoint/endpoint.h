// One endpoint as its connections see it; shared by the server's threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/host_plan.h"
#include "nodeagent/endpoint/discovery_reply.h"

namespace ec::endpoint {

// The counts of one endpoint id. They outlive a change of its address or target.
//
// Every connection that arrives counts as accepted. It is open from then on, also while it is held,
// unless it is refused at once. It ends as refused (no engine was found for it), as cut (the engine
// died, or the endpoint changed), or as neither (the client closed it, or the engine did and
// lives).
struct Tally {
  std::atomic<uint64_t> accepted = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<uint64_t> cut = 0;
  std::atomic<uint64_t> open = 0;

  EndpointCounts Read() const {
    return {.accepted = accepted, .refused = refused, .cut = cut, .open = open};
  }
};

// Stands for one address and target: when either changes, a new Endpoint takes its place, and the
// connections of the old one are cut.
class Endpoint {
 public:
  Endpoint(MemberId target, std::shared_ptr<Tally> tally)
      : target_(target), tally_(std::move(tally)) {}

  MemberId target() const { return target_; }
  Tally& tally() const { return *tally_; }

  void SetDiscovery(const std::optional<Discovery>& discovery) {
    auto replies =
        discovery ? std::make_shared<const DiscoveryReplies>(RepliesFor(*discovery)) : nullptr;
    const std::lock_guard lock(mutex_);
    replies_.swap(replies);
  }

  // The present answers to discovery commands; null if there is no list.
  std::shared_ptr<const DiscoveryReplies> replies() const {
    const std::lock_guard lock(mutex_);
    return replies_;
  }

 private:
  const MemberId target_;
  const std::shared_ptr<Tally> tally_;
  mutable std::mutex mutex_;
  std::shared_ptr<const DiscoveryReplies> replies_;  // guarded by mutex_
};

}  // namespace ec::endpoint
