// Engines: started, asked, found dead or hung, started again, given up, taken away.
#include "tests/host_core/machine_fixture.h"

namespace ec::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Engines : public MachineTest {};

// --- start -----------------------------------------------------------------------------------

TEST_F(Engines, AreStartedAskedReachedAndThenServe) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(1), 1, false, false, Own(1).listen}));
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  EXPECT_EQ(Report(1).launch, 1u);
  EXPECT_FALSE(Wants<ProbeEngine>());
  Started(1);
  EXPECT_FALSE(Wants<ProbeEngine>());  // it is given a moment
  EXPECT_EQ(machine->NextWake(), now + settings.probe_starting_every);
  Wait(settings.probe_starting_every);
  EXPECT_THAT(Wanted<ProbeEngine>(), ElementsAre(ProbeEngine{1, 1, EngineKind::kRedis}));
  Refused(1);  // not up yet: soon again
  EXPECT_FALSE(Wants<ProbeEngine>());
  Wait(settings.probe_starting_every);
  EXPECT_TRUE(Wants<ProbeEngine>());
  Answered(1);
  EXPECT_FALSE(Wants<ProbeEndpoint>());  // nobody listens there yet
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  Listening(1);
  EXPECT_THAT(Wanted<ProbeEndpoint>(),
              ElementsAre(ProbeEndpoint{1, 1, EngineKind::kRedis, Own(1).listen}));
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  Reached(1);
  EXPECT_EQ(Report(1), (MemberReport{.id = 1,
                                     .generation = 1,
                                     .launch = 1,
                                     .phase = MemberPhase::kServing,
                                     .pid = kPid,
                                     .engine_version = "7.0.15"}));
  EXPECT_FALSE(Wants<ProbeEndpoint>());  // once is enough
}

TEST_F(Engines, AreAskedOneQuestionAtATime) {
  Serve({Spec(1)});
  Wait(settings.probe_every);
  EXPECT_THAT(Wanted<ProbeEngine>(), SizeIs(1));
  for (int i = 0; i < 5; ++i) {
    Wait(settings.probe_every);
    EXPECT_FALSE(Wants<ProbeEngine>());
  }
  Answered(1);
  EXPECT_FALSE(Wants<ProbeEngine>());
  Wait(settings.probe_every);
  EXPECT_TRUE(Wants<ProbeEngine>());
}

TEST_F(Engines, AreReachedAgainAfterEveryLaunch) {
  Serve({Spec(1)});
  Wait(seconds(10));
  Exited(1);
  Started(1, 2);
  Wait(milliseconds(2));
  Answered(1, 2);
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  EXPECT_THAT(Wanted<ProbeEndpoint>(),
              ElementsAre(ProbeEndpoint{1, 2, EngineKind::kRedis, Own(1).listen}));
  Reached(1, 2);
  EXPECT_EQ(Report(1).phase, MemberPhase::kServing);
}

TEST_F(Engines, AreToldApartByTheirLaunch) {
  Serve({Spec(1)});
  Wait(seconds(10));
  Exited(1);  // launch 2 begins
  ASSERT_THAT(Wanted<StartEngine>(), SizeIs(1));
  const MemberReport before = Report(1);
  for (const Input& late : {Input(EngineExited{1, 1, "exited again"}), Input(EngineStarted{1, 1}),
                            Input(EngineNotStarted{1, 1, "cannot fork"}),
                            Input(EngineProbed{1, 1, EngineProbed::Outcome::kAnswered, "9.9", {}}),
                            Input(EndpointProbed{1, 1, Own(1).listen, true}),
                            Input(EngineExited{99, 1, "a stranger"})}) {
    Step(late);
    EXPECT_THAT(actions, IsEmpty());
  }
  EXPECT_EQ(Report(1), before);
}

// --- death -----------------------------------------------------------------------------------

TEST_F(Engines, AreStartedAgainAtOnceWhenTheyDie) {
  Serve({Spec(1)});
  Wait(seconds(10));
  Exited(1);
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(1), 2, false, false, Own(1).listen}));
  EXPECT_EQ(Report(1).launch, 2u);
  EXPECT_EQ(Report(1).pid, 0);
  EXPECT_EQ(Report(1).trouble, "the engine was killed by signal 9");
  BringUp(1, 2);
  EXPECT_EQ(Report(1).phase, MemberPhase::kServing);
  EXPECT_EQ(Report(1).trouble, "");
}

