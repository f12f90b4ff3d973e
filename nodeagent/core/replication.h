// One Redis member's part in a replication group, as its host sees to it. Pure.
//
// The plan says what the engine should be; every look at the engine makes it so, and says what it
// then is. A look is for one wish: when the wish changes, or a question comes, a new look takes the
// place of one that is under way.
//
//   wish changes, question, time --> SyncReplication --> ReplicationSynced --> report, may lead
#pragma once

#include <cstdint>
#include <optional>

#include "common/host_plan.h"
#include "common/time.h"

namespace ec::host {

// Makes a Redis what it should be and looks at it. ReplicationSynced follows, within a second or
// so, unless another SyncReplication for the member comes before: that one then stands in for it.
//
// The engine follows spec->leader, or is a master (spec->leads, or no spec). A master with
// spec->paused has its writes wait for three seconds from now on; without it they go on if
// `seen.paused`. A leader proves which followers are in sync if spec->proof is higher than
// seen.proof or a follower is connected that is not in seen.in_sync; never while it is paused.
// What `seen` says of proofs holds for its own epoch only.
struct SyncReplication {
  MemberId id = 0;
  uint64_t launch = 0;
  uint64_t turn = 0;  // to be given back
  std::optional<ReplicationSpec> spec;
  bool look_only = false;  // nothing about the engine is to be changed
  ReplicationReport seen;  // by the last look at this launch; all zero: there was none
  uint64_t ask = 0;        // an OffsetQuestion's number; 0: none
  int64_t at_least = 0;    // to be waited for, a fraction of a second, before it is answered
  friend bool operator==(const SyncReplication&, const SyncReplication&) = default;
};

struct ReplicationSynced {
  MemberId id = 0;
  uint64_t launch = 0;
  uint64_t turn = 0;
  // The engine was reached and is what it should be: it leads or follows as wanted. If not, the
  // rest means nothing.
  bool ok = false;
  // What it was seen to be. `epoch` is the spec's, 0 without one. `answers` is the question that
  // `offset` answers; 0 if none was asked, or the member has not come so far yet.
  ReplicationReport seen;
};

// How often the engine is looked at.
struct ReplicationPace {
  Duration look_every = std::chrono::milliseconds(500);
  // As long as something is about to come right: a link to come up, a follower to be in sync.
  Duration look_soon_every = std::chrono::milliseconds(20);
  Duration soon_max = std::chrono::seconds(10);  // since it went wrong
  Duration question_max = std::chrono::seconds(3);
  Duration ask_again_after = std::chrono::milliseconds(1);  // a look has waited a while itself
};

class Replication {
 public:
  explicit Replication(const ReplicationPace& pace = {}) : pace_(pace) {}

  // A launch that is configured for `spec`, or was found running with whatever role (`is_adopted`).
  void Begin(const std::optional<ReplicationSpec>& spec, bool is_adopted, Instant now);
  // The same for a launch that has what was kept at an orderly stop.
  void BeginWithData(const std::optional<ReplicationSpec>& spec, Instant now);
  // The engine is dead, or about to be killed. What was seen of it last stays in the report.
  void End();
  // What the engine should be. Until the plan is confirmed it is only looked at.
  void Want(const std::optional<ReplicationSpec>& spec, bool is_confirmed, Instant now);
  void Ask(const OffsetQuestion& question, Instant now);

  // The look that is due, if one is; id and launch are the caller's to fill in. REQUIRES: the
  // engine has answered since Begin()
  std::optional<SyncReplication> Next(Instant now);
  void Take(const ReplicationSynced& synced, Instant now);
  // When Next() may have something without anything else having happened.
  Instant NextWake() const;

  // The newest epoch in which the engine was seen to lead, its writes not paused; 0 when it is not
  // running, or does not lead, or is not meant to any more.
  uint64_t leads_since() const { return leads_since_; }
  // The launch began empty, in order to follow, and has not been seen to get anything since. It
  // cannot be the one that somebody found to have everything.
  bool is_hollow() const { return runs_ && hollow_; }
  const std::optional<ReplicationReport>& report() const { return report_; }

 private:
  bool HasBusiness() const;
  bool IsComingRight() const;
  void Note(const ReplicationSynced& synced, Instant now);

  const ReplicationPace pace_;
  bool runs_ = false;
  bool hollow_ = false;
  std::optional<ReplicationSpec> wish_;
  bool look_only_ = true;
  // The wish has been carried out since it came up.
  bool settled_ = false;
  bool look_at_once_ = false;
  uint64_t turn_ = 0;  // of the newest look
  bool looking_ = false;
  Instant next_look_;
  Instant soon_until_;
  uint64_t leads_since_ = 0;
  std::optional<OffsetQuestion> question_;
  Instant question_until_;
  std::optional<ReplicationReport> report_;
};

}  // namespace ec::host
