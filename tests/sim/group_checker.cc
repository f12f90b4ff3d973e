#include "tests/sim/group_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace ec::sim {

using model::Group;
using model::GroupStatus;
using model::MemberStatus;
using model::SwitchStep;

std::vector<MemberId> GroupChecker::FollowersOf(const Group& group) const {
  std::vector<MemberId> followers;
  for (const model::ClusterId& cluster : group.members) {
    for (const MemberId id : world_.records().clusters.at(cluster).members) {
      if (id != group.leader) followers.push_back(id);
    }
  }
  return followers;
}

// --- after every event ----------------------------------------------------------------------

std::string GroupChecker::CheckEngines() {
  for (const auto& [id, group] : world_.records().groups) {
    Seen& seen = seen_[id];
    if (seen.leader != group.leader) {
      seen = {};
      seen.leader = group.leader;
    }
    if (std::string broken = CheckWriters(group); !broken.empty()) return broken;
    if (std::string broken = CheckLeader(group, &seen); !broken.empty()) return broken;
    const std::vector<MemberId> followers = FollowersOf(group);
    NoteStreams(group, followers, &seen);
    if (std::string broken = CheckProofs(group, followers, seen); !broken.empty()) return broken;
    NoteOwed(group, &seen);
  }
  return {};
}

// I3: in an epoch, the writes of a group's clients are acknowledged by one member.
std::string GroupChecker::CheckWriters(const Group& group) const {
  const auto found = world_.writers.find(group.id);
  if (found == world_.writers.end() || found->second.members.size() < 2) return {};
  return fmt::format("two members of {} acknowledged writes in epoch {}", group.id,
                     found->second.epoch);
}

// I14: a leader that has died is not started again in place where another one has its data.
std::string GroupChecker::CheckLeader(const Group& group, Seen* seen) const {
  const Engine* leader = world_.EngineOf(group.leader);
  const auto dead = dead_heirs_.find(group.id);
  if (leader != nullptr && !leader->follows && dead != dead_heirs_.end() &&
      dead->second == std::pair(group.leader, leader->generation)) {
    return fmt::format("m{} leads {} with nothing of what it was chosen for", group.leader,
                       group.id);
  }
  if (leader == nullptr || leader->launch == seen->launch) return {};
  const bool in_place = seen->launch != 0 && leader->generation == seen->generation;
  const bool has_heir = std::ranges::any_of(FollowersOf(group), [&](MemberId id) {
    const model::Member& member = world_.records().members.at(id);
    return seen->streamed.contains(id) && member.in_sync &&
           member.status != MemberStatus::kDeleting;
  });
  seen->launch = leader->launch;
  seen->generation = leader->generation;
  // A host that has not heard yet that its member leads starts it again; it is killed then.
  const auto row = world_.records().members.find(group.leader);
  const HostPlan& plan = world_.hosts().at(row->second.host).remembered;
  const auto spec = plan.members.find(group.leader);
  const bool is_told =
      spec != plan.members.end() && spec->second.replication && spec->second.replication->leads;
  if (!world_.HasKept(group.leader) && in_place && has_heir && is_told) {
    return fmt::format("m{} was started again empty, though others have what it had", group.leader);
  }
  return {};
}

void GroupChecker::NoteStreams(const Group& group, const std::vector<MemberId>& followers,
                               Seen* seen) const {
  const Engine* leader = world_.EngineOf(group.leader);
  for (const MemberId id : followers) {
    const Engine* follower = world_.EngineOf(id);
    if (follower == nullptr && !world_.HasKept(id)) {
      seen->streamed.erase(id);  // what it had has died with it
    } else if (follower == nullptr) {
      continue;
    } else if (leader != nullptr && follower->Streams(*leader, world_.clock().instant) &&
               !world_.IsFrozen(*follower)) {
      seen->streamed.insert(id);
      seen->joined.insert(id);
    }
  }
  const auto has_left = [&](MemberId id) {
    return std::ranges::find(followers, id) == followers.end();
  };
  std::erase_if(seen->streamed, has_left);
  std::erase_if(seen->joined, has_left);
}

