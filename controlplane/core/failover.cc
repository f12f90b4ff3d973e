#include "controlplane/core/failover.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/mutant.h"
#include "controlplane/core/fencing.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/switchover.h"

namespace ec::core {
namespace {

using model::ClusterId;
using model::Group;
using model::GroupId;
using model::GroupStatus;
using model::Member;
using model::MemberStatus;
using model::SwitchStep;

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

}  // namespace

const ReplicationReport* ReplicationSeen(const Draft& draft, const Settings& settings,
                                         MemberId id) {
  const Member* member = draft.FindMember(id);
  if (member == nullptr) return nullptr;
  const MemberReport* report = ReportOf(draft, settings, *member);
  if (report == nullptr || report->generation != member->generation) return nullptr;
  return report->replication ? &*report->replication : nullptr;
}

bool IsAwaited(const Draft& draft, const Settings& settings, const HostId& host) {
  if (IsSilent(draft, settings, host)) return false;
  const auto sighting = draft.state().sightings.find(host);
  return sighting == draft.state().sightings.end() || sighting->second.sequence == 0;
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
  // One that may lead as far as the records know is not passed over before it has been heard.
  const bool any_awaited = std::ranges::any_of(followers, [&](const Member* member) {
    return member->in_sync && IsAwaited(draft, settings, member->host);
  });
  if (any_awaited) return;
  std::vector<const Member*> promotable;
  std::ranges::copy_if(followers, std::back_inserter(promotable), [&](const Member* member) {
    const bool wanted = group.successor == 0 || group.successor == member->id;
    return wanted && WhyNotPromotable(draft, settings, *member).empty();
  });
  if (promotable.empty() && group.successor != 0) {
    GiveUpSwitch(draft, id, "it cannot lead any more");
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

// The leader's epoch and the number tell old answers from new ones.
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
    if (member != nullptr && !IsMutant(15)) draft.EditMember(member->id).in_sync = false;
  }
  draft.TouchGroup(id);
  AdvanceCluster(draft, settings, before);
}

}  // namespace ec::core
