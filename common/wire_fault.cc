#include "common/wire_fault.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ec {
namespace {

constexpr std::pair<FaultKind, std::string_view> kNames[] = {
    {FaultKind::kLatency, "latency"},          {FaultKind::kBandwidth, "bandwidth"},
    {FaultKind::kBlackhole, "blackhole"},      {FaultKind::kRefuse, "refuse"},
    {FaultKind::kResetAfter, "reset-after"},   {FaultKind::kCut, "cut"},
    {FaultKind::kPartition, "partition"},      {FaultKind::kEngineKill, "engine-kill"},
    {FaultKind::kEnginePause, "engine-pause"}, {FaultKind::kHostLoss, "host-loss"},
};

void Add(const HostFault& fault, WireEffect* effect) {
  switch (fault.kind) {
    case FaultKind::kLatency:
      effect->delay += fault.delay;
      effect->jitter += fault.jitter;
      return;
    case FaultKind::kBandwidth:
      effect->bytes_per_second = effect->bytes_per_second == 0
                                     ? fault.bytes
                                     : std::min(effect->bytes_per_second, fault.bytes);
      return;
    case FaultKind::kBlackhole:
      effect->blackhole = true;
      return;
    case FaultKind::kRefuse:
      effect->refuse = true;
      return;
    case FaultKind::kResetAfter:
      effect->reset_after = std::min(effect->reset_after.value_or(fault.bytes), fault.bytes);
      return;
    case FaultKind::kCut:
    case FaultKind::kPartition:
    case FaultKind::kEngineKill:
    case FaultKind::kEnginePause:
    case FaultKind::kHostLoss:
      return;
  }
}

bool IsOnWire(FaultKind kind) {
  switch (kind) {
    case FaultKind::kLatency:
    case FaultKind::kBandwidth:
    case FaultKind::kBlackhole:
    case FaultKind::kRefuse:
    case FaultKind::kResetAfter:
    case FaultKind::kCut:
      return true;
    case FaultKind::kPartition:
    case FaultKind::kEngineKill:
    case FaultKind::kEnginePause:
    case FaultKind::kHostLoss:
      return false;
  }
  return false;
}

}  // namespace

std::string_view NameOf(FaultKind kind) {
  return std::ranges::find(kNames, kind, &std::pair<FaultKind, std::string_view>::first)->second;
}

std::optional<FaultKind> ParseFaultKind(std::string_view name) {
  for (const auto& [kind, known] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

bool IsMoment(FaultKind kind) { return kind == FaultKind::kCut || kind == FaultKind::kEngineKill; }

EndpointFaults::EndpointFaults(std::span<const HostFault> faults, uint64_t endpoint, Ip4 own)
    : own_(own) {
  std::ranges::copy_if(faults, std::back_inserter(faults_), [&](const HostFault& fault) {
    const auto& ids = fault.endpoints;
    return IsOnWire(fault.kind) && (ids.empty() || std::ranges::find(ids, endpoint) != ids.end());
  });
}

bool EndpointFaults::Matches(const HostFault& fault, Ip4 source) const {
  if (source == own_) return false;
  return fault.sources.empty() || std::ranges::any_of(fault.sources, [&](const Cidr& cidr) {
           return cidr.Contains(source);
         });
}

WireEffect EndpointFaults::On(Ip4 source) const {
  WireEffect effect;
  for (const HostFault& fault : faults_) {
    if (Matches(fault, source)) Add(fault, &effect);
  }
  return effect;
}

bool EndpointFaults::Concerns(std::string_view id, Ip4 source) const {
  return std::ranges::any_of(
      faults_, [&](const HostFault& fault) { return fault.id == id && Matches(fault, source); });
}

}  // namespace ec
