#include "controlplane/core/member_lifecycle.h"

#include <fmt/format.h>

#include "common/mutant.h"
#include "controlplane/core/addresses.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"

namespace ec::core {
namespace {

using model::Member;
using model::MemberStatus;

// What can be known of a member at this moment.
struct View {
  bool silent = false;  // its host is; the rest is then empty
  uint64_t plan_revision = 0;
  const MemberReport* member = nullptr;
  const EndpointReport* endpoint = nullptr;
};

View Look(const Draft& draft, const Settings& settings, const Member& member) {
  View view;
  view.silent = IsSilent(draft, settings, member.host);
  const auto found = draft.state().sightings.find(member.host);
  if (view.silent || found == draft.state().sightings.end()) return view;
  const model::Sighting& sighting = found->second;
  view.plan_revision = sighting.plan_revision;
  if (const auto m = sighting.members.find(member.id); m != sighting.members.end()) {
    view.member = &m->second;
  }
  if (const auto e = sighting.endpoints.find(member.id); e != sighting.endpoints.end()) {
    view.endpoint = &e->second;
  }
  return view;
}

bool Serves(const View& view, const Member& member) {
  return view.member != nullptr && view.member->phase == MemberPhase::kServing &&
         view.member->generation == member.generation;
}

// A follower is of use once it has what its leader has.
bool IsUsable(const Draft& draft, const View& view, const Member& member) {
  return Serves(view, member) && !MustSync(draft, member);
}

bool HasFailed(const View& view, const Member& member) {
  return view.member != nullptr && view.member->phase == MemberPhase::kFailed &&
         view.member->generation == member.generation;
}

// The present row's endpoint cannot be opened where it should be.
bool IsUnaddressable(const View& view, const Member& member) {
  return view.endpoint != nullptr && view.plan_revision >= member.revision &&
         view.endpoint->trouble != EndpointTrouble::kNone;
}

void BecomeAvailable(Draft& draft, const MemberReport& report, MemberId id) {
  Member& member = draft.EditMember(id);
  member.status = MemberStatus::kAvailable;
  if (member.launch != report.launch) {
    member.parameters_revision = draft.state().records.revision + 1;
  }
  member.launch = report.launch;
  member.pid = report.pid;
  member.start_time = report.start_time;
  member.pid_incarnation = draft.FindHost(member.host)->incarnation;
  member.trouble.clear();
  member.recovery_announced = false;
  if (member.installed_version == report.engine_version) return;
  member.installed_version = report.engine_version;
  const model::Cluster& cluster = *draft.FindCluster(member.cluster);
  draft.AddClusterEvent(cluster.id,
                        messages::NodeRuns(member.node_id, ProgramOf(cluster.engine),
                                           member.installed_version, cluster.engine_version));
}

void Fail(Draft& draft, MemberId id, const std::string& why) {
  Member& member = draft.EditMember(id);
  member.status = MemberStatus::kFailed;
  member.trouble = why;
}

void Readdress(Draft& draft, const Settings& settings, const Member& member, const View& view) {
  const model::Cluster& cluster = *draft.FindCluster(member.cluster);
  const auto ip = FindAddress(draft, cluster, member.zone, {});
  if (member.readdressed >= settings.readdress_max || !ip) {
    Fail(draft, member.id, view.endpoint->trouble_text);
    return;
  }
  UseAddress(draft, cluster, *ip);
  Member& moved = draft.EditMember(member.id);
  moved.address.ip = *ip;
  ++moved.readdressed;
}

// What a follower had has died with its engine. The next one begins with nothing, and may be up
// before its leader has noticed.
void NoteEnd(Draft& draft, const MemberReport& report, MemberId id) {
  const Member& member = *draft.FindMember(id);
  const bool is_new = report.launch != member.launch;
  if (!IsFollower(draft, member) || (!is_new && !member.in_sync)) return;
  if (is_new) {
    Member& started = draft.EditMember(id);
    started.launch = report.launch;
    started.parameters_revision = draft.state().records.revision + 1;
  }
  if (!IsMutant(19)) ForgetSync(draft, id);
}

// Before a node is available its launch is not in the records yet: the first one is launch 1.
bool DiesInCreation(const Member& member, const View& view) {
  if (view.member == nullptr || view.member->generation != member.generation) return false;
  const uint64_t launch = view.member->launch;
  return launch > 1 && launch != member.launch;
}

void AdvanceCreating(Draft& draft, const Settings& settings, const Member& member,
                     const View& view) {
  if (DiesInCreation(member, view)) NoteEnd(draft, *view.member, member.id);
  if (view.silent) {
    ReplaceMember(draft, settings, member.id);
  } else if (HasFailed(view, member)) {
    Fail(draft, member.id, view.member->trouble);
  } else if (IsUnaddressable(view, member)) {
    Readdress(draft, settings, member, view);
  } else if (IsUsable(draft, view, *draft.FindMember(member.id)) &&
             view.plan_revision >= member.revision) {
    const std::string zone = member.zone;
    const std::string node = member.node_id;
    draft.AddClusterEvent(member.cluster, messages::NodeAdded(node, zone));
    BecomeAvailable(draft, *view.member, member.id);
    // Its followers have been left out of their hosts' plans until now.
    if (LeadsOthers(draft, member)) {
      draft.TouchGroup(model::GroupId(draft.FindCluster(member.cluster)->group));
    }
  }
}

void AdvanceRebooting(Draft& draft, const Member& member, const View& view) {
  if (HasFailed(view, member)) {
    draft.AddClusterEvent(member.cluster,
                          messages::NodeFailed(member.node_id, view.member->trouble));
    Fail(draft, member.id, view.member->trouble);
    return;
  }
  const bool is_another = view.member != nullptr && view.member->generation == member.generation &&
                          view.member->launch != member.launch;
  if (is_another) NoteEnd(draft, *view.member, member.id);  // of the one before
  if (IsUsable(draft, view, *draft.FindMember(member.id))) {
    draft.AddClusterEvent(member.cluster, messages::NodeRestarted(member.node_id));
    BecomeAvailable(draft, *view.member, member.id);
  }
}

// The host says that the engine has died, hangs, or has been started again since.
bool HasCrashed(const View& view, const Member& member) {
  if (view.member == nullptr || view.member->generation != member.generation) return false;
  const MemberReport& report = *view.member;
  if (report.launch != member.launch) return !report.resumed;
  return report.phase == MemberPhase::kDown || report.phase == MemberPhase::kFailed;
}

void BeginRecovery(Draft& draft, MemberId id, const std::string& trouble) {
  Member& member = draft.EditMember(id);
  member.status = MemberStatus::kRecovering;
  member.trouble = trouble;
}

void AnnounceRecovery(Draft& draft, MemberId id) {
  Member& member = draft.EditMember(id);
  if (member.recovery_announced && !IsMutant(14)) return;
  member.recovery_announced = true;
  const model::GroupId group = draft.FindCluster(member.cluster)->group;
  const bool is_test = !group.empty() && draft.FindGroup(group)->tested == member.cluster;
  draft.AddClusterEvent(member.cluster, is_test ? messages::NodeRecovering(member.node_id)
                                                : messages::RecoveryStarted(member.node_id));
}

void AdvanceAvailable(Draft& draft, const Member& member, const View& view) {
  if (view.silent) {
    const std::string why = fmt::format("host {} does not answer", member.host);
    draft.AddClusterEvent(member.cluster, messages::NodeUnreachable(member.node_id, why));
    BeginRecovery(draft, member.id, why);
    return;
  }
  if (IsUnaddressable(view, member)) {
    const std::string why = view.endpoint->trouble_text;
    draft.AddClusterEvent(member.cluster, messages::NodeUnreachable(member.node_id, why));
    BeginRecovery(draft, member.id, why);
    return;
  }
  if (view.member == nullptr || view.member->generation != member.generation) return;
  if (view.member->launch == member.launch) {
    // An agent that has just adopted the engine says "starting" until it has asked it.
    if (view.member->phase == MemberPhase::kServing ||
        view.member->phase == MemberPhase::kStarting) {
      return;
    }
  }
  BeginRecovery(draft, member.id, view.member->trouble);
}

// What the last event said decides what the next one says.
std::string EndOfRecovery(const Member& member, const MemberReport& report) {
  if (member.recovery_announced) return messages::RecoveryFinished(member.node_id);
  if (report.launch == member.launch) return messages::NodeReachable(member.node_id);
  return messages::NodeResumed(member.node_id);
}

// Its host did not know yet that it leads, and has started it again, empty. It must go, so that one
// of those takes over that have what it had.
bool HasBegunAnew(const View& view, const Member& member) {
  if (view.member == nullptr || member.launch == 0 || view.member->pid == 0) return false;
  return view.member->generation == member.generation && view.member->launch != member.launch &&
         !view.member->resumed;
}

void AdvanceRecovering(Draft& draft, const Member& member, const View& view) {
  // A failed node is left alone: its recovery begins when it is seen to have ended.
  const bool given_up = member.status == MemberStatus::kFailed && !Serves(view, member);
  // That of a leader is told after another one has taken its place.
  const bool awaits_failover = LeadsOthers(draft, member);
  if (awaits_failover && HasBegunAnew(view, member)) {
    draft.EditMember(member.id).condemned = view.member->launch;
    return;
  }
  if (HasCrashed(view, member) && !given_up && !awaits_failover) {
    AnnounceRecovery(draft, member.id);
    NoteEnd(draft, *view.member, member.id);
  }
  const Member& present = *draft.FindMember(member.id);
  if (IsUsable(draft, view, present)) {
    draft.AddClusterEvent(present.cluster, EndOfRecovery(present, *view.member));
    BecomeAvailable(draft, *view.member, present.id);
  } else if (HasFailed(view, present) && present.status != MemberStatus::kFailed) {
    draft.AddClusterEvent(present.cluster,
                          messages::NodeFailed(present.node_id, view.member->trouble));
    Fail(draft, present.id, view.member->trouble);
  }
}

// Gone from the host for good; or the host is silent, and will be told when it is back.
bool IsGone(const View& view, const Member& member) {
  if (view.silent) return true;
  return view.plan_revision >= member.revision && view.member == nullptr;
}

}  // namespace

bool HasPlan(const Draft& draft, const Settings& settings, const HostId& host, uint64_t revision) {
  if (IsSilent(draft, settings, host)) return true;
  const auto found = draft.state().sightings.find(host);
  return found != draft.state().sightings.end() && found->second.plan_revision >= revision;
}

const EndpointReport* EndpointSeen(const Draft& draft, const Settings& settings, const HostId& host,
                                   EndpointId id, uint64_t since) {
  if (IsSilent(draft, settings, host)) return nullptr;
  const auto found = draft.state().sightings.find(host);
  if (found == draft.state().sightings.end()) return nullptr;
  if (found->second.plan_revision < since) return nullptr;
  const auto endpoint = found->second.endpoints.find(id);
  return endpoint == found->second.endpoints.end() ? nullptr : &endpoint->second;
}

void AdvanceMember(Draft& draft, const Settings& settings, MemberId id) {
  const Member member = *draft.FindMember(id);
  const View view = Look(draft, settings, member);
  switch (member.status) {
    case MemberStatus::kCreating:
      AdvanceCreating(draft, settings, member, view);
      return;
    case MemberStatus::kRebooting:
      AdvanceRebooting(draft, member, view);
      return;
    case MemberStatus::kAvailable:
      AdvanceAvailable(draft, member, view);
      // An engine that is back before its death was heard of has both events at once.
      if (draft.FindMember(id)->status == MemberStatus::kRecovering) {
        AdvanceRecovering(draft, Member(*draft.FindMember(id)), view);
      }
      return;
    case MemberStatus::kRecovering:
    case MemberStatus::kFailed:
      AdvanceRecovering(draft, member, view);
      return;
    case MemberStatus::kDeleting:
      if (IsGone(view, member)) draft.DropMember(id);
      return;
  }
}

}  // namespace ec::core
