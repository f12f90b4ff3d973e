#include "controlplane/core/placement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "common/check.h"
#include "common/mutant.h"
#include "controlplane/core/addresses.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::Host;
using model::Member;

bool HasRoom(const Draft& draft, const Host& host, std::map<HostId, size_t>& taken) {
  return draft.LoadOf(host.id) + taken[host.id] < static_cast<size_t>(host.members_max);
}

// The live host in the zone that has the engine, has room, and carries the least; ties go to the
// first by name.
std::optional<HostId> ChooseHost(const Draft& draft, const Settings& settings, EngineKind engine,
                                 const std::string& zone, std::map<HostId, size_t>& taken) {
  std::optional<HostId> best;
  size_t best_load = 0;
  for (const Host* host : draft.Hosts()) {
    if (host->zone != zone || !host->engines.contains(engine)) continue;
    if (IsSilent(draft, settings, host->id) || !HasRoom(draft, *host, taken)) continue;
    const size_t load = draft.LoadOf(host->id) + taken[host->id];
    if (!best || load < best_load) {
      best = host->id;
      best_load = load;
    }
  }
  return best;
}

Status NoRoom(const Draft& draft, EngineKind engine, const std::vector<std::string>& zones) {
  const std::string where =
      zones.empty() ? "of this region" : fmt::format("{}", fmt::join(zones, " or "));
  return {Fault::kInsufficientCapacity,
          fmt::format("No host in availability zone {} can take another {} node: each one is "
                      "full, silent, or lacks the engine. Hosts: {}.",
                      where, NameOf(engine), [&] {
                        std::string hosts;
                        for (const Host* host : draft.Hosts()) {
                          if (!hosts.empty()) hosts += ", ";
                          hosts += fmt::format("{} ({}, {} of {} nodes)", host->id, host->zone,
                                               draft.LoadOf(host->id), host->members_max);
                        }
                        return hosts.empty() ? std::string("none has registered yet") : hosts;
                      }())};
}

Status NoAddress(const std::string& zone) {
  return {Fault::kInsufficientCapacity,
          fmt::format("The subnet of availability zone {} has no free address left.", zone)};
}

// Zones in the order in which a spread cluster's next node should try them: fewest of its own
// nodes first, then the least loaded, then by name.
std::vector<std::string> ZonesByPreference(const Draft& draft, const Cluster& cluster,
                                           const std::map<std::string, int>& own,
                                           std::map<HostId, size_t>& taken) {
  const std::set<std::string> allowed = ZonesOf(draft, cluster);
  std::map<std::string, size_t> loads;
  for (const Host* host : draft.Hosts()) {
    if (!allowed.contains(host->zone)) continue;
    loads[host->zone] += draft.LoadOf(host->id) + taken[host->id];
  }
  std::vector<std::tuple<int, size_t, std::string>> order;
  for (const auto& [zone, load] : loads) {
    const auto mine = own.find(zone);
    order.emplace_back(mine == own.end() ? 0 : mine->second, load, zone);
  }
  std::ranges::sort(order);
  std::vector<std::string> zones;
  for (const auto& [mine, load, zone] : order) zones.push_back(zone);
  return zones;
}

class SeatFinder {
 public:
  SeatFinder(const Draft& draft, const Settings& settings, const Cluster& cluster)
      : draft_(draft), settings_(settings), cluster_(cluster) {
    for (const Member* node : NodesOf(draft, cluster)) {
      if (node->status != model::MemberStatus::kDeleting) ++own_[node->zone];
    }
  }

  Result<std::vector<Seat>> Find(int count, const ZoneWish& wish) {
    std::vector<Seat> seats;
    for (int i = 0; i < count; ++i) {
      const std::string zone = wish.zones.empty() ? "" : wish.zones.at(static_cast<size_t>(i));
      Result<Seat> seat = zone.empty() ? Chosen(wish.spread) : In(zone);
      if (!seat.ok()) return seat.status();
      const auto ip = FindAddress(draft_, cluster_, seat->zone, addresses_);
      if (!ip) return NoAddress(seat->zone);
      seat->ip = *ip;
      addresses_.insert(*ip);
      ++taken_[seat->host];
      ++own_[seat->zone];
      seats.push_back(*seat);
    }
    return seats;
  }

 private:
  Result<Seat> In(const std::string& zone) {
    const auto host = ChooseHost(draft_, settings_, cluster_.engine, zone, taken_);
    if (!host) return NoRoom(draft_, cluster_.engine, {zone});
    return Seat{*host, zone, {}};
  }

  // A spread cluster takes any zone with room; another one stays in the zone that it has.
  Result<Seat> Chosen(bool spread) {
    const bool settled = !spread && !own_.empty();
    const std::vector<std::string> zones = settled
                                               ? std::vector{own_.begin()->first}
                                               : ZonesByPreference(draft_, cluster_, own_, taken_);
    for (const std::string& zone : zones) {
      if (const auto host = ChooseHost(draft_, settings_, cluster_.engine, zone, taken_)) {
        return Seat{*host, zone, {}};
      }
    }
    return NoRoom(draft_, cluster_.engine, zones);
  }

  const Draft& draft_;
  const Settings& settings_;
  const Cluster& cluster_;
  std::map<std::string, int> own_;  // the cluster's nodes by zone
  std::map<HostId, size_t> taken_;  // seats found so far
  std::set<Ip4> addresses_;         // and their addresses
};

