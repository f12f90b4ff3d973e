// Endpoints: opened, tried again, moved to another address; plans and reports.
#include "tests/host_core/machine_fixture.h"

namespace ec::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Endpoints : public MachineTest {
 protected:
  void Trouble(EndpointId id) {
    Step(EndpointsSeen{{{.id = id,
                         .trouble = EndpointTrouble::kAddressInUse,
                         .trouble_text = "the address is in use"}}});
  }
  static PlanUpdate Readdressed(uint64_t revision, uint16_t port) {
    PlanUpdate update = Whole(revision, {Spec(1)});
    update.endpoints = {Own(1, port)};
    return update;
  }
};

TEST_F(Endpoints, AreOpenedWithTheWholeListOfThem) {
  Step(Linked{});
  PlanUpdate plan = Whole(1, {Spec(1)});
  plan.endpoints.push_back({9, {Ip4{5}, 11211}, 1, Discovery{}});  // a configuration endpoint
  Arrive(plan);
  EXPECT_THAT(Wanted<ConformEndpoints>(), ElementsAre(ConformEndpoints{plan.endpoints}));
  Arrive(plan);
  EXPECT_FALSE(Wants<ConformEndpoints>());  // they are so already
}

TEST_F(Endpoints, AreTriedAgainUntilTheyListen) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Trouble(1);
  EXPECT_EQ(reports.back().endpoints.at(0).trouble, EndpointTrouble::kAddressInUse);
  EXPECT_FALSE(Wants<ConformEndpoints>());
  now += settings.endpoint_hurry_max;
  for (int i = 0; i < 3; ++i) {
    Wait(settings.endpoint_retry_every);
    EXPECT_THAT(Wanted<ConformEndpoints>(), ElementsAre(ConformEndpoints{{Own(1)}}));
    Trouble(1);
  }
  Listening(1);
  EXPECT_TRUE(reports.back().endpoints.at(0).listening);
  EXPECT_EQ(reports.back().endpoints.at(0).trouble, EndpointTrouble::kNone);
  Wait(settings.endpoint_retry_every);
  EXPECT_FALSE(Wants<ConformEndpoints>());
}

TEST_F(Endpoints, ThatFailLaterEndTheServiceUntilTheyListenAgain) {
  Serve({Spec(1)});
  Trouble(1);
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  Listening(1);
  EXPECT_EQ(Report(1).phase, MemberPhase::kServing);
}

TEST_F(Endpoints, AreReachedOnceMoreAtANewAddress) {
  Serve({Spec(1)});
  Arrive(Readdressed(2, 7000));
  EXPECT_THAT(Wanted<ConformEndpoints>(), ElementsAre(ConformEndpoints{{Own(1, 7000)}}));
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  Listening(1);
  EXPECT_THAT(Wanted<ProbeEndpoint>(),
              ElementsAre(ProbeEndpoint{1, 1, EngineKind::kRedis, Own(1, 7000).listen}));
  Step(EndpointProbed{1, 1, Own(1, 7000).listen, true});
  EXPECT_EQ(Report(1).phase, MemberPhase::kServing);
}

TEST_F(Endpoints, AreNotReachedByAnAnswerFromTheOldAddress) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Started(1);
  Wait(milliseconds(2));
  Answered(1);
  Listening(1);
  ASSERT_TRUE(Wants<ProbeEndpoint>());
  Arrive(Readdressed(2, 7000));
  Listening(1);
  Reached(1);  // the old one
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  Wait(milliseconds(20));
  EXPECT_THAT(Wanted<ProbeEndpoint>(),
              ElementsAre(ProbeEndpoint{1, 1, EngineKind::kRedis, Own(1, 7000).listen}));
}

TEST_F(Endpoints, AreAskedAgainSoonWhenNobodyAnsweredThere) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Started(1);
  Wait(milliseconds(2));
  Answered(1);
  Listening(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Wanted<ProbeEndpoint>(), SizeIs(1));
    Step(EndpointProbed{1, 1, Own(1).listen, false});
    EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
    EXPECT_LE(machine->NextWake(), now + milliseconds(20));
    Wait(milliseconds(20));
  }
}

// Another list of nodes or another target does not change where clients come in.
TEST_F(Endpoints, NeedNoNewAnswerForAnotherListOfNodes) {
  Serve({Spec(1)});
  PlanUpdate plan = Whole(2, {Spec(1)});
  plan.endpoints[0].discovery = Discovery{5, {}};
  Arrive(plan);
  EXPECT_THAT(Wanted<ConformEndpoints>(), ElementsAre(ConformEndpoints{plan.endpoints}));
  EXPECT_FALSE(Wants<ProbeEndpoint>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kServing);
}

TEST_F(Endpoints, OfNobodyAreNotBelieved) {
  Serve({Spec(1)});
  const size_t before = reports.size();
  Listening(99);
  EXPECT_THAT(reports, SizeIs(before));
}

