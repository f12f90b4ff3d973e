#include "controlplane/model/state.h"

#include <gmock/gmock.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/random.h"
#include "tests/support/indexes.h"

namespace ec::model {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Instant kStart{hours(1)};

Cluster ClusterOf(const ClusterId& id, ClusterStatus status = ClusterStatus::kAvailable) {
  Cluster cluster;
  cluster.id = id;
  cluster.status = status;
  return cluster;
}

Member MemberOf(MemberId id, const ClusterId& cluster, const HostId& host, uint64_t revision = 1) {
  Member member;
  member.id = id;
  member.cluster = cluster;
  member.host = host;
  member.address = {Ip4{0x7f0a0000u + static_cast<uint32_t>(id)}, 6379};
  member.revision = revision;
  return member;
}

// --- Apply -----------------------------------------------------------------------------------

TEST(Apply, PutsAndDropsRows) {
  State state = Begin({}, kStart);
  Edit edit{.revision = 1};
  edit.installation = Installation{.region = "us-east-1"};
  edit.zones["a"] = Zone{.name = "a"};
  edit.hosts["h"] = Host{.id = "h"};
  Cluster cluster = ClusterOf("c");
  cluster.members = {1, 2};
  edit.clusters["c"] = cluster;
  edit.members[1] = MemberOf(1, "c", "h");
  edit.members[2] = MemberOf(2, "c", "h");
  edit.events = {{.serial = 1}, {.serial = 2}, {.serial = 3}};
  Apply(edit, kStart, &state);
  EXPECT_EQ(state.records.revision, 1u);
  EXPECT_EQ(state.records.installation.region, "us-east-1");
  EXPECT_EQ(state.records.clusters.at("c"), cluster);
  EXPECT_EQ(state.records.members.size(), 2u);
  EXPECT_EQ(state.records.events.size(), 3u);

  Edit next{.revision = 2};
  next.members[1] = std::nullopt;
  cluster.members = {2};
  next.clusters["c"] = cluster;
  next.events_dropped_below = 3;
  Apply(next, kStart, &state);
  EXPECT_EQ(state.records.members.size(), 1u);
  EXPECT_TRUE(state.records.members.contains(2));
  EXPECT_EQ(state.records.events.size(), 1u);
  EXPECT_TRUE(state.records.events.contains(3));
  EXPECT_TRUE(state.records.zones.contains("a"));
}

TEST(ApplyDeathTest, TakesOnlyTheNextRevision) {
  State state = Begin({}, kStart);
  EXPECT_DEATH(Apply(Edit{.revision = 2}, kStart, &state), "edit.revision");
  EXPECT_DEATH(Apply(Edit{.revision = 0}, kStart, &state), "edit.revision");
}

TEST(ApplyDeathTest, NeverMovesAMemberToAnotherHost) {
  State state = Begin({}, kStart);
  Edit edit{.revision = 1};
  edit.members[1] = MemberOf(1, "c", "h");
  Apply(edit, kStart, &state);
  Edit move{.revision = 2};
  move.members[1] = MemberOf(1, "c", "elsewhere");
  EXPECT_DEATH(Apply(move, kStart, &state), "host");
}

// An address may go from one row to another within one edit: it stays in use.
TEST(Apply, KeepsAnAddressThatChangesHands) {
  State state = Begin({}, kStart);
  Edit edit{.revision = 1};
  edit.members[5] = MemberOf(5, "c", "h");
  Apply(edit, kStart, &state);
  Edit hand_over{.revision = 2};
  hand_over.members[5] = std::nullopt;
  hand_over.members[4] = MemberOf(4, "c", "h", 2);
  hand_over.members[4]->address = MemberOf(5, "c", "h").address;
  Apply(hand_over, kStart, &state);
  EXPECT_EQ(state.addresses, std::set<Ip4>{MemberOf(5, "c", "h").address.ip});
}

TEST(Apply, RemembersWhatLeftAHostsPlan) {
  State state = Begin({}, kStart);
  Edit edit{.revision = 1};
  edit.members[1] = MemberOf(1, "c", "h1");
  Cluster cluster = ClusterOf("c");
  cluster.configuration = ConfigurationEndpoint{9, {Ip4{77}, 11211}, "h1"};
  edit.clusters["c"] = cluster;
  Apply(edit, kStart, &state);
  EXPECT_TRUE(state.hosts["h1"].gone.empty());

  Edit move{.revision = 2};  // the configuration endpoint, to another host
  cluster.configuration->host = "h2";
  move.clusters["c"] = cluster;
  Apply(move, kStart, &state);
  ASSERT_EQ(state.hosts["h1"].gone.size(), 1u);
  EXPECT_EQ(state.hosts["h1"].gone[0].revision, 2u);
  EXPECT_EQ(state.hosts["h1"].gone[0].id, 9u);
  EXPECT_TRUE(state.hosts["h1"].gone[0].endpoint);

  Edit drop{.revision = 3};
  drop.members[1] = std::nullopt;
  drop.clusters["c"] = std::nullopt;
  Apply(drop, kStart, &state);
  ASSERT_EQ(state.hosts["h1"].gone.size(), 2u);
  EXPECT_EQ(state.hosts["h1"].gone[1].id, 1u);
  EXPECT_FALSE(state.hosts["h1"].gone[1].endpoint);
  ASSERT_EQ(state.hosts["h2"].gone.size(), 1u);
  EXPECT_EQ(state.hosts["h2"].gone[0].id, 9u);
}

TEST(Apply, BeginsTheTimeOfAnOperationAndBeginsItAgainWhenItMovesOn) {
  State state = Begin({}, kStart);
  Edit edit{.revision = 1};
  edit.clusters["c"] = ClusterOf("c", ClusterStatus::kCreating);
  Apply(edit, kStart + seconds(1), &state);
  EXPECT_EQ(state.phase_since.at("c"), kStart + seconds(1));

  // A row that changes without the operation moving on goes on with its time.
  Cluster cluster = ClusterOf("c", ClusterStatus::kCreating);
  cluster.port = 7;
  Edit same{.revision = 2};
  same.clusters["c"] = cluster;
  Apply(same, kStart + seconds(2), &state);
  EXPECT_EQ(state.phase_since.at("c"), kStart + seconds(1));

  const std::vector<void (*)(Cluster&)> moves = {
      [](Cluster& c) { c.members = {1}; },
      [](Cluster& c) { c.resized_from = 3; },
      [](Cluster& c) { c.discovery_version = 4; },
      [](Cluster& c) { c.status = ClusterStatus::kRebooting; },
  };
  uint64_t revision = 3;
  for (const auto& move : moves) {
    move(cluster);
    Edit moved{.revision = revision};
    moved.clusters["c"] = cluster;
    Apply(moved, kStart + seconds(revision), &state);
    EXPECT_EQ(state.phase_since.at("c"), kStart + seconds(revision));
    ++revision;
  }
  EXPECT_EQ(state.operations.size(), 1u);

  cluster.status = ClusterStatus::kAvailable;
  Edit end{.revision = revision};
  end.clusters["c"] = cluster;
  Apply(end, kStart, &state);
  EXPECT_TRUE(state.phase_since.empty());
  EXPECT_TRUE(state.operations.empty());
}

TEST(Apply, TakesADeletionWithoutMembersForOverdue) {
  State state = Begin({}, kStart);
  Edit edit{.revision = 1};
  edit.clusters["c"] = ClusterOf("c", ClusterStatus::kDeleting);
  Apply(edit, kStart, &state);
  EXPECT_EQ(state.operations.begin()->first, Instant::min());
}

TEST(InOperation, IsTrueOfWhatMustEndByItself) {
  for (const ClusterStatus status : {ClusterStatus::kCreating, ClusterStatus::kModifying,
                                     ClusterStatus::kRebooting, ClusterStatus::kDeleting}) {
    EXPECT_TRUE(InOperation(status)) << NameOf(status);
  }
  for (const ClusterStatus status :
       {ClusterStatus::kAvailable, ClusterStatus::kRecovering, ClusterStatus::kFailed,
        ClusterStatus::kCreateFailed, ClusterStatus::kIncompatibleNetwork}) {
    EXPECT_FALSE(InOperation(status)) << NameOf(status);
  }
}

// --- Begin -----------------------------------------------------------------------------------

TEST(Begin, GivesEveryOperationItsFullTimeAgain) {
  Records records;
  records.revision = 12;
  records.clusters["c"] = ClusterOf("c", ClusterStatus::kModifying);
  records.clusters["d"] = ClusterOf("d", ClusterStatus::kAvailable);
  const State state = Begin(records, kStart);
  EXPECT_EQ(state.phase_since, (std::map<ClusterId, Instant>{{"c", kStart}}));
  EXPECT_EQ(state.listening_since, kStart);
  EXPECT_EQ(state.gone_since, 12u);  // what had left plans before is not known any more
  EXPECT_TRUE(state.sightings.empty());
}

// --- what hosts say --------------------------------------------------------------------------

HostHello Hello(uint64_t incarnation) {
  HostHello hello;
  hello.host = "h";
  hello.incarnation = incarnation;
  return hello;
}

HostReport Report(uint64_t incarnation, uint64_t sequence, uint64_t base,
                  std::vector<MemberId> members = {}) {
  HostReport report;
  report.host = "h";
  report.incarnation = incarnation;
  report.sequence = sequence;
  report.base = base;
  for (const MemberId id : members) report.members.push_back({.id = id, .launch = sequence});
  return report;
}

std::set<MemberId> Seen(const State& state) {
  std::set<MemberId> ids;
  for (const auto& [id, member] : state.sightings.at("h").members) ids.insert(id);
  return ids;
}

TEST(NoteHello, BeginsANewSightingForALaterStart) {
  State state = Begin({}, kStart);
  ASSERT_TRUE(NoteHello(Hello(3), kStart, &state));
  ASSERT_TRUE(NoteReport(Report(3, 1, 0, {1}), kStart, &state));
  ASSERT_TRUE(NoteHello(Hello(4), kStart + seconds(1), &state));
  const Sighting& sighting = state.sightings.at("h");
  EXPECT_EQ(sighting.incarnation, 4u);
  EXPECT_EQ(sighting.sequence, 0u);
  EXPECT_EQ(sighting.heard, kStart + seconds(1));
  EXPECT_TRUE(sighting.members.empty());
}

TEST(NoteHello, KeepsWhatIsKnownWhenTheSameStartComesBack) {
  State state = Begin({}, kStart);
  NoteHello(Hello(3), kStart, &state);
  NoteReport(Report(3, 1, 0, {1}), kStart, &state);
  EXPECT_TRUE(NoteHello(Hello(3), kStart + seconds(1), &state));
  EXPECT_EQ(Seen(state), std::set<MemberId>{1});
  EXPECT_EQ(state.sightings.at("h").heard, kStart + seconds(1));
}

TEST(NoteHello, RefusesAnEarlierStartAndChangesNothing) {
  State state = Begin({}, kStart);
  NoteHello(Hello(3), kStart, &state);
  EXPECT_FALSE(NoteHello(Hello(2), kStart + seconds(1), &state));
  EXPECT_EQ(state.sightings.at("h").incarnation, 3u);
  EXPECT_EQ(state.sightings.at("h").heard, kStart);
}

TEST(NoteReport, IsNotTakenFromAHostThatHasNotRegistered) {
  State state = Begin({}, kStart);
  EXPECT_EQ(NoteReport(Report(1, 1, 0), kStart, &state), std::nullopt);
  EXPECT_TRUE(state.sightings.empty());
}

TEST(NoteReport, IsNotTakenWhenStaleRepeatedOrOfAnotherStart) {
  State state = Begin({}, kStart);
  NoteHello(Hello(3), kStart, &state);
  ASSERT_TRUE(NoteReport(Report(3, 5, 0, {1}), kStart, &state));
  for (const HostReport& stale :
       {Report(3, 5, 0, {2}), Report(3, 4, 0, {2}), Report(2, 9, 0, {2}), Report(4, 9, 0, {2})}) {
    EXPECT_EQ(NoteReport(stale, kStart + seconds(9), &state), std::nullopt);
  }
  EXPECT_EQ(Seen(state), std::set<MemberId>{1});
  EXPECT_EQ(state.sightings.at("h").heard, kStart);
}

TEST(NoteReport, WithAGapIsNotTakenButHasBeenHeard) {
  State state = Begin({}, kStart);
  NoteHello(Hello(3), kStart, &state);
  NoteReport(Report(3, 5, 0, {1}), kStart, &state);
  EXPECT_EQ(NoteReport(Report(3, 7, 6, {2}), kStart + seconds(1), &state), std::nullopt);
  EXPECT_EQ(Seen(state), std::set<MemberId>{1});
  EXPECT_EQ(state.sightings.at("h").sequence, 5u);
  EXPECT_EQ(state.sightings.at("h").heard, kStart + seconds(1));
}

TEST(NoteReport, AddsWhatHasChangedAndDropsWhatIsGone) {
  State state = Begin({}, kStart);
  NoteHello(Hello(3), kStart, &state);
  HostReport first = Report(3, 1, 0, {1, 2});
  first.endpoints = {{.id = 1}, {.id = 2}};
  first.plan_revision = 10;
  EXPECT_EQ(NoteReport(first, kStart, &state), 0u);
  HostReport second = Report(3, 2, 1, {2, 3});
  second.gone_members = {1, 3};  // 3 was removed and is there again
  second.gone_endpoints = {2};
  second.plan_revision = 12;
  EXPECT_EQ(NoteReport(second, kStart, &state), 10u);  // what it had before
  const Sighting& sighting = state.sightings.at("h");
  EXPECT_EQ(Seen(state), (std::set<MemberId>{2, 3}));
  EXPECT_EQ(sighting.members.at(2).launch, 2u);
  EXPECT_EQ(sighting.endpoints.size(), 1u);
  EXPECT_EQ(sighting.plan_revision, 12u);
  // A complete one replaces everything, and says nothing of what was before.
  EXPECT_EQ(NoteReport(Report(3, 3, 0, {9}), kStart, &state), 0u);
  EXPECT_EQ(Seen(state), std::set<MemberId>{9});
  EXPECT_TRUE(sighting.endpoints.empty());
}

TEST(NoteReport, ForgetsWhatTheHostKnowsToBeGone) {
  State state = Begin({}, kStart);
  NoteHello(Hello(1), kStart, &state);
  state.hosts["h"].gone = {{4, false, 1}, {6, false, 2}, {9, true, 3}};
  HostReport report = Report(1, 1, 0);
  report.plan_revision = 6;
  NoteReport(report, kStart, &state);
  ASSERT_EQ(state.hosts["h"].gone.size(), 1u);
  EXPECT_EQ(state.hosts["h"].gone[0].revision, 9u);
}

// --- a random history --------------------------------------------------------------------------

// Edits such as the core makes: rows that agree with each other, addresses that are unique.
class Editor {
 public:
  explicit Editor(uint64_t seed) : dice_(seed) {}

