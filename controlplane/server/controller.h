// Carries out decisions: for each batch of inputs, decide, commit, apply, act; in that order, one
// batch at a time. No threads here, so the simulator runs this very class.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "common/clock.h"
#include "common/host_plan.h"
#include "common/status.h"
#include "controlplane/core/fencing.h"
#include "controlplane/core/machine.h"
#include "controlplane/model/state.h"
#include "controlplane/store/store.h"

namespace ec::server {

// How plans leave. The real one is AgentHub; the simulator's is a network of queues.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // Must not block. Plans may be lost, late or repeated: the next report mends that.
  virtual void SendPlan(const HostId& host, const PlanUpdate& update) = 0;
};

// Step() has to be called at least this often. Called later than kStandstillMin after the one
// before, it takes it that the control plane stood still (a suspended machine, a stopped process, a
// disk that took its time): what was not heard meanwhile is no sign of anything, so every host gets
// its full time again.
inline constexpr Duration kStepEvery = std::chrono::seconds(1);
inline constexpr Duration kStandstillMin = std::chrono::milliseconds(1500);

class Controller {
 public:
  Controller(core::Settings settings, store::Store& store, Clock& clock, Outlet& outlet);

  // Loads the records. Call once, before the first Step().
  Status Start();

  // Takes the inputs in order and answers each: a verdict on what was asked, or the store's
  // refusal, in which case nothing at all has changed. Reports are taken into the sightings here.
  // kOutcomeUnknown: the process must stop and start again from disk.
  std::vector<Status> Step(std::vector<core::Input> inputs);

  // The same for a caller whose state is read by other threads: `exclusive` is given each change
  // of the state and must call it while nobody reads.
  using Exclusive = std::function<void(const std::function<void()>& change)>;
  std::vector<Status> Step(std::vector<core::Input> inputs, const Exclusive& exclusive);

  // A Tick, for Step(). After a refused edit it looks at everything again.
  core::Tick MakeTick() const { return {.everything = behind_}; }
  // When it is due next; nullopt: not before the next input.
  std::optional<Instant> NextDeadline() const;

  // The leaders' processes to watch while their hosts are not heard (core/fencing.h), as of the
  // newest Step(): the time that has passed since may have been nobody's silence.
  std::vector<core::Fence> Fences() const;

  const model::State& state() const { return state_; }
  const core::Settings& settings() const { return settings_; }

 private:
  // Takes a hello or a report into the sightings; what is stale is not OK and goes no further.
  Status Note(core::Input& input, Instant now);
  // Takes over what has been decided and is durable.
  void Take(const core::Decision& decision, Instant now);
  // The hosts that a fault cuts off from the control plane: they get no plans.
  std::set<HostId> CutOff() const;
  void SendPlans(const std::set<HostId>& hosts, const std::vector<core::Question>& questions);

  // Takes note of a step, and of a standstill before it.
  void BeginStep(Now now);

  const core::Settings settings_;
  store::Store& store_;
  Clock& clock_;
  Outlet& outlet_;
  model::State state_;
  Now newest_step_;
  bool behind_ = false;  // an edit was refused since everything was last looked at
};

}  // namespace ec::server
