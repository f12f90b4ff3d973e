// The fault matrix of replication groups: while clients write through the primary endpoint, one or
// two things break, and the group must come right by itself. In every row no second leader takes
// writes, nothing is lost but the tail that no replica had, and in the end the group is whole.
//
// A few rows run always; EC_FULL=1 runs all of them, EC_ROUNDS times each (3 unless told).
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include "common/process.h"
#include "tests/integration/groups.h"
#include "tests/integration/role_watch.h"
#include "tests/integration/writer.h"

namespace ec::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kGroup = "orders";
constexpr int kMembers = 3;

// What a row does its harm with.
struct Stage {
  Installation& installation;
  Groups& groups;
  Writer& writer;

  std::string leader() { return groups.Leader(kGroup); }
  std::string replica() { return groups.Replicas(kGroup).front(); }
  std::string ZoneOf(const std::string& cluster) {
    return installation.Describe(cluster)->preferred_availability_zone();
  }
  Child& AgentOf(const std::string& cluster) { return installation.agent(ZoneOf(cluster)); }
  void StartAgents() {
    for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
      if (!installation.agent(zone).running()) installation.StartAgent(zone);
    }
  }
  void StartControlPlane() {
    std::string why;
    EXPECT_TRUE(installation.StartControlPlane(&why)) << why;
  }
  bool SwitchOver() { return groups.SwitchOver(kGroup).ok(); }
};

// Whether the leader has to be another one afterwards.
enum class Leader { kStays, kChanges, kEither };

struct Row {
  std::string name;  // the rule, as a test's name
  Leader leader;
  int64_t lost_max;  // writes that only the old leader may have had
  bool always;       // not only in a full run
  std::function<void(Stage&)> harm;
};

void Wait(milliseconds time) { poll(nullptr, 0, static_cast<int>(time.count())); }

void KillHost(Stage& stage, const std::string& cluster) {
  const auto engine = stage.installation.EngineOf(cluster, "0001");
  ASSERT_TRUE(engine.has_value());
  const UniqueFd process = OpenProcess(*engine);
  stage.AgentOf(cluster).Signal(SIGKILL);
  ASSERT_TRUE(SendSignal(process, SIGKILL));
}

std::vector<Row> ControlPlaneRows() {
  return {
      {"TheControlPlaneIsKilled", Leader::kStays, 0, true,
       [](Stage& stage) {
         stage.installation.control_plane().Kill9();
         EXPECT_TRUE(stage.writer.WritesAgain());
         stage.StartControlPlane();
       }},
      {"TheControlPlaneStandsStillForTenSeconds", Leader::kStays, 0, false,
       [](Stage& stage) {
         stage.installation.control_plane().Signal(SIGSTOP);
         Wait(seconds(10));
         EXPECT_TRUE(stage.writer.WritesAgain());
         stage.installation.control_plane().Signal(SIGCONT);
       }},
      {"TheLeaderIsKilledWhileTheControlPlaneStandsStill", Leader::kChanges, 10, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         stage.installation.control_plane().Signal(SIGSTOP);
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGKILL));
         Wait(seconds(1));
         stage.installation.control_plane().Signal(SIGCONT);
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
       }},
      {"TheLeaderAndTheControlPlaneAreKilled", Leader::kChanges, 10, true,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGKILL));
         stage.installation.control_plane().Kill9();
         stage.StartControlPlane();
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
       }},
      {"TheControlPlaneIsKilledDuringASwitchOver", Leader::kEither, 0, true,
       [](Stage& stage) {
         EXPECT_TRUE(stage.SwitchOver());
         Wait(milliseconds(rand() % 15));
         stage.installation.control_plane().Kill9();
         stage.StartControlPlane();
       }},
      {"TheControlPlaneIsKilledDuringAFailover", Leader::kChanges, 10, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGKILL));
         Wait(milliseconds(rand() % 15));
         stage.installation.control_plane().Kill9();
         stage.StartControlPlane();
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
       }},
  };
}

std::vector<Row> AgentRows() {
  return {
      {"TheLeadersAgentIsKilled", Leader::kStays, 0, false,
       [](Stage& stage) {
         stage.AgentOf(stage.leader()).Kill9();
         stage.StartAgents();
       }},
      {"AReplicasAgentIsKilled", Leader::kStays, 0, false,
       [](Stage& stage) {
         stage.AgentOf(stage.replica()).Kill9();
         stage.StartAgents();
       }},
      {"TheLeadersAgentStandsStillForLong", Leader::kChanges, 10, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         stage.AgentOf(leader).Signal(SIGSTOP);
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
         EXPECT_TRUE(stage.writer.WritesAgain());
         // Somebody starts again what the control plane has ended.
         EXPECT_TRUE(WaitUntil([&] { return !stage.AgentOf(leader).running(); }));
         stage.StartAgents();
       }},
      {"TheLeadersHostIsKilled", Leader::kChanges, 10, true,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         KillHost(stage, leader);
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
         EXPECT_TRUE(stage.writer.WritesAgain());
         stage.StartAgents();
       }},
      {"AReplicasHostIsKilled", Leader::kStays, 0, false,
       [](Stage& stage) {
         KillHost(stage, stage.replica());
         EXPECT_TRUE(stage.writer.WritesAgain());
         Wait(seconds(3));
         stage.StartAgents();
       }},
      {"TheNewLeadersAgentIsKilledDuringASwitchOver", Leader::kEither, 0, false,
       [](Stage& stage) {
         const std::string replica = stage.replica();
         EXPECT_TRUE(stage.SwitchOver());
         stage.AgentOf(replica).Kill9();
         stage.StartAgents();
       }},
      {"TheOldLeadersAgentIsKilledDuringASwitchOver", Leader::kEither, 0, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.SwitchOver());
         stage.AgentOf(leader).Kill9();
         stage.StartAgents();
       }},
  };
}

