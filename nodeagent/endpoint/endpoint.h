// One endpoint as its connections see it; shared by the server's threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/access.h"
#include "common/address.h"
#include "common/host_plan.h"
#include "common/unique_fd.h"
#include "common/wire_fault.h"
#include "nodeagent/endpoint/discovery_reply.h"

namespace ec::endpoint {

// The counts of one endpoint id. They outlive a change of its address or target.
//
// Every connection that arrives counts as accepted. It is open from then on, also while it waits,
// unless it is refused at once. A connection that is handed over is open no more. Another one ends
// as refused (no engine was found for it), as cut (the engine died, or the endpoint or its rules
// changed), or as neither (the client closed it, or the engine did and lives). Of those that were
// handed over, the ones that a change of the endpoint or its rules ends count as cut.
struct Tally {
  std::atomic<uint64_t> accepted = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<uint64_t> refused_full = 0;
  std::atomic<uint64_t> refused_outside = 0;
  std::atomic<uint64_t> refused_by_rules = 0;
  std::atomic<uint64_t> refused_by_fault = 0;
  std::atomic<uint64_t> dropped_outside = 0;
  std::atomic<uint64_t> dropped_by_rules = 0;
  std::atomic<uint64_t> handed_over = 0;
  std::atomic<uint64_t> relayed = 0;
  std::atomic<uint64_t> relayed_bytes_in = 0;
  std::atomic<uint64_t> relayed_bytes_out = 0;
  std::atomic<uint64_t> cut = 0;
  std::atomic<uint64_t> open = 0;

  EndpointCounts Read() const {
    return {.accepted = accepted,
            .refused = refused,
            .refused_full = refused_full,
            .refused_outside = refused_outside,
            .refused_by_rules = refused_by_rules,
            .refused_by_fault = refused_by_fault,
            .dropped_outside = dropped_outside,
            .dropped_by_rules = dropped_by_rules,
            .handed_over = handed_over,
            .relayed = relayed,
            .cut = cut,
            .open = open};
  }
  RelayedBytes ReadBytes() const { return {relayed_bytes_in, relayed_bytes_out}; }
};

// A connection that was accepted, and where it comes from.
struct Client {
  UniqueFd socket;
  Ip4 ip;                 // the loopback address that stands for it, wherever it is
  bool in_netns = false;  // it came in a VPC's network namespace
};

// Where a connection is carried to: a member of this host, or else an address; or nowhere yet.
struct Destination {
  MemberId target = 0;
  Address address;
  friend bool operator==(const Destination&, const Destination&) = default;
};

// Stands for one address, with a gate in front of it: without one nobody may connect. When the
// address changes, or one target takes the place of another, a new
// Endpoint takes its place, and all connections of the old one are cut. From no target to one, and
// back, and for another list to spread over it stays: then only those connections are cut that are
// carried to where the endpoint does not lead any more, and those that are held go on waiting.
class Endpoint {
 public:
  // `carry` is how its connections are to be carried; those that it makes itself, to addresses that
  // it spreads over, come from `source`. `encrypted`: see EndpointSpec.
  Endpoint(Address address, Ip4 source, Carry carry, std::shared_ptr<Tally> tally,
           bool encrypted = false)
      : address_(address),
        source_(source),
        carry_(carry),
        encrypted_(encrypted),
        tally_(std::move(tally)),
        carried_(carry) {}

  Address address() const { return address_; }
  Ip4 source() const { return source_; }
  Carry carry() const { return carry_; }
  bool encrypted() const { return encrypted_; }
  // How the newest connection really was: an engine that cannot be handed any gets the relay.
  Carry carried() const { return carried_; }
  void NoteCarried(Carry carried) { carried_ = carried; }
  Tally& tally() const { return *tally_; }

  void Lead(MemberId target, std::vector<Address> spread) {
    const std::lock_guard lock(mutex_);
    if (target_ != 0 && target_ != target) former_.push_back(target_);
    target_ = target;
    spread_ = std::move(spread);
  }
  // From now on it leads nowhere, and its connections are not to wait either.
  void Retire() {
    Lead(0, {});
    retired_ = true;
  }

  // From now on this is who may connect.
  void Guard(std::shared_ptr<const Gate> gate) {
    const std::lock_guard lock(mutex_);
    gate_.swap(gate);
  }
  Judgement::Cause Judge(Ip4 client) const {
    const std::lock_guard lock(mutex_);
    return gate_ == nullptr ? Judgement::Cause::kNoInstance : gate_->Judge(client).cause;
  }
  bool Admits(Ip4 client) const {
    const std::lock_guard lock(mutex_);
    return AdmitsLocked(client);
  }

