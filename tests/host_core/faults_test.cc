// Faults of engines and of the whole host, and those that the endpoints are to act out.
#include "tests/host_core/machine_fixture.h"

namespace ec::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Faults : public MachineTest {
 protected:
  void Put(std::vector<HostFault> faults) {
    ++revision_;
    PlanUpdate update{.incarnation = kIncarnation, .base = revision_ - 1, .revision = revision_};
    update.faults = SharedFaults(HostFaults{revision_, std::move(faults)});
    Arrive(update);
  }
  static HostFault Of(MemberId member, FaultKind kind, const std::string& id = "fault-1") {
    return {.id = id, .kind = kind, .members = {member}};
  }
  static HostFault OnWire(FaultKind kind, const std::string& id = "fault-1") {
    return {.id = id, .kind = kind};
  }
  static HostPlan Remembered(const MemberSpec& member, std::vector<HostFault> faults) {
    HostPlan plan;
    PlanUpdate whole = Whole(1, {member});
    whole.faults = SharedFaults(HostFaults{1, std::move(faults)});
    EC_CHECK(Merge(whole, &plan));
    return plan;
  }
  static Found Alive(MemberId id) {
    return {.id = id, .generation = 1, .launch = 1, .alive = true, .pid = kPid};
  }
  std::vector<HostFault> ActedOut() const {
    const auto conforms = Wanted<ConformEndpoints>();
    if (conforms.empty() || !conforms.back().faults) return {};
    return conforms.back().faults->faults;
  }

  uint64_t revision_ = 1;
};

TEST_F(Faults, OfTheWireGoToTheEndpointsAtOnceAndAreRemembered) {
  Serve({Spec(1)});
  Put({OnWire(FaultKind::kLatency)});
  EXPECT_THAT(ActedOut(), ElementsAre(OnWire(FaultKind::kLatency)));
  ASSERT_TRUE(Wants<RememberPlan>());
  EXPECT_THAT(Wanted<RememberPlan>()[0].plan.faults->faults, SizeIs(1));
  Put({});
  ASSERT_TRUE(Wants<ConformEndpoints>());
  EXPECT_THAT(ActedOut(), IsEmpty());
}

TEST_F(Faults, OfTheWireActFromTheStartOfAnAgentThatRemembersThem) {
  Begin({Alive(1)}, Remembered(Spec(1), {OnWire(FaultKind::kBlackhole)}));
  Step(Tick{});
  EXPECT_THAT(ActedOut(), ElementsAre(OnWire(FaultKind::kBlackhole)));
}

TEST_F(Faults, ACutIsNotDoneAgainByTheNextAgent) {
  const auto faults = {OnWire(FaultKind::kCut), OnWire(FaultKind::kRefuse, "fault-2")};
  Begin({Alive(1)}, Remembered(Spec(1), faults));
  Step(Tick{});
  EXPECT_THAT(ActedOut(), ElementsAre(OnWire(FaultKind::kRefuse, "fault-2")));
}

TEST_F(Faults, AKillIsDoneOnceAndTheEngineStartedAgain) {
  Serve({Spec(1)});
  Put({Of(1, FaultKind::kEngineKill)});
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
  Exited(1);
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
  BringUp(1, 2);
  Wait(seconds(1));
  EXPECT_FALSE(Wants<KillEngine>());
  Put({Of(1, FaultKind::kEngineKill, "fault-2")});
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 2}));
}

TEST_F(Faults, KillsAreNoReasonToGiveAnEngineUp) {
  Serve({Spec(1)});
  for (uint64_t i = 1; i <= 10; ++i) {
    Put({Of(1, FaultKind::kEngineKill, "fault-" + std::to_string(i))});
    ASSERT_THAT(Wanted<KillEngine>(), SizeIs(1));
    Exited(1, i);
    ASSERT_THAT(Wanted<StartEngine>(), SizeIs(1));
    BringUp(1, i + 1);
  }
}

TEST_F(Faults, APauseLastsUntilItsEnd) {
  Serve({Spec(1), Spec(2)});
  Put({Of(1, FaultKind::kEnginePause)});
  EXPECT_THAT(Wanted<PauseEngine>(), ElementsAre(PauseEngine{1, 1, true}));
  Put({Of(1, FaultKind::kEnginePause), OnWire(FaultKind::kRefuse, "fault-2")});
  EXPECT_FALSE(Wants<PauseEngine>());
  Put({});
  EXPECT_THAT(Wanted<PauseEngine>(), ElementsAre(PauseEngine{1, 1, false}));
}