  Edit Next(const State& state) {
    edit_ = Edit{.revision = state.records.revision + 1};
    for (int64_t changes = dice_.Between(1, 5); changes > 0; --changes) ChangeSomething(state);
    for (auto& [id, cluster] : edit_.clusters) {
      if (cluster) cluster->revision = edit_.revision;
    }
    for (auto& [id, member] : edit_.members) {
      if (member) member->revision = edit_.revision;
    }
    return edit_;
  }

 private:
  HostId SomeHost() { return "host-" + std::to_string(dice_.Between(0, 3)); }
  Address FreshAddress() { return {Ip4{++next_ip_}, 6379}; }

  void ChangeSomething(const State& state) {
    const ClusterId id = "c-" + std::to_string(dice_.Between(0, 9));
    if (edit_.clusters.contains(id)) return;  // once in an edit
    const auto found = state.records.clusters.find(id);
    Cluster cluster = found == state.records.clusters.end() ? ClusterOf(id) : found->second;
    if (found != state.records.clusters.end() && dice_.OneIn(8)) {
      for (const MemberId member : cluster.members) edit_.members[member] = std::nullopt;
      edit_.clusters[id] = std::nullopt;
      return;
    }
    cluster.status = static_cast<ClusterStatus>(dice_.Between(0, 8));
    cluster.resized_from = static_cast<int>(dice_.Between(0, 1));
    ChangeConfiguration(cluster);
    cluster.pending = {};
    if (dice_.Chance(30)) cluster.pending.nodes = 3;
    if (dice_.Chance(30)) cluster.pending.version = "7.1.0";
    cluster.pending.due = WallTime(seconds(dice_.Between(0, 5)));
    ChangeMembers(state, cluster);
    edit_.clusters[id] = cluster;
  }

