// Redis members with a part in a group: looked at, led, followed, asked; and their endpoints.
#include "tests/host_core/machine_fixture.h"

namespace ec::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Address AddressOf(MemberId id) { return Own(id).listen; }

ReplicationSpec Leading(uint64_t epoch, std::vector<MemberId> followers = {2}) {
  ReplicationSpec part{.epoch = epoch, .leads = true};
  for (const MemberId id : followers) part.followers.push_back(AddressOf(id));
  return part;
}
ReplicationSpec Following(uint64_t epoch, MemberId leader = 9) {
  return {.epoch = epoch, .leader = AddressOf(leader)};
}
MemberSpec With(MemberId id, std::optional<ReplicationSpec> part, uint64_t generation = 1) {
  MemberSpec spec = Spec(id, generation);
  spec.address = AddressOf(id);
  spec.replication = std::move(part);
  return spec;
}

constexpr EndpointId kPrimary = 50;

class Groups : public MachineTest {
 protected:
  // The whole plan: these members, and a primary endpoint for a leader.
  PlanUpdate Plan(std::vector<MemberSpec> members, uint64_t leads_since = 0) {
    PlanUpdate plan = Whole(++revision_, std::move(members));
    if (leads_since != 0) plan.endpoints.push_back(Primary(1, leads_since));
    return plan;
  }
  static EndpointSpec Primary(MemberId target, uint64_t leads_since) {
    EndpointSpec spec = Own(kPrimary);
    spec.target = target;
    spec.leads_since = leads_since;
    return spec;
  }
  // Where the primary endpoint led when the endpoints were last conformed.
  MemberId PrimaryTarget() {
    const auto wanted = Wanted<ConformEndpoints>();
    EC_CHECK(wanted.size() == 1);
    for (const EndpointSpec& spec : wanted[0].endpoints) {
      if (spec.id == kPrimary) return spec.target;
    }
    return 99;
  }
  void Ask(uint64_t number, MemberId member, int64_t at_least = 0) {
    PlanUpdate update{.incarnation = kIncarnation, .base = revision_, .revision = revision_};
    update.questions = {{number, member, at_least}};
    Arrive(update);
  }
  void StartWith(MemberSpec spec, uint64_t leads_since = 0) {
    Step(Linked{});
    Arrive(Plan({spec}, leads_since));
    Started(spec.id);
    Wait(milliseconds(2));
  }
  // The newest look that was wanted.
  SyncReplication Look() const {
    const auto looks = Wanted<SyncReplication>();
    EC_CHECK(looks.size() == 1);
    return looks[0];
  }
  bool Looks() const { return Wants<SyncReplication>(); }
  // What came of that look.
  void Seen(const SyncReplication& look, ReplicationReport part) {
    if (look.spec) part.epoch = look.spec->epoch;
    Step(ReplicationSynced{look.id, look.launch, look.turn, true, part});
  }
  void NotSeen(const SyncReplication& look) {
    Step(ReplicationSynced{look.id, look.launch, look.turn, false, {}});
  }
  // A leader with one follower, seen to lead.
  void Lead(uint64_t leads_since = 0) {
    StartWith(With(1, Leading(1)), leads_since);
    Answered(1);
    Seen(Look(), {.leads = true, .in_sync = {AddressOf(2)}, .offset = 100});
  }

  uint64_t revision_ = 0;
};

// --- when an engine is looked at --------------------------------------------------------------

TEST_F(Groups, AMemberIsLookedAtWhenItHasFirstAnswered) {
  StartWith(With(1, Leading(1)));
  EXPECT_FALSE(Looks());
  Answered(1);
  EXPECT_THAT(
      Wanted<SyncReplication>(),
      ElementsAre(SyncReplication{.id = 1, .launch = 1, .turn = Look().turn, .spec = Leading(1)}));
}