// An answer that was under way when the engine died is not the word of a living one.
TEST_F(Engines, KeepTheReasonOfADeathWhateverArrivesLate) {
  Serve({Spec(1)});
  Exited(1);     // early: it is started again at once
  Exited(1, 2);  // and again: there is a pause
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
  Answered(1, 2);
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
  EXPECT_EQ(Report(1).trouble, "the engine was killed by signal 9");
}

TEST_F(Engines, AreStartedLaterAndLaterWhenTheyDieEarlyAndThenGivenUp) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  const Duration pauses[] = {seconds(0), seconds(1), seconds(2), seconds(4)};
  uint64_t launch = 1;
  for (const Duration pause : pauses) {
    Started(1, launch);
    Wait(milliseconds(2));
    Answered(1, launch);
    Wait(settings.healthy_min - milliseconds(1));
    Exited(1, launch);
    ++launch;
    if (pause > Duration(0)) {
      EXPECT_FALSE(Wants<StartEngine>());
      EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
      Step(Unlinked{});  // reports would wake it earlier
      EXPECT_EQ(machine->NextWake(), std::min(now + pause, machine->NextWake()));
      Step(Linked{});
      Wait(pause - Duration(1));
      EXPECT_FALSE(Wants<StartEngine>());
      Wait(Duration(1));
    }
    EXPECT_THAT(Wanted<StartEngine>(),
                ElementsAre(StartEngine{Spec(1), launch, false, false, Own(1).listen}));
  }
  Started(1, launch);
  Exited(1, launch);
  EXPECT_EQ(Report(1).phase, MemberPhase::kFailed);
  EXPECT_EQ(Report(1).trouble, "the engine was killed by signal 9 (5 times in a row)");
  for (int i = 0; i < 100; ++i) {
    Wait(seconds(60));
    EXPECT_FALSE(Wants<StartEngine>());
  }
}

TEST_F(Engines, AreNotHeldToEarlyDeathsOnceTheyHaveServedForAWhile) {
  Serve({Spec(1)});
  uint64_t launch = 1;
  for (int i = 0; i < 3; ++i) {  // three early ones
    Exited(1, launch++);
    Wait(seconds(4));
    if (i < 2) Started(1, launch);
  }
  BringUp(1, launch);
  Wait(settings.healthy_min);
  Exited(1, launch++);
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));  // at once
  Started(1, launch);
  Exited(1, launch++);
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));  // the first early one again: at once
}

TEST_F(Engines, ThatCannotBeStartedAreTriedAgainInTheSameWay) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  for (uint64_t launch = 1; launch <= 5; ++launch) {
    EXPECT_THAT(Wanted<StartEngine>(),
                ElementsAre(StartEngine{Spec(1), launch, false, false, Own(1).listen}));
    Step(EngineNotStarted{1, launch, "cannot fork"});
    if (launch >= 2 && launch < 5) Wait(seconds(1 << (launch - 2)));
  }
  EXPECT_EQ(Report(1).phase, MemberPhase::kFailed);
  EXPECT_EQ(Report(1).trouble, "cannot fork (5 times in a row)");
}

// --- a new generation ------------------------------------------------------------------------

TEST_F(Engines, OfANewGenerationReplaceTheOldOne) {
  Serve({Spec(1)});
  Arrive(Whole(2, {Spec(1, 2)}));
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
  EXPECT_FALSE(Wants<StartEngine>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kStopping);
  EXPECT_EQ(Report(1).generation, 1u);
  Exited(1);
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(1, 2), 2, false, false, Own(1).listen}));
  EXPECT_EQ(Report(1).generation, 2u);
  EXPECT_EQ(Report(1).trouble, "");  // it was wanted
}

TEST_F(Engines, OfANewGenerationWaitForAStartThatIsUnderWay) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Arrive(Whole(2, {Spec(1, 2)}));
  EXPECT_FALSE(Wants<KillEngine>() || Wants<StartEngine>());
  Started(1);
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
}

