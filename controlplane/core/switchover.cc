#include "controlplane/core/switchover.h"

#include <algorithm>

#include "common/mutant.h"
#include "controlplane/core/failover.h"
#include "controlplane/core/fencing.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"

namespace ec::core {
namespace {

using model::Group;
using model::GroupId;
using model::Member;
using model::SwitchStep;

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
    GiveUpSwitch(draft, id, "its engine has ended");
    return;
  }
  const ReplicationReport* seen = ReplicationSeen(draft, settings, leader.id);
  const bool follows = seen != nullptr && seen->epoch >= group.epoch && !seen->leads;
  if (!follows && !HasEnded(draft, settings, leader)) return;
  // One that has ended in the middle may have taken writes again before, when its pause was over.
  const ReplicationReport* next = ReplicationSeen(draft, settings, group.successor);
  if (!follows && next != nullptr) NoteLoss(draft, id, next->offset);
  const std::string from = leader.cluster;
  const std::string to = draft.FindMember(group.successor)->cluster;
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
