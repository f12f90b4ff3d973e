#include "controlplane/core/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "controlplane/core/addresses.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/member_lifecycle.h"
#include "controlplane/core/messages.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/snapshot_work.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

using model::Cluster;
using model::ClusterId;
using model::ClusterStatus;
using model::Member;
using model::MemberStatus;

std::vector<MemberId> MembersOf(const Draft& draft, const ClusterId& id) {
  const Cluster& cluster = *draft.FindCluster(id);
  return {cluster.members.begin(), cluster.members.end()};
}

bool AnyHas(const Draft& draft, const ClusterId& id, MemberStatus status) {
  return std::ranges::any_of(draft.FindCluster(id)->members, [&](MemberId member) {
    return draft.FindMember(member)->status == status;
  });
}

bool AllHave(const Draft& draft, const ClusterId& id, MemberStatus status) {
  return std::ranges::all_of(draft.FindCluster(id)->members, [&](MemberId member) {
    return draft.FindMember(member)->status == status;
  });
}

// "cache node 0002: the address ... is in use", for the nodes of this status.
std::string TroublesOf(const Draft& draft, const ClusterId& id, MemberStatus status) {
  std::string text;
  for (const Member* node : NodesOf(draft, *draft.FindCluster(id))) {
    if (node->status != status) continue;
    if (!text.empty()) text += "; ";
    text += fmt::format("cache node {}: {}", node->node_id,
                        node->trouble.empty() ? "did not start in time" : node->trouble);
  }
  return text;
}

bool IsOverdue(const Draft& draft, const Settings& settings, const ClusterId& id) {
  const auto since = draft.state().phase_since.find(id);
  if (since == draft.state().phase_since.end()) return false;
  // What begins with data has to load it.
  constexpr int kLoads = 10;
  const bool loads =
      draft.FindCluster(id)->seed && draft.FindCluster(id)->status == ClusterStatus::kCreating;
  return draft.now().instant >= since->second + settings.operation_max * (loads ? kLoads : 1);
}

// --- the configuration endpoint -------------------------------------------------------------

// Keeps it on a live host of one of the cluster's nodes.
void EnsureHome(Draft& draft, const Settings& settings, const ClusterId& id) {
  const Cluster& cluster = *draft.FindCluster(id);
  if (!cluster.configuration) return;
  const auto usable = [&](const Member& node) {
    return node.status != MemberStatus::kDeleting && !IsSilent(draft, settings, node.host);
  };
  const std::vector<const Member*> nodes = NodesOf(draft, cluster);
  const bool at_home = std::ranges::any_of(nodes, [&](const Member* node) {
    return node->host == cluster.configuration->host && usable(*node);
  });
  if (at_home) return;
  for (const Member* node : nodes) {
    if (!usable(*node)) continue;
    const HostId host = node->host;
    draft.EditCluster(id).configuration->host = host;
    return;
  }
}

enum class Opening { kWaiting, kOpen, kImpossible };

// While the cluster is created: whether its configuration endpoint listens; tries another address
// if the present one is taken.
Opening OpenConfiguration(Draft& draft, const Settings& settings, const ClusterId& id) {
  const Cluster& cluster = *draft.FindCluster(id);
  if (!cluster.configuration) return Opening::kOpen;
  const model::ConfigurationEndpoint configuration = *cluster.configuration;
  const EndpointReport* seen =
      EndpointSeen(draft, settings, configuration.host, configuration.id, cluster.revision);
  if (seen == nullptr) return Opening::kWaiting;
  if (seen->listening) return Opening::kOpen;
  if (seen->trouble == EndpointTrouble::kNone) return Opening::kWaiting;
  const std::string& zone = draft.FindHost(configuration.host)->zone;
  const auto ip = FindAddress(draft, cluster, zone, {});
  if (configuration.readdressed >= settings.readdress_max || !ip) return Opening::kImpossible;
  UseAddress(draft, cluster, *ip);
  Cluster& moved = draft.EditCluster(id);
  moved.configuration->address.ip = *ip;
  ++moved.configuration->readdressed;
  return Opening::kWaiting;
}

// Every node answers `config get cluster` with the present list.
bool DiscoveryIsKnown(const Draft& draft, const Settings& settings, const Cluster& cluster) {
  return std::ranges::all_of(cluster.members, [&](MemberId id) {
    return HasPlan(draft, settings, draft.FindMember(id)->host, cluster.discovery_revision);
  });
}

// --- by status ------------------------------------------------------------------------------

void FailCreation(Draft& draft, const ClusterId& id, bool network, const std::string& why) {
  Cluster& cluster = draft.EditCluster(id);
  cluster.status = network ? ClusterStatus::kIncompatibleNetwork : ClusterStatus::kCreateFailed;
  if (network) draft.AddClusterEvent(id, messages::IncompatibleNetwork());
  if (cluster.seed && !network) {
    cluster.status = ClusterStatus::kRestoreFailed;
    draft.AddClusterEvent(id, messages::RestoreFailed(cluster.seed->name, model::NodeId(1)));
  }
  draft.AddClusterEvent(id, messages::CreateFailed(why));
  RemoveMembers(draft, id);
}