TEST_F(Engines, OfANewGenerationBeginWithACleanSlate) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  for (uint64_t launch = 1; launch <= 5; ++launch) {
    Step(EngineNotStarted{1, launch, "cannot fork"});
    Wait(seconds(10));
  }
  ASSERT_EQ(Report(1).phase, MemberPhase::kFailed);
  Arrive(Whole(2, {Spec(1, 2)}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{Spec(1, 2), 6, false, false, Own(1).listen}));
  EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
  Step(EngineNotStarted{1, 6, "cannot fork"});
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));  // the first of five
}

// --- hung, busy, slow ------------------------------------------------------------------------

TEST_F(Engines, ThatNeitherAnswerNorWorkAreKilledAndStartedAgain) {
  Serve({Spec(1)});
  Wait(seconds(10));
  for (int i = 1; i < settings.misses_max; ++i) {
    Missed(1);
    EXPECT_FALSE(Wants<KillEngine>());
    EXPECT_TRUE(Wants<ProbeEngine>());  // a miss has taken its time: at once again
  }
  Missed(1);
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
  EXPECT_THAT(Report(1).trouble, HasSubstr("hung"));
  Exited(1);
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
  EXPECT_THAT(Report(1).trouble, HasSubstr("hung"));
}

TEST_F(Engines, ThatAnswerInBetweenDoNotHang) {
  Serve({Spec(1)});
  for (int i = 0; i < 10; ++i) {
    Missed(1);
    Missed(1);
    Answered(1);
    EXPECT_FALSE(Wants<KillEngine>());
  }
}

TEST_F(Engines, ThatWorkWithoutAnsweringAreGivenTime) {
  Serve({Spec(1)});
  Answered(1);
  const Instant answered = now;
  bool works = true;
  Missed(1, works);
  while (now + settings.probe_every < answered + settings.busy_max) {
    now += settings.probe_every;
    works = !works;
    Missed(1, works);
    ASSERT_FALSE(Wants<KillEngine>());
  }
  now = answered + settings.busy_max;
  Missed(1, /*used_processor=*/true);
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
  EXPECT_THAT(Report(1).trouble, HasSubstr("busy"));
}

TEST_F(Engines, ThatRefuseConnectionsAfterTheyHaveAnsweredHang) {
  Serve({Spec(1)});
  for (int i = 0; i < settings.misses_max; ++i) {
    EXPECT_FALSE(Wants<KillEngine>());
    Refused(1);
  }
  EXPECT_TRUE(Wants<KillEngine>());
}

// Misses count in a row: a starting engine that refuses in between was only stopped for a moment.
TEST_F(Engines, ThatRefuseWhileTheyStartDoNotHang) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Started(1);
  for (int i = 0; i < 10; ++i) {
    Missed(1);
    Missed(1);
    Refused(1);
    ASSERT_FALSE(Wants<KillEngine>());
  }
  Missed(1);
  Missed(1);
  Missed(1);
  EXPECT_TRUE(Wants<KillEngine>());
}

TEST_F(Engines, ThatLoadTheirDataAreAliveAndNotServing) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Started(1);
  Listening(1);
  for (int i = 0; i < 100; ++i) {  // much longer than a start may take
    Wait(seconds(10));
    Loading(1);
    ASSERT_FALSE(Wants<KillEngine>() || Wants<ProbeEndpoint>());
    ASSERT_EQ(Report(1).phase, MemberPhase::kStarting);
  }
  Answered(1);
  EXPECT_TRUE(Wants<ProbeEndpoint>());
}

TEST_F(Engines, ThatNeverAnswerAreKilledWhenTheirStartTakesTooLong) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Started(1);
  Wait(settings.start_max - Duration(1));
  Refused(1);
  EXPECT_FALSE(Wants<KillEngine>());
  Wait(Duration(1));
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
  EXPECT_THAT(Report(1).trouble, HasSubstr("did not answer in time"));
}

// --- removal ---------------------------------------------------------------------------------

