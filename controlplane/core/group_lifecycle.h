// Moves replication groups on: who leads, who is in sync, and what is under way.
//
// As with clusters, each function looks at the present records and sightings, and doing it again
// changes nothing. A leader is only ever replaced when its engine is known to have ended, or when
// it has stepped down itself: revoke before you appoint.
#pragma once

#include <optional>
#include <set>

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// Looks at one group; one that is not there is left alone.
void AdvanceGroup(Draft& draft, const Settings& settings, const model::GroupId& id);

bool IsFollower(const Draft& draft, const model::Member& member);
// Whether the member follows another one and does not yet have what that one has.
bool MustSync(const Draft& draft, const model::Member& member);
// Whether the member leads others: when it dies, one of them may take its place.
bool LeadsOthers(const Draft& draft, const model::Member& member);
// The member of a group's cluster; nullptr while it has none.
const model::Member* MemberOf(const Draft& draft, const model::ClusterId& cluster);
// The cluster that leads; empty when it is gone, as in a group that is being deleted.
model::ClusterId LeaderOf(const Draft& draft, const model::Group& group);

// The engine of a follower has ended: what was proved of it is void, and only a proof that is asked
// for from now on counts. Nothing for any other member.
void ForgetSync(Draft& draft, MemberId id);
// Whether what is under way in the group has stood still for too long.
bool IsGroupOverdue(const Draft& draft, const Settings& settings, const model::GroupId& id);

// Has all clusters of the group deleted.
void DeleteClusters(Draft& draft, const model::GroupId& id);

// The groups that time alone may move on: with something under way for long enough, or with
// questions that nobody has answered.
std::set<model::GroupId> GroupsDue(const model::State& state, const Settings& settings, Now now);

// When a group needs a Tick next.
std::optional<Instant> NextGroupDeadline(const model::State& state, const Settings& settings,
                                         Now now);

}  // namespace ec::core