// I13: whoever may lead according to the records has had what the present leader has. (What has
// become of it since, the records cannot know at once.)
std::string GroupChecker::CheckProofs(const Group& group, const std::vector<MemberId>& followers,
                                      const Seen& seen) const {
  for (const MemberId id : followers) {
    if (!world_.records().members.at(id).in_sync || seen.joined.contains(id)) continue;
    return fmt::format("m{} counts as in sync with m{} and never was", id, group.leader);
  }
  return {};
}

// As long as it takes writes, the leader's are owed, too: also those that come after a pause that
// has ended too early.
void GroupChecker::NoteOwed(const Group& group, Seen* seen) const {
  if (group.step != SwitchStep::kDemoting) {
    seen->owed.clear();
    return;
  }
  const Engine* leader = world_.EngineOf(group.leader);
  if (leader == nullptr || leader->follows) return;
  if (seen->owed.empty()) seen->last_at_first = leader->writes.empty() ? 0 : leader->writes.back();
  if (seen->owed.size() == leader->writes.size()) return;
  seen->owed.insert(leader->writes.begin(), leader->writes.end());
}

// --- after every change of the records ------------------------------------------------------

// I1, I2: an epoch has one leader, and never falls; who leads changes only with it.
std::string GroupChecker::CheckRecords() {
  const model::Records& records = world_.records();
  std::map<model::GroupId, Group> present;
  for (const auto& [id, group] : records.groups) {
    const std::string name = id + "@" + ToString(group.created);
    const auto [known, is_new] = leaders_.emplace(std::pair(name, group.epoch), group.leader);
    if (!is_new && known->second != group.leader) {
      return fmt::format("epoch {} of {} has two leaders", group.epoch, id);
    }
    const auto before = groups_.find(id);
    if (before != groups_.end() && before->second.created == group.created) {
      if (group.epoch < before->second.epoch) return id + "'s epoch fell";
      if (group.leader != before->second.leader) {
        std::string broken = CheckChangeOfLeader(before->second, group);
        if (!broken.empty()) return broken;
      }
    }
    present.emplace(id, group);
    for (const model::ClusterId& cluster : group.members) {
      if (records.clusters.at(cluster).transit_encryption == group.transit_encryption) continue;
      return fmt::format("{} and {} differ in their encryption", cluster, id);
    }
  }
  groups_ = std::move(present);
  in_sync_.clear();
  for (const auto& [id, member] : records.members) {
    if (member.in_sync) in_sync_.insert(id);
  }
  return {};
}

// I4: nothing is lost by a planned change. I13: only one that had everything at some time takes
// over. P10: the one before has ended or follows.
std::string GroupChecker::CheckChangeOfLeader(const Group& before, const Group& after) {
  dead_heirs_.erase(after.id);
  if (before.status == GroupStatus::kCreating) return {};  // a replaced member
  const Engine* old = world_.EngineOf(before.leader);
  if (old != nullptr && !old->follows) {
    return fmt::format("{} has another leader while m{} still leads", after.id, before.leader);
  }
  const auto seen = seen_.find(after.id);
  if (seen == seen_.end() || !seen->second.joined.contains(after.leader)) {
    return fmt::format("m{} leads {} without having had what it had", after.leader, after.id);
  }
  if (!seen->second.streamed.contains(after.leader)) {
    // What it had has died with its engine. If that had not been heard of when it was chosen, so be
    // it; but it must not come to lead (CheckLeader).
    const Engine* chosen = world_.EngineOf(after.leader);
    const bool is_known =
        chosen != nullptr && chosen->launch == world_.records().members.at(after.leader).launch;
    if (is_known) {
      return fmt::format("m{} leads {}, though it is known to be empty", after.leader, after.id);
    }
    dead_heirs_[after.id] = {after.leader, world_.records().members.at(after.leader).generation};
    return {};
  }
  return before.step == SwitchStep::kDemoting ? CheckLoss(before, after) : CheckBest(after);
}