std::vector<Row> EngineRows() {
  return {
      {"TheLeaderIsKilled", Leader::kChanges, 10, true,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGKILL));
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
       }},
      {"TheLeaderAndTheFirstCandidateAreKilled", Leader::kChanges, 10, true,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.groups.SignalEngine(stage.replica(), SIGKILL));
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGKILL));
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
       }},
      {"TheLeaderHangs", Leader::kChanges, 10, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGSTOP));
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
       }},
      {"TheLeaderHangsForASecond", Leader::kStays, 0, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGSTOP));
         Wait(seconds(1));
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGCONT));
         EXPECT_TRUE(stage.writer.WritesAgain());
       }},
      {"AReplicaIsKilled", Leader::kStays, 0, false,
       [](Stage& stage) {
         EXPECT_TRUE(stage.groups.SignalEngine(stage.replica(), SIGKILL));
         EXPECT_TRUE(stage.writer.WritesAgain());
       }},
      {"AReplicaHangs", Leader::kStays, 0, false,
       [](Stage& stage) {
         EXPECT_TRUE(stage.groups.SignalEngine(stage.replica(), SIGSTOP));
         EXPECT_TRUE(stage.writer.WritesAgain());
         Wait(seconds(2));
       }},
      {"TheNewLeaderIsKilledDuringASwitchOver", Leader::kEither, 0, false,
       [](Stage& stage) {
         const std::string replica = stage.replica();
         EXPECT_TRUE(stage.SwitchOver());
         EXPECT_TRUE(stage.groups.SignalEngine(replica, SIGKILL));
       }},
      {"TheOldLeaderIsKilledDuringASwitchOver", Leader::kEither, 10, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.SwitchOver());
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGKILL));
       }},
      {"TheNewLeaderIsKilledDuringAFailover", Leader::kChanges, 20, false,
       [](Stage& stage) {
         const std::string leader = stage.leader();
         EXPECT_TRUE(stage.groups.SignalEngine(leader, SIGKILL));
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, leader));
         const std::string second = stage.leader();
         // Whoever could follow it has yet to prove that it does.
         EXPECT_TRUE(stage.groups.AwaitWhole(kGroup, kMembers));
         EXPECT_TRUE(stage.groups.SignalEngine(second, SIGKILL));
         EXPECT_TRUE(stage.groups.AwaitOtherLeader(kGroup, second));
       }},
  };
}

bool IsFull() {
  const char* const full = std::getenv("EC_FULL");
  return full != nullptr && *full != '\0';
}

int Rounds() {
  const char* const rounds = std::getenv("EC_ROUNDS");
  if (rounds != nullptr) return std::max(std::atoi(rounds), 1);
  return IsFull() ? 3 : 1;
}

std::vector<Row> Rows() {
  std::vector<Row> rows;
  for (const auto& part : {ControlPlaneRows(), AgentRows(), EngineRows()}) {
    std::ranges::copy_if(part, std::back_inserter(rows),
                         [](const Row& row) { return row.always || IsFull(); });
  }
  return rows;
}

class FaultMatrix : public ::testing::TestWithParam<Row> {};

TEST_P(FaultMatrix, ComesRight) {
  const Row& row = GetParam();
  Installation installation;
  std::string why;
  ASSERT_TRUE(installation.StartControlPlane(&why)) << why;
  for (const std::string zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
    installation.StartAgent(zone);
  }
  ASSERT_TRUE(installation.WaitForHosts());
  Groups groups(installation);
  ASSERT_TRUE(groups.MustCreate(kGroup, kMembers));
  const v1::Endpoint primary = groups.Primary(kGroup);
  for (int round = 0; round < Rounds(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    Writer writer(primary, fmt::format("round-{}", round));
    RoleWatch watch(primary);
    ASSERT_TRUE(writer.WritesAgain());
    const std::string before = groups.Leader(kGroup);
    Stage stage{installation, groups, writer};
    row.harm(stage);
    EXPECT_TRUE(writer.WritesAgain()) << groups.Describe(kGroup).DebugString();
    ASSERT_TRUE(groups.AwaitWhole(kGroup, kMembers)) << groups.Describe(kGroup).DebugString();
    EXPECT_TRUE(writer.WritesAgain());
    const std::string after = groups.Leader(kGroup);
    if (row.leader == Leader::kStays) {
      EXPECT_EQ(after, before);
    }
    watch.Stop();
    writer.Stop();
    EXPECT_EQ(watch.violation(), "") << "in " << watch.looks() << " looks";
    EXPECT_LE(writer.Lost(), row.lost_max) << "of " << writer.acknowledged();
    EXPECT_EQ(groups.Primary(kGroup).address(), primary.address());
  }
}

INSTANTIATE_TEST_SUITE_P(When, FaultMatrix, ::testing::ValuesIn(Rows()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace ec::integration
