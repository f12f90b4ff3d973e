#include "controlplane/server/faults.h"

#include <set>
#include <string>
#include <utility>

#include "controlplane/model/faults.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert.h"

namespace ec::server {
namespace {

using std::chrono::milliseconds;

// Longer ones are refused anyway, and these can be counted in microseconds.
constexpr uint64_t kMillisecondsMax = uint64_t{1} << 40;

Duration FromMilliseconds(uint64_t count) {
  return milliseconds(static_cast<int64_t>(std::min(count, kMillisecondsMax)));
}

core::AddFault FromProto(const v1::AddFaultRequest& request) {
  core::AddFault add;
  add.kind = request.kind();
  add.to = request.to();
  add.between.assign(request.between().begin(), request.between().end());
  add.host = request.host_id();
  if (request.has_latency_ms()) add.delay = FromMilliseconds(request.latency_ms());
  if (request.has_jitter_ms()) add.jitter = FromMilliseconds(request.jitter_ms());
  if (request.has_bytes_per_second()) add.bytes_per_second = request.bytes_per_second();
  if (request.has_after_bytes()) add.bytes = request.after_bytes();
  if (request.has_duration_ms()) add.duration = FromMilliseconds(request.duration_ms());
  return add;
}

void Fill(const model::WireFault& fault, v1::WireFault* out) {
  out->set_fault_id(model::IdOf(fault));
  out->set_kind(std::string(NameOf(fault.kind)));
  if (!fault.target.empty()) out->set_to(fault.target);
  if (!fault.side.empty()) {
    out->add_between(fault.side);
    out->add_between(fault.other_side);
  }
  if (!fault.host.empty()) out->set_host_id(fault.host);
  if (fault.kind == FaultKind::kLatency) {
    out->set_latency_ms(static_cast<uint32_t>(fault.delay / milliseconds(1)));
    out->set_jitter_ms(static_cast<uint32_t>(fault.jitter / milliseconds(1)));
  }
  if (fault.kind == FaultKind::kBandwidth) out->set_bytes_per_second(fault.bytes);
  if (fault.kind == FaultKind::kResetAfter) out->set_after_bytes(fault.bytes);
  ToProto(fault.created, out->mutable_created());
  if (fault.expires) ToProto(*fault.expires, out->mutable_expires());
  out->set_description(model::TextOf(fault));
}

}  // namespace

Status AddFault(ControllerLoop& loop, FaultNumbers& numbers, const v1::AddFaultRequest& request,
                v1::AddFaultResponse* response) {
  core::AddFault add = FromProto(request);
  for (;;) {
    add.number = numbers.Draw(
        loop.Read([](const model::State& state) { return state.records.installation.next_id; }));
    Status status =
        loop.Submit(core::Command(core::FaultCommand(add)), [&](const model::State& state) {
          const auto fault = state.records.faults.find(add.number);
          if (fault == state.records.faults.end()) return;
          Fill(fault->second, response->mutable_fault());
        });
    // Somebody else has been given a higher number meanwhile.
    if (status.fault() != Fault::kInternal) return status;
  }
}

Status DescribeFaults(ControllerLoop& loop, const v1::DescribeFaultsRequest&,
                      v1::DescribeFaultsResponse* response) {
  loop.Read([&](const model::State& state) {
    for (const auto& [number, fault] : state.records.faults) Fill(fault, response->add_faults());
  });
  return {};
}

Status ClearFaults(ControllerLoop& loop, const v1::ClearFaultsRequest& request,
                   v1::ClearFaultsResponse* response) {
  core::ClearFaults clear;
  clear.ids.assign(request.fault_ids().begin(), request.fault_ids().end());
  std::set<uint64_t> before;  // others may end by themselves at the same time
  loop.Read([&](const model::State& state) {
    for (const auto& [number, fault] : state.records.faults) before.insert(number);
  });
  return loop.Submit(core::Command(core::FaultCommand(clear)), [&](const model::State& state) {
    for (const uint64_t number : before) {
      if (state.records.faults.contains(number)) continue;
      const std::string id = model::IdOf({.number = number});
      if (clear.ids.empty() || std::ranges::find(clear.ids, id) != clear.ids.end()) {
        response->add_fault_ids(id);
      }
    }
  });
}

}  // namespace ec::server
