#include "controlplane/core/fault_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/overloaded.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/faults.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

using model::WireFault;
using std::chrono::milliseconds;

constexpr size_t kFaultsMax = 100;
constexpr Duration kDelayMax = std::chrono::minutes(1);
constexpr Duration kDurationMax = std::chrono::hours(24 * 30);
// A cut or a kill is done at once by every host that is heard; one that comes back later than this
// does it no more.
constexpr Duration kMomentMax = std::chrono::seconds(5);

bool IsAboutEngines(FaultKind kind) {
  return kind == FaultKind::kEngineKill || kind == FaultKind::kEnginePause;
}

std::string InMilliseconds(Duration duration) {
  return fmt::format("{} ms", static_cast<double>(duration.count()) / 1000);
}

// --- what a kind needs, and what it cannot have ---------------------------------------------

struct Parameter {
  const char* name;
  bool given;
  bool fits;
};

Status CheckParameters(FaultKind kind, const AddFault& request) {
  const Parameter parameters[] = {
      {"LatencyMs", request.delay.has_value(), kind == FaultKind::kLatency},
      {"JitterMs", request.jitter.has_value(), kind == FaultKind::kLatency},
      {"BytesPerSecond", request.bytes_per_second.has_value(), kind == FaultKind::kBandwidth},
      {"AfterBytes", request.bytes.has_value(), kind == FaultKind::kResetAfter},
      {"DurationMs", request.duration.has_value(), !IsMoment(kind)},
  };
  for (const Parameter& parameter : parameters) {
    if (!parameter.given || parameter.fits) continue;
    return BadCombination(
        fmt::format("A fault of kind {} has no {}.", NameOf(kind), parameter.name));
  }
  const auto missing = [&](const char* name) {
    return Status{Fault::kMissingParameter,
                  fmt::format("A fault of kind {} needs {}.", NameOf(kind), name)};
  };
  if (kind == FaultKind::kLatency && !request.delay) return missing("LatencyMs");
  if (kind == FaultKind::kBandwidth && !request.bytes_per_second) return missing("BytesPerSecond");
  if (kind == FaultKind::kResetAfter && !request.bytes) return missing("AfterBytes");
  return {};
}

Status CheckValues(const AddFault& request) {
  if (request.delay && (*request.delay <= Duration(0) || *request.delay > kDelayMax)) {
    return BadValue("LatencyMs", InMilliseconds(*request.delay),
                    "It must be more than 0 and at most 60000 ms.");
  }
  if (request.jitter && (*request.jitter < Duration(0) || *request.jitter > *request.delay)) {
    return BadValue("JitterMs", InMilliseconds(*request.jitter),
                    "It must be at most as much as the latency.");
  }
  if (request.bytes_per_second == 0u) {
    return BadValue("BytesPerSecond", "0", "It must be at least 1; nothing passes a blackhole.");
  }
  if (request.bytes == 0u) {
    return BadValue("AfterBytes", "0", "It must be at least 1; refuse resets at once.");
  }
  if (request.duration && (*request.duration <= Duration(0) || *request.duration > kDurationMax)) {
    return BadValue("DurationMs", InMilliseconds(*request.duration),
                    "It must be more than 0 and at most 30 days.");
  }
  return {};
}

// --- where it is ----------------------------------------------------------------------------

Status CheckZone(const Draft& draft, const std::string& zone) {
  if (draft.FindZone(zone) != nullptr) return {};
  std::vector<std::string> zones;
  for (const auto& [name, row] : draft.state().records.zones) zones.push_back(name);
  return BadValue("Between", zone, fmt::format("The zones are: {}.", fmt::join(zones, ", ")));
}

Status PlaceBetween(const Draft& draft, const AddFault& request, WireFault* fault) {
  if (request.between.size() != 2) {
    return BadCombination("Between takes exactly two sides, such as two zones.");
  }
  fault->side = request.between[0];
  fault->other_side = request.between[1];
  if (fault->side == model::kControlPlaneSide) std::swap(fault->side, fault->other_side);
  if (fault->other_side != model::kControlPlaneSide) {
    EC_RETURN_IF_ERROR(CheckZone(draft, fault->side));
    return CheckZone(draft, fault->other_side);
  }
  if (fault->kind != FaultKind::kPartition) {
    return BadCombination("Only a partition can be between a side and the control-plane.");
  }
  if (draft.FindHost(fault->side) != nullptr || draft.FindZone(fault->side) != nullptr) return {};
  return BadValue("Between", fault->side, "It must be a zone or a host.");
}

Status PlaceOnHost(const Draft& draft, const AddFault& request, WireFault* fault) {
  if (draft.FindHost(request.host) == nullptr) {
    std::vector<std::string> hosts;
    for (const model::Host* host : draft.Hosts()) hosts.push_back(host->id);
    return BadValue("HostId", request.host,
                    fmt::format("The hosts are: {}.", fmt::join(hosts, ", ")));
  }
  fault->host = request.host;
  return {};
}

Status PlaceAtTarget(const Draft& draft, const AddFault& request, WireFault* fault) {
  const model::Records& records = draft.state().records;
  fault->target = model::Lower(request.to);
  const auto target = model::FindFaultTarget(records, fault->target);
  if (!target) {
    return BadValue("To", request.to,
                    "It must be a cluster, a group, CLUSTER/NODE, CLUSTER/configuration, "
                    "GROUP/primary, GROUP/reader or the address of an endpoint.");
  }
  if (!IsAboutEngines(fault->kind)) return {};
  const bool has_engine = std::ranges::any_of(
      target->parts, [](const model::FaultTarget::On& part) { return part.member != 0; });
  if (!has_engine) {
    return BadValue("To", request.to, "It has no engine of its own; name a cluster or a node.");
  }
  // Who leads at this moment: its successor is not meant.
  if (target->parts.size() == 1) {
    const model::Member& member = records.members.at(target->parts[0].member);
    fault->target = member.cluster + "/" + member.node_id;
  }
  return {};
}