TEST_F(Faults, OfTwoPausesTheLongerOneCounts) {
  Serve({Spec(1)});
  Put({Of(1, FaultKind::kEnginePause)});
  Put({Of(1, FaultKind::kEnginePause), Of(1, FaultKind::kEnginePause, "fault-2")});
  EXPECT_FALSE(Wants<PauseEngine>());
  Put({Of(1, FaultKind::kEnginePause, "fault-2")});
  EXPECT_FALSE(Wants<PauseEngine>());
  Put({});
  EXPECT_THAT(Wanted<PauseEngine>(), ElementsAre(PauseEngine{1, 1, false}));
}

TEST_F(Faults, AnEngineThatTakesAPausedOnesPlaceIsLeftAlone) {
  Serve({Spec(1)});
  Put({Of(1, FaultKind::kEnginePause)});
  Exited(1);
  BringUp(1, 2);
  Wait(seconds(1));
  EXPECT_FALSE(Wants<PauseEngine>());
  Put({});
  EXPECT_FALSE(Wants<PauseEngine>());
}

TEST_F(Faults, APauseEndsEvenIfTheAgentThatBeganItIsGone) {
  Begin({Alive(1)}, Remembered(Spec(1), {Of(1, FaultKind::kEnginePause)}));
  Step(Linked{});
  PlanUpdate whole = Whole(2, {Spec(1)});
  Arrive(whole);
  EXPECT_THAT(Wanted<PauseEngine>(), ElementsAre(PauseEngine{1, 1, false}));
}

TEST_F(Faults, ALostHostHasNeitherEnginesNorEndpointsAndComesBackEmpty) {
  Serve({Spec(1)});
  Put({OnWire(FaultKind::kHostLoss)});
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
  ASSERT_TRUE(Wants<ConformEndpoints>());
  EXPECT_THAT(Wanted<ConformEndpoints>()[0].endpoints, IsEmpty());
  Exited(1);
  EXPECT_FALSE(Wants<StartEngine>());
  Wait(seconds(10));
  EXPECT_FALSE(Wants<StartEngine>());
  EXPECT_GT(machine->NextWake(), now) << "nothing is due that is not to be done";
  Put({});
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
  ASSERT_TRUE(Wants<ConformEndpoints>());
  EXPECT_THAT(Wanted<ConformEndpoints>()[0].endpoints, SizeIs(1));
}

// Else an agent that ends in between takes the engines for crashed.
TEST_F(Faults, ALostHostIsRememberedBeforeItsEnginesEnd) {
  Serve({Spec(1)});
  PlanUpdate update{.incarnation = kIncarnation, .base = 1, .revision = 2};
  update.faults = SharedFaults(HostFaults{2, {OnWire(FaultKind::kHostLoss)}});
  update.questions = {{.number = 1, .member = 1}};
  Arrive(update);
  ASSERT_FALSE(actions.empty());
  EXPECT_TRUE(std::holds_alternative<RememberPlan>(actions.front()));
  EXPECT_TRUE(Wants<KillEngine>());
}

TEST_F(Faults, ALostHostsNextAgentOpensNothing) {
  Begin({Alive(1)}, Remembered(Spec(1), {OnWire(FaultKind::kHostLoss)}));
  Step(Tick{});
  for (const ConformEndpoints& conform : Wanted<ConformEndpoints>()) {
    EXPECT_THAT(conform.endpoints, IsEmpty());
  }
}

TEST_F(Faults, AHostThatIsCutOffGivesUpTheEndpointOfALeaderThatHasEnded) {
  MemberSpec leader = Spec(1);
  leader.replication = ReplicationSpec{
      .epoch = 1, .leads = true, .followers = {{Ip4{0x7f0b0001}, 6379}}, .proof = 1};
  EndpointSpec primary{9, {Ip4{0x7f0a0009}, 6379}, 1, std::nullopt};
  primary.leads_since = 1;
  PlanUpdate whole = Whole(1, {leader});
  whole.endpoints.push_back(primary);
  Step(Linked{});
  Arrive(whole);
  BringUp(1);
  Put({OnWire(FaultKind::kPartition)});
  const auto serves_primary = [&] {
    const auto conforms = Wanted<ConformEndpoints>();
    EC_CHECK(!conforms.empty());
    return std::ranges::any_of(conforms.back().endpoints,
                               [](const EndpointSpec& spec) { return spec.id == 9; });
  };
  EXPECT_TRUE(serves_primary());
  Step(EngineExited{1, 1, "was killed by signal 9"});
  EXPECT_FALSE(serves_primary());
}

}  // namespace
}  // namespace ec::host
