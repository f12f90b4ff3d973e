#include "nodeagent/core/report_log.h"

#include <gmock/gmock.h>

#include <deque>
#include <map>
#include <set>

#include "controlplane/model/state.h"
#include "tests/sim/random.h"

namespace ec::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

MemberReport Member(MemberId id, uint64_t launch = 1) { return {.id = id, .launch = launch}; }

class ReportLogTest : public ::testing::Test {
 protected:
  ReportLog log{"host-0", 7};
};

TEST_F(ReportLogTest, BeginsWithNewsAndHasNoneOnceTheyAreTold) {
  EXPECT_TRUE(log.has_news());
  const HostReport first = log.Make(0);
  EXPECT_EQ(first.host, "host-0");
  EXPECT_EQ(first.incarnation, 7u);
  EXPECT_EQ(first.sequence, 1u);
  EXPECT_FALSE(log.has_news());
}

TEST_F(ReportLogTest, TakesOnlyWhatIsDifferentForNews) {
  EXPECT_TRUE(log.Put(Member(1)));
  log.Make(0);
  EXPECT_FALSE(log.Put(Member(1)));
  EXPECT_FALSE(log.has_news());
  EXPECT_TRUE(log.Put(Member(1, 2)));
  EXPECT_TRUE(log.has_news());
}

TEST_F(ReportLogTest, RepeatsWhatHasNotBeenAcknowledged) {
  log.Put(Member(1));
  log.Make(0);
  log.Put(Member(2));
  EXPECT_THAT(log.Make(0).members, SizeIs(2));
  log.Acknowledge(1);
  const HostReport third = log.Make(0);
  EXPECT_EQ(third.base, 1u);
  EXPECT_THAT(third.members, ElementsAre(Member(2)));
  log.Acknowledge(3);
  EXPECT_THAT(log.Make(0).members, IsEmpty());
}

TEST_F(ReportLogTest, TellsWhatIsGoneUntilThatIsAcknowledged) {
  log.Put(Member(1));
  log.Put(EndpointReport{.id = 5});
  log.Make(0);
  log.Acknowledge(1);
  log.DropMember(1);
  log.DropEndpoint(5);
  log.DropMember(99);  // never was there
  EXPECT_TRUE(log.has_news());
  for (int i = 0; i < 2; ++i) {
    const HostReport report = log.Make(0);
    EXPECT_THAT(report.gone_members, ElementsAre(1));
    EXPECT_THAT(report.gone_endpoints, ElementsAre(5));
    EXPECT_THAT(report.members, IsEmpty());
  }
  log.Acknowledge(3);
  EXPECT_THAT(log.Make(0).gone_members, IsEmpty());
}

TEST_F(ReportLogTest, NeedsNotTellWhatIsGoneWhereItTellsEverything) {
  log.Put(Member(1));
  log.Make(0);
  log.DropMember(1);
  EXPECT_THAT(log.Make(0).gone_members, IsEmpty());
}

// So does a replication offset.
TEST_F(ReportLogTest, TakesAnOffsetAloneForNoNews) {
  MemberReport member = Member(1);
  member.replication.emplace();
  EXPECT_TRUE(log.Put(member));
  log.Make(0);
  log.Acknowledge(1);
  member.replication->offset = 9;
  EXPECT_FALSE(log.Put(member));
  EXPECT_FALSE(log.has_news());
  EXPECT_THAT(log.Make(0).members, ElementsAre(member));
  log.Acknowledge(2);
  member.replication->answers = 4;
  EXPECT_TRUE(log.Put(member));
}

// Counts change all the time: they go with the next report, but do not hurry one.
TEST_F(ReportLogTest, TakesCountsAloneForNoNews) {
  EndpointReport endpoint{.id = 5, .listening = true};
  EXPECT_TRUE(log.Put(endpoint));
  log.Make(0);
  log.Acknowledge(1);
  endpoint.counts.accepted = 9;
  endpoint.relayed_bytes.in = 100;
  EXPECT_FALSE(log.Put(endpoint));
  EXPECT_FALSE(log.has_news());
  EXPECT_THAT(log.Make(0).endpoints, ElementsAre(endpoint));
  endpoint.listening = false;
  EXPECT_TRUE(log.Put(endpoint));
  EXPECT_TRUE(log.has_news());
}

