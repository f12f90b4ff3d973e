#include <algorithm>

#include "controlplane/core/messages.h"
#include "controlplane/core/users.h"
#include "controlplane/model/users.h"

namespace ec::core {
namespace {

using model::GroupId;
using model::State;
using model::User;
using model::UserGroup;
using model::UserGroupId;
using model::UserGroupStatus;
using model::UserId;
using model::UserStatus;

// Engines that do not serve are told when they are started, or when they are found again.
bool IsClusterTold(const State& state, const model::Cluster& cluster) {
  const std::optional<EngineAccess> wanted = model::EngineAccessOf(state.records, cluster);
  if (!wanted) return true;
  return std::ranges::all_of(cluster.members, [&](MemberId id) {
    const model::Member& member = state.records.members.at(id);
    if (member.status != model::MemberStatus::kAvailable) return true;
    const auto sighting = state.sightings.find(member.host);
    if (sighting == state.sightings.end()) return false;
    const auto report = sighting->second.members.find(id);
    return report != sighting->second.members.end() && report->second.access == wanted->version;
  });
}

bool IsUserGroupTold(const State& state, const UserGroupId& id) {
  return std::ranges::all_of(model::GroupsWith(state.records, id),
                             [&](const GroupId& group) { return core::IsTold(state, group); });
}

// A user that is being deleted is gone when no group has it any more.
bool IsUserTold(const State& state, const UserId& id) {
  const std::vector<UserGroupId> groups = model::UserGroupsWith(state.records, id);
  if (state.records.users.at(id).status == UserStatus::kDeleting) return groups.empty();
  return std::ranges::all_of(
      groups, [&](const UserGroupId& group) { return IsUserGroupTold(state, group); });
}

bool IsOverdue(const Settings& settings, Instant since, Instant now) {
  return now >= since + settings.operation_max;
}

void End(Draft& draft, UserGroup group) {
  if (group.status == UserGroupStatus::kDeleting) {
    draft.DropUserGroup(group.id);
    return;
  }
  group.users = group.Members();
  group.adding.clear();
  group.removing.clear();
  group.status = UserGroupStatus::kActive;
  draft.Put(std::move(group));
}

void End(Draft& draft, User user) {
  if (user.status == UserStatus::kDeleting) {
    draft.DropUser(user.id);
    return;
  }
  user.status = UserStatus::kActive;
  draft.Put(std::move(user));
}

}  // namespace

bool IsTold(const State& state, const GroupId& id) {
  const model::Group& group = state.records.groups.at(id);
  return std::ranges::all_of(group.members, [&](const model::ClusterId& cluster) {
    return IsClusterTold(state, state.records.clusters.at(cluster));
  });
}

// What this very step has changed no engine can know: such a row is left to the next one.
void AdvanceUsers(Draft& draft, const Settings& settings) {
  const State& state = draft.state();
  const Instant now = draft.now().instant;
  for (const auto& [id, since] : state.user_groups_since) {
    const UserGroup& group = state.records.user_groups.at(id);
    const UserGroup* present = draft.FindUserGroup(id);
    if (present == nullptr || *present != group) continue;
    const bool told = IsUserGroupTold(state, id);
    if (!told && !IsOverdue(settings, since, now)) continue;
    if (!told) draft.AddUserGroupEvent(id, messages::UsersNotApplied("user group", id));
    End(draft, group);
  }
  for (const auto& [id, since] : state.users_since) {
    const User& user = state.records.users.at(id);
    const User* present = draft.FindUser(id);
    if (present == nullptr || *present != user) continue;
    const bool told = IsUserTold(state, id);
    const bool is_deleting = user.status == UserStatus::kDeleting;
    if (!told && (is_deleting || !IsOverdue(settings, since, now))) continue;
    if (!told) draft.AddUserEvent(id, messages::UsersNotApplied("user", id));
    End(draft, user);
  }
}

std::optional<Instant> NextUserDeadline(const State& state, const Settings& settings, Now now) {
  std::optional<Instant> next;
  const auto consider = [&](Instant at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [id, since] : state.user_groups_since) {
    consider(IsUserGroupTold(state, id) ? now.instant : since + settings.operation_max);
  }
  for (const auto& [id, since] : state.users_since) {
    if (IsUserTold(state, id)) {
      consider(now.instant);
    } else if (state.records.users.at(id).status != UserStatus::kDeleting) {
      consider(since + settings.operation_max);
    }
  }
  return next;
}

}  // namespace ec::core
