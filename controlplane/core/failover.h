// Changes of leader: when one has ended, and when another one is wanted.
#pragma once

#include <string>
#include <vector>

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// What the host now says of the member's replication; nullptr when that cannot be counted on.
const ReplicationReport* ReplicationSeen(const Draft& draft, const Settings& settings,
                                         MemberId member);

// The members that follow the group's leader, but for those that are being deleted.
std::vector<const model::Member*> FollowersOf(const Draft& draft, const model::Group& group);

// Whether the engine that the member last had is known to have ended.
bool HasEnded(const Draft& draft, const Settings& settings, const model::Member& member);

// Why the member could not lead at this moment; empty when it could.
std::string WhyNotPromotable(const Draft& draft, const Settings& settings,
                             const model::Member& member);

// If the leader has ended, puts the follower in its place that has the most, as soon as that is
// known; or says why there is none.
void ReplaceEndedLeader(Draft& draft, const Settings& settings, const model::GroupId& id);

// Takes a planned change of leader to its next step, or gives it up.
void AdvanceSwitch(Draft& draft, const Settings& settings, const model::GroupId& id);

// Makes a follower the leader. REQUIRES: the old leader has ended, or follows.
void Appoint(Draft& draft, const Settings& settings, const model::GroupId& id, MemberId leader);

// An engine's process on a host that is not heard. Its end proves that another one may lead.
struct Fence {
  MemberId member = 0;
  int64_t pid = 0;
  uint64_t start_time = 0;
  bool kill = false;      // the host has been silent for too long: end the process, and its agent's
  int64_t agent_pid = 0;  // 0: it is to be left alone
  uint64_t agent_start_time = 0;
};

// The processes that the control plane itself should watch, and end if it says so. Only those on
// the control plane's own machine, where a process number means the same.
std::vector<Fence> Fences(const model::State& state, const Settings& settings, Now now);

}  // namespace ec::core