  // From now on these faults act on its connections; null: none do.
  void Afflict(std::shared_ptr<const EndpointFaults> faults) {
    const std::lock_guard lock(mutex_);
    faults_.swap(faults);
    has_faults_ = faults_ != nullptr;
  }
  bool has_faults() const { return has_faults_; }
  // What they do to a connection from there.
  WireEffect EffectOn(Ip4 client) const {
    if (!has_faults_) return {};
    const std::lock_guard lock(mutex_);
    return faults_ == nullptr ? WireEffect() : faults_->On(client);
  }
  // Whether they have to be acted out in the path, so that it cannot be handed over.
  bool IsAfflicted(Ip4 client) const { return EffectOn(client).acts_on_bytes(); }
  // From here to EndCut(), Keeps() is false for the connections that this fault is about.
  void BeginCut(const std::string& fault) {
    const std::lock_guard lock(mutex_);
    cuts_.push_back(fault);
  }
  void EndCut() {
    const std::lock_guard lock(mutex_);
    cuts_.clear();
  }
  bool IsCut(Ip4 client) const {
    const std::lock_guard lock(mutex_);
    return IsCutLocked(client);
  }

  // Calls `pass` with the present target of a connection from there, 0 if there is none, or it may
  // not connect (any more), or not be handed over; nothing of this changes meanwhile. Must be
  // quick.
  template <typename Pass>
  auto AtTarget(Ip4 client, Pass pass) const {
    const std::lock_guard lock(mutex_);
    const bool passes =
        AdmitsLocked(client) && (faults_ == nullptr || !faults_->On(client).acts_on_bytes());
    return pass(passes ? target_ : 0);
  }

  MemberId target() const {
    const std::lock_guard lock(mutex_);
    return target_;
  }

  // The members that it has led to and does not any more, since this was last asked.
  std::vector<MemberId> TakeFormer() {
    const std::lock_guard lock(mutex_);
    return std::exchange(former_, {});
  }

  // Whether a connection from there that is carried to `destination`, or held (nullopt), may stay.
  bool Keeps(Ip4 client, const std::optional<Destination>& destination) const {
    if (retired_) return false;
    const std::lock_guard lock(mutex_);
    if (!AdmitsLocked(client) || IsCutLocked(client)) return false;
    if (!destination) return true;
    if (destination->target != 0) return destination->target == target_;
    return std::ranges::find(spread_, destination->address) != spread_.end();
  }

  // Where the next connection is to be carried: the target, or all addresses, each time beginning
  // with another one. Empty: nowhere, for now.
  std::vector<Destination> NextDestinations() {
    const std::lock_guard lock(mutex_);
    if (target_ != 0) return {{.target = target_}};
    std::vector<Destination> destinations;
    for (size_t i = 0; i < spread_.size(); ++i) {
      destinations.push_back({.address = spread_[(next_ + i) % spread_.size()]});
    }
    ++next_;
    return destinations;
  }

  // With `vpc`, clients in its network namespace get the nodes as they are called there.
  void SetDiscovery(const std::optional<Discovery>& discovery,
                    const std::optional<VpcBlocks>& vpc = std::nullopt) {
    const auto make = [](const std::optional<Discovery>& list) {
      return list ? std::make_shared<const DiscoveryReplies>(RepliesFor(*list)) : nullptr;
    };
    auto replies = make(discovery);
    auto in_netns = discovery && vpc ? make(InVpc(*discovery, *vpc)) : replies;
    const std::lock_guard lock(mutex_);
    replies_.swap(replies);
    replies_in_netns_.swap(in_netns);
  }

  // The present answers to discovery commands; null if there is no list.
  std::shared_ptr<const DiscoveryReplies> replies(bool in_netns = false) const {
    const std::lock_guard lock(mutex_);
    return in_netns ? replies_in_netns_ : replies_;
  }

 private:
  bool AdmitsLocked(Ip4 client) const {
    return gate_ != nullptr && gate_->Judge(client).admitted();
  }
  bool IsCutLocked(Ip4 client) const {
    return faults_ != nullptr && std::ranges::any_of(cuts_, [&](const std::string& fault) {
             return faults_->Concerns(fault, client);
           });
  }

  const Address address_;
  const Ip4 source_;
  const Carry carry_;
  const bool encrypted_;
  const std::shared_ptr<Tally> tally_;
  std::atomic<Carry> carried_;
  std::atomic<bool> retired_ = false;
  std::atomic<bool> has_faults_ = false;  // faults_ != nullptr
  mutable std::mutex mutex_;
  std::shared_ptr<const Gate> gate_;                          // guarded by mutex_
  std::shared_ptr<const EndpointFaults> faults_;              // guarded by mutex_
  std::vector<std::string> cuts_;                             // ids of faults; guarded by mutex_
  MemberId target_ = 0;                                       // guarded by mutex_
  std::vector<MemberId> former_;                              // guarded by mutex_
  std::vector<Address> spread_;                               // guarded by mutex_
  size_t next_ = 0;                                           // in spread_; guarded by mutex_
  std::shared_ptr<const DiscoveryReplies> replies_;           // guarded by mutex_
  std::shared_ptr<const DiscoveryReplies> replies_in_netns_;  // guarded by mutex_
};

}  // namespace ec::endpoint
