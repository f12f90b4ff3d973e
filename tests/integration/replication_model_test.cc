// The simulated Redis and the real one do the same. Each script runs on both: on the model with
// some seeds, and on processes. Only such facts are asked for as the product relies on.
#include <gtest/gtest.h>

#include "tests/integration/replication_rig.h"

namespace ec::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Writes = Rig::Writes;
using Reply = Rig::Reply;

// 0 is the real engine; anything else a seed of the model's.
class ReplicationModel : public ::testing::TestWithParam<uint64_t> {
 protected:
  void SetUp() override { rig_ = GetParam() == 0 ? MakeRedisRig() : MakeModelRig(GetParam()); }

  bool Await(const std::function<bool()>& condition) { return rig_->Await(condition, seconds(20)); }
  bool ComesToHold(int engine, const Writes& writes) {
    return Await([&] { return rig_->Holds(engine) == writes; });
  }
  // Whether it holds these all the time until then.
  bool HoldsUntil(int engine, const Writes& writes, const std::function<bool()>& then) {
    bool held = true;
    const bool came = Await([&] {
      held = held && rig_->Holds(engine) == writes;
      return then();
    });
    return held && came;
  }
  // A leader 0 with the writes 1 and 2, and a follower 1 that has them.
  void StartPair() {
    rig_->Start(0);
    ASSERT_EQ(rig_->Write(0, 1), Reply::kDone);
    ASSERT_EQ(rig_->Write(0, 2), Reply::kDone);
    rig_->Start(1);
    rig_->Follow(1, 0);
    ASSERT_TRUE(ComesToHold(1, {1, 2}));
    ASSERT_TRUE(Await([&] { return rig_->LinkIsUp(1); }));
  }

  std::unique_ptr<Rig> rig_;
};

// --- following ------------------------------------------------------------------------------

TEST_P(ReplicationModel, AReplicaGetsWhatItsLeaderHas) {
  StartPair();
  EXPECT_EQ(rig_->FullCopiesBy(0), 1);
}

TEST_P(ReplicationModel, AReplicaDropsWhatItHadOfItsOwn) {
  rig_->Start(0);
  rig_->Start(1);
  ASSERT_EQ(rig_->Write(0, 1), Reply::kDone);
  ASSERT_EQ(rig_->Write(1, 2), Reply::kDone);
  rig_->Follow(1, 0);
  EXPECT_TRUE(ComesToHold(1, {1}));
}

TEST_P(ReplicationModel, AWriteAfterTheCopyArrives) {
  StartPair();
  ASSERT_EQ(rig_->Write(0, 3), Reply::kDone);
  EXPECT_TRUE(ComesToHold(1, {1, 2, 3}));
  EXPECT_EQ(rig_->FullCopiesBy(0), 1);
}

TEST_P(ReplicationModel, AReplicaTakesNoWriteWithOrWithoutALink) {
  rig_->Start(0);
  rig_->Start(1);
  rig_->Follow(1, 0);
  EXPECT_EQ(rig_->Write(1, 1), Reply::kReadOnly);
  ASSERT_TRUE(Await([&] { return rig_->LinkIsUp(1); }));
  EXPECT_EQ(rig_->Write(1, 1), Reply::kReadOnly);
  rig_->Kill(0);
  ASSERT_TRUE(Await([&] { return !rig_->LinkIsUp(1); }));
  EXPECT_EQ(rig_->Write(1, 1), Reply::kReadOnly);
}

TEST_P(ReplicationModel, AReplicasOffsetIsNeverAheadAndInTheEndTheSame) {
  StartPair();
  for (uint64_t value = 3; value < 50; ++value) {
    ASSERT_EQ(rig_->Write(0, value), Reply::kDone);
    const int64_t of_replica = rig_->Offset(1);
    EXPECT_LE(of_replica, rig_->Offset(0));
  }
  EXPECT_TRUE(Await([&] { return rig_->Offset(1) == rig_->Offset(0); }));
  EXPECT_GT(rig_->Offset(0), 0);
  EXPECT_EQ(rig_->Holds(1), rig_->Holds(0));
}

TEST_P(ReplicationModel, AReplicaThatLosesItsLinkForAMomentGoesOnWithItsData) {
  StartPair();
  rig_->CutLink(1);
  EXPECT_TRUE(HoldsUntil(1, {1, 2}, [&] { return rig_->LinkIsUp(1); }));
  ASSERT_EQ(rig_->Write(0, 3), Reply::kDone);
  EXPECT_TRUE(ComesToHold(1, {1, 2, 3}));
  EXPECT_EQ(rig_->FullCopiesBy(0), 1);
}

TEST_P(ReplicationModel, FollowingTheSameLeaderOnceMoreChangesNothing) {
  StartPair();
  rig_->Follow(1, 0);
  EXPECT_TRUE(rig_->LinkIsUp(1));
  EXPECT_EQ(rig_->FullCopiesBy(0), 1);
}

