// Where members go: into which zones, onto which hosts, at which addresses.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// Whether the host has not been heard for so long that what it runs cannot be counted on. Nobody
// is silent while the control plane itself has only just begun to listen.
bool IsSilent(const Draft& draft, const Settings& settings, const HostId& host);

// When the host will be silent, if nothing more is heard of it.
Instant SilentAt(const model::State& state, const Settings& settings, const HostId& host);

// The versions of the engine's program on the hosts that have it; empty when none has.
std::vector<std::string> InstalledVersions(const Draft& draft, EngineKind engine);
std::vector<std::string> InstalledVersions(const model::State& state, EngineKind engine);

// The request's wishes about zones.
struct ZoneWish {
  std::vector<std::string> zones;  // one per node, "": choose; or none at all: choose for each
  bool spread = false;             // over the zones, where they are to be chosen
};

// A place for a member: a live host with the engine and room for it, and a free address.
struct Seat {
  HostId host;
  std::string zone;
  Ip4 ip;
};

// Finds seats for `count` more members of the cluster, which need not be in the draft yet. Where
// zones are to be chosen, all nodes go into one, unless they are to be spread.
// Errors: kInvalidParameterValue (no such zone), kInsufficientCapacity.
Result<std::vector<Seat>> FindSeats(const Draft& draft, const Settings& settings,
                                    const model::Cluster& cluster, int count, const ZoneWish& wish);

// Puts a new member, with the lowest free node id, on each of the seats.
void TakeSeats(Draft& draft, const model::ClusterId& cluster, const std::vector<Seat>& seats);

// Puts a new member on another live host of the same zone in the place of one whose host has gone
// silent. False when there is no such host.
bool ReplaceMember(Draft& draft, const Settings& settings, MemberId id);

// The cluster's members that have a node id, by that id.
std::vector<const model::Member*> NodesOf(const Draft& draft, const model::Cluster& cluster);

}  // namespace ec::core