TEST_F(Groups, AMemberIsLookedAtRegularlyAndOneLookAtATime) {
  Lead();
  for (int i = 0; i < 3; ++i) {
    Wait(settings.replication.look_every - Duration(1));
    EXPECT_FALSE(Looks());
    EXPECT_LE(machine->NextWake(), now + Duration(1));
    Wait(Duration(1));
    const SyncReplication look = Look();
    EXPECT_EQ(look.seen, *Report(1).replication);
    Wait(seconds(2));
    EXPECT_FALSE(Looks());
    Seen(look, look.seen);
  }
}

TEST_F(Groups, AMemberIsLookedAtSoonAgainWhileSomethingIsAboutToComeRight) {
  StartWith(With(1, Leading(1, {2, 3})));
  Answered(1);
  Seen(Look(), {.leads = true, .in_sync = {AddressOf(2)}});
  Wait(settings.replication.look_soon_every);
  Seen(Look(), {.leads = true, .in_sync = {AddressOf(2), AddressOf(3)}});
  Wait(settings.replication.look_soon_every);
  EXPECT_FALSE(Looks());
}

TEST_F(Groups, AFollowerThatIsAwayForLongIsNotWaitedForSoEagerly) {
  StartWith(With(1, Leading(1)));
  Answered(1);
  SyncReplication look = Look();
  now += settings.replication.soon_max;
  Seen(look, {.leads = true});
  Wait(settings.replication.look_soon_every);
  EXPECT_FALSE(Looks());
}

TEST_F(Groups, ANewWishTakesThePlaceOfALookThatIsUnderWay) {
  Lead();
  Wait(settings.replication.look_every);
  const SyncReplication old_look = Look();
  Arrive(Plan({With(1, Following(2))}));
  const SyncReplication look = Look();
  EXPECT_EQ(look.spec, Following(2));
  Seen(old_look, {.leads = true});  // late
  EXPECT_EQ(Report(1).replication->epoch, 1u);
  Seen(look, {.link_up = true});
  EXPECT_EQ(Report(1).replication->epoch, 2u);
  EXPECT_FALSE(Report(1).replication->leads);
}

TEST_F(Groups, AnEngineThatWasNotReachedIsTriedAgainSoonAndKeepsWhatWasSeenOfIt) {
  Lead();
  const ReplicationReport before = *Report(1).replication;
  Arrive(Plan({With(1, Leading(2))}));
  NotSeen(Look());
  EXPECT_EQ(Report(1).replication, before);
  Wait(settings.replication.look_soon_every);
  EXPECT_EQ(Look().spec, Leading(2));
}

// --- members without a part -------------------------------------------------------------------

TEST_F(Groups, AStandaloneIsNotLookedAt) {
  StartWith(With(1, std::nullopt));
  Answered(1);
  EXPECT_FALSE(Looks());
  Wait(seconds(60));
  EXPECT_FALSE(Looks());
  EXPECT_FALSE(Report(1).replication);
}

TEST_F(Groups, AMemberThatLeavesItsGroupIsMadeAMasterOnceAndThenLeftAlone) {
  StartWith(With(1, Following(1)));
  Answered(1);
  Seen(Look(), {.link_up = true});
  Arrive(Plan({With(1, std::nullopt)}));
  const SyncReplication look = Look();
  EXPECT_FALSE(look.spec);
  EXPECT_TRUE(Report(1).replication);  // not before it is done
  Seen(look, {.leads = true});
  EXPECT_FALSE(Report(1).replication);
  Wait(seconds(60));
  EXPECT_FALSE(Looks());
}

TEST_F(Groups, AMemcachedIsNeverLookedAtAndNeverAsked) {
  MemberSpec spec = Spec(1);
  spec.engine = EngineKind::kMemcached;
  StartWith(spec);
  Answered(1);
  Ask(7, 1);
  EXPECT_FALSE(Looks());
  EXPECT_GT(machine->NextWake(), now);
}

// --- reports ----------------------------------------------------------------------------------

