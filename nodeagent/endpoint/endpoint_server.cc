#include "nodeagent/endpoint/endpoint_server.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "common/access.h"
#include "common/check.h"
#include "common/log.h"
#include "common/netns.h"
#include "nodeagent/endpoint/acceptor.h"
#include "nodeagent/endpoint/carrier.h"
#include "nodeagent/endpoint/endpoint.h"
#include "nodeagent/endpoint/listener.h"

namespace ec::endpoint {

namespace {

Settings Relaying(Settings settings) {
  settings.carry = Carry::kRelay;
  settings.memcached_carry = Carry::kRelay;
  return settings;
}

// The sources as they are called in the VPC. Those outside of it cannot come from there.
VpcSources InBlock(const VpcSources& sources, const VpcBlocks& vpc) {
  const auto inside = [&](const std::vector<Cidr>& list) {
    std::vector<Cidr> blocks;
    for (const Cidr& source : list) {
      if (const auto network = vpc.InBlock(source.network)) {
        blocks.push_back({*network, source.prefix});
      }
    }
    return blocks;
  };
  return {inside(sources.admitted), inside(sources.refused)};
}

}  // namespace

class EndpointServer::Impl {
 public:
  Impl(const Settings& settings, EnginePath engine_path, EnginePath passing_path)
      : settings_(passing_path ? settings : Relaying(settings)),
        carrier_(settings, std::move(engine_path), std::move(passing_path)),
        acceptor_(settings.connections_max, &carrier_) {}

  std::vector<EndpointReport> Conform(const std::vector<EndpointSpec>& specs,
                                      const SharedNetwork& network, const SharedFaults& faults);
  std::vector<EndpointReport> Report() const;
  void Sweep();

 private:
  struct Slot {
    EndpointSpec spec;
    std::shared_ptr<Tally> tally = std::make_shared<Tally>();
    std::shared_ptr<Endpoint> endpoint;  // always the one of spec.listen, and leads as spec says
    std::shared_ptr<const Gate> gate;    // the endpoint's
    std::shared_ptr<const EndpointFaults> faults;  // the same; null: none
    std::optional<int> listener;   // the acceptor's name for it; nullopt: not listening
    std::optional<VpcBlocks> vpc;  // where its VPC is, if it is served in a namespace, too
    std::vector<int> inner;        // the listeners there: all of them, or none
    ino_t netns = 0;               // that they are in
    Dropped dropped_before;        // by listeners that it does not have any more
    EndpointTrouble trouble = EndpointTrouble::kNone;
    std::string trouble_text;
  };

  void Drop(const std::vector<EndpointSpec>& specs);
  void Update(const EndpointSpec& spec, bool rules_changed);
  void DropOthers(const Slot& slot);
  void Retire(EndpointId id, const std::shared_ptr<Endpoint>& endpoint);
  void Afflict(const SharedFaults& faults);
  void AfflictRetired();
  std::shared_ptr<const EndpointFaults> FaultsOf(EndpointId id, Ip4 own) const;
  void EndCuts();
  void Open(Slot* slot);
  std::optional<VpcBlocks> VpcOf(const EndpointSpec& spec) const;
  void OpenInner(Slot* slot);
  void CloseInner(Slot* slot);
  void Close(Slot* slot);
  void CloseOne(Slot* slot, int listener);
  std::vector<EndpointReport> ReportLocked() const;

