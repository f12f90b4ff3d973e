// A HostMachine, its clock, and what it last wanted done.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/check.h"
#include "nodeagent/core/host_machine.h"

namespace ec::host {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr uint64_t kIncarnation = 7;
inline constexpr int64_t kPid = 4711;  // of every engine

inline MemberSpec Spec(MemberId id, uint64_t generation = 1) {
  MemberSpec spec;
  spec.id = id;
  spec.generation = generation;
  spec.label = "red/" + std::to_string(id);
  return spec;
}

// A member's own endpoint, at an address that follows from its number.
inline EndpointSpec Own(MemberId id, uint16_t port = 6379) {
  return {id, {Ip4{0x7f0a0000u + static_cast<uint32_t>(id)}, port}, id, std::nullopt};
}

// Everything that the host is to be: members and their own endpoints.
inline PlanUpdate Whole(uint64_t revision, std::vector<MemberSpec> members) {
  PlanUpdate update{.incarnation = kIncarnation, .base = 0, .revision = revision};
  for (const MemberSpec& member : members) update.endpoints.push_back(Own(member.id));
  update.members = std::move(members);
  return update;
}

class MachineTest : public ::testing::Test {
 protected:
  MachineTest() { Begin({}, {}); }

  // A new start of the agent.
  void Begin(std::vector<Found> found, HostPlan remembered) {
    machine.emplace(settings, "host-0", kIncarnation, found, std::move(remembered), now);
    seen.clear();
  }

  const std::vector<Action>& Step(const Input& input) {
    actions = machine->Step(now, input);
    for (const Action& action : actions) {
      if (const auto* sent = std::get_if<SendReport>(&action)) Learn(sent->report);
    }
    return actions;
  }
  const std::vector<Action>& Wait(Duration time) {
    now += time;
    return Step(Tick{});
  }
  const std::vector<Action>& Arrive(const PlanUpdate& update) { return Step(PlanArrived{update}); }

  // The actions of one kind in the last step.
  template <typename T>
  std::vector<T> Wanted() const {
    std::vector<T> wanted;
    for (const Action& action : actions) {
      if (const auto* one = std::get_if<T>(&action)) wanted.push_back(*one);
    }
    return wanted;
  }
  template <typename T>
  bool Wants() const {
    return !Wanted<T>().empty();
  }

  // What came of an action.
  void Started(MemberId id, uint64_t launch = 1) { Step(EngineStarted{id, launch, kPid}); }
  void Exited(MemberId id, uint64_t launch = 1) {
    Step(EngineExited{id, launch, "was killed by signal 9"});
  }
  void Answered(MemberId id, uint64_t launch = 1) {
    Step(EngineProbed{id, launch, EngineProbed::Outcome::kAnswered, "7.0.15", false});
  }
  void Missed(MemberId id, bool used_processor = false, uint64_t launch = 1) {
    Step(EngineProbed{id, launch, EngineProbed::Outcome::kMissed, "", used_processor});
  }
  void Refused(MemberId id, uint64_t launch = 1) {
    Step(EngineProbed{id, launch, EngineProbed::Outcome::kRefused, "", false});
  }
  void Loading(MemberId id, uint64_t launch = 1) {
    Step(EngineProbed{id, launch, EngineProbed::Outcome::kLoading, "", false});
  }
  void Listening(EndpointId id) { Step(EndpointsSeen{{{.id = id, .listening = true}}}); }
  void Reached(MemberId id, uint64_t launch = 1) {
    Step(EndpointProbed{id, launch, Own(id).listen, true});
  }

  // From its start to the first time that it serves.
  void BringUp(MemberId id, uint64_t launch = 1) {
    Started(id, launch);
    Wait(milliseconds(2));
    Answered(id, launch);
    Listening(id);
    Reached(id, launch);
  }
  // A linked machine whose first plan has these members, all serving.
  void Serve(std::vector<MemberSpec> members) {
    Step(Linked{});
    Arrive(Whole(1, members));
    for (const MemberSpec& member : members) BringUp(member.id);
    EC_CHECK(Report(members.front().id).phase == MemberPhase::kServing);
  }

  // What the control plane knows of a member: the newest that was reported.
  const MemberReport& Report(MemberId id) const { return seen.at(id); }
  bool Knows(MemberId id) const { return seen.contains(id); }

  Settings settings;
  Instant now{std::chrono::hours(1)};
  std::optional<HostMachine> machine;
  std::vector<Action> actions;            // of the last step
  std::map<MemberId, MemberReport> seen;  // as a control plane that misses nothing sees it
  std::vector<HostReport> reports;        // all that were sent

 private:
  void Learn(const HostReport& report) {
    if (report.base == 0) seen.clear();
    for (const MemberId id : report.gone_members) seen.erase(id);
    for (const MemberReport& member : report.members) seen[member.id] = member;
    reports.push_back(report);
  }
};

}  // namespace ec::host