TEST_F(Groups, AnOffsetAloneIsNoNews) {
  Lead();
  const size_t before = reports.size();
  now += Duration(1);
  ReplicationReport part = *Report(1).replication;
  Arrive(Plan({With(1, Leading(1))}));
  const size_t after_plan = reports.size();
  EXPECT_GT(after_plan, before);
  Wait(settings.replication.look_every - milliseconds(1));
  Wait(milliseconds(1));
  const size_t regular = reports.size();
  part.offset += 1000;
  Seen(Look(), part);
  EXPECT_THAT(reports, SizeIs(regular));
  Wait(settings.report_every);
  EXPECT_EQ(Report(1).replication->offset, part.offset);
}

TEST_F(Groups, EverythingElseIsNewsAtOnce) {
  Lead();
  const auto changed = [&](auto change) {
    Wait(settings.replication.look_every);
    const size_t before = reports.size();
    ReplicationReport part = *Report(1).replication;
    change(part);
    Seen(Look(), part);
    EXPECT_THAT(reports, SizeIs(before + 1));
    EXPECT_EQ(*Report(1).replication, part);
  };
  changed([](ReplicationReport& part) { part.proof = 3; });
  changed([](ReplicationReport& part) { part.paused = true; });
  changed([](ReplicationReport& part) { part.in_sync = {AddressOf(7)}; });
  changed([](ReplicationReport& part) { part.link_up = true; });
}

TEST_F(Groups, AnEngineIsNamedByItsPidAndStartTime) {
  Step(Linked{});
  Arrive(Plan({With(1, Leading(1))}));
  Step(EngineStarted{1, 1, kPid, 987});
  EXPECT_EQ(Report(1).start_time, 987u);
  Exited(1);
  EXPECT_EQ(Report(1).start_time, 0u);
  Begin({{.id = 1, .generation = 1, .launch = 1, .alive = true, .pid = kPid, .start_time = 987}},
        {});
  Step(Linked{});
  EXPECT_EQ(Report(1).start_time, 987u);
}

// --- questions --------------------------------------------------------------------------------

TEST_F(Groups, AQuestionIsPutAtOnceAndItsAnswerIsNews) {
  Lead();
  Ask(77, 1, 500);
  const SyncReplication look = Look();
  EXPECT_EQ(look.ask, 77u);
  EXPECT_EQ(look.at_least, 500);
  const size_t before = reports.size();
  ReplicationReport part = *Report(1).replication;
  part.answers = 77;
  part.offset = 512;
  Seen(look, part);
  EXPECT_THAT(reports, SizeIs(before + 1));
  EXPECT_EQ(Report(1).replication, part);
  Wait(settings.replication.look_every);
  EXPECT_EQ(Look().ask, 0u);
  part.answers = 0;  // what no look asks, none answers
  Seen(Look(), part);
  EXPECT_EQ(Report(1).replication->answers, 77u);
}

TEST_F(Groups, AQuestionIsPutUntilItIsAnsweredOrThreeSecondsAreOver) {
  Lead();
  const Instant asked = now;
  Ask(77, 1, 500);
  int times = 0;
  for (; Looks() && Look().ask == 77; ++times) {
    const SyncReplication look = Look();
    now += milliseconds(400);
    Seen(look, {.leads = true, .in_sync = {AddressOf(2)}});
    Wait(milliseconds(1));
  }
  EXPECT_GE(times, 7);
  EXPECT_GE(now, asked + seconds(3));
  EXPECT_LE(now, asked + seconds(4));
  EXPECT_EQ(Report(1).replication->answers, 0u);
}

TEST_F(Groups, AQuestionIsHeardThoughANewerPlanHasOvertakenIt) {
  Lead();
  PlanUpdate late{.incarnation = kIncarnation, .base = revision_ - 1, .revision = revision_};
  late.questions = {{77, 1, 500}};
  Arrive(Plan({With(1, Leading(1))}));
  Arrive(late);
  EXPECT_EQ(Look().ask, 77u);
}

