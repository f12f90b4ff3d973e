#include "nodeagent/endpoint/endpoint_server.h"

#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "common/check.h"
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

}  // namespace

class EndpointServer::Impl {
 public:
  Impl(const Settings& settings, EnginePath engine_path, EnginePath passing_path)
      : settings_(passing_path ? settings : Relaying(settings)),
        carrier_(settings, std::move(engine_path), std::move(passing_path)),
        acceptor_(settings.connections_max, &carrier_) {}

  std::vector<EndpointReport> Conform(const std::vector<EndpointSpec>& specs);
  std::vector<EndpointReport> Report() const;

 private:
  struct Slot {
    EndpointSpec spec;
    std::shared_ptr<Tally> tally = std::make_shared<Tally>();
    std::shared_ptr<Endpoint> endpoint;  // always the one of spec.listen, and leads as spec says
    std::optional<int> listener;         // the acceptor's name for it; nullopt: not listening
    EndpointTrouble trouble = EndpointTrouble::kNone;
    std::string trouble_text;
  };

  void Drop(const std::vector<EndpointSpec>& specs);
  void Update(const EndpointSpec& spec);
  void Retire(const std::shared_ptr<Endpoint>& endpoint);
  void Open(Slot* slot);
  void Close(Slot* slot);
  std::vector<EndpointReport> ReportLocked() const;

  const Settings settings_;
  Carrier carrier_;
  Acceptor acceptor_;  // after what it uses
  mutable std::mutex mutex_;
  std::map<EndpointId, Slot> slots_;  // guarded by mutex_
  // Those that are replaced or lead elsewhere; guarded by mutex_; empty between calls.
  std::vector<std::shared_ptr<Endpoint>> changed_;
};

std::vector<EndpointReport> EndpointServer::Impl::Conform(const std::vector<EndpointSpec>& specs) {
  const std::lock_guard lock(mutex_);
  // First everything closes that is to close: an address may pass from one endpoint to another.
  Drop(specs);
  for (const EndpointSpec& spec : specs) Update(spec);
  carrier_.Cut(std::exchange(changed_, {}));
  for (auto& [id, slot] : slots_) {
    if (!slot.listener) Open(&slot);
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
    Retire(slot->second.endpoint);
    slots_.erase(slot);
  }
}

// Brings the slot up to date, except that it may not be listening yet.
void EndpointServer::Impl::Update(const EndpointSpec& spec) {
  Slot& slot = slots_[spec.id];
  const bool moved = slot.spec.listen != spec.listen;
  if (moved) Close(&slot);
  const bool other_target = slot.spec.target != 0 && spec.target != 0;
  if (slot.endpoint == nullptr || moved || (other_target && slot.spec.target != spec.target)) {
    if (slot.endpoint != nullptr) Retire(slot.endpoint);
    slot.endpoint = std::make_shared<Endpoint>(spec.listen, CarryFor(settings_, spec), slot.tally);
    slot.endpoint->Lead(spec.target, spec.spread);
    slot.endpoint->SetDiscovery(spec.discovery);
    // Clients that wait to be accepted go to the new target.
    if (slot.listener) acceptor_.Replace(*slot.listener, slot.endpoint);
  } else {
    if (slot.spec.target != spec.target || slot.spec.spread != spec.spread) {
      slot.endpoint->Lead(spec.target, spec.spread);
      changed_.push_back(slot.endpoint);
    }
    if (slot.spec.discovery != spec.discovery) slot.endpoint->SetDiscovery(spec.discovery);
  }
  slot.spec = spec;
}

void EndpointServer::Impl::Retire(const std::shared_ptr<Endpoint>& endpoint) {
  endpoint->Retire();
  changed_.push_back(endpoint);
}

void EndpointServer::Impl::Open(Slot* slot) {
  Listening listening = Listen(slot->spec.listen);
  if (listening.socket) {
    slot->listener = acceptor_.Add(std::move(listening.socket), slot->endpoint);
    if (!slot->listener) listening = TroubleWith(slot->spec.listen, errno);
  }
  slot->trouble = listening.trouble;
  slot->trouble_text = std::move(listening.trouble_text);
}

void EndpointServer::Impl::Close(Slot* slot) {
  if (slot->listener) acceptor_.Remove(*slot->listener);
  slot->listener.reset();
}

std::vector<EndpointReport> EndpointServer::Impl::Report() const {
  const std::lock_guard lock(mutex_);
  return ReportLocked();
}

std::vector<EndpointReport> EndpointServer::Impl::ReportLocked() const {
  std::vector<EndpointReport> reports;
  for (const auto& [id, slot] : slots_) {
    reports.push_back({.id = id,
                       .listening = slot.listener.has_value(),
                       .trouble = slot.trouble,
                       .trouble_text = slot.trouble_text,
                       .carry = slot.endpoint->carried(),
                       .counts = slot.tally->Read()});
  }
  return reports;
}

EndpointServer::EndpointServer(Settings settings,
                               std::function<std::string(MemberId)> engine_socket,
                               std::function<std::string(MemberId)> passing_socket)
    : impl_(std::make_unique<Impl>(settings, std::move(engine_socket), std::move(passing_socket))) {
}

EndpointServer::~EndpointServer() = default;

std::vector<EndpointReport> EndpointServer::Conform(const std::vector<EndpointSpec>& endpoints) {
  return impl_->Conform(endpoints);
}

std::vector<EndpointReport> EndpointServer::Report() const { return impl_->Report(); }

}  // namespace ec::endpoint
