// A start of the agent: what it does with what it finds, before and after the first plan.
#include "tests/host_core/machine_fixture.h"

namespace ec::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Found Alive(MemberId id, uint64_t launch = 3) {
  return {.id = id, .generation = 1, .launch = launch, .alive = true, .pid = kPid};
}
Found Dead(MemberId id, uint64_t launch = 3) {
  return {.id = id, .generation = 1, .launch = launch};
}

HostPlan Remembered(std::vector<MemberSpec> members) {
  HostPlan plan;
  Merge(Whole(40, std::move(members)), &plan);
  return plan;
}

class Adoption : public MachineTest {};

TEST_F(Adoption, AsksTheEnginesThatItFindsAndOpensTheirEndpoints) {
  Begin({Alive(1), Dead(2)}, Remembered({Spec(1), Spec(2), Spec(3)}));
  Step(Tick{});
  EXPECT_THAT(Wanted<ProbeEngine>(), ElementsAre(ProbeEngine{1, 3, EngineKind::kRedis}));
  EXPECT_THAT(Wanted<ConformEndpoints>(), ElementsAre(ConformEndpoints{{Own(1)}}));
  EXPECT_THAT(machine->running(), ElementsAre(1));
}

TEST_F(Adoption, ServesAgainWithoutAnyPlan) {
  Begin({Alive(1)}, Remembered({Spec(1)}));
  Step(Linked{});
  Step(Tick{});
  Answered(1, 3);
  Listening(1);
  EXPECT_THAT(Wanted<ProbeEndpoint>(),
              ElementsAre(ProbeEndpoint{1, 3, EngineKind::kRedis, Own(1).listen}));
  Reached(1, 3);
  EXPECT_EQ(Report(1).phase, MemberPhase::kServing);
  EXPECT_EQ(Report(1).launch, 3u);
  EXPECT_EQ(Report(1).pid, kPid);
  EXPECT_EQ(Report(1).generation, 1u);
}

// Nothing is started, killed or removed before the control plane has confirmed the plan: not in
// an hour, and not when an engine dies.
TEST_F(Adoption, StartsKillsAndRemovesNothingBeforeThePlanIsConfirmed) {
  Begin({Alive(1), Dead(2), Alive(9)}, Remembered({Spec(1, 2), Spec(2), Spec(3)}));
  Step(Linked{});
  for (int i = 0; i < 100; ++i) {
    Wait(seconds(36));
    EXPECT_FALSE(Wants<StartEngine>() || Wants<KillEngine>() || Wants<RemoveMember>());
    Missed(1, false, 3);  // it hangs, as far as can be seen
    EXPECT_FALSE(Wants<StartEngine>() || Wants<KillEngine>() || Wants<RemoveMember>());
  }
  Exited(1, 3);
  Wait(seconds(36));
  EXPECT_FALSE(Wants<StartEngine>() || Wants<RemoveMember>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
}

TEST_F(Adoption, SaysThatItHasNoPlanYet) {
  Begin({Alive(1)}, Remembered({Spec(1)}));
  Step(Linked{});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].plan_revision, 0u);
  EXPECT_EQ(reports[0].base, 0u);
}

TEST_F(Adoption, TakesOnlyAWholePlanForItsOwnStartAsTheFirst) {
  Begin({Dead(2)}, Remembered({Spec(2)}));
  Step(Linked{});
  PlanUpdate part = Whole(50, {Spec(2)});
  part.base = 40;
  Arrive(part);
  EXPECT_THAT(actions, IsEmpty());
  PlanUpdate another = Whole(50, {Spec(2)});
  another.incarnation = kIncarnation - 1;
  Arrive(another);
  EXPECT_THAT(actions, IsEmpty());
  Arrive(Whole(50, {Spec(2)}));
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
  EXPECT_EQ(Wanted<RememberPlan>().at(0).plan.revision, 50u);
  EXPECT_EQ(reports.back().plan_revision, 50u);
}

// The control plane has been restored from a backup: its number is lower than the remembered one.
TEST_F(Adoption, TakesAFirstPlanThatIsOlderThanTheRememberedOne) {
  Begin({Dead(2)}, Remembered({Spec(2)}));
  Arrive(Whole(12, {Spec(2)}));
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
}

TEST_F(Adoption, StartsTheDeadOnesOnceThePlanIsConfirmed) {
  Begin({Alive(1), Dead(2)}, Remembered({Spec(1), Spec(2)}));
  Arrive(Whole(50, {Spec(1), Spec(2), Spec(3)}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(2), 4, false, false, Own(2).listen},
                          StartEngine{Spec(3), 1, false, false, Own(3).listen}));
  EXPECT_FALSE(Wants<KillEngine>());
  EXPECT_THAT(Wanted<ConformEndpoints>(), ElementsAre(ConformEndpoints{{Own(1), Own(2), Own(3)}}));
}

TEST_F(Adoption, RemovesWhatTheFirstPlanDoesNotHave) {
  Begin({Alive(1), Dead(2)}, Remembered({Spec(1), Spec(2)}));
  Arrive(Whole(50, {}));
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 3}));
  EXPECT_THAT(Wanted<RemoveMember>(), ElementsAre(RemoveMember{2}));
}

// --- what an orderly stop has kept -----------------------------------------------------------

class Kept : public MachineTest {
 protected:
  Kept() {
    Found found = Dead(1);
    found.kept = true;
    Begin({found}, Remembered({Spec(1)}));
    Step(Linked{});
  }
};

TEST_F(Kept, IsNoDeath) { EXPECT_EQ(Report(1).phase, MemberPhase::kStarting); }

TEST_F(Kept, IsLoadedByTheNextLaunchWhichSaysSo) {
  Arrive(Whole(50, {Spec(1)}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(1), 4, true, true, Own(1).listen}));
  BringUp(1, 4);
  EXPECT_TRUE(Report(1).resumed);
  EXPECT_EQ(Report(1).phase, MemberPhase::kServing);
}

TEST_F(Kept, IsNotLoadedAgainAfterADeath) {
  Arrive(Whole(50, {Spec(1)}));
  BringUp(1, 4);
  now += seconds(10);
  Exited(1, 4);
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(1), 5, false, false, Own(1).listen}));
  EXPECT_FALSE(Report(1).resumed);
}

TEST_F(Kept, IsNotLoadedByANewGeneration) {
  Arrive(Whole(50, {Spec(1, 2)}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(1, 2), 4, false, false, Own(1).listen}));
}

// A launch that had gone on from an orderly stop still says so when a new agent adopts it.
TEST_F(Adoption, RemembersThatALaunchHadGoneOn) {
  Found found = Alive(1);
  found.resumed = true;
  Begin({found}, Remembered({Spec(1)}));
  Step(Linked{});
  EXPECT_TRUE(Report(1).resumed);
}

}  // namespace
}  // namespace ec::host
