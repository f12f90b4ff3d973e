#include "nodeagent/core/replication.h"

#include <algorithm>

namespace ec::host {

void Replication::Begin(const std::optional<ReplicationSpec>& spec, bool is_adopted, Instant now) {
  End();
  runs_ = true;
  wish_ = spec;
  report_.reset();
  // A master that was launched as one is what it should be; whatever was found may be anything.
  settled_ = !spec && !is_adopted;
  look_at_once_ = true;
  soon_until_ = now + pace_.soon_max;
  hollow_ = spec && !spec->leads && !is_adopted;
}

void Replication::BeginWithData(const std::optional<ReplicationSpec>& spec, Instant now) {
  Begin(spec, /*is_adopted=*/false, now);
  hollow_ = false;
}

void Replication::End() {
  runs_ = false;
  looking_ = false;
  leads_since_ = 0;
  question_.reset();
}

void Replication::Want(const std::optional<ReplicationSpec>& spec, bool is_confirmed, Instant now) {
  if (spec == wish_ && look_only_ == !is_confirmed) return;
  const bool confirms = look_only_ && is_confirmed;
  if (spec != wish_) settled_ = false;
  wish_ = spec;
  look_only_ = !is_confirmed;
  if (!wish_ || !wish_->leads) leads_since_ = 0;
  if (confirms || !settled_) {
    look_at_once_ = true;
    soon_until_ = now + pace_.soon_max;
  }
}

void Replication::Ask(const OffsetQuestion& question, Instant now) {
  if (!runs_ || (report_ && report_->answers >= question.number)) return;
  if (question_ && question_->number > question.number) return;  // it has come late
  question_ = question;
  question_until_ = now + pace_.question_max;
  look_at_once_ = true;
}

bool Replication::HasBusiness() const {
  if (!runs_) return false;
  if (question_) return true;
  return wish_ ? true : !settled_ && !look_only_;
}

std::optional<SyncReplication> Replication::Next(Instant now) {
  if (question_ && now >= question_until_) question_.reset();
  if (!HasBusiness()) return std::nullopt;
  if (!look_at_once_ && (looking_ || now < next_look_)) return std::nullopt;
  look_at_once_ = false;
  looking_ = true;
  SyncReplication look;
  look.turn = ++turn_;
  look.spec = wish_;
  look.look_only = look_only_;
  look.seen = report_.value_or(ReplicationReport{});
  if (question_) {
    look.ask = question_->number;
    look.at_least = question_->at_least;
  }
  return look;
}

void Replication::Take(const ReplicationSynced& synced, Instant now) {
  if (!runs_ || !looking_ || synced.turn != turn_) return;  // of a look that was replaced
  looking_ = false;
  next_look_ = now + pace_.look_soon_every;
  if (!synced.ok) return;
  Note(synced, now);
  if (question_) {
    if (synced.seen.answers != question_->number) {
      next_look_ = now + pace_.ask_again_after;
      return;
    }
    question_.reset();
  }
  const bool soon = IsComingRight() && now < soon_until_;
  next_look_ = now + (soon ? pace_.look_soon_every : pace_.look_every);
}

void Replication::Note(const ReplicationSynced& synced, Instant now) {
  const ReplicationReport before = report_.value_or(ReplicationReport{});
  const ReplicationReport& seen = synced.seen;
  settled_ = true;
  if (seen.link_up || seen.leads || seen.offset > 0) hollow_ = false;
  if (!wish_ && seen.answers == 0) {
    report_.reset();  // it has no part in any group
  } else {
    report_ = seen;
    if (seen.answers == 0) report_->answers = before.answers;
  }
  if (!seen.leads || !wish_) {
    leads_since_ = 0;
  } else if (!seen.paused) {
    leads_since_ = wish_->epoch;
  }
  const bool went_wrong =
      (before.link_up && !seen.link_up) || before.in_sync.size() > seen.in_sync.size();
  if (went_wrong) soon_until_ = now + pace_.soon_max;
}

bool Replication::IsComingRight() const {
  if (!wish_ || !report_) return false;
  if (!wish_->leads) return !report_->link_up;
  return report_->in_sync.size() < wish_->followers.size();
}

Instant Replication::NextWake() const {
  if (!HasBusiness()) return Instant::max();
  if (look_at_once_) return Instant::min();
  // A question that lapses meanwhile needs no step of its own: the next look forgets it.
  return looking_ ? Instant::max() : next_look_;
}

}  // namespace ec::host
