#include "nodeagent/core/host_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/mutant.h"
#include "common/overloaded.h"

namespace ec::host {
namespace {

// A host has obeyed the highest epoch that it has heard of, and goes back behind none: a member for
// which the new plan has a lower one stays as it was.
void KeepNewerEpochs(const HostPlan& old_plan, HostPlan* plan) {
  for (auto& [id, spec] : plan->members) {
    const auto old_spec = old_plan.members.find(id);
    if (old_spec == old_plan.members.end() || !old_spec->second.replication) continue;
    if (!spec.replication || spec.replication->epoch >= old_spec->second.replication->epoch) {
      continue;
    }
    spec = old_spec->second;
  }
}

bool LeadsOthers(const MemberSpec& spec) {
  return spec.replication && spec.replication->leads && !spec.replication->followers.empty();
}

}  // namespace

HostMachine::HostMachine(Settings settings, HostId host, uint64_t incarnation,
                         const std::vector<Found>& found, HostPlan remembered, Instant now)
    : settings_(settings),
      plan_(std::move(remembered)),
      faults_(plan_.faults),
      next_conform_(now),
      next_report_(now),
      log_(std::move(host), incarnation) {
  for (const Found& one : found) {
    Member& member = members_.try_emplace(one.id, settings_).first->second;
    member.engine = one.engine;
    member.generation = one.generation;
    member.launch = one.launch;
    member.resumed = one.resumed;
    member.kept = one.kept;
    member.since = now;
    member.last_answer = now;
    member.next_probe = now;
    member.pid = one.pid;
    member.start_time = one.start_time;
    member.has_run = one.launch > 0;
    if (one.alive) {
      member.process = Process::kRunning;
      const auto spec = plan_.members.find(one.id);
      // Who may use it is told again unless it is certain that the engine knows.
      if (spec != plan_.members.end() &&
          (!spec->second.access || spec->second.access->version == one.access)) {
        member.tuned = TuningOf(spec->second);
      }
      member.replication.Begin(std::nullopt, /*is_adopted=*/true, now);
    }
    log_.Put(ReportOf(one.id, member));
  }
}

std::vector<Action> HostMachine::Step(Instant now, const Input& input) {
  std::visit(Overloaded{
                 [&](const PlanArrived& plan) { OnPlan(plan.update, now); },
                 [&](const Linked&) {
                   linked_ = true;
                   log_.StartOver();
                   next_report_ = now;
                 },
                 [&](const Unlinked&) { linked_ = false; },
                 [&](const EngineStarted& started) { OnStarted(started, now); },
                 [&](const EngineNotStarted& failure) { OnNotStarted(failure, now); },
                 [&](const EngineExited& exit) { OnExit(exit, now); },
                 [&](const EngineProbed& probe) { OnProbed(probe, now); },
                 [&](const EndpointProbed& probe) { OnEndpointProbed(probe, now); },
                 [&](const EngineTuned& tuned) { OnTuned(tuned, now); },
                 [&](const ReplicationSynced& synced) { OnReplicationSynced(synced, now); },
                 [&](const MemberRemoved& removal) {
                   const auto found = members_.find(removal.id);
                   if (found == members_.end()) return;
                   found->second.removing = false;
                   if (removal.removed && !plan_.members.contains(removal.id)) {
                     members_.erase(found);
                     log_.DropMember(removal.id);
                   } else {
                     found->second.next_removal = now + settings_.removal_retry_every;
                   }
                   Settle(removal.id, now);
                 },
                 [&](const EndpointsSeen& seen) {
                   OnEndpoints(seen, now);
                   for (const EndpointReport& endpoint : seen.endpoints) Settle(endpoint.id, now);
                 },
                 [&](const TaskNews& news) { OnTask(news, now); },
                 [&](const Tick&) { SettleAll(now); },
             },
             input);
  Conform(now);
  if (linked_ && (log_.has_news() || now >= next_report_)) {
    next_report_ = now + settings_.report_every;
    HostReport report = log_.Make(confirmed_ ? plan_.revision : 0);
    report.tasks = tasks_.Reports();
    actions_.push_back(SendReport{std::move(report)});
  }
  return std::exchange(actions_, {});
}

void HostMachine::OnPlan(const PlanUpdate& update, Instant now) {
  if (update.incarnation != log_.incarnation()) return;
  log_.Acknowledge(update.answers);
  if (!confirmed_ && update.base != 0) return;  // the first plan must be a whole one
  HostPlan plan = confirmed_ ? plan_ : HostPlan{};
  if (!Merge(update, &plan)) {
    // A newer plan has overtaken it, which does not repeat what was asked.
    TakeQuestions(update.questions, now);
    return;
  }
  KeepNewerEpochs(plan_, &plan);
  const bool carries = !confirmed_ || !update.members.empty() || !update.endpoints.empty() ||
                       !update.gone_members.empty() || !update.gone_endpoints.empty() ||
                       update.network || update.faults || update.tasks;
  confirmed_ = true;
  plan_ = std::move(plan);
  faults_.Take(plan_.faults);
  if (carries) actions_.push_back(RememberPlan{plan_});  // before anything is done about it
  SettleTasks();
  TakeQuestions(update.questions, now);
  if (!carries) return;  // only the number has risen
  next_report_ = now;    // the control plane is to learn at once that the host has this plan
  conform_again_ = true;
  SettleAll(now);
}

// What an earlier agent has begun is begun again: all that it may have left is done anew.
void HostMachine::SettleTasks() {
  tasks_.Take(plan_.tasks);
  for (SnapshotTask& task : tasks_.Begin()) actions_.push_back(StartTask{std::move(task)});
  for (const uint64_t id : tasks_.End()) actions_.push_back(CancelTask{id});
}

void HostMachine::OnTask(const TaskNews& news, Instant now) {
  if (tasks_.Put(news.report)) next_report_ = now;
}

void HostMachine::TakeQuestions(const std::vector<OffsetQuestion>& questions, Instant now) {
  for (const OffsetQuestion& question : questions) {
    const auto asked = members_.find(question.member);
    if (asked == members_.end() || !SpeaksRedis(asked->second.engine)) continue;
    asked->second.replication.Ask(question, now);
    Settle(question.member, now);
  }
}

void HostMachine::OnStarted(const EngineStarted& started, Instant now) {
  Member* member = FindLaunch(started.id, started.launch);
  if (member != nullptr && member->process == Process::kStarting) {
    member->process = Process::kRunning;
    member->last_answer = now;  // a seed takes its time, which is not the engine's
    member->pid = started.pid;
    member->start_time = started.start_time;
    member->has_run = true;
  }
  Settle(started.id, now);
}

void HostMachine::OnNotStarted(const EngineNotStarted& failure, Instant now) {
  Member* member = FindLaunch(failure.id, failure.launch);
  if (member == nullptr || member->process == Process::kNone) return;
  member->process = Process::kNone;
  EndReplication(*member);
  member->trouble = failure.why;
  member->unseeded = failure.unseeded;
  if (failure.unseeded) {
    member->failed_generation = member->generation;
  } else {
    CountDeath(failure.id, *member, now);
  }
  Settle(failure.id, now);
}

void HostMachine::OnExit(const EngineExited& exit, Instant now) {
  Member* member = FindLaunch(exit.id, exit.launch);
  if (member == nullptr || member->process == Process::kNone) return;
  const bool wanted = member->process == Process::kKilling;
  member->process = Process::kNone;
  faults_.Forget(exit.id);
  if (faults_.is_cut_off()) conform_again_ = true;  // others may take over what it leads
  EndReplication(*member);
  if (!wanted) {
    member->trouble = fmt::format("the engine {}", exit.how);
    CountDeath(exit.id, *member, now);
  }
  Settle(exit.id, now);
}

// A death after a time of good service is followed by a new start at once; early ones in a row by
// longer and longer pauses, and in the end by none.
void HostMachine::CountDeath(MemberId id, Member& member, Instant now) {
  const auto spec = plan_.members.find(id);
  if (spec != plan_.members.end() && IsSurvived(member, spec->second)) return;  // not started again
  const bool early = !member.answered || now < member.first_answer + settings_.healthy_min;
  member.early_deaths = early ? member.early_deaths + 1 : 0;
  if (member.early_deaths >= settings_.early_deaths_max) {
    member.failed_generation = member.generation;
    member.trouble += fmt::format(" ({} times in a row)", member.early_deaths);
    return;
  }
  Duration pause{0};
  if (member.early_deaths > 1) {
    pause = settings_.restart_pause_first * (1 << (member.early_deaths - 2));
  }
  member.start_after = now + pause;
}

void HostMachine::OnProbed(const EngineProbed& probe, Instant now) {
  Member* member = FindLaunch(probe.id, probe.launch);
  if (member == nullptr || member->process != Process::kRunning) return;  // it died meanwhile
  member->probing = false;
  using Outcome = EngineProbed::Outcome;
  switch (probe.outcome) {
    case Outcome::kAnswered:
      if (!member->answered) member->first_answer = now;
      member->answered = true;
      member->version = probe.version;
      member->trouble.clear();
      [[fallthrough]];
    case Outcome::kLoading:
      member->last_answer = now;
      member->misses = 0;
      member->idle_misses = 0;
      break;
    case Outcome::kRefused:
    case Outcome::kMissed:
      if (probe.outcome == Outcome::kRefused && !member->answered) {  // not up yet
        member->misses = 0;
        member->idle_misses = 0;
        break;
      }
      ++member->misses;
      member->idle_misses = probe.used_processor ? 0 : member->idle_misses + 1;
      break;
  }
  const bool starting = !member->answered && probe.outcome != Outcome::kMissed;
  member->next_probe = now + (starting ? settings_.probe_starting_every : settings_.probe_every);
  // A miss has taken its time already: ask again at once.
  if (probe.outcome == Outcome::kMissed) member->next_probe = now;
  Settle(probe.id, now);
}

void HostMachine::OnEndpointProbed(const EndpointProbed& probe, Instant now) {
  Member* member = FindLaunch(probe.id, probe.launch);
  if (member == nullptr) return;
  member->verifying = false;
  const auto endpoint = plan_.endpoints.find(probe.id);
  const bool is_present =
      endpoint != plan_.endpoints.end() && endpoint->second.listen == probe.address;
  if (probe.answered && is_present) {
    member->verified_launch = probe.launch;
  } else {
    member->next_verify = now + std::chrono::milliseconds(20);
  }
  Settle(probe.id, now);
}

void HostMachine::OnEndpoints(const EndpointsSeen& seen, Instant now) {
  for (const EndpointReport& endpoint : seen.endpoints) {
    if (!conformed_.contains(endpoint.id)) continue;
    endpoints_[endpoint.id] = endpoint;
    log_.Put(endpoint);
  }
  next_conform_ = std::min(next_conform_, now + ConformPause(now));
}

void HostMachine::SettleAll(Instant now) {
  std::set<MemberId> all;
  for (const auto& [id, spec] : plan_.members) all.insert(id);
  for (const auto& [id, member] : members_) all.insert(id);
  for (const MemberId id : all) Settle(id, now);
}

void HostMachine::Settle(MemberId id, Instant now) {
  const auto spec = plan_.members.find(id);
  const bool in_plan = spec != plan_.members.end();
  if (!members_.contains(id)) {
    if (!in_plan || !confirmed_) return;
    members_.try_emplace(id, settings_).first->second.since = now;
  }
  Member& member = members_.at(id);
  if (in_plan) member.engine = spec->second.engine;
  if (!confirmed_) {
    if (member.process == Process::kRunning) {
      Probe(id, member, now);
      Verify(id, member, now);
      Replicate(id, member, now);
    }
  } else if (!in_plan) {
    if (member.process == Process::kRunning) {
      Kill(id, member);
    } else if (member.process == Process::kNone && !member.removing && now >= member.next_removal) {
      member.removing = true;
      actions_.push_back(RemoveMember{id});
    }
  } else if (member.process == Process::kRunning) {
    SettleRunning(id, member, spec->second, now);
  } else if (member.process == Process::kNone) {
    SettleStopped(member, spec->second, now);
  }
  if (const auto found = members_.find(id); found != members_.end()) {
    log_.Put(ReportOf(id, found->second));
  }
}

void HostMachine::SettleRunning(MemberId id, Member& member, const MemberSpec& spec, Instant now) {
  if (member.generation != spec.generation) {
    Kill(id, member);
    return;
  }
  if (!SurvivesFaults(id, member)) return;
  if (spec.condemned == member.launch) {
    member.trouble = "the engine was killed to try out a failover";
    Kill(id, member);
    return;
  }
  // The one that was chosen to lead has died since, and this one would empty its followers. Whether
  // or not the control plane knows that yet, another one of them has to lead.
  if (LeadsOthers(spec) && member.replication.is_hollow()) {
    member.trouble = "the engine was to lead, but had begun anew, empty";
    Kill(id, member);
    return;
  }
  if (const auto why = Hangs(member, now)) {
    member.trouble = *why;
    CountDeath(id, member, now);
    Kill(id, member);
    return;
  }
  Replicate(id, member, now);
  Tune(id, member, spec);
  Probe(id, member, now);
  Verify(id, member, now);
}

bool HostMachine::SurvivesFaults(MemberId id, Member& member) {
  using Order = HostFaultBook::Order;
  if (faults_.is_lost()) {
    member.trouble = "the host is lost";
    Kill(id, member);
    return false;
  }
  const Order order = faults_.Next(id, /*runs=*/true);
  if (order == Order::kKill) {
    member.trouble = "the engine was killed by a fault";
    Kill(id, member);
    return false;
  }
  if (order != Order::kNone) {
    actions_.push_back(PauseEngine{id, member.launch, order == Order::kPause});
  }
  return true;
}

void HostMachine::SettleStopped(Member& member, const MemberSpec& spec, Instant now) {
  if (member.removing) return;  // it has come back into the plan: wait until the old one is away
  if (member.generation != spec.generation) {  // a new generation begins with a clean slate
    member.kept = false;
    member.has_run = false;
    member.early_deaths = 0;
    member.unseeded = false;
    member.start_after = now;
    member.trouble.clear();
  }
  faults_.Next(spec.id, /*runs=*/false);
  if (faults_.is_lost() || member.failed_generation == spec.generation) return;
  if (IsSurvived(member, spec)) return;
  if (now < member.start_after) return;
  ++member.launch;
  member.generation = spec.generation;
  member.resumed = member.kept;
  member.process = Process::kStarting;
  member.since = now;
  member.last_answer = now;
  member.answered = false;
  member.probing = false;
  member.misses = 0;
  member.idle_misses = 0;
  member.verifying = false;
  member.next_probe = now + settings_.probe_starting_every;
  if (member.kept || spec.seed) {
    member.replication.BeginWithData(spec.replication, now);
  } else {
    member.replication.Begin(spec.replication, /*is_adopted=*/false, now);
  }
  member.tuned = TuningOf(spec);
  member.is_tuning = false;
  const auto endpoint = plan_.endpoints.find(spec.id);
  const Address address = endpoint == plan_.endpoints.end() ? Address{} : endpoint->second.listen;
  actions_.push_back(StartEngine{spec, member.launch, member.kept, member.resumed, address});
  member.kept = false;
}

void HostMachine::Probe(MemberId id, Member& member, Instant now) {
  if (member.probing || now < member.next_probe) return;
  member.probing = true;
  actions_.push_back(ProbeEngine{id, member.launch, member.engine});
}

// A certificate is another one each time that it is sent, and none of them is better than the last.
HostMachine::Tuning HostMachine::TuningOf(const MemberSpec& spec) {
  Tuning tuning{spec.parameters, spec.memory_max_bytes, {}, {}, spec.access};
  if (!spec.tls || spec.tls->certificate.empty()) return tuning;
  tuning.names = spec.tls->names;
  tuning.authority = spec.tls->authority;
  return tuning;
}

// What does not come through is tried again when the engine has answered a probe.
void HostMachine::Tune(MemberId id, Member& member, const MemberSpec& spec) {
  if (!SpeaksRedis(member.engine) || !member.answered || member.is_tuning) return;
  if (IsTuned(member, spec)) return;
  member.is_tuning = true;
  member.tuning = TuningOf(spec);
  actions_.push_back(TuneEngine{id, member.launch, spec});
}

bool HostMachine::IsTuned(const Member& member, const MemberSpec& spec) {
  const bool is_alike = member.tuned && member.tuned->parameters == spec.parameters &&
                        member.tuned->memory_max_bytes == spec.memory_max_bytes &&
                        member.tuned->access == spec.access;
  if (!is_alike || !spec.tls || spec.tls->certificate.empty()) return is_alike;
  return member.tuned->names == spec.tls->names && member.tuned->authority == spec.tls->authority;
}

void HostMachine::OnTuned(const EngineTuned& tuned, Instant now) {
  Member* member = FindLaunch(tuned.id, tuned.launch);
  if (member == nullptr || !member->is_tuning) return;
  member->is_tuning = false;
  if (!tuned.ok) return;
  member->tuned = member->tuning;
  Settle(tuned.id, now);  // the news is for the report, and the plan may have changed meanwhile
}

void HostMachine::Verify(MemberId id, Member& member, Instant now) {
  if (!member.answered || member.verifying || member.verified_launch == member.launch) return;
  if (!Listens(id) || now < member.next_verify) return;
  member.verifying = true;
  const auto spec = plan_.members.find(id);
  const bool encrypted = spec != plan_.members.end() && spec->second.tls;
  actions_.push_back(ProbeEndpoint{id, member.launch, member.engine, plan_.endpoints.at(id).listen,
                                   encrypted ? spec->second.tls->authority : ""});
}

void HostMachine::Replicate(MemberId id, Member& member, Instant now) {
  if (!SpeaksRedis(member.engine)) return;
  const auto spec = plan_.members.find(id);
  if (spec == plan_.members.end()) return;
  member.replication.Want(spec->second.replication, confirmed_, now);
  if (!member.answered) return;
  if (std::optional<SyncReplication> look = member.replication.Next(now)) {
    look->id = id;
    look->launch = member.launch;
    actions_.push_back(std::move(*look));
  }
}

void HostMachine::OnReplicationSynced(const ReplicationSynced& synced, Instant now) {
  Member* member = FindLaunch(synced.id, synced.launch);
  if (member == nullptr || member->process != Process::kRunning) return;
  const uint64_t led_since = member->replication.leads_since();
  member->replication.Take(synced, now);
  if (member->replication.leads_since() != led_since) conform_again_ = true;
  Settle(synced.id, now);
}

void HostMachine::EndReplication(Member& member) {
  if (member.replication.leads_since() != 0) conform_again_ = true;
  member.replication.End();
}

bool HostMachine::IsSurvived(const Member& member, const MemberSpec& spec) {
  return LeadsOthers(spec) && member.has_run && !member.kept && !IsMutant(3);
}

void HostMachine::Kill(MemberId id, Member& member) {
  member.process = Process::kKilling;
  EndReplication(member);
  actions_.push_back(KillEngine{id, member.launch});
}

std::optional<std::string> HostMachine::Hangs(const Member& member, Instant now) const {
  if (!member.answered && now >= member.last_answer + settings_.start_max) {
    return "the engine did not answer in time after its start";
  }
  if (member.idle_misses >= settings_.misses_max) {
    return "the engine hung: it did not answer and did not work either";
  }
  if (member.misses < settings_.misses_max) return std::nullopt;
  if (now < member.last_answer + settings_.busy_max) return std::nullopt;
  return "the engine hung: it was busy and did not answer";
}

bool HostMachine::Listens(EndpointId id) const {
  const auto found = endpoints_.find(id);
  return found != endpoints_.end() && found->second.listening && plan_.endpoints.contains(id);
}

std::map<EndpointId, EndpointSpec> HostMachine::WantedEndpoints() const {
  std::map<EndpointId, EndpointSpec> wanted;
  if (faults_.is_lost()) return wanted;
  for (const auto& [id, spec] : plan_.endpoints) {
    if (IsSupplanted(spec)) continue;
    // Before that only for engines that were found running.
    if (!confirmed_ && spec.spread.empty() && !conformed_.contains(id)) {
      const auto target = members_.find(spec.target);
      if (target == members_.end() || target->second.process != Process::kRunning) continue;
    }
    wanted.emplace(id, Present(spec));
  }
  return wanted;
}

// A host that is cut off cannot be told, so it gives the address up by itself.
bool HostMachine::IsSupplanted(const EndpointSpec& spec) const {
  if (!faults_.is_cut_off() || spec.leads_since == 0) return false;
  const auto target = members_.find(spec.target);
  const auto wanted = plan_.members.find(spec.target);
  return target != members_.end() && wanted != plan_.members.end() &&
         target->second.process == Process::kNone && IsSurvived(target->second, wanted->second);
}

EndpointSpec HostMachine::Present(EndpointSpec spec) const {
  if (spec.leads_since == 0 || IsMutant(18)) return spec;
  const auto target = members_.find(spec.target);
  const bool leads =
      target != members_.end() && target->second.replication.leads_since() >= spec.leads_since;
  if (!leads) spec.target = 0;
  return spec;
}

Duration HostMachine::ConformPause(Instant now) const {
  const bool in_use = std::ranges::any_of(endpoints_, [](const auto& endpoint) {
    return endpoint.second.trouble == EndpointTrouble::kAddressInUse;
  });
  return in_use && now < hurry_until_ ? settings_.endpoint_hurry_every
                                      : settings_.endpoint_retry_every;
}

void HostMachine::Conform(Instant now) {
  const bool retry =
      now >= next_conform_ && std::ranges::any_of(endpoints_, [](const auto& endpoint) {
        return !endpoint.second.listening;
      });
  if (!conform_again_ && !retry) return;
  conform_again_ = false;
  next_conform_ = now + ConformPause(now);
  std::map<EndpointId, EndpointSpec> wanted = WantedEndpoints();
  const bool same = wanted == conformed_ && plan_.network == conformed_network_ &&
                    faults_.on_wire() == conformed_faults_;
  if (same && !retry) return;
  ConformEndpoints action;
  action.faults = conformed_faults_ = faults_.on_wire();
  action.network = conformed_network_ = plan_.network;
  for (const auto& [id, spec] : wanted) {
    action.endpoints.push_back(spec);
    const auto old = conformed_.find(id);
    if (old != conformed_.end() && old->second.listen == spec.listen) continue;
    // An address that is new has to be reached before the member counts as serving.
    endpoints_[id] = {.id = id};
    hurry_until_ = now + settings_.endpoint_hurry_max;
    log_.Put(endpoints_[id]);
    if (const auto member = members_.find(id); member != members_.end()) {
      member->second.verified_launch = 0;
      log_.Put(ReportOf(id, member->second));
    }
  }
  for (const auto& [id, spec] : conformed_) {
    if (wanted.contains(id)) continue;
    endpoints_.erase(id);
    log_.DropEndpoint(id);
  }
  conformed_ = std::move(wanted);
  actions_.push_back(std::move(action));
}

MemberReport HostMachine::ReportOf(MemberId id, const Member& member) const {
  MemberReport report;
  report.id = id;
  report.generation = member.generation;
  report.launch = member.launch;
  report.resumed = member.resumed;
  report.replication = member.replication.report();
  // One that is being killed is not yet known to have ended.
  if (member.process == Process::kRunning || member.process == Process::kKilling) {
    report.pid = member.pid;
    report.start_time = member.start_time;
  }
  report.engine_version = member.version;
  report.trouble = member.trouble;
  report.unseeded = member.unseeded;
  if (member.tuned && member.tuned->access) report.access = member.tuned->access->version;
  const auto spec = plan_.members.find(id);
  const bool in_plan = spec != plan_.members.end();
  switch (member.process) {
    case Process::kNone:
      report.phase = MemberPhase::kDown;
      if (in_plan && member.failed_generation == spec->second.generation) {
        report.phase = MemberPhase::kFailed;
      }
      // A leader's end has to be final, because another one takes its place: one that could not be
      // started in a new generation is about to be tried again.
      if (report.phase == MemberPhase::kDown && in_plan && LeadsOthers(spec->second) &&
          !IsSurvived(member, spec->second)) {
        report.phase = MemberPhase::kStarting;
      }
      if (!in_plan) report.phase = MemberPhase::kStopping;
      if (member.kept) report.phase = MemberPhase::kStarting;  // stopped in order: no crash
      break;
    case Process::kStarting:
      report.phase = MemberPhase::kStarting;
      break;
    case Process::kRunning: {
      const bool serves = member.answered && member.verified_launch == member.launch && Listens(id);
      report.phase = serves ? MemberPhase::kServing : MemberPhase::kStarting;
      break;
    }
    case Process::kKilling:
      report.phase = in_plan && spec->second.generation == member.generation
                         ? MemberPhase::kDown
                         : MemberPhase::kStopping;
      break;
  }
  return report;
}

HostMachine::Member* HostMachine::FindLaunch(MemberId id, uint64_t launch) {
  const auto found = members_.find(id);
  if (found == members_.end() || found->second.launch != launch) return nullptr;
  return &found->second;
}

Instant HostMachine::WakeOf(MemberId id, const Member& member) const {
  const bool in_plan = plan_.members.contains(id);
  if (member.process == Process::kNone) {
    if (!confirmed_ || member.removing) return Instant::max();
    if (!in_plan) return member.next_removal;
    const MemberSpec& spec = plan_.members.at(id);
    const bool stays_down = faults_.is_lost() || member.failed_generation == spec.generation ||
                            IsSurvived(member, spec);
    return stays_down ? Instant::max() : member.start_after;
  }
  if (member.process != Process::kRunning) return Instant::max();
  Instant wake = Instant::max();
  if (!member.probing) wake = std::min(wake, member.next_probe);
  const bool to_verify = member.answered && !member.verifying && Listens(id) &&
                         member.verified_launch != member.launch;
  if (to_verify) wake = std::min(wake, member.next_verify);
  if (member.answered) wake = std::min(wake, member.replication.NextWake());
  return wake;
}

Instant HostMachine::NextWake() const {
  Instant wake = linked_ ? next_report_ : Instant::max();
  for (const auto& [id, endpoint] : endpoints_) {
    if (!endpoint.listening) wake = std::min(wake, next_conform_);
  }
  for (const auto& [id, member] : members_) wake = std::min(wake, WakeOf(id, member));
  return wake;
}

std::set<MemberId> HostMachine::running() const {
  std::set<MemberId> ids;
  for (const auto& [id, member] : members_) {
    if (member.process != Process::kNone) ids.insert(id);
  }
  return ids;
}

std::map<MemberId, HostMachine::Answering> HostMachine::answering() const {
  std::map<MemberId, Answering> engines;
  for (const auto& [id, member] : members_) {
    if (member.process != Process::kRunning || !member.answered) continue;
    engines[id] = {member.engine, member.launch};
  }
  return engines;
}

}  // namespace ec::host