TEST_F(Groups, AnOlderQuestionDoesNotTakeThePlaceOfANewerOne) {
  Lead();
  Ask(78, 1);
  const SyncReplication look = Look();
  EXPECT_EQ(look.ask, 78u);
  Ask(77, 1, 500);
  EXPECT_FALSE(Looks()) << "the one that is under way stays";
  ReplicationReport part = *Report(1).replication;
  part.answers = 78;
  Seen(look, part);
  Ask(77, 1, 500);
  EXPECT_FALSE(Looks()) << "as it has been answered";
}

TEST_F(Groups, AQuestionToAnEngineThatDoesNotRunLapses) {
  Lead();
  Exited(1);
  Ask(77, 1);
  EXPECT_FALSE(Looks());
  Arrive(Plan({With(1, Following(2))}));
  Started(1, 2);
  Wait(milliseconds(2));
  Answered(1, 2);
  EXPECT_EQ(Look().ask, 0u);
}

TEST_F(Groups, AStandaloneAnswersQuestionsToo) {
  StartWith(With(1, std::nullopt));
  Answered(1);
  Ask(77, 1);
  Seen(Look(), {.leads = true, .answers = 77, .offset = 5});
  EXPECT_EQ(Report(1).replication->answers, 77u);
  EXPECT_EQ(Report(1).replication->offset, 5);
  Wait(seconds(60));
  EXPECT_FALSE(Looks());
}

// --- leaders that die -------------------------------------------------------------------------

TEST_F(Groups, ALeaderWithFollowersThatDiesIsNotStartedAgain) {
  Lead();
  Listening(1);
  const ReplicationReport last = *Report(1).replication;
  Exited(1);
  EXPECT_FALSE(Wants<StartEngine>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
  EXPECT_EQ(Report(1).trouble, "the engine was killed by signal 9");
  EXPECT_EQ(Report(1).replication, last);
  Step(Unlinked{});
  EXPECT_EQ(machine->NextWake(), Instant::max());
  Wait(seconds(3600));
  EXPECT_FALSE(Wants<StartEngine>());
}

TEST_F(Groups, ALeaderWithFollowersThatHangsIsKilledAndNotStartedAgain) {
  Lead();
  for (int i = 0; i < settings.misses_max; ++i) Missed(1);
  EXPECT_TRUE(Wants<KillEngine>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
  Exited(1);
  EXPECT_FALSE(Wants<StartEngine>());
  EXPECT_THAT(Report(1).trouble, HasSubstr("hung"));
}

TEST_F(Groups, ADeadLeaderThatIsToFollowIsStartedAtOnce) {
  Lead();
  Exited(1);
  Arrive(Plan({With(1, Following(2))}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{With(1, Following(2)), 2, false, false, Own(1).listen}));
  EXPECT_FALSE(Report(1).replication);  // of another launch
}

TEST_F(Groups, TheDeathOfALeaderIsNoReasonToGiveItUp) {
  Step(Linked{});
  Arrive(Plan({With(1, Following(1))}));
  uint64_t launch = 1;
  for (; launch < 5; ++launch) {  // four early deaths in a row
    Started(1, launch);
    Exited(1, launch);
    Wait(seconds(10));
  }
  Started(1, launch);
  Arrive(Plan({With(1, Leading(2))}));
  Exited(1, launch);
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
  Arrive(Plan({With(1, Following(3))}));
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
}

TEST_F(Groups, ADeadLeaderOfANewGenerationIsStartedEmpty) {
  Lead();
  Exited(1);
  Arrive(Plan({With(1, Leading(1), 2)}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{With(1, Leading(1), 2), 2, false, false, Own(1).listen}));
}

TEST_F(Groups, ALeaderThatNobodyFollowsIsStartedAgain) {
  StartWith(With(1, Leading(1, {})));
  Answered(1);
  Exited(1);
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
}

TEST_F(Groups, AFollowerThatDiesIsStartedAgain) {
  StartWith(With(1, Following(1)));
  Answered(1);
  Exited(1);
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{With(1, Following(1)), 2, false, false, Own(1).listen}));
}