bool HasAddressTrouble(const Draft& draft, const Settings& settings, const ClusterId& id) {
  return std::ranges::any_of(draft.FindCluster(id)->members, [&](MemberId member_id) {
    const Member& member = *draft.FindMember(member_id);
    return member.status == MemberStatus::kFailed && member.readdressed >= settings.readdress_max;
  });
}

void AdvanceCreating(Draft& draft, const Settings& settings, const ClusterId& id) {
  if (AnyHas(draft, id, MemberStatus::kFailed)) {
    FailCreation(draft, id, HasAddressTrouble(draft, settings, id),
                 TroublesOf(draft, id, MemberStatus::kFailed));
    return;
  }
  const Opening opening = OpenConfiguration(draft, settings, id);
  if (opening == Opening::kImpossible) {
    FailCreation(draft, id, true, "no address is free for the configuration endpoint");
    return;
  }
  if (AllHave(draft, id, MemberStatus::kAvailable) && opening == Opening::kOpen) {
    RefreshDiscovery(draft, id);
    if (DiscoveryIsKnown(draft, settings, *draft.FindCluster(id))) {
      draft.EditCluster(id).status = ClusterStatus::kAvailable;
      draft.AddClusterEvent(id, messages::ClusterCreated());
      return;
    }
  }
  if (IsOverdue(draft, settings, id)) {
    std::string why = TroublesOf(draft, id, MemberStatus::kCreating);
    if (why.empty()) why = TroublesOf(draft, id, MemberStatus::kRecovering);
    if (why.empty()) why = "the configuration endpoint did not open in time";
    FailCreation(draft, id, false, why);
  }
}

// kAvailable, kRecovering and kFailed follow from the members.
void FollowMembers(Draft& draft, const ClusterId& id) {
  ClusterStatus status = ClusterStatus::kAvailable;
  if (AnyHas(draft, id, MemberStatus::kRecovering)) status = ClusterStatus::kRecovering;
  if (AnyHas(draft, id, MemberStatus::kFailed)) status = ClusterStatus::kFailed;
  if (draft.FindCluster(id)->status != status) draft.EditCluster(id).status = status;
}

// Takes the nodes that could not be added away again.
void RollBackResize(Draft& draft, const ClusterId& id, const std::string& why) {
  Cluster& cluster = draft.EditCluster(id);
  draft.AddClusterEvent(id, messages::ModifyFailed(cluster.resized_from, cluster.node_count, why));
  int left = 0;
  for (const MemberId member_id : MembersOf(draft, id)) {
    Member& member = draft.EditMember(member_id);
    if (!member.listed) member.status = MemberStatus::kDeleting;
    if (member.status != MemberStatus::kDeleting) ++left;
  }
  cluster.node_count = left;
  cluster.resized_from = 0;
  RefreshDiscovery(draft, id);
}

// The nodes that a resize added are those that are not listed yet.
bool NewNodeFailed(const Draft& draft, const ClusterId& id) {
  return std::ranges::any_of(draft.FindCluster(id)->members, [&](MemberId member_id) {
    const Member& member = *draft.FindMember(member_id);
    return member.status == MemberStatus::kFailed && !member.listed;
  });
}

// An operation that stands still: what has not come to be is given up, with a reason.
void GiveUp(Draft& draft, const ClusterId& id) {
  if (AnyHas(draft, id, MemberStatus::kCreating)) {
    RollBackResize(draft, id, TroublesOf(draft, id, MemberStatus::kCreating));
    return;
  }
  for (const MemberId member_id : MembersOf(draft, id)) {
    const Member member = *draft.FindMember(member_id);
    if (member.status == MemberStatus::kDeleting) {
      draft.DropMember(member_id);  // no longer in the host's plan, which goes on removing it
    } else if (member.status == MemberStatus::kRebooting) {
      Member& failed = draft.EditMember(member_id);
      failed.status = MemberStatus::kFailed;
      failed.trouble = "did not start in time";
      draft.AddClusterEvent(id, messages::NodeFailed(failed.node_id, failed.trouble));
    }
  }
}

// A former master that does not have yet what its new leader has.
bool IsBeingDemoted(const Draft& draft, const ClusterId& id) {
  const Cluster& cluster = *draft.FindCluster(id);
  return !cluster.group.empty() && draft.FindGroup(cluster.group)->demoting == id;
}