TEST_P(ReplicationModel, AReplicaOfAMasterThatHasComeBackEmptyLosesItsData) {
  StartPair();
  rig_->Kill(0);
  ASSERT_TRUE(Await([&] { return !rig_->LinkIsUp(1); }));
  EXPECT_EQ(rig_->Holds(1), (Writes{1, 2}));
  rig_->Start(0);
  EXPECT_TRUE(ComesToHold(1, {}));
}

TEST_P(ReplicationModel, AReplicaOfAReplicaGetsTheSame) {
  StartPair();
  rig_->Start(2);
  rig_->Follow(2, 1);
  EXPECT_TRUE(ComesToHold(2, {1, 2}));
  ASSERT_EQ(rig_->Write(0, 3), Reply::kDone);
  EXPECT_TRUE(ComesToHold(2, {1, 2, 3}));
}

TEST_P(ReplicationModel, AReplicaOfAReplicaWithoutALinkKeepsWhatItHas) {
  StartPair();
  rig_->Start(2);
  ASSERT_EQ(rig_->Write(2, 9), Reply::kDone);
  rig_->Kill(0);
  ASSERT_TRUE(Await([&] { return !rig_->LinkIsUp(1); }));
  rig_->Follow(2, 1);
  // Long enough for a second attempt.
  EXPECT_FALSE(rig_->Await([&] { return rig_->LinkIsUp(2); }, milliseconds(1500)));
  EXPECT_EQ(rig_->Holds(2), (Writes{9}));
  rig_->Lead(1);
  EXPECT_TRUE(ComesToHold(2, {1, 2}));
}

// --- changes of leader ----------------------------------------------------------------------

TEST_P(ReplicationModel, APromotedReplicaKeepsItsDataAndTakesWrites) {
  StartPair();
  rig_->Lead(1);
  EXPECT_EQ(rig_->Holds(1), (Writes{1, 2}));
  EXPECT_EQ(rig_->Write(1, 3), Reply::kDone);
  EXPECT_EQ(rig_->Holds(1), (Writes{1, 2, 3}));
  EXPECT_EQ(rig_->Holds(0), (Writes{1, 2}));
}

TEST_P(ReplicationModel, AnOldMasterLosesTheTailThatItAloneHad) {
  StartPair();
  rig_->Lead(1);
  ASSERT_EQ(rig_->Write(0, 3), Reply::kDone);
  ASSERT_EQ(rig_->Write(1, 4), Reply::kDone);
  rig_->Follow(0, 1);
  EXPECT_TRUE(ComesToHold(0, {1, 2, 4}));
  EXPECT_EQ(rig_->FullCopiesBy(1), 1);
}

TEST_P(ReplicationModel, AnOldMasterWithoutATailIsNotSentEverythingAgain) {
  StartPair();
  ASSERT_TRUE(Await([&] { return rig_->Offset(1) == rig_->Offset(0); }));
  rig_->Lead(1);
  rig_->Follow(0, 1);
  ASSERT_EQ(rig_->Write(1, 3), Reply::kDone);
  EXPECT_TRUE(ComesToHold(0, {1, 2, 3}));
  EXPECT_EQ(rig_->FullCopiesBy(1), 0);
}

TEST_P(ReplicationModel, APromotionEndsTheLinksOfItsReplicasWhichGoOnWithTheirData) {
  StartPair();
  rig_->Start(2);
  rig_->Follow(2, 1);
  ASSERT_TRUE(ComesToHold(2, {1, 2}));
  ASSERT_TRUE(Await([&] { return rig_->Offset(2) == rig_->Offset(0); }));
  rig_->Lead(1);
  ASSERT_EQ(rig_->Write(1, 3), Reply::kDone);
  EXPECT_TRUE(ComesToHold(2, {1, 2, 3}));
  EXPECT_EQ(rig_->FullCopiesBy(1), 1);
}

TEST_P(ReplicationModel, AMasterThatBecomesAReplicaKeepsItsOwn) {
  StartPair();
  rig_->Start(2);
  rig_->Follow(2, 0);
  ASSERT_TRUE(ComesToHold(2, {1, 2}));
  ASSERT_TRUE(Await([&] { return rig_->LinkIsUp(2); }));
  rig_->Follow(0, 1);
  EXPECT_TRUE(rig_->LinkIsUp(1));
  EXPECT_TRUE(rig_->LinkIsUp(2));
}

// The middle of a planned change. A successor that dies then and comes back empty does not take
// along what the one that waits for it has: neither gets anything from the other.
TEST_P(ReplicationModel, OfTwoThatFollowEachOtherOneThatComesBackEmptyDoesNotEmptyTheOther) {
  StartPair();
  ASSERT_TRUE(Await([&] { return rig_->Offset(1) == rig_->Offset(0); }));
  rig_->Follow(0, 1);
  EXPECT_TRUE(Await([&] { return rig_->LinkIsUp(0); }));
  EXPECT_EQ(rig_->FullCopiesBy(1), 0);
  rig_->Kill(1);
  ASSERT_TRUE(Await([&] { return !rig_->LinkIsUp(0); }));
  rig_->StartFollowing(1, 0);
  EXPECT_FALSE(
      rig_->Await([&] { return rig_->LinkIsUp(0) || rig_->LinkIsUp(1); }, milliseconds(1500)));
  EXPECT_EQ(rig_->Holds(0), (Writes{1, 2}));
  rig_->Lead(0);
  EXPECT_TRUE(ComesToHold(1, {1, 2}));
}

