// Changes of leader that nobody has planned: one has ended, and another one takes its place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// What the host now says of the member's replication; nullptr when that cannot be counted on.
const ReplicationReport* ReplicationSeen(const Draft& draft, const Settings& settings,
                                         MemberId member);

// Whether the host has its chance to report yet: it has not, since this control plane or its own
// agent has started, and is not silent either.
bool IsAwaited(const Draft& draft, const Settings& settings, const HostId& host);

// The members that follow the group's leader, but for those that are being deleted.
std::vector<const model::Member*> FollowersOf(const Draft& draft, const model::Group& group);

// Why the member could not lead at this moment; empty when it could.
std::string WhyNotPromotable(const Draft& draft, const Settings& settings,
                             const model::Member& member);

// If the leader has ended, puts the follower in its place that has the most, as soon as that is
// known; or says why there is none.
void ReplaceEndedLeader(Draft& draft, const Settings& settings, const model::GroupId& id);

// Makes a follower the leader. REQUIRES: the old leader has ended, or follows.
void Appoint(Draft& draft, const Settings& settings, const model::GroupId& id, MemberId leader);

// --- what the two kinds of change share ---

// The offset that the member's host has answered with in this epoch, once it is at least so much;
// asks for it until then.
std::optional<int64_t> OffsetOf(Draft& draft, const Settings& settings, const model::Group& group,
                                const model::Member& member, int64_t at_least);

// Notes what a new leader with this offset lacks, as far as the old one's last words tell.
void NoteLoss(Draft& draft, const model::GroupId& id, int64_t offset);

}  // namespace ec::core