Status CheckPlace(FaultKind kind, const AddFault& request) {
  const int places = (request.to.empty() ? 0 : 1) + (request.between.empty() ? 0 : 1) +
                     (request.host.empty() ? 0 : 1);
  if (places != 1) {
    return BadCombination("A fault needs exactly one of To, Between and HostId.");
  }
  const auto needs = [&](const char* what) {
    return BadCombination(fmt::format("A fault of kind {} needs {}.", NameOf(kind), what));
  };
  if (kind == FaultKind::kPartition && request.between.empty()) return needs("Between");
  if (kind == FaultKind::kHostLoss && request.host.empty()) return needs("HostId");
  if (IsAboutEngines(kind) && !request.between.empty()) return needs("To or HostId");
  return {};
}

Status Place(const Draft& draft, const AddFault& request, WireFault* fault) {
  EC_RETURN_IF_ERROR(CheckPlace(fault->kind, request));
  if (!request.to.empty()) return PlaceAtTarget(draft, request, fault);
  if (!request.host.empty()) return PlaceOnHost(draft, request, fault);
  return PlaceBetween(draft, request, fault);
}

// --- telling of it --------------------------------------------------------------------------

void Tell(Draft& draft, const WireFault& fault, std::string message) {
  const auto target = model::FindFaultTarget(draft.state().records, fault.target);
  if (target && !target->cluster.empty()) {
    draft.AddClusterEvent(target->cluster, std::move(message));
  } else if (target && !target->group.empty()) {
    draft.AddGroupEvent(target->group, std::move(message));
  } else {
    draft.AddFaultEvent(model::IdOf(fault), std::move(message));
  }
}

// --- commands -------------------------------------------------------------------------------

Status Add(Draft& draft, const AddFault& request) {
  const auto kind = ParseFaultKind(request.kind);
  if (!kind) {
    return BadValue("Kind", request.kind,
                    "It must be latency, bandwidth, blackhole, refuse, reset-after, cut, "
                    "partition, engine-kill, engine-pause or host-loss.");
  }
  WireFault fault;
  fault.number = request.number;
  fault.kind = *kind;
  EC_RETURN_IF_ERROR(CheckParameters(*kind, request));
  EC_RETURN_IF_ERROR(CheckValues(request));
  EC_RETURN_IF_ERROR(Place(draft, request, &fault));
  if (draft.Faults().size() >= kFaultsMax) {
    return {Fault::kInvalidParameterCombination,
            fmt::format("There are {} faults already; clear some first.", kFaultsMax)};
  }
  model::Installation installation = draft.installation();
  if (fault.number < installation.next_id) {
    return {Fault::kInternal, "The number of the fault has been used."};
  }
  installation.next_id = fault.number + 1;
  draft.PutInstallation(std::move(installation));
  fault.delay = request.delay.value_or(Duration(0));
  fault.jitter = request.jitter.value_or(Duration(0));
  fault.bytes = request.bytes_per_second.value_or(request.bytes.value_or(0));
  fault.created = draft.machine_wall();
  const std::optional<Duration> duration = IsMoment(*kind) ? kMomentMax : request.duration;
  if (duration) fault.expires = fault.created + std::chrono::ceil<milliseconds>(*duration);
  Tell(draft, fault,
       messages::FaultBegun(model::IdOf(fault), model::TextOf(fault), request.duration));
  draft.Put(std::move(fault));
  return {};
}

Status Clear(Draft& draft, const ClearFaults& request) {
  std::vector<WireFault> faults;
  for (const WireFault* fault : draft.Faults()) {
    const bool wanted = request.ids.empty() ||
                        std::ranges::find(request.ids, model::IdOf(*fault)) != request.ids.end();
    if (wanted) faults.push_back(*fault);
  }
  for (const std::string& id : request.ids) {
    if (std::ranges::find(faults, id, &model::IdOf) != faults.end()) continue;
    return {Fault::kWireFaultNotFound, fmt::format("There is no fault {}.", id)};
  }
  for (const WireFault& fault : faults) {
    Tell(draft, fault, messages::FaultCleared(model::IdOf(fault)));
    draft.DropFault(fault.number);
  }
  return {};
}

}  // namespace

Status Obey(Draft& draft, const FaultCommand& command) {
  return std::visit(Overloaded{
                        [&](const AddFault& request) { return Add(draft, request); },
                        [&](const ClearFaults& request) { return Clear(draft, request); },
                    },
                    command);
}

void DropPastFaults(Draft& draft) {
  std::vector<WireFault> faults;
  for (const WireFault* fault : draft.Faults()) faults.push_back(*fault);
  for (const WireFault& fault : faults) {
    const bool over = fault.expires && *fault.expires <= draft.machine_wall();
    const bool gone =
        !fault.target.empty() && !model::FindFaultTarget(draft.state().records, fault.target);
    if (!over && !gone) continue;
    if (!IsMoment(fault.kind)) Tell(draft, fault, messages::FaultEnded(model::IdOf(fault)));
    draft.DropFault(fault.number);
  }
}

std::optional<Instant> NextFaultEnd(const model::State& state, Now now) {
  std::optional<Instant> next;
  for (const auto& [number, fault] : state.records.faults) {
    if (!fault.expires) continue;
    const Instant end = now.instant + (*fault.expires - now.wall);
    next = next ? std::min(*next, end) : end;
  }
  return next;
}

}  // namespace ec::core