  void ChangeConfiguration(Cluster& cluster) {
    if (dice_.Chance(20)) {
      cluster.configuration.reset();
    } else if (!cluster.configuration) {
      cluster.configuration = ConfigurationEndpoint{++next_id_, FreshAddress(), SomeHost()};
    } else if (dice_.Chance(30)) {
      cluster.configuration->host = SomeHost();
    } else if (dice_.Chance(30)) {
      cluster.configuration->address = FreshAddress();
    }
  }

  void ChangeMembers(const State& state, Cluster& cluster) {
    std::optional<Address> freed;
    for (const MemberId id : std::set<MemberId>(cluster.members)) {
      Member member = state.records.members.at(id);
      if (dice_.Chance(20)) {
        freed = member.address;
        cluster.members.erase(id);
        edit_.members[id] = std::nullopt;
      } else if (dice_.Chance(50)) {
        member.status = static_cast<MemberStatus>(dice_.Between(0, 5));
        if (dice_.Chance(30)) member.address = FreshAddress();
        edit_.members[id] = member;
      }
    }
    if (dice_.Chance(60)) {
      Member member = MemberOf(++next_id_, cluster.id, SomeHost());
      member.status = static_cast<MemberStatus>(dice_.Between(0, 5));
      member.address = freed.value_or(FreshAddress());
      cluster.members.insert(member.id);
      edit_.members[member.id] = member;
    }
  }

  sim::Random dice_;
  Edit edit_;
  uint64_t next_id_ = 0;
  uint32_t next_ip_ = 0;
};

TEST(Apply, KeepsTheIndexesThatAFreshBeginWouldMake) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Editor editor(seed);
    State state = Begin({}, kStart);
    for (int step = 0; step < 100; ++step) {
      Apply(editor.Next(state), kStart + seconds(step), &state);
      ASSERT_EQ(ec::testing::WrongIndex(state), "") << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace ec::model