// kModifying and kRebooting: done when every node is available and known to the others.
void AdvanceChanging(Draft& draft, const Settings& settings, const ClusterId& id) {
  const bool resizing = draft.FindCluster(id)->resized_from > 0;
  if (resizing && NewNodeFailed(draft, id)) {
    RollBackResize(draft, id, TroublesOf(draft, id, MemberStatus::kFailed));
    return;
  }
  RefreshDiscovery(draft, id);
  const bool settled = !AnyHas(draft, id, MemberStatus::kCreating) &&
                       !AnyHas(draft, id, MemberStatus::kDeleting) &&
                       !AnyHas(draft, id, MemberStatus::kRebooting) && !IsBeingDemoted(draft, id);
  const bool overdue = IsOverdue(draft, settings, id);
  if (settled && (overdue || DiscoveryIsKnown(draft, settings, *draft.FindCluster(id)))) {
    Cluster& cluster = draft.EditCluster(id);
    if (resizing) {
      draft.AddClusterEvent(id, messages::NodesModified(cluster.resized_from, cluster.node_count));
    }
    cluster.resized_from = 0;
    cluster.status = ClusterStatus::kAvailable;
    FollowMembers(draft, id);
    return;
  }
  if (overdue) GiveUp(draft, id);
}

void AdvanceDeleting(Draft& draft, const Settings& settings, const ClusterId& id) {
  if (AwaitsFinalSnapshot(draft, id)) return;
  if (IsOverdue(draft, settings, id)) GiveUp(draft, id);
  if (!draft.FindCluster(id)->members.empty()) return;
  draft.DropCluster(id);
  draft.AddClusterEvent(id, messages::ClusterDeleted());
}

}  // namespace

std::string_view ProgramOf(EngineKind engine) {
  switch (engine) {
    case EngineKind::kMemcached:
      return "memcached";
    case EngineKind::kRedis:
      return "redis-server";
    case EngineKind::kValkey:
      return "valkey-server";
  }
  return {};
}

void RemoveMembers(Draft& draft, const ClusterId& id) {
  for (const MemberId member : MembersOf(draft, id)) {
    draft.EditMember(member).status = MemberStatus::kDeleting;
  }
  draft.EditCluster(id).configuration.reset();
  // Who leads them is told that they are gone: without followers it may be started again.
  const model::GroupId group = draft.FindCluster(id)->group;
  if (!group.empty()) draft.TouchGroup(group);
}

void RefreshDiscovery(Draft& draft, const ClusterId& id) {
  if (draft.FindCluster(id)->engine != EngineKind::kMemcached) return;
  const bool complete = !AnyHas(draft, id, MemberStatus::kCreating);
  bool changed = false;
  for (const MemberId member_id : MembersOf(draft, id)) {
    const Member& member = *draft.FindMember(member_id);
    const bool leaving = member.status == MemberStatus::kDeleting;
    const bool entering = complete && !leaving;
    const bool listed = (member.listed || entering) && !leaving;
    if (listed == member.listed) continue;
    draft.EditMember(member_id).listed = listed;
    changed = true;
  }
  if (!changed) return;
  Cluster& cluster = draft.EditCluster(id);
  ++cluster.discovery_version;
  cluster.discovery_revision = draft.revision();
  // Every node answers with the list, so every node's part of a plan has changed.
  for (const MemberId member_id : MembersOf(draft, id)) draft.TouchMember(member_id);
}

void Advance(Draft& draft, const Settings& settings, const ClusterId& id) {
  if (draft.FindCluster(id) == nullptr) return;
  const model::GroupId group = draft.FindCluster(id)->group;
  AdvanceCluster(draft, settings, id);
  if (!group.empty()) AdvanceGroup(draft, settings, group);
}

void AdvanceCluster(Draft& draft, const Settings& settings, const ClusterId& id) {
  if (draft.FindCluster(id) == nullptr) return;
  for (const MemberId member : MembersOf(draft, id)) AdvanceMember(draft, settings, member);
  EnsureHome(draft, settings, id);
  switch (draft.FindCluster(id)->status) {
    case ClusterStatus::kCreating:
      AdvanceCreating(draft, settings, id);
      return;
    case ClusterStatus::kModifying:
    case ClusterStatus::kRebooting:
      AdvanceChanging(draft, settings, id);
      return;
    case ClusterStatus::kDeleting:
      AdvanceDeleting(draft, settings, id);
      return;
    case ClusterStatus::kAvailable:
    case ClusterStatus::kRecovering:
    case ClusterStatus::kFailed:
      FollowMembers(draft, id);
      return;
    case ClusterStatus::kSnapshotting:
      return;  // until the snapshot is there, or has failed (snapshot_work.h)
    case ClusterStatus::kCreateFailed:
    case ClusterStatus::kIncompatibleNetwork:
    case ClusterStatus::kRestoreFailed:
      return;  // its members go one by one; the rest waits for a deletion
  }
}

}  // namespace ec::core