// --- plans -----------------------------------------------------------------------------------

class Plans : public MachineTest {};

TEST_F(Plans, AreRememberedWheneverTheyCarrySomething) {
  Serve({Spec(1)});
  PlanUpdate update{.incarnation = kIncarnation, .base = 1, .revision = 5};
  Arrive(update);
  EXPECT_FALSE(Wants<RememberPlan>());  // only the number has risen
  update.revision = 6;
  update.members = {Spec(2)};
  Arrive(update);
  ASSERT_THAT(Wanted<RememberPlan>(), SizeIs(1));
  EXPECT_EQ(Wanted<RememberPlan>()[0].plan.revision, 6u);
  EXPECT_EQ(Wanted<RememberPlan>()[0].plan.members.size(), 2u);
}

TEST_F(Plans, ThatAreOlderOrLeaveAGapOrAreForAnotherStartChangeNothing) {
  Serve({Spec(1)});
  Arrive(Whole(10, {Spec(1)}));
  PlanUpdate gap{.incarnation = kIncarnation, .base = 12, .revision = 13};
  gap.gone_members = {1};
  PlanUpdate another = Whole(20, {});
  another.incarnation = kIncarnation + 1;
  for (const PlanUpdate& update : {Whole(9, {}), gap, another}) {
    Arrive(update);
    EXPECT_FALSE(Wants<KillEngine>() || Wants<RememberPlan>() || Wants<ConformEndpoints>());
  }
  Wait(settings.report_every);
  EXPECT_EQ(reports.back().plan_revision, 10u);
}

TEST_F(Plans, AreAnsweredAtOnce) {
  Serve({Spec(1)});
  const size_t before = reports.size();
  PlanUpdate update{.incarnation = kIncarnation, .base = 1, .revision = 5};
  update.gone_endpoints = {77};
  Arrive(update);
  ASSERT_THAT(reports, SizeIs(before + 1));
  EXPECT_EQ(reports.back().plan_revision, 5u);
}

// --- reports ---------------------------------------------------------------------------------

class Reports : public MachineTest {};

TEST_F(Reports, GoOnlyWhileThereIsAConnection) {
  Arrive(Whole(1, {Spec(1)}));
  Wait(seconds(10));
  EXPECT_THAT(reports, IsEmpty());
  Step(Linked{});
  EXPECT_THAT(reports, SizeIs(1));
  Step(Unlinked{});
  Started(1);
  Wait(seconds(10));
  EXPECT_THAT(reports, SizeIs(1));
}

TEST_F(Reports, GoRegularlyEvenWithoutNews) {
  Serve({Spec(1)});
  Wait(settings.report_every);
  Answered(1);
  const size_t before = reports.size();
  EXPECT_LE(machine->NextWake(), now + settings.report_every);
  Wait(settings.report_every - Duration(1));
  EXPECT_THAT(reports, SizeIs(before));
  Wait(Duration(1));
  EXPECT_THAT(reports, SizeIs(before + 1));
}

TEST_F(Reports, GoAtOnceWithNewsAndCarryOnlyThat) {
  Serve({Spec(1), Spec(2)});
  PlanUpdate ack{.incarnation = kIncarnation, .base = 1, .revision = 1};
  ack.answers = reports.back().sequence;
  Arrive(ack);
  Wait(seconds(5));
  Exited(2);
  EXPECT_EQ(reports.back().base, ack.answers);
  ASSERT_THAT(reports.back().members, SizeIs(1));
  EXPECT_EQ(reports.back().members[0].id, 2u);
  EXPECT_THAT(reports.back().endpoints, IsEmpty());
}

TEST_F(Reports, CarryEverythingOnANewConnection) {
  Serve({Spec(1), Spec(2)});
  PlanUpdate ack{.incarnation = kIncarnation, .base = 1, .revision = 1};
  ack.answers = reports.back().sequence;
  Arrive(ack);
  Step(Unlinked{});
  Step(Linked{});
  EXPECT_EQ(reports.back().base, 0u);
  EXPECT_THAT(reports.back().members, SizeIs(2));
  EXPECT_THAT(reports.back().endpoints, SizeIs(2));
}

TEST_F(Reports, AreNumberedFromOneWithoutAGap) {
  Serve({Spec(1)});
  for (int i = 0; i < 10; ++i) Wait(settings.report_every);
  for (size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].sequence, i + 1);
    EXPECT_EQ(reports[i].host, "host-0");
    EXPECT_EQ(reports[i].incarnation, kIncarnation);
  }
}

// The machine asks to be woken as long as it waits for anything that time alone brings.
TEST_F(Reports, AreTheOnlyReasonToWakeWhereNothingRuns) {
  EXPECT_EQ(machine->NextWake(), Instant::max());
  Step(Linked{});
  EXPECT_EQ(machine->NextWake(), now + settings.report_every);
}

}  // namespace
}  // namespace ec::host
