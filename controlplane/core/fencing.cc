#include "controlplane/core/fencing.h"

#include "common/mutant.h"
#include "controlplane/core/placement.h"
#include "controlplane/model/faults.h"

namespace ec::core {
namespace {

using model::Group;
using model::GroupId;
using model::Member;

// Whether or not the host is still heard.
const MemberReport* LastReportOf(const model::State& state, const Member& member) {
  const auto sighting = state.sightings.find(member.host);
  if (sighting == state.sightings.end()) return nullptr;
  const auto report = sighting->second.members.find(member.id);
  return report == sighting->second.members.end() ? nullptr : &report->second;
}

// The process that the member's engine is, as far as can be known for certain. What is in the
// records holds only while no later start of the host's agent has registered: that one may have
// gone on from an orderly stop with another process.
std::optional<model::Ended> ProcessOf(const model::State& state, const Member& member) {
  if (const MemberReport* report = LastReportOf(state, member)) {
    if (report->pid == 0 || report->generation != member.generation) return std::nullopt;
    return model::Ended{report->pid, report->start_time};
  }
  const uint64_t incarnation = state.records.hosts.at(member.host).incarnation;
  if (member.pid == 0 || member.pid_incarnation != incarnation) return std::nullopt;
  return model::Ended{member.pid, member.start_time};
}

// A number is used again, and only together with the start time it is one process's.
bool IsSeenToEnd(const model::State& state, MemberId member, const model::Ended& process) {
  const auto ended = state.ended.find(member);
  if (ended == state.ended.end() || ended->second.pid != process.pid) return false;
  return ended->second.start_time == process.start_time || IsMutant(8);
}

}  // namespace

bool HasEnded(const Draft& draft, [[maybe_unused]] const Settings& settings, const Member& member) {
  if (IsMutant(17) && IsSilent(draft, settings, member.host)) return true;
  // A leader that others follow stays down once it is: what its host said last still holds.
  const MemberReport* report = LastReportOf(draft.state(), member);
  if (report != nullptr && report->generation == member.generation && report->pid == 0 &&
      (report->phase == MemberPhase::kDown || report->phase == MemberPhase::kFailed)) {
    return true;
  }
  const auto process = ProcessOf(draft.state(), member);
  return process && IsSeenToEnd(draft.state(), member.id, *process);
}

std::vector<Fence> Fences(const model::State& state, const Settings& settings, Now now) {
  std::vector<Fence> fences;
  if (settings.boot.empty()) return fences;
  for (const auto& [id, host] : state.records.hosts) {
    const Instant silent_at = SilentAt(state, settings, id);
    const Instant heard = silent_at - settings.host_silence_max;
    if (now.instant < heard + settings.host_doubt_after || host.boot != settings.boot) continue;
    const auto index = state.hosts.find(id);
    if (index == state.hosts.end()) continue;
    for (const auto& [revision, member_id] : index->second.members) {
      const Member& member = state.records.members.at(member_id);
      const GroupId& group_id = state.records.clusters.at(member.cluster).group;
      if (group_id.empty()) continue;
      const Group& group = state.records.groups.at(group_id);
      if (group.leader != member_id || group.members.size() < 2) continue;
      const auto process = ProcessOf(state, member);
      if (!process) continue;
      if (IsSeenToEnd(state, member_id, *process)) continue;
      // Where nobody takes over by himself, but it has been told to step down for another one: that
      // is waited for.
      const bool is_to_go = group.automatic_failover || group.step == model::SwitchStep::kDemoting;
      const bool kill = is_to_go && now.instant >= silent_at;
      fences.push_back(
          {member_id, process->pid, process->start_time, kill, host.pid, host.start_time});
      // Its agent is well, and gives up by itself what another host is about to serve.
      if (model::IsCutOff(state.records, id)) fences.back().agent_pid = 0;
    }
  }
  return fences;
}

}  // namespace ec::core