// I13: of those that can be asked, the one that has the most leads. Where nobody takes over by
// itself, it is the operator who says which one.
std::string GroupChecker::CheckBest(const Group& after) const {
  if (!after.automatic_failover) return {};
  const Engine* now = world_.EngineOf(after.leader);
  // What a control plane has heard that a commit has cost its life is not known any more.
  if (now == nullptr || !world_.HasGoodNetwork() || !world_.control_plane_runs()) return {};
  for (const MemberId id : FollowersOf(after)) {
    const model::Member& member = world_.records().members.at(id);
    const Engine* other = world_.EngineAt(member.address);
    const bool could = other != nullptr && in_sync_.contains(id) &&
                       member.status == MemberStatus::kAvailable && member.launch == other->launch;
    const auto sighting = world_.state().sightings.find(member.host);
    if (!could || sighting == world_.state().sightings.end()) continue;
    const auto report = sighting->second.members.find(id);
    const bool serves =
        report != sighting->second.members.end() && report->second.phase == MemberPhase::kServing;
    if (serves && other->follows && other->offset() > now->offset()) {
      return fmt::format("m{} leads {}, though m{} has more", after.leader, after.id, id);
    }
  }
  return {};
}

std::string GroupChecker::CheckLoss(const Group& before, const Group& after) const {
  const Engine* now = world_.EngineOf(after.leader);
  const auto told = world_.acknowledged.find(after.id);
  if (now == nullptr || told == world_.acknowledged.end()) return {};
  const std::set<uint64_t> held(now->writes.begin(), now->writes.end());
  const Seen& seen = seen_.at(after.id);
  // A leader that dies in the middle takes along what came after its pause had ended, as any does.
  const bool died = world_.EngineOf(before.leader) == nullptr;
  for (const uint64_t write : told->second) {
    if (died && write > seen.last_at_first) break;
    if (seen.owed.contains(write) && !held.contains(write)) {
      return fmt::format("{} lost write {} by a planned change", after.id, write);
    }
  }
  return {};
}

// --- at the end -----------------------------------------------------------------------------

std::string GroupChecker::Uncertified(const Group& group) const {
  for (const model::ClusterId& cluster : group.members) {
    for (const MemberId id : world_.records().clusters.at(cluster).members) {
      const Engine* engine = world_.EngineOf(id);
      if (engine == nullptr) continue;
      if (engine->names.empty() == group.transit_encryption) {
        return fmt::format("m{} speaks otherwise than {}", id, group.id);
      }
      const Address own = world_.records().members.at(id).address;
      for (const Address& address : {own, group.primary.address, group.reader.address}) {
        const std::string name = ToString(address.ip);
        const bool certified = std::ranges::find(engine->names, name) != engine->names.end();
        if (group.transit_encryption && !certified) {
          return fmt::format("m{} has no certificate for {}", id, name);
        }
      }
    }
  }
  return {};
}

std::string GroupChecker::Unsettled(const Group& group) const {
  if (group.status == GroupStatus::kCreateFailed) return {};
  if (group.status != GroupStatus::kAvailable) {
    // Nobody may be promoted by itself there: it waits for its operator.
    if (group.trouble == model::kAwaitsChoice && !group.automatic_failover) return {};
    // So does a single node whose engine cannot be started.
    const auto leader = world_.records().members.find(group.leader);
    const bool failed =
        leader != world_.records().members.end() && leader->second.status == MemberStatus::kFailed;
    if (!group.trouble.empty() && failed && group.members.size() == 1) return {};
    return fmt::format("{} is {} ({})", group.id, NameOf(group.status), group.trouble);
  }
  const Engine* behind = world_.EngineBehind(group);
  if (behind == nullptr) return group.id + "'s primary endpoint leads nowhere";
  if (behind != world_.EngineOf(group.leader)) return group.id + "'s endpoint leads elsewhere";
  if (behind->follows) return group.id + "'s leader follows";
  if (world_.clock().instant < behind->paused_until) return group.id + "'s writes are paused";
  for (const model::ClusterId& cluster : group.members) {
    for (const MemberId id : world_.records().clusters.at(cluster).members) {
      if (id == group.leader) continue;
      const model::Member& member = world_.records().members.at(id);
      const Engine* engine = world_.EngineOf(id);
      if (member.status == MemberStatus::kFailed) continue;
      if (!member.in_sync) return fmt::format("m{} is not in sync", id);
      if (engine == nullptr || engine->synced_with != behind->stream()) {
        return fmt::format("m{} does not follow m{}", id, group.leader);
      }
    }
  }
  if (std::string missing = Uncertified(group); !missing.empty()) return missing;
  const auto& endpoints = world_.hosts().at(group.reader.host).endpoints;
  if (!endpoints.contains(group.reader.id)) return group.id + "'s reader endpoint is closed";
  return {};
}

}  // namespace ec::sim
