// What must never be in a replication group, and what must come to be. It knows the records, the
// processes and what clients were told, and remembers what it has seen of them itself: what the
// records say of a proof, for instance, is no proof to it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/sim/world.h"

namespace ec::sim {

class GroupChecker {
 public:
  explicit GroupChecker(World& world) : world_(world) {}

  // After every event, and after every change of the records. A sentence about the first thing that
  // is wrong; empty when nothing is.
  std::string CheckEngines();
  std::string CheckRecords();

  // What the group still lacks once all faults have ended; empty when it is as it should be.
  std::string Unsettled(const model::Group& group) const;

 private:
  // What has been seen of a group under its present leader.
  struct Seen {
    MemberId leader = 0;
    uint64_t generation = 0;  // of the leader
    uint64_t launch = 0;      // its newest one
    // Those that were seen to stream from the leader: each had everything at that moment.
    std::set<MemberId> streamed;
    // The same, and whatever has become of them since, as long as they are followers.
    std::set<MemberId> joined;
    // During a planned change: what the leader has, or had when it stopped taking writes.
    std::set<uint64_t> owed;
    uint64_t last_at_first = 0;  // the newest of these when it was to stop
  };

  std::string CheckLeader(const model::Group& group, Seen* seen) const;
  std::string CheckWriters(const model::Group& group) const;
  void NoteStreams(const model::Group& group, const std::vector<MemberId>& followers,
                   Seen* seen) const;
  std::string CheckProofs(const model::Group& group, const std::vector<MemberId>& followers,
                          const Seen& seen) const;
  void NoteOwed(const model::Group& group, Seen* seen) const;
  std::string CheckChangeOfLeader(const model::Group& before, const model::Group& after);
  std::string CheckBest(const model::Group& after) const;
  std::string CheckLoss(const model::Group& before, const model::Group& after) const;
  // Whose engine has no certificate for all the addresses that lead to it.
  std::string Uncertified(const model::Group& group) const;
  std::vector<MemberId> FollowersOf(const model::Group& group) const;

  World& world_;
  std::map<model::GroupId, model::Group> groups_;  // as they were at the last change
  std::set<MemberId> in_sync_;                     // in the records, at the last change
  std::map<model::GroupId, Seen> seen_;
  // Those that had died, unheard, when they were chosen; with their generation.
  std::map<model::GroupId, std::pair<MemberId, uint64_t>> dead_heirs_;
  std::map<std::pair<std::string, uint64_t>, MemberId> leaders_;  // of (group created at, epoch)
};

}  // namespace ec::sim