TEST_F(ReportLogTest, DoesNotBelieveAnAcknowledgementOfWhatItHasNotSaid) {
  log.Put(Member(1));
  log.Make(0);
  log.Acknowledge(9);
  EXPECT_EQ(log.Make(0).base, 0u);
}

TEST_F(ReportLogTest, TellsEverythingAgainToAControlPlaneThatHasForgotten) {
  log.Put(Member(1));
  log.Make(0);
  log.Acknowledge(1);
  log.Acknowledge(0);
  EXPECT_THAT(log.Make(0).members, SizeIs(1));
  log.Acknowledge(2);
  log.StartOver();
  EXPECT_EQ(log.Make(0).base, 0u);
}

// --- a lossy line ----------------------------------------------------------------------------

// What the host is, next to what the control plane believes of it, with a line in between that
// loses, delays and repeats in both directions, new connections, and restarts of the control plane.
class Line {
 public:
  explicit Line(uint64_t seed) : dice_(seed) { StartControlPlane(); }

  void Live() {
    const auto id = static_cast<uint64_t>(dice_.Between(1, 6));
    switch (dice_.Between(1, 8)) {
      case 1:
      case 2:
        members_[id] = Member(id, ++launches_);
        log_.Put(members_[id]);
        return;
      case 3:
        if (members_.erase(id) > 0) log_.DropMember(id);
        return;
      case 4:
        endpoints_[id] = {.id = id, .listening = dice_.Chance(50)};
        endpoints_[id].counts.accepted = ++launches_;
        log_.Put(endpoints_[id]);
        return;
      case 5:
        if (endpoints_.erase(id) > 0) log_.DropEndpoint(id);
        return;
      case 6:
        if (dice_.Chance(20)) StartControlPlane();
        return;
      default:
        Report(/*lossy=*/true);
    }
  }

  // A few reports that arrive, and their answers too.
  void Mend() {
    late_reports_.clear();
    late_answers_.clear();
    for (int i = 0; i < 4; ++i) Report(/*lossy=*/false);
  }

  bool Agrees() const {
    const model::Sighting& sighting = state_.sightings.at("host-0");
    return sighting.members == members_ && sighting.endpoints == endpoints_;
  }

 private:
  void StartControlPlane() {
    state_ = model::Begin({}, Instant());
    HostHello hello;
    hello.host = "host-0";
    hello.incarnation = 7;
    model::NoteHello(hello, Instant(), &state_);
    if (dice_.Chance(50)) log_.StartOver();  // else the agent has not noticed yet
  }

  void Report(bool lossy) {
    const HostReport report = log_.Make(0);
    if (lossy && dice_.Chance(20)) late_reports_.push_back(report);
    if (!lossy || dice_.Chance(70)) Arrive(report, lossy);
    if (lossy && !late_reports_.empty() && dice_.Chance(30)) {
      Arrive(late_reports_.front(), lossy);
      late_reports_.pop_front();
    }
  }

  // Every report that arrives is answered with the newest one that has been taken.
  void Arrive(const HostReport& report, bool lossy) {
    (void)model::NoteReport(report, Instant(), &state_);
    const uint64_t answer = state_.sightings.at("host-0").sequence;
    if (lossy && dice_.Chance(20)) late_answers_.push_back(answer);
    if (!lossy || dice_.Chance(70)) log_.Acknowledge(answer);
    if (lossy && !late_answers_.empty() && dice_.Chance(30)) {
      log_.Acknowledge(late_answers_.front());
      late_answers_.pop_front();
    }
  }

  sim::Random dice_;
  ReportLog log_{"host-0", 7};
  model::State state_;
  uint64_t launches_ = 0;
  std::map<MemberId, MemberReport> members_;
  std::map<EndpointId, EndpointReport> endpoints_;
  std::deque<HostReport> late_reports_;
  std::deque<uint64_t> late_answers_;
};

TEST(ReportLog, EndsInAgreementWhateverTheLineHasDone) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    Line line(seed);
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 30; ++i) line.Live();
      line.Mend();
      ASSERT_TRUE(line.Agrees()) << "seed " << seed << " round " << round;
    }
  }
}

}  // namespace
}  // namespace ec::host
