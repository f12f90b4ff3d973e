#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/check.h"

namespace ec::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

// --- store ----------------------------------------------------------------------------------

SimStore::SimStore() {
  for (const model::NodeType& type : model::NodeTypeCatalogue()) {
    state_.records.node_types.emplace(type.name, type);
  }
}

Result<model::Records> SimStore::Load() { return state_.records; }

Status SimStore::Commit(const model::Edit& edit) {
  const Mood now = mood();
  // As the real one: what does not follow is refused whole.
  if (edit.revision != state_.records.revision + 1) {
    return {Fault::kUnavailable, "the edit does not follow what is stored"};
  }
  if (now == Mood::kRefuse) return {Fault::kUnavailable, "the disk is full"};
  if (now != Mood::kUnknownNotDone) {
    model::Apply(edit, {}, &state_);
    mirror(edit);
  }
  if (now == Mood::kFine) return {};
  return {Fault::kOutcomeUnknown, "the disk failed during the commit"};
}

// --- time -----------------------------------------------------------------------------------

World::World(uint64_t seed, Faults faults, int host_count, int zone_count)
    : random_(seed),
      faults_(faults),
      loses_or_delays_(faults.loss_percent > 0 || faults.delay_max > milliseconds(20)) {
  for (int i = 0; i < host_count; ++i) {
    SimHost& host = hosts_[fmt::format("host-{}", i)];
    host.id = fmt::format("host-{}", i);
    host.zone = fmt::format("us-east-1{}", static_cast<char>('a' + i % zone_count));
    host.boot = random_.Chance(faults.elsewhere_percent) ? fmt::format("boot-of-{}", i) : "boot-1";
  }
  settings_.boot = "boot-1";
  StartControlPlane();
  After(milliseconds(50), [this] { WriteAsClients(); });
  After(milliseconds(50), [this] { WatchProcesses(); });
  store_.mood = [this] {
    if (random_.Chance(faults_.refused_commit_percent)) return SimStore::Mood::kRefuse;
    if (random_.Chance(faults_.unknown_commit_percent)) {
      return random_.Chance(50) ? SimStore::Mood::kUnknownDone : SimStore::Mood::kUnknownNotDone;
    }
    return SimStore::Mood::kFine;
  };
  for (auto& [id, host] : hosts_) StartAgent(id);
}