// --- paused writes --------------------------------------------------------------------------

TEST_P(ReplicationModel, PausedWritesWaitUntilTheyMayGoOn) {
  StartPair();
  rig_->PauseWrites(0);
  ASSERT_TRUE(Await([&] { return rig_->Offset(1) == rig_->Offset(0); }));
  const int64_t offset = rig_->Offset(0);
  const size_t write = rig_->BeginWrite(0, 3);
  EXPECT_EQ(rig_->Holds(0), (Writes{1, 2}));  // reads are answered
  EXPECT_FALSE(rig_->IsDone(write));
  EXPECT_EQ(rig_->Offset(0), offset);
  rig_->ResumeWrites(0);
  EXPECT_TRUE(Await([&] { return rig_->IsDone(write); }));
  EXPECT_TRUE(ComesToHold(1, {1, 2, 3}));
  EXPECT_GT(rig_->Offset(0), offset);
}

TEST_P(ReplicationModel, PausedWritesGoOnByThemselvesAfterThreeSecondsAndNotBefore) {
  StartPair();
  const Instant before = rig_->now();
  rig_->PauseWrites(0);
  const int64_t offset = rig_->Offset(0);
  const size_t write = rig_->BeginWrite(0, 3);
  bool moved = false;
  EXPECT_TRUE(Await([&] {
    const int64_t present = rig_->Offset(0);
    if (rig_->IsDone(write)) return true;
    moved = moved || present != offset;
    return false;
  }));
  EXPECT_FALSE(moved);
  // The engine's own clock may be a moment behind at the pause.
  EXPECT_GE(rig_->now() - before, milliseconds(2950));
  EXPECT_EQ(rig_->Holds(0), (Writes{1, 2, 3}));
}

TEST_P(ReplicationModel, APauseOutlastsAChangeOfRole) {
  StartPair();
  rig_->PauseWrites(0);
  rig_->Follow(0, 1);
  EXPECT_EQ(rig_->Write(0, 3), Reply::kReadOnly);
  rig_->Lead(0);
  const size_t write = rig_->BeginWrite(0, 4);
  EXPECT_EQ(rig_->Holds(0), (Writes{1, 2}));
  EXPECT_FALSE(rig_->IsDone(write));
  rig_->ResumeWrites(0);
  EXPECT_TRUE(Await([&] { return rig_->IsDone(write); }));
}

// --- processes ------------------------------------------------------------------------------

TEST_P(ReplicationModel, AStoppedEngineAnswersNothingAndHasEverythingWhenItGoesOn) {
  StartPair();
  rig_->Stop(0);
  EXPECT_FALSE(rig_->Answers(0));
  const size_t write = rig_->BeginWrite(0, 3);
  EXPECT_FALSE(rig_->IsDone(write));
  EXPECT_EQ(rig_->Holds(1), (Writes{1, 2}));
  rig_->GoOn(0);
  EXPECT_TRUE(Await([&] { return rig_->IsDone(write); }));
  EXPECT_EQ(rig_->Holds(0), (Writes{1, 2, 3}));
  EXPECT_TRUE(ComesToHold(1, {1, 2, 3}));
}

TEST_P(ReplicationModel, AStoppedLeadersReplicaKeepsItsLink) {
  StartPair();
  rig_->Stop(0);
  EXPECT_FALSE(rig_->Await([&] { return !rig_->LinkIsUp(1); }, milliseconds(500)));
  rig_->GoOn(0);
  EXPECT_TRUE(Await([&] { return rig_->Answers(0); }));
  EXPECT_EQ(rig_->FullCopiesBy(0), 1);
}

TEST_P(ReplicationModel, AStoppedReplicaCatchesUpWithoutAnotherCopy) {
  StartPair();
  rig_->Stop(1);
  ASSERT_EQ(rig_->Write(0, 3), Reply::kDone);
  rig_->GoOn(1);
  EXPECT_TRUE(ComesToHold(1, {1, 2, 3}));
  EXPECT_EQ(rig_->FullCopiesBy(0), 1);
}

TEST_P(ReplicationModel, AKilledEngineComesBackEmptyAndAsAMaster) {
  StartPair();
  rig_->Kill(1);
  EXPECT_FALSE(rig_->Answers(1));
  rig_->Start(1);
  EXPECT_EQ(rig_->Holds(1), Writes{});
  EXPECT_EQ(rig_->Offset(1), 0);
  EXPECT_EQ(rig_->Write(1, 3), Reply::kDone);
}

INSTANTIATE_TEST_SUITE_P(Both, ReplicationModel, ::testing::Range<uint64_t>(0, 11),
                         [](const auto& test) {
                           if (test.param == 0) return std::string("Redis");
                           return "Model" + std::to_string(test.param);
                         });

}  // namespace
}  // namespace ec::integration