Status CheckZones(const Draft& draft, const Cluster& cluster,
                  const std::vector<std::string>& zones) {
  std::set<std::string> known;
  for (const Host* host : draft.Hosts()) known.insert(host->zone);
  for (const std::string& zone : zones) {
    if (zone.empty() || known.contains(zone)) continue;
    return BadValue("PreferredAvailabilityZone", zone,
                    fmt::format("Availability zones with a host: {}.", fmt::join(known, ", ")));
  }
  const std::set<std::string> allowed = ZonesOf(draft, cluster);
  for (const std::string& zone : zones) {
    if (zone.empty() || allowed.contains(zone)) continue;
    return BadValue("PreferredAvailabilityZone", zone,
                    fmt::format("The subnets of cache subnet group {} are in {}.",
                                cluster.subnet_group, fmt::join(allowed, ", ")));
  }
  return {};
}

// The lowest number that none of the cluster's nodes has.
std::string FreeNodeId(const std::set<std::string>& used) {
  int number = 1;
  while (used.contains(model::NodeId(number))) ++number;
  return model::NodeId(number);
}

void PutMemberOn(Draft& draft, const Cluster& cluster, const std::string& node_id,
                 const Seat& seat) {
  UseAddress(draft, cluster, seat.ip);
  Member member;
  member.id = draft.NewId();
  member.cluster = cluster.id;
  member.node_id = node_id;
  member.host = seat.host;
  member.zone = seat.zone;
  member.address = {seat.ip, cluster.port};
  member.created = draft.now().wall;
  draft.PutMember(std::move(member));
}

}  // namespace

Instant SilentAt(const model::State& state, const Settings& settings, const HostId& host) {
  Instant heard = IsMutant(7) ? Instant() : state.listening_since;
  if (const auto found = state.sightings.find(host); found != state.sightings.end()) {
    heard = std::max(heard, found->second.heard);
  }
  return heard + settings.host_silence_max;
}

bool IsSilent(const Draft& draft, const Settings& settings, const HostId& host) {
  return draft.now().instant >= SilentAt(draft.state(), settings, host);
}

std::vector<std::string> InstalledVersions(const Draft& draft, EngineKind engine) {
  std::set<std::string> versions;
  for (const Host* host : draft.Hosts()) {
    if (const auto found = host->engines.find(engine); found != host->engines.end()) {
      versions.insert(found->second);
    }
  }
  return {versions.begin(), versions.end()};
}

std::vector<std::string> InstalledVersions(const model::State& state, EngineKind engine) {
  return InstalledVersions(Draft(state, Now{}), engine);
}

std::vector<const Member*> NodesOf(const Draft& draft, const Cluster& cluster) {
  std::vector<const Member*> nodes;
  for (const MemberId id : cluster.members) {
    const Member* member = draft.FindMember(id);
    if (!member->node_id.empty()) nodes.push_back(member);
  }
  std::ranges::sort(nodes, {}, [](const Member* node) { return node->node_id; });
  return nodes;
}

Result<std::vector<Seat>> FindSeats(const Draft& draft, const Settings& settings,
                                    const Cluster& cluster, int count, const ZoneWish& wish) {
  EC_CHECK(wish.zones.empty() || wish.zones.size() == static_cast<size_t>(count));
  EC_RETURN_IF_ERROR(CheckZones(draft, cluster, wish.zones));
  const bool any_zone = wish.zones.empty() && !wish.spread && NodesOf(draft, cluster).empty();
  if (!any_zone) return SeatFinder(draft, settings, cluster).Find(count, wish);
  // The whole of a new cluster goes into one zone: the first that has room for it.
  std::map<HostId, size_t> none;
  const std::vector<std::string> zones = ZonesByPreference(draft, cluster, {}, none);
  for (const std::string& zone : zones) {
    const std::vector<std::string> one(static_cast<size_t>(count), zone);
    Result<std::vector<Seat>> seats = SeatFinder(draft, settings, cluster).Find(count, {one});
    if (seats.ok() || zones.size() == 1) return seats;
  }
  return NoRoom(draft, cluster.engine, zones);
}

void TakeSeats(Draft& draft, const model::ClusterId& id, const std::vector<Seat>& seats) {
  const Cluster cluster = *draft.FindCluster(id);
  std::set<std::string> used;
  for (const Member* node : NodesOf(draft, cluster)) used.insert(node->node_id);
  for (const Seat& seat : seats) {
    const std::string node_id = FreeNodeId(used);
    used.insert(node_id);
    PutMemberOn(draft, cluster, node_id, seat);
  }
}

bool ReplaceMember(Draft& draft, const Settings& settings, MemberId id) {
  const Member old = *draft.FindMember(id);
  const Cluster cluster = *draft.FindCluster(old.cluster);
  std::map<HostId, size_t> taken;
  const auto host = ChooseHost(draft, settings, cluster.engine, old.zone, taken);
  if (!host || *host == old.host) return false;
  const auto ip = FindAddress(draft, cluster, old.zone, {});
  if (!ip) return false;
  Member& superseded = draft.EditMember(id);
  superseded.node_id.clear();
  superseded.status = model::MemberStatus::kDeleting;
  PutMemberOn(draft, cluster, old.node_id, {*host, old.zone, *ip});
  return true;
}

}  // namespace ec::core
