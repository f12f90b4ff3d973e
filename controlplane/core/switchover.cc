#include "controlplane/core/switchover.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/mutant.h"
#include "controlplane/core/failover.h"
#include "controlplane/core/fencing.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"

namespace ec::core {
namespace {

using model::Group;
using model::GroupId;
using model::Member;
using model::SwitchStep;

// What was said in an earlier epoch, such as that writes wait, may have been undone since.
bool IsOf(const ReplicationReport& seen, const Group& group) {
  return seen.epoch == group.epoch;
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
  const bool awaited = successor != nullptr && IsAwaited(draft, settings, successor->host);
  std::string why = "it is gone";
  if (successor != nullptr) why = WhyNotPromotable(draft, settings, *successor);
  if (!why.empty() && !awaited) {
    GiveUpSwitch(draft, id, why);
    return;
  }
  const auto since = draft.state().group_since.find(id);
  if (since != draft.state().group_since.end() &&
      draft.now().instant >= since->second + settings.pause_max) {
    GiveUpSwitch(draft, id, "it did not catch up while writes were held back");
    return;
  }
  const ReplicationReport* seen = ReplicationSeen(draft, settings, leader.id);
  if (awaited || seen == nullptr || !IsOf(*seen, group)) return;
  if (!seen->paused && !IsMutant(13)) return;
  const int64_t all = std::max<int64_t>(seen->offset, 1);
  const auto offset = OffsetOf(draft, settings, group, Member(*successor), all);
  if ((!offset || *offset < seen->offset) && !IsMutant(12)) return;
  Group& changed = draft.EditGroup(id);
  changed.step = SwitchStep::kDemoting;
  draft.RaiseEpoch(id);
  draft.TouchGroup(id);
}

// Why the successor cannot lead after all. What writes have waited for is gone when its engine
// ends, even if it is up again.
std::string WhyLost(const Draft& draft, const Settings& settings, const Member* successor) {
  if (successor == nullptr) return "it is gone";
  if (!successor->in_sync || HasEnded(draft, settings, *successor)) return "its engine has ended";
  if (!IsSilent(draft, settings, successor->host)) return {};
  return fmt::format("its host {} does not answer", successor->host);
}

// Until the successor is appointed there is a way back: nobody else has taken a write.
void AdvanceDemoting(Draft& draft, const Settings& settings, const GroupId& id) {
  const Group group = *draft.FindGroup(id);
  const Member leader = *draft.FindMember(group.leader);
  const Member* successor = draft.FindMember(group.successor);
  if (const std::string why = WhyLost(draft, settings, successor); !why.empty()) {
    GiveUpSwitch(draft, id, why);
    return;
  }
  const ReplicationReport* seen = ReplicationSeen(draft, settings, leader.id);
  const bool follows = seen != nullptr && IsOf(*seen, group) && !seen->leads;
  if (!follows && !HasEnded(draft, settings, leader)) {
    // On another machine a silent host can neither be heard nor fenced.
    if (!IsGroupOverdue(draft, settings, id)) return;
    GiveUpSwitch(draft, id,
                 fmt::format("{} has not been seen to step down in time", leader.cluster));
    return;
  }
  if (IsAwaited(draft, settings, successor->host)) return;  // its engine may have ended
  // One that has ended in the middle may have taken writes again before, when its pause was over.
  const ReplicationReport* next = ReplicationSeen(draft, settings, group.successor);
  if (!follows && next != nullptr) NoteLoss(draft, id, next->offset);
  const std::string from = leader.cluster;
  const std::string to = successor->cluster;
  draft.AddClusterEvent(from, messages::FailoverCompleted(from, to));
  draft.AddGroupEvent(id, messages::FailoverCompleted(from, to));
  Appoint(draft, settings, id, group.successor);
}

}  // namespace

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

void GiveUpSwitch(Draft& draft, const GroupId& id, const std::string& why) {
  Group& group = draft.EditGroup(id);
  const std::string to = draft.FindMember(group.successor) == nullptr
                             ? ""
                             : draft.FindMember(group.successor)->cluster;
  // Whoever has taken a role of the step takes its old one again; and what was seen of this pause
  // is not taken for a part of the next one.
  draft.RaiseEpoch(id);
  group.step = SwitchStep::kNone;
  group.successor = 0;
  draft.AddGroupEvent(id, messages::SwitchoverGivenUp(to, why));
  draft.TouchGroup(id);
}

}  // namespace ec::core
