#include "controlplane/server/controller.h"

#include <utility>

#include "common/mutant.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/plans.h"
#include "controlplane/model/faults.h"

namespace ec::server {

Controller::Controller(core::Settings settings, store::Store& store, Clock& clock, Outlet& outlet)
    : settings_(std::move(settings)), store_(store), clock_(clock), outlet_(outlet) {}

Status Controller::Start() {
  Result<model::Records> records = store_.Load();
  if (!records.ok()) return records.status();
  newest_step_ = clock_.now();
  state_ = model::Begin(std::move(*records), newest_step_.instant);
  return {};
}

std::vector<Status> Controller::Step(std::vector<core::Input> inputs) {
  return Step(std::move(inputs), [](const std::function<void()>& change) { change(); });
}

std::vector<Status> Controller::Step(std::vector<core::Input> inputs, const Exclusive& exclusive) {
  const Now now = clock_.now();
  std::vector<Status> verdicts(inputs.size());
  std::set<HostId> hosts;  // that get a plan: as an answer, or because theirs has changed
  std::vector<core::Input> taken;
  std::vector<size_t> position;  // of each of them among `inputs`
  const std::set<HostId> cut_off = CutOff();
  bool everything = false;
  exclusive([&] {
    BeginStep(now);
    for (size_t i = 0; i < inputs.size(); ++i) verdicts[i] = Note(inputs[i], now.instant);
  });
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (const auto* reported = std::get_if<core::Reported>(&inputs[i])) {
      hosts.insert(reported->report.host);
    }
    if (const auto* tick = std::get_if<core::Tick>(&inputs[i])) everything |= tick->everything;
    if (!verdicts[i].ok()) continue;
    taken.push_back(std::move(inputs[i]));
    position.push_back(i);
  }

  core::Decision decision = core::Decide(state_, settings_, now, taken);
  Status stored;
  if (!decision.edit.empty()) stored = store_.Commit(decision.edit);
  if (!stored.ok()) {
    behind_ = true;
  } else {
    if (everything) behind_ = false;
    hosts.merge(core::HostsTouched(state_, decision.edit));
    if (!decision.edit.empty() || !decision.questions.empty()) {
      exclusive([&] { Take(decision, now.instant); });
    }
  }
  for (size_t i = 0; i < taken.size(); ++i) {
    const Status& verdict = decision.verdicts[i];
    verdicts[position[i]] = verdict.ok() && !IsMutant(4) ? stored : verdict;
  }
  if (!stored.ok()) decision.questions.clear();
  for (const core::Question& question : decision.questions) hosts.insert(question.host);
  // One that is being cut off hears of it with its last plan.
  for (const HostId& host : CutOff()) {
    if (cut_off.contains(host)) hosts.erase(host);
  }
  SendPlans(hosts, decision.questions);
  return verdicts;
}

void Controller::Take(const core::Decision& decision, Instant now) {
  if (!decision.edit.empty()) model::Apply(decision.edit, now, &state_);
  for (const core::Question& question : decision.questions) {
    model::NoteQuestion(question.question, question.epoch, now, &state_);
  }
}

std::set<HostId> Controller::CutOff() const {
  std::set<HostId> hosts;
  if (state_.records.faults.empty()) return hosts;
  for (const auto& [id, host] : state_.records.hosts) {
    if (model::IsCutOff(state_.records, id)) hosts.insert(id);
  }
  return hosts;
}

Status Controller::Note(core::Input& input, Instant now) {
  if (const auto* hello = std::get_if<HostHello>(&input)) {
    if (model::IsCutOff(state_.records, hello->host)) {
      return {Fault::kUnavailable, "A fault keeps this host from the control plane."};
    }
    if (model::NoteHello(*hello, now, &state_)) return {};
    return {Fault::kInvalidCacheClusterState, "A later start of this host's agent has registered."};
  }
  if (auto* reported = std::get_if<core::Reported>(&input)) {
    const HostReport& report = reported->report;
    if (model::IsCutOff(state_.records, report.host) ||
        model::IsLost(state_.records, report.host)) {
      return {Fault::kUnavailable, "A fault keeps this host from being heard."};
    }
    const bool was_silent = now >= core::SilentAt(state_, settings_, report.host);
    const auto before = model::NoteReport(report, now, &state_);
    if (!before) return {Fault::kInvalidCacheClusterState, "A stale report."};
    reported->plan_before = was_silent ? 0 : *before;
  }
  if (const auto* ended = std::get_if<core::EngineEnded>(&input)) {
    model::NoteEnded(ended->member, {ended->pid, ended->start_time}, &state_);
  }
  return {};
}

void Controller::SendPlans(const std::set<HostId>& hosts,
                           const std::vector<core::Question>& questions) {
  for (const HostId& host : hosts) {
    const auto sighting = state_.sightings.find(host);
    if (sighting == state_.sightings.end()) continue;  // it asks when it comes
    PlanUpdate update = core::PlanSince(state_, host, sighting->second.plan_revision);
    update.incarnation = sighting->second.incarnation;
    update.answers = sighting->second.sequence;
    for (const core::Question& question : questions) {
      if (question.host == host) update.questions.push_back(question.question);
    }
    outlet_.SendPlan(host, update);
  }
}

std::optional<Instant> Controller::NextDeadline() const {
  if (behind_) return clock_.now().instant;
  return core::NextDeadline(state_, settings_, clock_.now());
}

std::vector<core::Fence> Controller::Fences() const {
  return core::Fences(state_, settings_, newest_step_);
}

// Looked at with the very time that everything in the step is judged by: between two looks at a
// clock, a process may be stopped.
void Controller::BeginStep(Now now) {
  if (now.instant > newest_step_.instant + kStandstillMin) state_.listening_since = now.instant;
  newest_step_ = now;
}

}  // namespace ec::server
