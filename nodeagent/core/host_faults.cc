#include "nodeagent/core/host_faults.h"

#include <algorithm>
#include <utility>

namespace ec::host {
namespace {

bool IsAboutEngines(const HostFault& fault) {
  return fault.kind == FaultKind::kEngineKill || fault.kind == FaultKind::kEnginePause;
}

}  // namespace

HostFaultBook::HostFaultBook(const SharedFaults& remembered) {
  if (remembered) {
    for (const HostFault& fault : remembered->faults) {
      if (fault.kind == FaultKind::kCut) past_cuts_.insert(fault.id);
      if (!IsAboutEngines(fault)) continue;
      for (const MemberId id : fault.members) {
        obeyed_[id].insert(fault.id);
        if (fault.kind == FaultKind::kEnginePause) paused_[id].insert(fault.id);
      }
    }
  }
  Take(remembered);
}

void HostFaultBook::Take(const SharedFaults& faults) {
  if (faults == faults_) return;
  faults_ = faults;
  const auto has = [&](FaultKind kind) {
    return faults_ &&
           std::ranges::find(faults_->faults, kind, &HostFault::kind) != faults_->faults.end();
  };
  lost_ = has(FaultKind::kHostLoss);
  cut_off_ = has(FaultKind::kPartition);
  const auto is_over = [&](const std::string& id) { return Find(id) == nullptr; };
  for (auto& [id, its] : obeyed_) std::erase_if(its, is_over);
  std::erase_if(obeyed_, [](const auto& entry) { return entry.second.empty(); });
  std::erase_if(past_cuts_, is_over);
  on_wire_ = faults_;
  if (past_cuts_.empty()) return;
  HostFaults left = *faults_;
  std::erase_if(left.faults, [&](const HostFault& fault) { return past_cuts_.contains(fault.id); });
  on_wire_ = SharedFaults(std::move(left));
}

const HostFault* HostFaultBook::Find(const std::string& id) const {
  if (!faults_) return nullptr;
  const auto found = std::ranges::find(faults_->faults, id, &HostFault::id);
  return found == faults_->faults.end() ? nullptr : &*found;
}

HostFaultBook::Order HostFaultBook::Next(MemberId id, bool runs) {
  for (const HostFault& fault : faults_ ? faults_->faults : std::vector<HostFault>()) {
    if (!IsAboutEngines(fault)) continue;
    if (std::ranges::find(fault.members, id) == fault.members.end()) continue;
    if (!obeyed_[id].insert(fault.id).second || !runs) continue;
    if (fault.kind == FaultKind::kEngineKill) return Order::kKill;
    if (paused_[id].insert(fault.id).second && paused_[id].size() == 1) return Order::kPause;
  }
  const auto paused = paused_.find(id);
  if (paused == paused_.end()) return Order::kNone;
  std::erase_if(paused->second, [&](const std::string& fault) { return Find(fault) == nullptr; });
  if (!paused->second.empty()) return Order::kNone;
  paused_.erase(paused);
  return runs ? Order::kContinue : Order::kNone;
}

}  // namespace ec::host
