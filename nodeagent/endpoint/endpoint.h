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
// Every connection that arrives counts as accepted. It is open from then on, also while it waits,
// unless it is refused at once. A connection that is handed over is open no more. Another one ends
// as refused (no engine was found for it), as cut (the engine died, or the endpoint changed), or as
// neither (the client closed it, or the engine did and lives). Of those that were handed over, the
// ones that a change of the endpoint ends count as cut.
struct Tally {
  std::atomic<uint64_t> accepted = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<uint64_t> refused_full = 0;
  std::atomic<uint64_t> handed_over = 0;
  std::atomic<uint64_t> relayed = 0;
  std::atomic<uint64_t> cut = 0;
  std::atomic<uint64_t> open = 0;

  EndpointCounts Read() const {
    return {.accepted = accepted,
            .refused = refused,
            .refused_full = refused_full,
            .handed_over = handed_over,
            .relayed = relayed,
            .cut = cut,
            .open = open};
  }
};

// Stands for one address and target: when either changes, a new Endpoint takes its place, and the
// connections of the old one are cut.
class Endpoint {
 public:
  // `carry` is how its connections are to be carried.
  Endpoint(Address address, MemberId target, Carry carry, std::shared_ptr<Tally> tally)
      : address_(address),
        target_(target),
        carry_(carry),
        tally_(std::move(tally)),
        carried_(carry) {}

  Address address() const { return address_; }
  MemberId target() const { return target_; }
  Carry carry() const { return carry_; }
  // How the newest connection really was: an engine that cannot be handed any gets the relay.
  Carry carried() const { return carried_; }
  void NoteCarried(Carry carried) { carried_ = carried; }
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
  const Address address_;
  const MemberId target_;
  const Carry carry_;
  const std::shared_ptr<Tally> tally_;
  std::atomic<Carry> carried_;
  mutable std::mutex mutex_;
  std::shared_ptr<const DiscoveryReplies> replies_;  // guarded by mutex_
};

}  // namespace ec::endpoint
