#include "tests/sim/fault_calls.h"

#include <fmt/format.h>

#include "controlplane/model/faults.h"

namespace ec::sim {

using std::chrono::milliseconds;

std::string FaultCalls::SomeHost() {
  auto it = world_.hosts().begin();
  std::advance(it, dice_.Between(0, static_cast<int64_t>(world_.hosts().size()) - 1));
  return it->first;
}

std::string FaultCalls::SomeZone() { return world_.hosts().at(SomeHost()).zone; }

// Mostly of a group: there is more to see.
std::string FaultCalls::SomeTarget() {
  if (dice_.Chance(25)) return fmt::format("c-{}", dice_.Between(1, 8));
  const std::string group = fmt::format("g-{}", dice_.Between(1, 3));
  switch (dice_.Between(1, 4)) {
    case 1:
      return group;
    case 2:
      return group + "/primary";
    case 3:
      return group + "/reader";
    default:
      return fmt::format("{}-{:03}", group, dice_.Between(1, 4));
  }
}

void FaultCalls::SetPlace(core::AddFault* request) {
  const auto kind = ParseFaultKind(request->kind);
  const bool of_engines = kind == FaultKind::kEngineKill || kind == FaultKind::kEnginePause;
  if (kind == FaultKind::kHostLoss) {
    request->host = SomeHost();
  } else if (of_engines && dice_.Chance(80)) {
    request->to = SomeTarget();
  } else if (of_engines) {
    request->host = SomeHost();
  } else if (kind == FaultKind::kPartition && of_hosts_ && dice_.Chance(40)) {
    request->between = {dice_.Chance(70) ? SomeHost() : SomeZone(), "control-plane"};
  } else if (request->kind == NameOf(FaultKind::kPartition) || dice_.Chance(50)) {
    request->between = {SomeZone(), SomeZone()};
  } else if (dice_.Chance(80)) {
    request->to = SomeTarget();
  } else {
    request->host = SomeHost();
  }
}

core::Command FaultCalls::Some() {
  if (dice_.Chance(15)) return core::FaultCommand(core::ClearFaults{});
  constexpr FaultKind kKinds[] = {
      FaultKind::kLatency,    FaultKind::kBandwidth,   FaultKind::kBlackhole, FaultKind::kBlackhole,
      FaultKind::kRefuse,     FaultKind::kResetAfter,  FaultKind::kCut,       FaultKind::kPartition,
      FaultKind::kEngineKill, FaultKind::kEnginePause, FaultKind::kHostLoss};
  constexpr int64_t kOfHosts = 3;  // the last ones are not on the wire
  const FaultKind kind =
      kKinds[dice_.Between(0, std::ssize(kKinds) - 1 - (of_hosts_ ? 0 : kOfHosts))];
  core::AddFault request;
  request.number = world_.records().installation.next_id;
  request.kind = std::string(NameOf(kind));
  SetPlace(&request);
  if (kind == FaultKind::kLatency) request.delay = milliseconds(dice_.Between(1, 2000));
  if (kind == FaultKind::kBandwidth) request.bytes_per_second = 1000;
  if (kind == FaultKind::kResetAfter) request.bytes = 1000;
  if (!IsMoment(kind) && dice_.Chance(90)) {
    request.duration = milliseconds(dice_.Between(100, dice_.Chance(70) ? 5000 : 60000));
  }
  return core::FaultCommand(std::move(request));
}

}  // namespace ec::sim