void World::Trace(const std::string& line) {
  const auto ms = std::chrono::duration_cast<milliseconds>(clock_.instant.time_since_epoch());
  const std::string text =
      fmt::format("{:>10}.{:03} {}", ms.count() / 1000 - 3600, ms.count() % 1000, line);
  for (const char c : text) {
    trace_hash_ = (trace_hash_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  if (print_trace) std::puts(text.c_str());
}

void World::TraceEvents() {
  const auto& events = records().events;
  for (auto it = events.upper_bound(traced_event_); it != events.end(); ++it) {
    traced_event_ = it->first;
    Trace(fmt::format("    event {}: {}", it->second.source_id, it->second.message));
  }
}

void World::Violate(const std::string& what) {
  if (!violation_.empty()) return;
  Trace("VIOLATION " + what);
  violation_ =
      fmt::format("{} (at {} s)", what,
                  (clock_.instant.time_since_epoch() - std::chrono::hours(1)) / seconds(1));
}

void World::At(Instant when, std::function<void()> what) {
  happenings_.emplace(std::pair(when, next_order_++), std::move(what));
}

bool World::RunOne(Instant limit) {
  if (happenings_.empty() || happenings_.begin()->first.first > limit) return false;
  const auto next = happenings_.extract(happenings_.begin());
  const Instant when = next.key().first;
  if (when > clock_.instant) {
    clock_.wall += std::chrono::duration_cast<milliseconds>(when - clock_.instant);
    clock_.instant = when;
  }
  if (IsDisturbed()) disturbed_until_ = clock_.instant;
  next.mapped()();
  TraceEvents();
  if (checker) {
    if (const std::string broken = checker(); !broken.empty()) Violate(broken);
  }
  return true;
}

void World::RunFor(Duration duration) {
  const Instant end = clock_.instant + duration;
  while (violation_.empty() && RunOne(end)) {
  }
  clock_.instant = std::max(clock_.instant, end);
}

bool World::RunUntil(const std::function<bool()>& done, Duration limit) {
  const Instant end = clock_.instant + limit;
  while (violation_.empty() && !done()) {
    if (!RunOne(end)) return false;
  }
  return violation_.empty();
}

void World::Heal() {
  Trace("heal");
  faults_ = {};
  taken_addresses_.clear();
  controller_paused_until_ = clock_.instant;
  ResumeControlPlane();
  if (!controller_) StartControlPlane();
  if (!records().faults.empty()) {
    const auto cleared = Call(core::FaultCommand(core::ClearFaults{}));
    EC_CHECK(cleared && cleared->ok());
  }
  for (auto& [id, host] : hosts_) {
    host.cut = false;
    if (!host.agent) StartAgent(id);
    if (host.paused) ResumeAgent(host);
    for (auto& [member, directory] : host.disk) {
      if (!directory.process) continue;
      directory.process->stopped = false;
      directory.process->ready_at = std::min(directory.process->ready_at, clock_.instant);
    }
  }
}

// --- network --------------------------------------------------------------------------------

void World::Deliver(std::function<void()> what, bool cut) {
  if (cut || random_.Chance(faults_.loss_percent)) return;
  const auto delay = [&] { return Duration(random_.Between(50, faults_.delay_max.count())); };
  if (random_.Chance(faults_.repeat_percent)) After(delay(), what);
  After(delay(), std::move(what));
}

void World::Outbox::SendPlan(const HostId& id, const PlanUpdate& update) {
  ++sent;
  SimHost& host = world->hosts_.at(id);
  World* w = world;
  PlanUpdate certified = update;
  for (MemberSpec& spec : certified.members) {
    if (spec.tls) spec.tls = TlsSpec{spec.tls->names, "a certificate", "a key", "the authority"};
  }
  // Shared, as a message is large and passes through many hands.
  const auto plan = std::make_shared<const host::Input>(host::PlanArrived{std::move(certified)});
  w->Deliver(
      [w, id, plan] {
        SimHost& receiver = w->hosts_.at(id);
        if (receiver.cut) return;
        // To whichever agent lives then: a stale plan for an earlier one included.
        w->OnAgent(id, receiver.incarnation, [w, plan](SimHost& h) { w->StepAgent(h, *plan); });
      },
      host.cut);
}

// --- control plane --------------------------------------------------------------------------

void World::StartControlPlane() {
  Trace("control plane starts");
  ++controller_life_;
  controller_ = std::make_unique<server::Controller>(settings_, store_, clock_, outbox_);
  EC_CHECK(controller_->Start().ok());
  last_step_ = clock_.instant;
  listens_since_ = clock_.instant;
  if (records().installation.region.empty()) {
    const Status installed = StepController(
        core::Command(core::Install{"us-east-1", "000000000000", *ParseCidr("127.10.0.0/16"),
                                    model::EngineSecrets{"admin-secret", "replication-secret"}}));
    EC_CHECK(installed.ok());
  }
  ScheduleTick();
  // Agents notice the broken connection and come back one by one.
  for (auto& [id, host] : hosts_) {
    const HostId name = id;
    OnAgent(name, host.incarnation, [this](SimHost& h) {
      StepAgent(h, host::Unlinked{});
      const HostId again = h.id;
      const uint64_t incarnation = h.incarnation;
      After(milliseconds(random_.Between(1, 1000)), [this, again, incarnation] {
        OnAgent(again, incarnation, [this](SimHost& linked) { Register(linked); });
      });
    });
  }
}

void World::CrashControlPlane() {
  if (!controller_) return;
  Trace("control plane crashes");
  controller_.reset();
  ++controller_life_;
}

void World::PauseControlPlane(Duration time) {
  Trace("control plane pauses");
  controller_paused_until_ = clock_.instant + time;
  At(controller_paused_until_, [this] { ResumeControlPlane(); });
}

void World::Suspend(Duration time) {
  Trace(fmt::format("everything stands still for {} ms", time / milliseconds(1)));
  clock_.instant += time;
  clock_.wall += std::chrono::duration_cast<milliseconds>(time);
}

void World::ResumeControlPlane() {
  if (clock_.instant < controller_paused_until_) return;  // another pause has begun meanwhile
  for (auto& work : std::exchange(controller_work_, {})) work();
}

// Work that reaches a stopped control plane waits until it goes on; a crash forgets it.
void World::OnControlPlane(uint64_t life, std::function<void()> what) {
  if (!controller_ || life != controller_life_) return;
  if (clock_.instant < controller_paused_until_) {
    controller_work_.push_back(
        [this, life, what = std::move(what)] { OnControlPlane(life, what); });
    return;
  }
  if (clock_.instant >= last_step_ + seconds(2)) listens_since_ = clock_.instant;
  last_step_ = clock_.instant;
  what();
}

// As in production: a deadline may have passed whether or not there is input, and an unknown
// outcome of any of both ends the control plane.
Status World::StepController(core::Input input) {
  const std::vector<Status> verdicts =
      controller_->Step({std::move(input), controller_->MakeTick()});
  const bool unknown = std::ranges::any_of(
      verdicts, [](const Status& v) { return v.fault() == Fault::kOutcomeUnknown; });
  if (unknown) {
    CrashControlPlane();
    After(milliseconds(random_.Between(10, 2000)), [this] {
      if (!controller_) StartControlPlane();
    });
  } else {
    ScheduleTick();
  }
  return verdicts.front();
}

void World::ScheduleTick() {
  const uint64_t token = ++tick_token_;
  Instant when = clock_.instant + seconds(1);
  if (const auto deadline = controller_->NextDeadline()) when = std::min(when, *deadline);
  when = std::max(when, clock_.instant + milliseconds(20));
  const uint64_t life = controller_life_;
  At(when, [this, token, life] {
    if (token != tick_token_) return;
    OnControlPlane(life, [this] { (void)StepController(controller_->MakeTick()); });
  });
}

std::optional<Status> World::Call(core::Command command) {
  if (!controller_ || clock_.instant < controller_paused_until_) return std::nullopt;
  std::optional<Status> answer;
  OnControlPlane(controller_life_, [&] { answer = StepController(command); });
  Trace(fmt::format("call -> {} {}", static_cast<int>(answer->fault()), answer->message()));
  return answer;
}

// --- agents ---------------------------------------------------------------------------------

void World::StartAgent(const HostId& id) {
  SimHost& host = hosts_.at(id);
  if (host.agent) return;
  ++host.incarnation;
  host.pid = NewPid();
  host.start_time = next_start_time_++;
  std::vector<host::Found> found;
  for (const auto& [member, directory] : host.disk) {
    const Engine process = directory.process.value_or(Engine{});
    found.push_back({member, directory.engine, directory.generation, directory.launch,
                     directory.resumed, directory.process.has_value(), directory.kept,
                     static_cast<int64_t>(process.pid), process.start_time});
  }
  Trace(fmt::format("{} agent starts, finds {}", id, found.size()));
  host.agent = std::make_unique<host::HostMachine>(agent_settings_, id, host.incarnation, found,
                                                   host.remembered, clock_.instant);
  StepAgent(host, host::Tick{});
  const uint64_t incarnation = host.incarnation;
  After(milliseconds(random_.Between(1, 100)),
        [this, id, incarnation] { OnAgent(id, incarnation, [this](SimHost& h) { Register(h); }); });
}

// Connects: hello, and from then on reports. Tries again for as long as nobody answers.
void World::Register(SimHost& host) {
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  const auto again = [this, id, incarnation] {
    After(milliseconds(random_.Between(50, 1000)), [this, id, incarnation] {
      OnAgent(id, incarnation, [this](SimHost& h) { Register(h); });
    });
  };
  if (!controller_ || host.cut) {
    again();
    return;
  }
  HostHello hello;
  hello.host = id;
  hello.zone = host.zone;
  hello.incarnation = incarnation;
  hello.members_max = 40;
  hello.pid = static_cast<int64_t>(host.pid);
  hello.start_time = host.start_time;
  hello.boot = host.boot;
  hello.engines[EngineKind::kRedis] = "7.0.15";
  hello.engines[EngineKind::kMemcached] = "1.6.18";
  const uint64_t life = controller_life_;
  OnControlPlane(life, [this, hello, id, incarnation, again] {
    if (!StepController(hello).ok()) {
      again();
      return;
    }
    OnAgent(id, incarnation, [this](SimHost& h) { StepAgent(h, host::Linked{}); });
  });
}

void World::CrashAgent(const HostId& id) {
  SimHost& host = hosts_.at(id);
  if (!host.agent) return;
  Trace(fmt::format("{} agent crashes", id));
  host.agent.reset();
  free_pids_.push_back(host.pid);
  host.endpoints.clear();
  host.faults = {};
  host.paused = false;
  host.paused_work.clear();
}

void World::PauseAgent(const HostId& id, Duration time) {
  SimHost& host = hosts_.at(id);
  if (!host.agent || host.paused) return;
  Trace(fmt::format("{} agent pauses", id));
  host.paused = true;
  const uint64_t incarnation = host.incarnation;
  After(time, [this, id, incarnation] {
    SimHost& h = hosts_.at(id);
    if (h.incarnation == incarnation && h.paused) ResumeAgent(h);
  });
}

void World::ResumeAgent(SimHost& host) {
  Trace(fmt::format("{} agent goes on", host.id));
  host.paused = false;
  for (auto& one : std::exchange(host.paused_work, {})) one();
  if (host.agent) WakeAgent(host);
}

void World::CutNetwork(const HostId& id, Duration time) {
  Trace(fmt::format("{} is cut off", id));
  hosts_.at(id).cut = true;
  After(time, [this, id] { hosts_.at(id).cut = false; });
}

void World::StopHostInOrder(const HostId& id) {
  CrashAgent(id);
  Trace(fmt::format("{} is stopped in order", id));
  for (auto& [member, directory] : hosts_.at(id).disk) {
    if (!directory.process) continue;
    directory.kept = true;
    directory.kept_data = directory.engine == EngineKind::kRedis ? directory.process->data : "";
    directory.kept_writes = directory.process->writes;
    directory.kept_stream_base = directory.process->stream_base;
    free_pids_.push_back(directory.process->pid);
    directory.process.reset();
  }
}

void World::OnAgent(const HostId& id, uint64_t incarnation, std::function<void(SimHost&)> what) {
  SimHost& host = hosts_.at(id);
  if (!host.agent || host.incarnation != incarnation) return;
  if (host.paused) {
    host.paused_work.push_back(
        [this, id, incarnation, what = std::move(what)] { OnAgent(id, incarnation, what); });
    return;
  }
  what(host);
}

void World::StepAgent(SimHost& host, const host::Input& input) {
  const uint64_t incarnation = host.incarnation;
  const std::vector<host::Action> actions = host.agent->Step(clock_.instant, input);
  for (const host::Action& action : actions) {
    if (!host.agent || host.incarnation != incarnation) return;
    Perform(host, action);
  }
  WakeAgent(host);
}

void World::WakeAgent(SimHost& host) {
  const Instant when = host.agent->NextWake();
  if (when == Instant::max()) return;
  const uint64_t token = ++host.wake_token;
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  At(std::max(when, clock_.instant + milliseconds(1)), [this, id, incarnation, token] {
    if (hosts_.at(id).wake_token != token) return;
    OnAgent(id, incarnation, [this](SimHost& h) { StepAgent(h, host::Tick{}); });
  });
}

void World::Perform(SimHost& host, const host::Action& action) {
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  if (const auto* start = std::get_if<host::StartEngine>(&action)) {
    Start(host, *start);
  } else if (const auto* kill = std::get_if<host::KillEngine>(&action)) {
    const MemberId member = kill->id;
    Trace(fmt::format("{} kills m{} launch {}", id, member, kill->launch));
    if (!MayKill(host, member)) {
      Violate(fmt::format("{} killed a healthy engine of m{}", id, member));
    }
    After(milliseconds(random_.Between(1, 20)),
          [this, id, member] { Exit(hosts_.at(id), member, "was killed by signal 9"); });
  } else if (const auto* pause = std::get_if<host::PauseEngine>(&action)) {
    Pause(host, *pause);
  } else if (const auto* removal = std::get_if<host::RemoveMember>(&action)) {
    const MemberId member = removal->id;
    After(milliseconds(random_.Between(1, 5)), [this, id, incarnation, member] {
      SimHost& h = hosts_.at(id);
      if (!h.agent || h.incarnation != incarnation) return;
      const auto directory = h.disk.find(member);
      const bool removed = directory == h.disk.end() || !directory->second.process;
      if (removed) h.disk.erase(member);
      OnAgent(id, incarnation, [this, member, removed](SimHost& now) {
        StepAgent(now, host::MemberRemoved{member, removed});
      });
    });
  } else if (const auto* sync = std::get_if<host::SyncReplication>(&action)) {
    Sync(host, *sync);
  } else if (const auto* tune = std::get_if<host::TuneEngine>(&action)) {
    const host::EngineTuned tuned{tune->id, tune->launch, true};
    const auto tuned_engine = host.disk.find(tune->id);
    if (tune->spec.tls && tuned_engine != host.disk.end() && tuned_engine->second.process) {
      tuned_engine->second.process->names = tune->spec.tls->names;
    }
    After(milliseconds(1), [this, id, incarnation, tuned] {
      OnAgent(id, incarnation, [this, tuned](SimHost& h) { StepAgent(h, tuned); });
    });
  } else if (const auto* probe = std::get_if<host::ProbeEngine>(&action)) {
    Probe(host, *probe);
  } else if (const auto* reach = std::get_if<host::ProbeEndpoint>(&action)) {
    const host::ProbeEndpoint through = *reach;
    After(milliseconds(1), [this, id, incarnation, through] {
      OnAgent(id, incarnation, [this, through](SimHost& h) {
        const auto endpoint = h.endpoints.find(through.id);
        const auto directory = h.disk.find(through.id);
        const bool answered = endpoint != h.endpoints.end() &&
                              endpoint->second.listen == through.address &&
                              directory != h.disk.end() && directory->second.process &&
                              !directory->second.process->stopped;
        StepAgent(h, host::EndpointProbed{through.id, through.launch, through.address, answered});
      });
    });
  } else if (const auto* conform = std::get_if<host::ConformEndpoints>(&action)) {
    Conform(host, *conform);
  } else if (const auto* task = std::get_if<host::StartTask>(&action)) {
    BeginTask(host, task->task);
  } else if (const auto* cancel = std::get_if<host::CancelTask>(&action)) {
    cancelled_tasks_.insert(cancel->id);
  } else if (const auto* remember = std::get_if<host::RememberPlan>(&action)) {
    host.remembered = remember->plan;
  } else if (const auto* report = std::get_if<host::SendReport>(&action)) {
    const uint64_t life = controller_life_;
    const core::Reported message{report->report, 0};
    Deliver([this, life,
             message] { OnControlPlane(life, [this, message] { (void)StepController(message); }); },
            host.cut);
  }
}

// --- engines --------------------------------------------------------------------------------

// As in a small namespace: the number of a process that has ended may be the next one's.
uint64_t World::NewPid() {
  if (free_pids_.empty() || !random_.Chance(80)) return ++next_pid_;
  const uint64_t pid = free_pids_.back();
  free_pids_.pop_back();
  return pid;
}

void World::Start(SimHost& host, const host::StartEngine& action) {
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  const MemberId member = action.spec.id;
  Trace(fmt::format("{} starts m{} generation {} launch {}{}", id, member, action.spec.generation,
                    action.launch, action.load_kept ? " with its data" : ""));
  if (host.disk.contains(member) && host.disk.at(member).process) {
    Violate(fmt::format("{} starts a second engine for m{}", id, member));
    return;
  }
  if (random_.Chance(faults_.start_failure_percent)) {
    host.disk[member].launch = action.launch;
    After(milliseconds(2), [this, id, incarnation, action] {
      OnAgent(id, incarnation, [this, action](SimHost& h) {
        StepAgent(h, host::EngineNotStarted{action.spec.id, action.launch, "cannot fork"});
      });
    });
    return;
  }
  const bool seeded = action.spec.seed && !action.load_kept;
  const File* const seed = seeded ? FindSeed(*action.spec.seed) : nullptr;
  if (seeded && seed == nullptr) {
    host.disk[member].launch = action.launch;
    After(milliseconds(2), [this, id, incarnation, action] {
      OnAgent(id, incarnation, [this, action](SimHost& h) {
        StepAgent(h, host::EngineNotStarted{action.spec.id, action.launch, "damaged", true});
      });
    });
    return;
  }
  Directory& directory = host.disk[member];
  directory.engine = action.spec.engine;
  directory.generation = action.spec.generation;
  directory.launch = action.launch;
  directory.resumed = action.resumed;
  const bool slow = random_.Chance(faults_.slow_start_percent);
  const auto start =
      slow ? milliseconds(random_.Between(1000, 20000)) : milliseconds(random_.Between(3, 30));
  directory.process = Engine{action.launch, action.spec.generation, clock_.instant + start, false,
                             action.load_kept ? directory.kept_data : ""};
  Engine& engine = *directory.process;
  engine.pid = NewPid();
  engine.start_time = next_start_time_++;
  if (action.spec.tls) engine.names = action.spec.tls->names;
  if (action.load_kept) {
    engine.writes = directory.kept_writes;
    engine.stream_base = directory.kept_stream_base;
  }
  if (seed != nullptr) {
    engine.data = seed->data;
    engine.writes = seed->writes;
    engine.stream_base = seed->stream_base;
  }
  if (action.spec.replication && !action.spec.replication->leads) {
    engine.follows = action.spec.replication->leader;
    Follow(member, engine.start_time);
  }
  directory.kept = false;
  const host::EngineStarted started{member, action.launch, static_cast<int64_t>(engine.pid),
                                    engine.start_time};
  After(milliseconds(1), [this, id, incarnation, started] {
    OnAgent(id, incarnation, [this, started](SimHost& h) { StepAgent(h, started); });
  });
}

void World::Exit(SimHost& host, MemberId id, const std::string& how) {
  const auto directory = host.disk.find(id);
  if (directory == host.disk.end() || !directory->second.process) return;
  const uint64_t launch = directory->second.process->launch;
  free_pids_.push_back(directory->second.process->pid);
  directory->second.process.reset();
  Trace(fmt::format("{} engine of m{} {}", host.id, id, how));
  const HostId name = host.id;
  const uint64_t incarnation = host.incarnation;
  After(milliseconds(2), [this, name, incarnation, id, launch, how] {
    OnAgent(name, incarnation, [this, id, launch, how](SimHost& h) {
      StepAgent(h, host::EngineExited{id, launch, how});
    });
  });
}

void World::Probe(SimHost& host, const host::ProbeEngine& action) {
  const auto directory = host.disk.find(action.id);
  const bool stopped = directory != host.disk.end() && directory->second.process &&
                       directory->second.process->launch == action.launch &&
                       directory->second.process->stopped;
  if (!stopped) {
    Answer(host, action, host::EngineProbed::Outcome::kRefused);
    return;
  }
  // It answers all the same if it goes on before the deadline.
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  After(milliseconds(400), [this, id, incarnation, action] {
    OnAgent(id, incarnation, [this, action](SimHost& h) {
      const auto again = h.disk.find(action.id);
      const bool still =
          again != h.disk.end() && again->second.process && again->second.process->stopped;
      // One that goes on but has not come up yet refuses.
      Answer(h, action,
             still ? host::EngineProbed::Outcome::kMissed : host::EngineProbed::Outcome::kRefused);
    });
  });
}

void World::Answer(SimHost& host, const host::ProbeEngine& action,
                   host::EngineProbed::Outcome otherwise) {
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  const auto directory = host.disk.find(action.id);
  host::EngineProbed answer{action.id, action.launch, otherwise, "", false};
  Duration delay = milliseconds(0);
  if (directory != host.disk.end() && directory->second.process &&
      directory->second.process->launch == action.launch && !directory->second.process->stopped &&
      clock_.instant >= directory->second.process->ready_at) {
    answer.outcome = host::EngineProbed::Outcome::kAnswered;
    answer.version = action.engine == EngineKind::kMemcached ? "1.6.18" : "7.0.15";
    delay = milliseconds(1);
  }
  After(delay, [this, id, incarnation, answer] {
    OnAgent(id, incarnation, [this, answer](SimHost& h) { StepAgent(h, answer); });
  });
}

// A fault of the wire is no reason, however long it lasts; the host's own faults are.
bool World::MayKill(const SimHost& host, MemberId member) const {
  const auto row = records().members.find(member);
  const auto directory = host.disk.find(member);
  if (row == records().members.end() || directory == host.disk.end()) return true;
  const auto& process = directory->second.process;
  if (!process || row->second.status == model::MemberStatus::kDeleting ||
      row->second.generation != process->generation || row->second.condemned == process->launch ||
      row->second.launch != process->launch || hung_ever_.contains(member)) {
    return true;
  }
  const SharedFaults& faults = host.remembered.faults;  // an agent notes before it acts
  return faults && std::ranges::any_of(faults->faults, [&](const HostFault& fault) {
           return fault.kind == FaultKind::kHostLoss ||
                  (fault.kind == FaultKind::kEngineKill &&
                   std::ranges::find(fault.members, member) != fault.members.end());
         });
}

// The links of those that follow through an endpoint that the fault is about break; they come anew.
void World::CutLinks(const SimHost& host, const HostFault& cut) {
  for (const auto& [id, spec] : host.endpoints) {
    const HostFault only[] = {cut};
    const EndpointFaults faults(only, id, spec.listen.ip);
    for (auto& [name, other] : hosts_) {
      for (auto& [member, directory] : other.disk) {
        const auto row = records().members.find(member);
        if (!directory.process || directory.process->follows != spec.listen ||
            row == records().members.end() || !faults.Concerns(cut.id, row->second.address.ip)) {
          continue;
        }
        directory.process->Pull(nullptr, clock_.instant, random_);
      }
    }
  }
}

WireEffect World::EffectAt(const Address& address, Ip4 from) const {
  for (const auto& [id, host] : hosts_) {
    if (!host.agent || !host.faults) continue;
    for (const auto& [endpoint, spec] : host.endpoints) {
      if (spec.listen != address) continue;
      return EndpointFaults(host.faults->faults, endpoint, spec.listen.ip).On(from);
    }
  }
  return {};
}

void World::Conform(SimHost& host, const host::ConformEndpoints& action) {
  host::EndpointsSeen seen;
  std::map<EndpointId, EndpointSpec> open;
  for (const EndpointSpec& spec : action.endpoints) {
    if (tried_addresses_.insert(spec.listen).second &&
        random_.Chance(faults_.address_taken_percent)) {
      taken_addresses_.insert(spec.listen);
    }
    bool taken = taken_addresses_.contains(spec.listen);
    for (const auto& [id, other] : hosts_) {
      if (id == host.id) continue;
      for (const auto& [endpoint, theirs] : other.endpoints) {
        taken = taken || theirs.listen == spec.listen;
      }
    }
    EndpointReport report{.id = spec.id};
    if (taken) {
      report.trouble = EndpointTrouble::kAddressInUse;
      report.trouble_text = fmt::format("the address {} is in use", ToString(spec.listen));
    } else {
      report.listening = true;
      open.emplace(spec.id, spec);
    }
    seen.endpoints.push_back(report);
  }
  host.endpoints = std::move(open);
  host.network = action.network;
  const SharedFaults before = std::exchange(host.faults, action.faults);
  for (const HostFault& fault : host.faults ? host.faults->faults : std::vector<HostFault>()) {
    const bool is_new = !before || std::ranges::find(before->faults, fault.id, &HostFault::id) ==
                                       before->faults.end();
    if (fault.kind == FaultKind::kCut && is_new) CutLinks(host, fault);
  }
  ++host.conforms;
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  After(milliseconds(1), [this, id, incarnation, seen] {
    OnAgent(id, incarnation, [this, seen](SimHost& h) { StepAgent(h, seen); });
  });
}

bool World::KillEngine(const HostId& host, MemberId member) {
  SimHost& h = hosts_.at(host);
  const auto directory = h.disk.find(member);
  if (directory == h.disk.end() || !directory->second.process) return false;
  Exit(h, member, "was killed by signal 9");
  return true;
}

void World::Pause(SimHost& host, const host::PauseEngine& action) {
  const auto directory = host.disk.find(action.id);
  if (directory == host.disk.end() || !directory->second.process ||
      directory->second.process->launch != action.launch) {
    return;
  }
  Trace(fmt::format("{} {} m{}", host.id, action.paused ? "pauses" : "lets go on", action.id));
  directory->second.process->stopped = action.paused;
  if (action.paused) hung_ever_.insert(action.id);
}

bool World::StopEngine(const HostId& host, MemberId member, Duration time) {
  SimHost& h = hosts_.at(host);
  const auto directory = h.disk.find(member);
  if (directory == h.disk.end() || !directory->second.process) return false;
  Engine& engine = *directory->second.process;
  engine.stopped = true;
  if (time > seconds(1)) hung_ever_.insert(member);
  const uint64_t launch = engine.launch;
  Trace(fmt::format("{} engine of m{} stops for {} ms", host, member, time / milliseconds(1)));
  After(time, [this, host, member, launch] {
    const auto again = hosts_.at(host).disk.find(member);
    if (again == hosts_.at(host).disk.end() || !again->second.process) return;
    if (again->second.process->launch == launch) again->second.process->stopped = false;
  });
  return true;
}

bool World::IsDisturbed() const {
  return !records().faults.empty() ||
         std::ranges::any_of(hosts_, [](const auto& host) { return host.second.cut; });
}

// What was asked before the network was good has perhaps been given up since.
bool World::HasGoodNetwork() const {
  return !loses_or_delays_ && !IsDisturbed() &&
         clock_.instant > disturbed_until_ + settings_.host_silence_max;
}

bool World::HasKept(MemberId member) const {
  return std::ranges::any_of(hosts_, [&](const auto& host) {
    const auto directory = host.second.disk.find(member);
    if (directory == host.second.disk.end()) return false;
    return directory->second.process ? directory->second.resumed : directory->second.kept;
  });
}

Engine* World::EngineOf(MemberId member) {
  for (auto& [id, host] : hosts_) {
    const auto directory = host.disk.find(member);
    if (directory != host.disk.end() && directory->second.process) {
      return &*directory->second.process;
    }
  }
  return nullptr;
}

}  // namespace ec::sim
