#include "controlplane/core/failover.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/mutant.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"
#include "controlplane/model/faults.h"

namespace ec::core {
namespace {

using model::ClusterId;
using model::Group;
using model::GroupId;
using model::GroupStatus;
using model::Member;
using model::MemberStatus;
using model::SwitchStep;

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

const MemberReport* ReportOf(const Draft& draft, const Settings& settings, const Member& member) {
  if (IsSilent(draft, settings, member.host)) return nullptr;
  const auto sighting = draft.state().sightings.find(member.host);
  if (sighting == draft.state().sightings.end()) return nullptr;
  const auto report = sighting->second.members.find(member.id);
  return report == sighting->second.members.end() ? nullptr : &report->second;
}

const ClusterId& ClusterOf(const Draft& draft, MemberId member) {
  return draft.FindMember(member)->cluster;
}

// --- how far the followers have come --------------------------------------------------------

// The offset that the member's host has answered with in this epoch, once it is at least so much;
// asks for it until then. The leader's epoch and the number tell old answers from new ones.
std::optional<int64_t> OffsetOf(Draft& draft, const Settings& settings, const Group& group,
                                const Member& member, int64_t at_least) {
  const auto asked = draft.state().asked.find(member.id);
  const bool is_asked = asked != draft.state().asked.end() && asked->second.epoch == group.epoch &&
                        asked->second.question.at_least == at_least;
  if (is_asked) {
    const ReplicationReport* seen = ReplicationSeen(draft, settings, member.id);
    if (seen != nullptr && seen->answers == asked->second.question.number) return seen->offset;
    if (draft.now().instant < asked->second.at + settings.offsets_max) return std::nullopt;
  }
  draft.Ask(member.host, member.id, at_least, group.epoch);
  return std::nullopt;
}

// Whether the member's answer may still come in time.
bool MayStillAnswer(const Draft& draft, const Settings& settings, const Group& group,
                    const Member& member) {
  const auto asked = draft.state().asked.find(member.id);
  if (asked == draft.state().asked.end() || asked->second.epoch != group.epoch) return true;
  return draft.now().instant < asked->second.at + settings.offsets_max;
}

struct Candidate {
  MemberId member = 0;
  int64_t offset = 0;
};

// Of those that can lead, the one that has the most; ties by creation order. nullopt while that is
// not known yet.
std::optional<Candidate> BestOf(Draft& draft, const Settings& settings, const Group& group,
                                const std::vector<const Member*>& promotable) {
  std::optional<Candidate> best;
  bool complete = true;
  for (const Member* follower : promotable) {
    const Member member = *follower;
    const bool waits = MayStillAnswer(draft, settings, group, member);
    const auto offset = OffsetOf(draft, settings, group, member, 0);
    if (!offset) {
      complete &= !waits;
      continue;
    }
    const bool more = best && (IsMutant(20) ? *offset < best->offset : *offset > best->offset);
    const bool better = !best || more || (*offset == best->offset && member.id < best->member);
    if (better) best = Candidate{member.id, *offset};
  }
  return complete ? best : std::nullopt;
}

// --- a leader that has ended ----------------------------------------------------------------

void SayTrouble(Draft& draft, const GroupId& id, const std::string& why) {
  if (draft.FindGroup(id)->trouble == why) return;
  draft.EditGroup(id).trouble = why;
  draft.AddGroupEvent(id, messages::NoFailover(why));
}

// Nobody has what the leader had.
void RestartEmpty(Draft& draft, const GroupId& id) {
  Group& group = draft.EditGroup(id);
  group.trouble.clear();
  group.successor = 0;
  draft.RaiseEpoch(id);
  Member& leader = draft.EditMember(group.leader);
  ++leader.generation;
  leader.pid = 0;  // the end of the one before says nothing about the next
  leader.launch = 0;
  const std::string cluster = leader.cluster;
  for (const Member* follower : FollowersOf(draft, *draft.FindGroup(id))) {
    draft.EditMember(follower->id).in_sync = false;
  }
  if (draft.FindGroup(id)->status != GroupStatus::kCreating) {
    draft.AddGroupEvent(id, messages::PrimaryRestartedEmpty(cluster));
  }
  draft.TouchGroup(id);
}

bool HoldsData(const Draft& draft, const Settings& settings, const Member& member) {
  const MemberReport* report = ReportOf(draft, settings, member);
  if (report == nullptr) return !HasEnded(draft, settings, member);
  return report->pid != 0 && report->launch == member.launch && member.launch != 0;
}

void DoWithout(Draft& draft, const Settings& settings, const GroupId& id,
               const std::vector<const Member*>& followers) {
  const auto since = draft.state().group_since.find(id);
  // The time belongs to the trouble of the records, not to what this step has found.
  const auto row = draft.state().records.groups.find(id);
  const std::string trouble = row == draft.state().records.groups.end() ? "" : row->second.trouble;
  const bool overdue = !trouble.empty() && trouble != model::kAwaitsChoice &&
                       since != draft.state().group_since.end() &&
                       draft.now().instant >= since->second + settings.operation_max;
  const bool any_data = std::ranges::any_of(
      followers, [&](const Member* member) { return HoldsData(draft, settings, *member); });
  if (!any_data || overdue || draft.FindGroup(id)->status == GroupStatus::kCreating) {
    RestartEmpty(draft, id);
    return;
  }
  std::string why;
  for (const Member* follower : followers) {
    why += fmt::format("{}{} {}", why.empty() ? "" : "; ", follower->cluster,
                       WhyNotPromotable(draft, settings, *follower));
  }
  SayTrouble(draft, id, why);
}

// What the new leader lacks, as far as the old one's last words tell.
void NoteLoss(Draft& draft, const GroupId& id, int64_t offset) {
  Group& group = draft.EditGroup(id);
  group.lost_bytes.reset();
  group.lost_ms.reset();
  const Member& leader = *draft.FindMember(group.leader);
  const auto sighting = draft.state().sightings.find(leader.host);
  if (sighting == draft.state().sightings.end()) return;
  const auto report = sighting->second.members.find(leader.id);
  if (report == sighting->second.members.end() || !report->second.replication) return;
  group.lost_bytes = std::max<int64_t>(report->second.replication->offset - offset, 0);
  const Duration behind =
      *group.lost_bytes == 0 ? Duration(0) : draft.now().instant - sighting->second.heard;
  group.lost_ms = std::chrono::duration_cast<std::chrono::milliseconds>(behind).count();
}

void FailOver(Draft& draft, const Settings& settings, const GroupId& id, const Candidate& best) {
  const MemberId old = draft.FindGroup(id)->leader;
  const std::string from = ClusterOf(draft, old);
  const std::string to = ClusterOf(draft, best.member);
  NoteLoss(draft, id, best.offset);
  draft.AddClusterEvent(from, messages::FailoverCompleted(from, to));
  draft.AddGroupEvent(id, messages::FailoverCompleted(from, to));
  // Its host may be silent, so that nobody has said yet that it is not available.
  Member& failed = draft.EditMember(old);
  if (failed.status == MemberStatus::kAvailable) {
    failed.status = MemberStatus::kRecovering;
    failed.trouble = "the engine has ended";
  }
  Appoint(draft, settings, id, best.member);
}

// --- a planned change -----------------------------------------------------------------------

void GiveUp(Draft& draft, const GroupId& id, const std::string& why) {
  Group& group = draft.EditGroup(id);
  const std::string to =
      draft.FindMember(group.successor) == nullptr ? "" : ClusterOf(draft, group.successor);
  // Whoever has taken a role of the step takes its old one again; and what was seen of this pause
  // is not taken for a part of the next one.
  draft.RaiseEpoch(id);
  group.step = SwitchStep::kNone;
  group.successor = 0;
  draft.AddGroupEvent(id, messages::SwitchoverGivenUp(to, why));
  draft.TouchGroup(id);
}

void AdvancePausing(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  const Member leader = *draft.FindMember(group.leader);
  if (HasEnded(draft, settings, leader)) {
    Group& changed = draft.EditGroup(id);  // what follows is a failover
    changed.step = SwitchStep::kNone;
    changed.successor = 0;
    return;
  }
  const Member* successor = draft.FindMember(group.successor);
  std::string why = "it is gone";
  if (successor != nullptr) why = WhyNotPromotable(draft, settings, *successor);
  if (!why.empty()) {
    GiveUp(draft, id, why);
    return;
  }
  const auto since = draft.state().group_since.find(id);
  if (since != draft.state().group_since.end() &&
      draft.now().instant >= since->second + settings.pause_max) {
    GiveUp(draft, id, "it did not catch up while writes were held back");
    return;
  }
  const ReplicationReport* seen = ReplicationSeen(draft, settings, leader.id);
  if (seen == nullptr || seen->epoch != group.epoch) return;
  if (!seen->paused && !IsMutant(13)) return;
  const int64_t all = std::max<int64_t>(seen->offset, 1);
  const auto offset = OffsetOf(draft, settings, group, Member(*successor), all);
  if ((!offset || *offset < seen->offset) && !IsMutant(12)) return;
  Group& changed = draft.EditGroup(id);
  changed.step = SwitchStep::kDemoting;
  draft.RaiseEpoch(id);
  draft.TouchGroup(id);
}

void AdvanceDemoting(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  const Member leader = *draft.FindMember(group.leader);
  // What writes have waited for is gone when the successor's engine ends, even if it is up again.
  const Member* successor = draft.FindMember(group.successor);
  if (successor == nullptr || !successor->in_sync || HasEnded(draft, settings, *successor)) {
    GiveUp(draft, id, "its engine has ended");
    return;
  }
  const ReplicationReport* seen = ReplicationSeen(draft, settings, leader.id);
  const bool follows = seen != nullptr && seen->epoch >= group.epoch && !seen->leads;
  if (!follows && !HasEnded(draft, settings, leader)) return;
  // One that has ended in the middle may have taken writes again before, when its pause was over.
  const ReplicationReport* next = ReplicationSeen(draft, settings, group.successor);
  if (!follows && next != nullptr) NoteLoss(draft, id, next->offset);
  const std::string from = leader.cluster;
  const std::string to = ClusterOf(draft, group.successor);
  draft.AddClusterEvent(from, messages::FailoverCompleted(from, to));
  draft.AddGroupEvent(id, messages::FailoverCompleted(from, to));
  Appoint(draft, settings, id, group.successor);
}

}  // namespace

const ReplicationReport* ReplicationSeen(const Draft& draft, const Settings& settings,
                                         MemberId id) {
  const Member* member = draft.FindMember(id);
  if (member == nullptr) return nullptr;
  const MemberReport* report = ReportOf(draft, settings, *member);
  if (report == nullptr || report->generation != member->generation) return nullptr;
  return report->replication ? &*report->replication : nullptr;
}

std::vector<const Member*> FollowersOf(const Draft& draft, const Group& group) {
  std::vector<const Member*> followers;
  for (const ClusterId& cluster : group.members) {
    const Member* member = MemberOf(draft, cluster);
    if (member == nullptr || member->id == group.leader) continue;
    if (member->status != MemberStatus::kDeleting) followers.push_back(member);
  }
  return followers;
}

bool HasEnded(const Draft& draft, [[maybe_unused]] const Settings& settings, const Member& member) {
  if (IsMutant(17) && IsSilent(draft, settings, member.host)) return true;
  // A leader that others follow stays down once it is: what its host said last still holds.
  const MemberReport* report = LastReportOf(draft.state(), member);
  if (report != nullptr && report->generation == member.generation && report->pid == 0 &&
      (report->phase == MemberPhase::kDown || report->phase == MemberPhase::kFailed)) {
    return true;
  }
  const auto process = ProcessOf(draft.state(), member);
  const auto ended = draft.state().ended.find(member.id);
  return process && ended != draft.state().ended.end() && ended->second == *process;
}

std::string WhyNotPromotable(const Draft& draft, const Settings& settings, const Member& member) {
  if (member.status != MemberStatus::kAvailable) {
    return fmt::format("is {}", NameOf(member.status));
  }
  if (!member.in_sync && !IsMutant(2)) return "has not proved to have everything";
  if (IsSilent(draft, settings, member.host)) {
    return fmt::format("is on host {}, which does not answer", member.host);
  }
  const MemberReport* report = ReportOf(draft, settings, member);
  if (report == nullptr || report->phase != MemberPhase::kServing ||
      report->launch != member.launch) {
    return "does not serve at this moment";
  }
  return {};
}

void ReplaceEndedLeader(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  const Member* leader = draft.FindMember(group.leader);
  if (leader == nullptr || group.step != SwitchStep::kNone) return;
  if (leader->status == MemberStatus::kDeleting) return;
  if (!HasEnded(draft, settings, *leader)) {
    if (leader->status == MemberStatus::kAvailable && !group.trouble.empty()) {
      draft.EditGroup(id).trouble.clear();
    }
    return;
  }
  const std::vector<const Member*> followers = FollowersOf(draft, group);
  if (followers.empty()) {  // its agent starts it again, empty, unless it has given up
    const bool given_up =
        leader->status == MemberStatus::kFailed && group.status != GroupStatus::kCreating;
    if (given_up) SayTrouble(draft, id, leader->trouble);
    return;
  }
  std::vector<const Member*> promotable;
  std::ranges::copy_if(followers, std::back_inserter(promotable), [&](const Member* member) {
    const bool wanted = group.successor == 0 || group.successor == member->id;
    return wanted && WhyNotPromotable(draft, settings, *member).empty();
  });
  if (promotable.empty() && group.successor != 0) {
    GiveUp(draft, id, "it cannot lead any more");
    return;
  }
  if (promotable.empty()) {
    DoWithout(draft, settings, id, followers);
    return;
  }
  if (!group.automatic_failover && !group.tested && group.successor == 0) {
    SayTrouble(draft, id, std::string(model::kAwaitsChoice));
    return;
  }
  if (const auto best = BestOf(draft, settings, group, promotable)) {
    FailOver(draft, settings, id, *best);
  }
}

void AdvanceSwitch(Draft& draft, const Settings& settings, const GroupId& id) {
  switch (draft.FindGroup(id)->step) {
    case SwitchStep::kNone:
      return;
    case SwitchStep::kPausing:
      AdvancePausing(draft, settings, id);
      return;
    case SwitchStep::kDemoting:
      AdvanceDemoting(draft, settings, id);
      return;
  }
}

void Appoint(Draft& draft, const Settings& settings, const GroupId& id, MemberId leader) {
  Group& group = draft.EditGroup(id);
  const ClusterId before = ClusterOf(draft, group.leader);
  group.leader = leader;
  draft.RaiseEpoch(id);
  group.step = SwitchStep::kNone;
  group.successor = 0;
  group.trouble.clear();
  group.primary.host = draft.FindMember(leader)->host;
  for (const ClusterId& cluster : group.members) {
    const Member* member = MemberOf(draft, cluster);
    if (member != nullptr) draft.EditMember(member->id).in_sync = false;
  }
  draft.TouchGroup(id);
  AdvanceCluster(draft, settings, before);
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
      const auto ended = state.ended.find(member_id);
      if (ended != state.ended.end() && ended->second == *process) continue;
      const bool kill = group.automatic_failover && now.instant >= silent_at;
      fences.push_back(
          {member_id, process->pid, process->start_time, kill, host.pid, host.start_time});
      // Its agent is well, and gives up by itself what another host is about to serve.
      if (model::IsCutOff(state.records, id)) fences.back().agent_pid = 0;
    }
  }
  return fences;
}

}  // namespace ec::core
