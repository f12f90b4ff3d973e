// Replication groups in the simulated world: followers that go on following, what an agent does to
// an engine, clients that write through primary endpoints, and the control plane's watch over
// processes. What an engine itself does is engine.cc's.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/world.h"

namespace ec::sim {

using std::chrono::milliseconds;

namespace {

constexpr Ip4 kClients{0x7f000001};  // where they all come from

}  // namespace

Engine* World::ProcessAt(const Address& address) {
  for (auto& [id, host] : hosts_) {
    if (!host.agent || host.paused) continue;  // its endpoints move no bytes
    for (const auto& [endpoint, spec] : host.endpoints) {
      if (spec.listen != address) continue;
      const auto directory = host.disk.find(spec.target);
      if (directory == host.disk.end() || !directory->second.process) return nullptr;
      return &*directory->second.process;
    }
  }
  return nullptr;
}

Engine* World::EngineAt(const Address& address) {
  Engine* engine = ProcessAt(address);
  return engine != nullptr && engine->Answers(clock_.instant) ? engine : nullptr;
}

Engine* World::EngineBehind(const model::Group& group) { return EngineAt(group.primary.address); }

// --- following ------------------------------------------------------------------------------

WireEffect World::EffectOnLink(const Engine& follower) const {
  const auto row = records().members.find(MemberOf(follower));
  if (!follower.follows || row == records().members.end()) return {};
  return EffectAt(*follower.follows, row->second.address.ip);
}

bool World::IsFrozen(const Engine& follower) const { return EffectOnLink(follower).blackhole; }

void World::Follow(MemberId member, uint64_t start_time) {
  Engine* engine = EngineOf(member);
  if (engine == nullptr || engine->start_time != start_time || !engine->follows) return;
  const WireEffect effect = EffectOnLink(*engine);
  if (engine->Answers(clock_.instant) && !effect.blackhole) {
    const bool has_link = engine->synced_with != 0 || engine->syncing_with != 0;
    const bool broken = (effect.refuse && !has_link) || (effect.reset_after && random_.Chance(20));
    engine->Pull(broken ? nullptr : ProcessAt(*engine->follows), clock_.instant, random_);
  }
  // What flows already is looked at less often: no client is quicker than that.
  const auto pace = engine->synced_with != 0 && clock_.instant >= engine->stream_from
                        ? random_.Between(20, 100)
                        : random_.Between(2, 20);
  After(milliseconds(pace) + effect.delay,
        [this, member, start_time] { Follow(member, start_time); });
}

// --- what the agent does --------------------------------------------------------------------

void World::Prove(Engine& leader, const Address& address, const host::SyncReplication& action,
                  ReplicationReport* seen) {
  const bool same_epoch = action.seen.epoch == action.spec->epoch && action.seen.leads &&
                          action.seen.proof >= action.spec->proof;
  for (const Address& follower : action.spec->followers) {
    Engine* engine = EngineAt(follower);
    if (engine == nullptr || engine->follows != address || engine->synced_with != leader.stream()) {
      continue;
    }
    const auto& before = action.seen.in_sync;
    const bool proved = same_epoch && std::ranges::find(before, follower) != before.end();
    if (engine->Streams(leader, clock_.instant) && !IsFrozen(*engine)) {
      engine->CatchUp(leader);  // WAIT has waited for it
      seen->in_sync.push_back(follower);
    } else if (proved) {
      seen->in_sync.push_back(follower);
    }
  }
  seen->proof = action.spec->proof;
}

ReplicationReport World::TakeRole(Engine& engine, const host::SyncReplication& action) {
  const bool should_follow = action.spec && !action.spec->leads;
  const MemberId member = action.id;
  if (!action.look_only && should_follow && engine.follows != action.spec->leader) {
    const bool was_master = !engine.follows;
    engine.Follow(action.spec->leader);
    if (was_master) Follow(member, engine.start_time);
  } else if (!action.look_only && !should_follow && engine.follows) {
    engine.Lead();
  }
  if (!action.look_only && action.spec && action.spec->paused) {
    engine.PauseWrites(clock_.instant);
  } else if (!action.look_only && action.seen.paused) {
    engine.ResumeWrites(clock_.instant);
  }
  ReplicationReport seen;
  seen.epoch = action.spec ? action.spec->epoch : 0;
  seen.leads = !engine.follows;
  seen.link_up = engine.follows && engine.synced_with != 0;
  seen.paused = seen.leads && clock_.instant < engine.paused_until;
  const auto row = records().members.find(member);
  if (action.spec && action.spec->leads && seen.leads && row != records().members.end()) {
    if (seen.paused) {
      seen.proof = action.seen.proof;
      seen.in_sync = action.seen.in_sync;
    } else {
      Prove(engine, row->second.address, action, &seen);
    }
  }
  seen.offset = engine.offset();
  if (action.ask != 0 && seen.offset >= action.at_least) seen.answers = action.ask;
  return seen;
}

void World::Sync(SimHost& host, const host::SyncReplication& action) {
  const HostId id = host.id;
  const uint64_t incarnation = host.incarnation;
  // An engine works through what it is told in the order in which it was told.
  Instant& last = last_sync_[action.id];
  last = std::max(last, clock_.instant + milliseconds(random_.Between(1, 3)));
  At(last, [this, id, incarnation, action] {
    SimHost& h = hosts_.at(id);
    if (!h.agent || h.incarnation != incarnation) return;
    host::ReplicationSynced synced{action.id, action.launch, action.turn, false, {}};
    const auto directory = h.disk.find(action.id);
    const bool reached = directory != h.disk.end() && directory->second.process &&
                         directory->second.process->launch == action.launch &&
                         directory->second.process->Answers(clock_.instant);
    if (reached) {
      synced.ok = true;
      synced.seen = TakeRole(*directory->second.process, action);
    }
    OnAgent(id, incarnation, [this, synced](SimHost& now) { StepAgent(now, synced); });
  });
}

// --- clients --------------------------------------------------------------------------------

MemberId World::MemberOf(const Engine& engine) const {
  for (const auto& [id, host] : hosts_) {
    for (const auto& [member, directory] : host.disk) {
      if (directory.process && &*directory.process == &engine) return member;
    }
  }
  return 0;
}

void World::WriteAsClients() {
  for (const auto& [id, group] : records().groups) {
    Engine* engine = EngineBehind(group);
    const WireEffect effect = EffectAt(group.primary.address, kClients);
    if (engine == nullptr || effect.blackhole || effect.refuse || effect.reset_after) continue;
    const Engine::Reply reply = engine->Write(next_write_, clock_.instant);
    if (reply == Engine::Reply::kReadOnly) {
      Violate(fmt::format("a client of {}'s primary endpoint got to a replica", id));
      return;
    }
    if (reply != Engine::Reply::kDone) continue;
    acknowledged[id].push_back(next_write_++);
    if (group.status == model::GroupStatus::kCreating) continue;  // nobody has been told of it yet
    Writers& those = writers[id];
    if (those.epoch != group.epoch) those = {group.epoch, {}};
    those.members.insert(MemberOf(*engine));
  }
  After(milliseconds(random_.Between(50, 200)), [this] { WriteAsClients(); });
}

// --- the control plane's watch --------------------------------------------------------------

void World::KillProcess(int64_t pid, uint64_t start_time) {
  for (auto& [id, host] : hosts_) {
    if (host.boot != settings_.boot) continue;
    if (host.agent && static_cast<int64_t>(host.pid) == pid && host.start_time == start_time) {
      CrashAgent(id);
      const HostId name = id;  // somebody starts it again
      After(milliseconds(random_.Between(100, 20000)), [this, name] { StartAgent(name); });
      return;
    }
    for (auto& [member, directory] : host.disk) {
      if (!directory.process || static_cast<int64_t>(directory.process->pid) != pid) continue;
      if (directory.process->start_time != start_time) continue;
      Exit(host, member, "was killed by the control plane");
      return;
    }
  }
}

void World::WatchProcesses() {
  After(milliseconds(100), [this] { WatchProcesses(); });
  if (!controller_ || clock_.instant < controller_paused_until_) return;
  for (const core::Fence& fence : controller_->Fences()) {
    if (fence.kill) {
      if (clock_.instant < listens_since_ + settings_.host_silence_max) {
        Violate(
            fmt::format("m{} was ended before its host can have been found silent", fence.member));
      }
      KillProcess(fence.pid, fence.start_time);
      KillProcess(fence.agent_pid, fence.agent_start_time);
    }
    const Engine* engine = EngineOf(fence.member);
    if (engine != nullptr && engine->start_time == fence.start_time) continue;
    const uint64_t life = controller_life_;
    const core::EngineEnded ended{fence.member, fence.pid, fence.start_time};
    OnControlPlane(life, [this, ended] { (void)StepController(ended); });
    if (!controller_) return;
  }
}

}  // namespace ec::sim