// It died after it had been chosen, and before its host was told: as a leader it would empty those
// that follow it.
TEST_F(Groups, AnEngineThatHasBegunAnewToFollowIsKilledRatherThanLead) {
  StartWith(With(1, Following(1)));
  Answered(1);
  Seen(Look(), {.link_up = false});
  Arrive(Plan({With(1, Leading(2))}));
  EXPECT_TRUE(Wants<KillEngine>());
  EXPECT_FALSE(Looks());
  Exited(1);
  EXPECT_FALSE(Wants<StartEngine>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
}

TEST_F(Groups, AnEngineThatHasGotSomethingLeads) {
  for (const ReplicationReport& has :
       {ReplicationReport{.link_up = true}, ReplicationReport{.offset = 1}}) {
    StartWith(With(1, Following(1)));
    Answered(1);
    Seen(Look(), has);
    Arrive(Plan({With(1, Leading(2))}));
    EXPECT_FALSE(Wants<KillEngine>());
    EXPECT_TRUE(Looks());
    Begin({}, {});
  }
}

TEST_F(Groups, AnEngineThatHasBegunAnewLeadsWhereNobodyFollowsIt) {
  StartWith(With(1, Following(1)));
  Answered(1);
  Arrive(Plan({With(1, Leading(2, {}))}));
  EXPECT_FALSE(Wants<KillEngine>());
}

TEST_F(Groups, ALeaderThatHasNeverRunIsTriedAgain) {
  Step(Linked{});
  Arrive(Plan({With(1, Leading(1))}));
  Step(EngineNotStarted{1, 1, "cannot fork"});
  EXPECT_THAT(Wanted<StartEngine>(), SizeIs(1));
}

// Found by seed 1924: it was said to be down, another one led, and then it was started all the
// same.
TEST_F(Groups, ALeaderThatIsTriedAgainIsNotSaidToBeDownBeforeItIsGivenUp) {
  Step(Linked{});
  Arrive(Plan({With(1, Leading(1))}));
  for (uint64_t launch = 1; launch < 5; ++launch) {
    Step(EngineNotStarted{1, launch, "cannot fork"});
    EXPECT_EQ(Report(1).phase, MemberPhase::kStarting);
    Wait(seconds(10));
  }
  Step(EngineNotStarted{1, 5, "cannot fork"});
  EXPECT_EQ(Report(1).phase, MemberPhase::kFailed);
  Wait(seconds(100));
  EXPECT_FALSE(Wants<StartEngine>());
}

TEST_F(Groups, ALeaderThatWasStoppedInOrderGoesOnWithItsDataOnce) {
  Begin({{.id = 1, .generation = 1, .launch = 3, .kept = true}}, {});
  Arrive(Plan({With(1, Leading(1))}));
  EXPECT_THAT(Wanted<StartEngine>(),
              ElementsAre(StartEngine{With(1, Leading(1)), 4, true, true, Own(1).listen}));
  Step(EngineNotStarted{1, 4, "cannot fork"});  // what was kept is lost; the followers have it
  EXPECT_FALSE(Wants<StartEngine>());
}

TEST_F(Groups, ALeaderThatDiedWhileNoAgentRanIsNotStarted) {
  Begin({{.id = 1, .generation = 1, .launch = 3}}, {});
  Step(Linked{});
  Arrive(Plan({With(1, Leading(1))}));
  EXPECT_FALSE(Wants<StartEngine>());
  EXPECT_EQ(Report(1).phase, MemberPhase::kDown);
}

// --- epochs -----------------------------------------------------------------------------------

TEST_F(Groups, ALowerEpochIsNotObeyed) {
  Lead();
  Arrive(Plan({With(1, Following(7))}));
  Seen(Look(), {.link_up = true});
  Arrive(Plan({With(1, Leading(6), 3)}));
  EXPECT_FALSE(Looks() || Wants<KillEngine>());
  EXPECT_EQ(Wanted<RememberPlan>().at(0).plan.members.at(1), With(1, Following(7)));
  Arrive(Plan({With(1, Leading(8))}));
  EXPECT_EQ(Look().spec, Leading(8));
}

TEST_F(Groups, ALowerEpochIsNotObeyedAfterANewStartOfTheAgentEither) {
  HostPlan remembered;
  Merge(Plan({With(1, Following(7))}), &remembered);
  Begin({{.id = 1, .generation = 1, .launch = 3, .alive = true}}, remembered);
  Arrive(Plan({With(1, Leading(6))}));
  Answered(1, 3);
  EXPECT_EQ(Look().spec, Following(7));
}

// --- a start of the agent ---------------------------------------------------------------------

TEST_F(Groups, AnAdoptedMemberIsOnlyLookedAtUntilThePlanIsConfirmed) {
  HostPlan remembered;
  PlanUpdate plan = Plan({With(1, Leading(4))}, 4);
  Merge(plan, &remembered);
  Begin({{.id = 1, .generation = 1, .launch = 3, .alive = true}}, remembered);
  Step(Tick{});
  EXPECT_EQ(PrimaryTarget(), 0u);
  Answered(1, 3);
  EXPECT_TRUE(Look().look_only);
  Seen(Look(), {.leads = true, .offset = 5});
  EXPECT_EQ(PrimaryTarget(), 1u);
  Arrive(plan);
  EXPECT_FALSE(Look().look_only);
}

TEST_F(Groups, AnAdoptedStandaloneIsMadeAMasterOnceThePlanIsConfirmed) {
  HostPlan remembered;
  const PlanUpdate plan = Plan({With(1, std::nullopt)});
  Merge(plan, &remembered);
  Begin({{.id = 1, .generation = 1, .launch = 3, .alive = true}}, remembered);
  Step(Tick{});
  Answered(1, 3);
  EXPECT_FALSE(Looks());
  Arrive(plan);
  EXPECT_FALSE(Look().spec);
  Seen(Look(), {.leads = true});
  Wait(seconds(60));
  EXPECT_FALSE(Looks());
}

// --- endpoints of leaders ---------------------------------------------------------------------

TEST_F(Groups, APrimaryEndpointOpensInTheStepThatSeesItsTargetLead) {
  Step(Linked{});
  Arrive(Plan({With(1, Following(1))}, 2));
  EXPECT_EQ(PrimaryTarget(), 0u);
  Started(1);
  Wait(milliseconds(2));
  Answered(1);
  Seen(Look(), {.link_up = true});
  EXPECT_FALSE(Wants<ConformEndpoints>());
  Arrive(Plan({With(1, Leading(2))}, 2));
  const SyncReplication look = Look();
  EXPECT_FALSE(Wants<ConformEndpoints>());
  NotSeen(look);
  EXPECT_FALSE(Wants<ConformEndpoints>());
  Wait(settings.replication.look_soon_every);
  Seen(Look(), {.leads = true});
  EXPECT_EQ(PrimaryTarget(), 1u);
}

TEST_F(Groups, APrimaryEndpointWaitsForTheEpochThatItIsFor) {
  Lead(/*leads_since=*/2);
  EXPECT_FALSE(Wants<ConformEndpoints>());
  Arrive(Plan({With(1, Leading(2))}, 2));
  Seen(Look(), {.leads = true});
  EXPECT_EQ(PrimaryTarget(), 1u);
  Arrive(Plan({With(1, Leading(3))}, 2));
  EXPECT_FALSE(Wants<ConformEndpoints>());  // a later one will do
}

TEST_F(Groups, APrimaryEndpointDoesNotOpenToALeaderThatIsPausedButStaysOpenToIt) {
  StartWith(With(1, Leading(1)), 1);
  Answered(1);
  Seen(Look(), {.leads = true, .paused = true});
  EXPECT_FALSE(Wants<ConformEndpoints>());
  Wait(settings.replication.look_soon_every);
  Seen(Look(), {.leads = true});
  EXPECT_EQ(PrimaryTarget(), 1u);
  Wait(settings.replication.look_soon_every);
  Seen(Look(), {.leads = true, .paused = true});
  EXPECT_FALSE(Wants<ConformEndpoints>());
}

TEST_F(Groups, APrimaryEndpointClosesInTheStepThatSeesItsTargetDie) {
  Lead(1);
  EXPECT_EQ(PrimaryTarget(), 1u);
  Exited(1);
  EXPECT_EQ(PrimaryTarget(), 0u);
}

TEST_F(Groups, APrimaryEndpointClosesInTheStepThatKillsItsTarget) {
  Lead(1);
  for (int i = 0; i < settings.misses_max; ++i) Missed(1);
  EXPECT_TRUE(Wants<KillEngine>());
  EXPECT_EQ(PrimaryTarget(), 0u);
}

TEST_F(Groups, APrimaryEndpointClosesInTheStepThatHearsOfAnotherLeader) {
  Lead(1);
  Arrive(Plan({With(1, Following(2))}, 1));
  EXPECT_EQ(PrimaryTarget(), 0u);
}

TEST_F(Groups, AnAddressThatAnotherAgentStillHasIsTriedAgainEveryTwoMilliseconds) {
  Step(Linked{});
  Arrive(Plan({With(1, Leading(1))}));
  const Instant arrived = now;
  const EndpointsSeen in_use{{{.id = 1, .trouble = EndpointTrouble::kAddressInUse}}};
  Step(in_use);
  while (now < arrived + settings.endpoint_hurry_max - settings.endpoint_hurry_every) {
    EXPECT_LE(machine->NextWake(), now + settings.endpoint_hurry_every);
    Wait(settings.endpoint_hurry_every);
    ASSERT_TRUE(Wants<ConformEndpoints>());
    Step(in_use);
  }
  Wait(settings.endpoint_hurry_every);
  Wait(settings.endpoint_hurry_every);
  EXPECT_FALSE(Wants<ConformEndpoints>());
  Wait(settings.endpoint_retry_every);
  EXPECT_TRUE(Wants<ConformEndpoints>());
}

// --- engines that stand still -----------------------------------------------------------------

// The shell's deadline for a probe.
constexpr Duration kProbeDeadline = milliseconds(400);

class StandStill : public MachineTest {
 protected:
  // Stops the engine for so long, beginning so long after it has answered a probe, and plays the
  // shell. The time from then until it was killed; nullopt if it was not.
  std::optional<Duration> Stop(Duration after, Duration length, bool works_at_first = false) {
    machine.emplace(settings, "host-0", kIncarnation, std::vector<Found>{}, HostPlan{}, now);
    Serve({Spec(1)});
    Wait(settings.probe_every);
    Answered(1);
    const Instant stop = now + after;
    const Instant go_on = stop + length;
    while (now < go_on + seconds(2)) {
      Wait(settings.probe_every);
      while (Wants<ProbeEngine>()) {
        const Instant sent = now;
        const bool stands = sent >= stop - milliseconds(1) && sent < go_on;
        if (!stands || go_on <= sent + kProbeDeadline) {
          if (stands) now = go_on;
          Answered(1);
        } else {
          now += kProbeDeadline;
          Missed(1, std::exchange(works_at_first, false));
        }
        if (Wants<KillEngine>()) return now - stop;
      }
    }
    return std::nullopt;
  }
};

TEST_F(StandStill, IsFoundWithinTheTimeThatTheSettingsSay) {
  const Duration soonest = *Stop(settings.probe_every, seconds(10));
  EXPECT_EQ(soonest, milliseconds(1200));
  const Duration latest = *Stop(milliseconds(2), seconds(10));
  EXPECT_GT(latest, milliseconds(1490));
  EXPECT_LE(latest, milliseconds(1500));
  EXPECT_EQ(*Stop(settings.probe_every, seconds(10), /*works_at_first=*/true), milliseconds(1600));
}

TEST_F(StandStill, ForASecondIsNoHang) {
  for (int after = 0; after <= 400; ++after) {
    EXPECT_FALSE(Stop(milliseconds(after), seconds(1))) << after;
  }
}

}  // namespace
}  // namespace ec::host
