#include "controlplane/core/machine.h"

#include <algorithm>

#include "common/overloaded.h"
#include "controlplane/core/clock_commands.h"
#include "controlplane/core/cluster_commands.h"
#include "controlplane/core/default_network.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/fault_commands.h"
#include "controlplane/core/group_commands.h"
#include "controlplane/core/group_lifecycle.h"
#include "controlplane/core/hosts.h"
#include "controlplane/core/network_commands.h"
#include "controlplane/core/parameter_groups.h"
#include "controlplane/core/placement.h"
#include "controlplane/core/promote_demote.h"
#include "controlplane/core/snapshot_commands.h"
#include "controlplane/core/snapshot_work.h"
#include "controlplane/core/subnet_groups.h"
#include "controlplane/core/tags.h"
#include "controlplane/core/users.h"

namespace ec::core {
namespace {

// Once drawn they stay: running engines know them.
void KeepSecrets(Draft& draft, const Prepare& request) {
  if (!request.secrets || draft.installation().secrets) return;
  model::Installation installation = draft.installation();
  installation.secrets = request.secrets;
  draft.PutInstallation(std::move(installation));
}

Status Obey(Draft& draft, const Settings& settings, const Command& command) {
  return std::visit(
      Overloaded{
          [&](const CreateCluster& request) { return Create(draft, settings, request); },
          [&](const ModifyCluster& request) { return Modify(draft, settings, request); },
          [&](const DeleteCluster& request) { return Delete(draft, settings, request); },
          [&](const RebootCluster& request) { return Reboot(draft, settings, request); },
          [&](const CreateGroup& request) { return Create(draft, settings, request); },
          [&](const ModifyGroup& request) { return Modify(draft, settings, request); },
          [&](const DeleteGroup& request) { return Delete(draft, settings, request); },
          [&](const IncreaseReplicas& request) { return Increase(draft, settings, request); },
          [&](const DecreaseReplicas& request) { return Decrease(draft, settings, request); },
          [&](const TestFailover& request) { return Test(draft, settings, request); },
          [&](const Switchover& request) { return SwitchOver(draft, settings, request); },
          [&](const Promote& request) { return PromoteReplica(draft, settings, request); },
          [&](const Demote& request) { return DemoteMaster(draft, settings, request); },
          [&](const CreateSnapshot& request) { return Create(draft, settings, request); },
          [&](const DeleteSnapshot& request) { return Delete(draft, settings, request); },
          [&](const CopySnapshot& request) { return Copy(draft, settings, request); },
          [&](const SetClock& request) { return Set(draft, settings, request); },
          [&](const StepClock& request) { return Step(draft, settings, request); },
          [&](const NetworkCommand& request) { return Obey(draft, request); },
          [&](const CreateSubnetGroup& request) { return Create(draft, request); },
          [&](const ModifySubnetGroup& request) { return Modify(draft, request); },
          [&](const DeleteSubnetGroup& request) { return Delete(draft, request); },
          [&](const CreateParameterGroup& request) { return Create(draft, request); },
          [&](const ModifyParameterGroup& request) { return Modify(draft, request); },
          [&](const ResetParameterGroup& request) { return RestoreDefaults(draft, request); },
          [&](const DeleteParameterGroup& request) { return Delete(draft, request); },
          [&](const UserCommand& request) { return Obey(draft, request); },
          [&](const FaultCommand& request) { return Obey(draft, request); },
          [&](const AddTags& request) { return Tag(draft, request); },
          [&](const RemoveTags& request) { return Untag(draft, request); },
          [&](const Reset&) {
            ForgetAll(draft);
            return Status();
          },
          [&](const Install& install) { return InstallAt(draft, install); },
          [&](const Prepare& request) {
            EnsureDefaultVpc(draft);
            EnsureLocalhost(draft, request.localhost_instance);
            draft.ServeOutside(request.outside);
            KeepSecrets(draft, request);
            return Status();
          },
      },
      command);
}

Status Take(Draft& draft, const Settings& settings, const Input& input) {
  return std::visit(Overloaded{
                        [&](const Command& command) { return Obey(draft, settings, command); },
                        [&](const HostHello& hello) { return Register(draft, hello); },
                        [&](const Reported& reported) {
                          Heed(draft, settings, reported);
                          return Status();
                        },
                        [&](const EngineEnded& ended) {
                          HeedEnd(draft, settings, ended);
                          return Status();
                        },
                        [&](const Tick& tick) {
                          PassTime(draft, settings, tick.everything);
                          return Status();
                        },
                    },
                    input);
}

}  // namespace

Decision Decide(const model::State& state, const Settings& settings, Now now,
                std::span<const Input> inputs) {
  Draft draft(state, now);
  Decision decision;
  for (const Input& input : inputs) decision.verdicts.push_back(Take(draft, settings, input));
  decision.edit = draft.Take();
  decision.questions = draft.TakeQuestions();
  return decision;
}

std::optional<Instant> NextDeadline(const model::State& state, const Settings& settings, Now now) {
  std::optional<Instant> next;
  const auto consider = [&](Instant at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [id, host] : state.records.hosts) {
    const Instant silent = SilentAt(state, settings, id);
    if (silent > now.instant) consider(silent);
  }
  if (!state.operations.empty()) {
    const Instant since = state.operations.begin()->first;
    consider(since == Instant::min() ? now.instant : since + settings.operation_max);
  }
  // While the emulator's clock stands still, nothing falls due by itself.
  const model::EmulatorClock& clock = state.records.installation.clock;
  const WallTime wall = TimeOn(clock, now.wall);
  const auto scheduled = NextScheduled(state);
  if (scheduled && (!clock.frozen || *scheduled <= wall)) {
    consider(now.instant + (*scheduled - wall));
  }
  if (const auto due = NextSnapshotDeadline(state, settings, now)) consider(*due);
  if (const auto end = NextFaultEnd(state, now)) consider(*end);
  if (const auto due = NextGroupDeadline(state, settings, now)) consider(*due);
  if (const auto due = NextUserDeadline(state, settings, now)) consider(*due);
  return next;
}

}  // namespace ec::core
