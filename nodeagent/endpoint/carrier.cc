#include "nodeagent/endpoint/carrier.h"

#include <algorithm>
#include <cstdint>
#include <latch>
#include <map>
#include <thread>
#include <utility>

#include "common/log.h"
#include "nodeagent/endpoint/client_kill.h"

namespace ec::endpoint {
namespace {

// Within this time, engines have closed the connections of an endpoint that is no more.
constexpr Duration kCutDeadline = std::chrono::milliseconds(500);

int ThreadCount(int wanted) {
  if (wanted > 0) return wanted;
  return std::thread::hardware_concurrency() >= 2 ? 2 : 1;
}

// Whether a connection from there may go on that the engine was handed.
bool MayStayHandedOver(const Endpoint& endpoint, Ip4 client) {
  return endpoint.Admits(client) && !endpoint.IsAfflicted(client) && !endpoint.IsCut(client);
}

}  // namespace

Carry CarryFor(const Settings& settings, const EndpointSpec& spec) {
  if (!spec.spread.empty() || spec.relayed) return Carry::kRelay;
  if (!spec.discovery) return settings.carry;
  // A configuration endpoint is asked for the nodes, and outlives the member behind it.
  return spec.id == spec.target ? settings.memcached_carry : Carry::kRelay;
}

Carrier::Carrier(const Settings& settings, EnginePath engine_path, EnginePath passing_path)
    : engine_path_(engine_path),
      passer_(std::move(passing_path)),
      waiting_room_(settings.hold_max, &passer_, engine_path,
                    [this](Client client, std::shared_ptr<Endpoint> endpoint) {
                      Relay(std::move(client), std::move(endpoint));
                    }) {
  for (int i = 0; i < ThreadCount(settings.threads); ++i) {
    relays_.push_back(
        std::make_unique<ec::endpoint::Relay>(settings.hold_max, engine_path, &passer_));
  }
}

void Carrier::Take(Client client, std::shared_ptr<Endpoint> endpoint) {
  // A fault is acted out in the path; and what is in another namespace can neither be found in the
  // kernel's table of connections nor be shut down by address.
  if (client.in_netns || endpoint->IsAfflicted(client.ip)) {
    endpoint->NoteCarried(Carry::kRelay);
    Relay(std::move(client), std::move(endpoint));
    return;
  }
  switch (endpoint->carry()) {
    case Carry::kRelay:
      Relay(std::move(client), std::move(endpoint));
      break;
    case Carry::kHandOver:
      if (passer_.PassFor(*endpoint, client.socket.get(), client.ip) == Passer::Outcome::kPassed) {
        ++endpoint->tally().handed_over;
        endpoint->NoteCarried(Carry::kHandOver);
        break;
      }
      [[fallthrough]];
    case Carry::kFirstBytes:
      waiting_room_.Enter(std::move(client), std::move(endpoint));
      break;
  }
}

void Carrier::Relay(Client client, std::shared_ptr<Endpoint> endpoint) {
  // The one with the fewest connections: a few busy ones are then spread evenly as well.
  const auto& relay =
      *std::ranges::min_element(relays_, {}, [](const auto& r) { return r->open(); });
  relay->Carry(std::move(client), std::move(endpoint));
}

void Carrier::Cut(const std::vector<std::shared_ptr<Endpoint>>& endpoints) {
  if (endpoints.empty()) return;
  // In the order in which a connection goes on from one to the next.
  const auto left = std::make_shared<std::latch>(1);
  waiting_room_.Cut(endpoints, left);
  left->wait();
  const auto done = std::make_shared<std::latch>(std::ssize(relays_));
  for (const auto& relay : relays_) relay->Cut(endpoints, done);
  done->wait();
  CutHandedOver(endpoints);
}

void Carrier::CutHandedOver(const std::vector<std::shared_ptr<Endpoint>>& endpoints) {
  std::vector<ClientKill> kills;
  std::vector<std::pair<MemberId, Endpoint*>> killed;
  for (const auto& endpoint : endpoints) {
    for (const MemberId former : endpoint->TakeFormer()) {
      if (endpoint->carry() != Carry::kHandOver) continue;
      // An engine takes all that waits in its queue before it reads what comes after it.
      kills.push_back({engine_path_(former), endpoint->address()});
      killed.emplace_back(former, endpoint.get());
    }
  }
  const std::vector<ClientsKilled> results = KillClients(kills, kCutDeadline);
  for (size_t i = 0; i < results.size(); ++i) {
    const auto& [former, endpoint] = killed[i];
    endpoint->tally().cut += results[i].count;
    passer_.Forget(former);
    if (results[i].done) continue;
    LogWarning("an engine that does not answer was to close connections",
               {{"member", former}, {"endpoint", ToString(endpoint->address())}});
  }
}

bool Carrier::Revoke(const std::vector<std::shared_ptr<Endpoint>>& endpoints) {
  std::map<Address, Endpoint*> handed_over;
  for (const auto& endpoint : endpoints) {
    if (endpoint->carry() != Carry::kRelay) handed_over[endpoint->address()] = endpoint.get();
  }
  if (handed_over.empty()) return true;
  const std::set<OpenConnection> relayed = Relayed(endpoints);
  std::map<MemberId, std::vector<Revocation>> by_engine;
  for (const OpenConnection& connection : OpenConnections()) {
    const auto found = handed_over.find(connection.local);
    if (found == handed_over.end() || MayStayHandedOver(*found->second, connection.peer.ip)) {
      continue;
    }
    if (relayed.contains(connection)) continue;
    const Revocation revocation{connection.peer.ip, connection.local};
    std::vector<Revocation>& of_engine = by_engine[found->second->target()];
    ++found->second->tally().cut;
    if (std::ranges::find(of_engine, revocation) == of_engine.end()) {
      of_engine.push_back(revocation);
    }
  }
  for (const auto& [target, revocations] : by_engine) passer_.Revoke(target, revocations);
  return by_engine.empty();
}

std::set<OpenConnection> Carrier::Relayed(const std::vector<std::shared_ptr<Endpoint>>& endpoints) {
  if (std::ranges::none_of(endpoints, [](const auto& one) { return one->has_faults(); })) return {};
  const auto listing = std::make_shared<ec::endpoint::Relay::Listing>(std::ssize(relays_));
  for (const auto& relay : relays_) relay->List(listing);
  listing->done.wait();
  return std::move(listing->clients);
}

size_t Carrier::open() const {
  size_t open = waiting_room_.open();
  for (const auto& relay : relays_) open += relay->open();
  return open;
}

}  // namespace ec::endpoint