  const Settings settings_;
  Carrier carrier_;
  Acceptor acceptor_;  // after what it uses
  mutable std::mutex mutex_;
  std::map<EndpointId, Slot> slots_;  // guarded by mutex_
  SharedNetwork network_;             // guarded by mutex_
  std::shared_ptr<const Sources> sources_ =
      std::make_shared<const Sources>(Network());  // of the network; guarded by mutex_
  SharedFaults faults_;                            // guarded by mutex_
  // Whose clients may hang in a black hole still, until that ends; guarded by mutex_.
  std::vector<std::pair<EndpointId, std::weak_ptr<Endpoint>>> retired_;
  std::vector<std::shared_ptr<Endpoint>> cutting_;  // guarded by mutex_; empty between calls
  bool revoking_ = false;  // engines may still have what they were told to close; guarded by mutex_
  // Those that are replaced or lead elsewhere; guarded by mutex_; empty between calls.
  std::vector<std::shared_ptr<Endpoint>> changed_;
};

std::vector<EndpointReport> EndpointServer::Impl::Conform(const std::vector<EndpointSpec>& specs,
                                                          const SharedNetwork& network,
                                                          const SharedFaults& faults) {
  const std::lock_guard lock(mutex_);
  const bool rules_changed = network != network_;
  if (rules_changed) {
    network_ = network;
    sources_ = std::make_shared<const Sources>(network ? *network : Network());
  }
  // First everything closes that is to close: an address may pass from one endpoint to another.
  Drop(specs);
  for (const EndpointSpec& spec : specs) Update(spec, rules_changed);
  Afflict(faults);
  carrier_.Cut(changed_);
  revoking_ |= !carrier_.Revoke(std::exchange(changed_, {}));
  EndCuts();
  for (auto& [id, slot] : slots_) {
    if (!slot.listener) Open(&slot);
    OpenInner(&slot);
  }
  return ReportLocked();
}

void EndpointServer::Impl::Drop(const std::vector<EndpointSpec>& specs) {
  std::set<EndpointId> wanted;
  for (const EndpointSpec& spec : specs) {
    EC_CHECK(wanted.insert(spec.id).second);  // each id once
  }
  for (auto next = slots_.begin(); next != slots_.end();) {
    const auto slot = next++;
    if (wanted.contains(slot->first)) continue;
    Close(&slot->second);
    Retire(slot->first, slot->second.endpoint);
    slots_.erase(slot);
  }
}

// Brings the slot up to date, except that it may not be listening yet.
void EndpointServer::Impl::Update(const EndpointSpec& spec, bool rules_changed) {
  Slot& slot = slots_[spec.id];
  const bool guard_anew = rules_changed || slot.gate == nullptr || slot.spec.door != spec.door;
  if (guard_anew) {
    const Network none;
    slot.gate = std::make_shared<const Gate>(network_ ? *network_ : none, sources_, spec.door);
  }
  const bool moved = slot.spec.listen != spec.listen || slot.spec.source != spec.source;
  if (moved) Close(&slot);
  const std::optional<VpcBlocks> vpc = VpcOf(spec);
  const bool vpc_moved = slot.vpc != vpc;
  if (vpc_moved) CloseInner(&slot);
  slot.vpc = vpc;
  const bool other_target =
      slot.spec.target != 0 && spec.target != 0 && slot.spec.target != spec.target;
  const bool speaks_otherwise = slot.spec.encrypted != spec.encrypted;
  if (slot.endpoint == nullptr || moved || other_target || speaks_otherwise) {
    if (slot.endpoint != nullptr) Retire(spec.id, slot.endpoint);
    const Ip4 source = spec.source.bits == 0 ? spec.listen.ip : spec.source;
    slot.endpoint = std::make_shared<Endpoint>(spec.listen, source, CarryFor(settings_, spec),
                                               slot.tally, spec.encrypted);
    slot.endpoint->Guard(slot.gate);
    slot.endpoint->Lead(spec.target, spec.spread);
    slot.endpoint->SetDiscovery(spec.discovery, vpc);
    // Clients that wait to be accepted go to the new target.
    if (slot.listener) acceptor_.Replace(*slot.listener, slot.endpoint);
    for (const int inner : slot.inner) acceptor_.Replace(inner, slot.endpoint);
  } else {
    if (slot.spec.target != spec.target || slot.spec.spread != spec.spread) {
      slot.endpoint->Lead(spec.target, spec.spread);
      changed_.push_back(slot.endpoint);
    }
    if (vpc_moved || slot.spec.discovery != spec.discovery) {
      slot.endpoint->SetDiscovery(spec.discovery, vpc);
    }
  }
  slot.spec = spec;
  if (!guard_anew) return;
  slot.endpoint->Guard(slot.gate);
  changed_.push_back(slot.endpoint);
  DropOthers(slot);
}

void EndpointServer::Impl::DropOthers(const Slot& slot) {
  if (settings_.deny != Deny::kDrop) return;
  VpcSources sources = slot.gate->SourcesInVpc();
  // Where there are too many to name each of them, whoever is in the VPC's slice is of it.
  if (sources.admitted.size() + sources.refused.size() > kSourcesMax && network_) {
    const auto vpc = network_->vpcs.find(slot.spec.door.vpc);
    sources.refused.clear();
    if (vpc != network_->vpcs.end()) sources.refused = {vpc->second.slice};
  }
  bool dropped = !slot.listener || acceptor_.DropOthers(*slot.listener, sources);
  for (const int inner : slot.inner) {
    dropped &= acceptor_.DropOthers(inner, InBlock(sources, *slot.vpc));
  }
  if (dropped) return;
  LogWarning("clients that may not connect are reset: they cannot be dropped",
             {{"endpoint", ToString(slot.spec.listen)}});
}

void EndpointServer::Impl::Sweep() {
  const std::lock_guard lock(mutex_);
  for (auto& [id, slot] : slots_) OpenInner(&slot);
  if (!revoking_) return;
  std::vector<std::shared_ptr<Endpoint>> endpoints;
  for (const auto& [id, slot] : slots_) endpoints.push_back(slot.endpoint);
  revoking_ = !carrier_.Revoke(endpoints);
}

void EndpointServer::Impl::Retire(EndpointId id, const std::shared_ptr<Endpoint>& endpoint) {
  endpoint->Retire();
  changed_.push_back(endpoint);
  if (endpoint->has_faults()) retired_.emplace_back(id, endpoint);
}

std::shared_ptr<const EndpointFaults> EndpointServer::Impl::FaultsOf(EndpointId id, Ip4 own) const {
  if (!faults_) return nullptr;
  auto faults = std::make_shared<const EndpointFaults>(faults_->faults, id, own);
  return faults->empty() ? nullptr : faults;
}

// Lets the faults act. Endpoints that are new have none yet.
void EndpointServer::Impl::Afflict(const SharedFaults& faults) {
  const SharedFaults before = std::exchange(faults_, faults);
  const auto is_new = [&](const HostFault& fault) {
    return !before ||
           std::ranges::find(before->faults, fault.id, &HostFault::id) == before->faults.end();
  };
  std::vector<std::string> cuts;
  for (const HostFault& fault : faults_ ? faults_->faults : std::vector<HostFault>()) {
    if (fault.kind == FaultKind::kCut && is_new(fault)) cuts.push_back(fault.id);
  }
  for (auto& [id, slot] : slots_) {
    auto now = FaultsOf(id, slot.spec.listen.ip);
    const bool same = now && slot.faults ? *now == *slot.faults : now == slot.faults;
    if (same && slot.endpoint->has_faults() == (now != nullptr)) continue;
    slot.faults = std::move(now);
    slot.endpoint->Afflict(slot.faults);
    changed_.push_back(slot.endpoint);
    if (slot.faults == nullptr || cuts.empty()) continue;
    for (const std::string& cut : cuts) slot.endpoint->BeginCut(cut);
    cutting_.push_back(slot.endpoint);
  }
  AfflictRetired();
}

void EndpointServer::Impl::AfflictRetired() {
  std::erase_if(retired_, [&](const auto& entry) {
    const std::shared_ptr<Endpoint> endpoint = entry.second.lock();
    if (!endpoint) return true;
    endpoint->Afflict(FaultsOf(entry.first, endpoint->address().ip));
    changed_.push_back(endpoint);
    return !endpoint->has_faults();
  });
}

void EndpointServer::Impl::EndCuts() {
  for (const auto& endpoint : std::exchange(cutting_, {})) endpoint->EndCut();
}

void EndpointServer::Impl::Open(Slot* slot) {
  Listening listening = Listen(slot->spec.listen, settings_.deny);
  slot->trouble = listening.trouble;
  slot->trouble_text = listening.trouble_text;
  if (!listening.socket) return;
  slot->listener = acceptor_.Add(std::move(listening), slot->endpoint);
  if (slot->listener) return DropOthers(*slot);
  const Listening unwatched = TroubleWith(slot->spec.listen, errno);
  slot->trouble = unwatched.trouble;
  slot->trouble_text = unwatched.trouble_text;
}

// Of an endpoint that is to be served in its VPC's namespace: where that is.
std::optional<VpcBlocks> EndpointServer::Impl::VpcOf(const EndpointSpec& spec) const {
  if (settings_.netns.empty() || spec.relayed || !network_) return std::nullopt;
  const auto found = network_->vpcs.find(spec.door.vpc);
  if (found == network_->vpcs.end()) return std::nullopt;
  return found->second.InBlock(spec.listen.ip) ? std::optional(found->second) : std::nullopt;
}

// Opens it in the namespace, unless it is open there. A namespace may have to wait to be made, or
// may have been made anew under its name.
void EndpointServer::Impl::OpenInner(Slot* slot) {
  if (!slot->vpc || !slot->listener) return;
  const std::string netns = NetnsName(settings_.netns, slot->spec.door.vpc);
  const ino_t present = InodeOfNetns(netns).value_or(0);
  if (!slot->inner.empty() && slot->netns == present) return;
  CloseInner(slot);
  const Address own = slot->spec.listen;
  for (const Ip4 ip : {*slot->vpc->InBlock(own.ip), own.ip}) {
    Listening listening = ListenIn(netns, {ip, own.port}, settings_.deny);
    slot->trouble_text = listening.trouble_text;
    std::optional<int> added;
    if (listening.socket) {
      added = acceptor_.Add(std::move(listening), slot->endpoint, slot->vpc);
    }
    if (!added) return CloseInner(slot);
    slot->inner.push_back(*added);
  }
  slot->netns = present;
  DropOthers(*slot);
}

void EndpointServer::Impl::CloseInner(Slot* slot) {
  for (const int inner : std::exchange(slot->inner, {})) CloseOne(slot, inner);
}

void EndpointServer::Impl::CloseOne(Slot* slot, int listener) {
  slot->dropped_before += acceptor_.DroppedBy(listener);
  acceptor_.Remove(listener);
}

void EndpointServer::Impl::Close(Slot* slot) {
  CloseInner(slot);
  if (slot->listener) CloseOne(slot, *slot->listener);
  slot->listener.reset();
}

std::vector<EndpointReport> EndpointServer::Impl::Report() const {
  const std::lock_guard lock(mutex_);
  return ReportLocked();
}

std::vector<EndpointReport> EndpointServer::Impl::ReportLocked() const {
  std::vector<EndpointReport> reports;
  for (const auto& [id, slot] : slots_) {
    if (settings_.deny == Deny::kDrop) {
      Dropped dropped = slot.dropped_before;
      if (slot.listener) dropped += acceptor_.DroppedBy(*slot.listener);
      for (const int inner : slot.inner) dropped += acceptor_.DroppedBy(inner);
      slot.tally->dropped_outside = dropped.outside;
      slot.tally->dropped_by_rules = dropped.by_rules;
    }
    reports.push_back({.id = id,
                       .listening = slot.listener.has_value(),
                       .trouble = slot.trouble,
                       .trouble_text = slot.trouble_text,
                       .carry = slot.endpoint->carried(),
                       .counts = slot.tally->Read(),
                       .relayed_bytes = slot.tally->ReadBytes()});
  }
  return reports;
}

EndpointServer::EndpointServer(Settings settings,
                               std::function<std::string(MemberId)> engine_socket,
                               std::function<std::string(MemberId)> passing_socket)
    : impl_(std::make_unique<Impl>(settings, std::move(engine_socket), std::move(passing_socket))) {
}

EndpointServer::~EndpointServer() = default;

std::vector<EndpointReport> EndpointServer::Conform(const std::vector<EndpointSpec>& endpoints,
                                                    const SharedNetwork& network,
                                                    const SharedFaults& faults) {
  return impl_->Conform(endpoints, network, faults);
}

void EndpointServer::Sweep() { impl_->Sweep(); }

std::vector<EndpointReport> EndpointServer::Report() const { return impl_->Report(); }

}  // namespace ec::endpoint