TEST_F(Engines, ThatLeaveThePlanAreKilledAndThenRemovedAndThenForgotten) {
  Serve({Spec(1), Spec(2)});
  Arrive(Whole(2, {Spec(2)}));
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
  EXPECT_THAT(Wanted<ConformEndpoints>(), ElementsAre(ConformEndpoints{{Own(2)}}));
  EXPECT_FALSE(Wants<RemoveMember>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kStopping);
  Exited(1);
  EXPECT_THAT(Wanted<RemoveMember>(), ElementsAre(RemoveMember{1}));
  EXPECT_TRUE(Knows(1));
  Step(MemberRemoved{1, true});
  EXPECT_FALSE(Wants<StartEngine>());
  Step(Linked{});
  EXPECT_FALSE(Knows(1));
  EXPECT_TRUE(Knows(2));
  EXPECT_THAT(machine->running(), ElementsAre(2));
}

TEST_F(Engines, AreReportedGoneOnceNothingIsLeft) {
  Serve({Spec(1)});
  PlanUpdate ack = Whole(2, {});
  ack.answers = reports.back().sequence;
  Arrive(ack);
  Exited(1);
  Step(MemberRemoved{1, true});
  EXPECT_THAT(reports.back().gone_members, ElementsAre(1));
  EXPECT_GT(reports.back().base, 0u);
}

TEST_F(Engines, AreRemovedAgainAndAgainUntilNothingIsLeft) {
  Serve({Spec(1)});
  Arrive(Whole(2, {}));
  Exited(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Wanted<RemoveMember>(), SizeIs(1));
    Step(MemberRemoved{1, false});
    EXPECT_FALSE(Wants<RemoveMember>());
    EXPECT_TRUE(Knows(1));
    Wait(settings.removal_retry_every - Duration(1));
    EXPECT_FALSE(Wants<RemoveMember>());
    EXPECT_LE(machine->NextWake(), now + Duration(1));
    Wait(Duration(1));
  }
  EXPECT_THAT(Wanted<RemoveMember>(), SizeIs(1));
}

TEST_F(Engines, ThatLeaveThePlanWhileTheyStartAreKilledWhenTheyHaveStarted) {
  Step(Linked{});
  Arrive(Whole(1, {Spec(1)}));
  Arrive(Whole(2, {}));
  EXPECT_FALSE(Wants<KillEngine>() || Wants<RemoveMember>());
  Started(1);
  EXPECT_THAT(Wanted<KillEngine>(), ElementsAre(KillEngine{1, 1}));
}

// --- encryption in transit -------------------------------------------------------------------

MemberSpec Encrypted(MemberId id, std::vector<std::string> names) {
  MemberSpec spec = Spec(id);
  spec.tls = TlsSpec{std::move(names), "a certificate", "its key", "the authority"};
  return spec;
}

TEST_F(Engines, ThatSpeakTlsAreReachedThroughTheirEndpointsByTls) {
  Step(Linked{});
  Arrive(Whole(1, {Encrypted(1, {"127.10.0.1"})}));
  Started(1);
  Wait(milliseconds(2));
  Answered(1);
  Listening(1);
  EXPECT_THAT(Wanted<ProbeEndpoint>(),
              ElementsAre(ProbeEndpoint{1, 1, EngineKind::kRedis, Own(1).listen, "the authority"}));
}

TEST_F(Engines, AreToldOfACertificateForOtherNamesButNotOfEveryNewOne) {
  const MemberSpec spec = Encrypted(1, {"127.10.0.1"});
  Serve({spec});
  MemberSpec same = spec;
  same.tls->certificate = "another certificate";
  same.tls->key = "its key, too";
  Arrive(Whole(2, {same}));
  EXPECT_FALSE(Wants<TuneEngine>());
  MemberSpec more = Encrypted(1, {"127.10.0.1", "127.10.0.9"});
  Arrive(Whole(3, {more}));
  EXPECT_THAT(Wanted<TuneEngine>(), ElementsAre(TuneEngine{1, 1, more}));
  Step(EngineTuned{1, 1, true});
  Arrive(Whole(4, {more}));
  EXPECT_FALSE(Wants<TuneEngine>());
  more.tls->authority = "another authority";
  Arrive(Whole(5, {more}));
  EXPECT_TRUE(Wants<TuneEngine>());
}

}  // namespace
}  // namespace ec::host
