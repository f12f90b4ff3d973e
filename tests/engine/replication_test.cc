// Real Redis engines behind real endpoints: they follow, prove, pause, lead, and answer.
#include "nodeagent/engine/replication.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/process.h"
#include "nodeagent/endpoint/endpoint_server.h"
#include "nodeagent/engine/member_directory.h"
#include "nodeagent/engine/programs.h"
#include "tests/endpoint/support.h"

namespace ec::engine {
namespace {

using endpoint::Connect;
using endpoint::EndpointServer;
using endpoint::Eventually;
using endpoint::FreshAddress;
using endpoint::Socket;
using endpoint::TempDir;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// Launched as the agent launches it; dies with the test.
class Engine {
 public:
  Engine(const std::string& members, const MemberSpec& spec, const Program& program) {
    Result<Spawned> spawned =
        MemberDirectory(members, spec.id).Start({.spec = spec, .launch = 1}, program, Machine{});
    EXPECT_TRUE(spawned.ok()) << spawned.status().message();
    if (spawned.ok()) spawned_ = std::move(*spawned);
  }
  ~Engine() { Kill(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void Signal(int signal) { SendSignal(spawned_.pidfd, signal); }
  void Kill() {
    if (!spawned_.pidfd) return;
    Signal(SIGKILL);
    pollfd gone{.fd = spawned_.pidfd.get(), .events = POLLIN, .revents = 0};
    poll(&gone, 1, 20'000);
    waitpid(spawned_.id.pid, nullptr, 0);
    spawned_.pidfd.reset();
  }

 private:
  Spawned spawned_;
};

ReplicationSpec Leads(uint64_t epoch, std::vector<Address> followers) {
  return {.epoch = epoch, .leads = true, .followers = std::move(followers)};
}
ReplicationSpec Follows(uint64_t epoch, Address leader) {
  return {.epoch = epoch, .leader = leader};
}

// Three members at addresses of their own. The first leads.
class ReplicationTest : public ::testing::Test {
 protected:
  ReplicationTest()
      : program_(FindPrograms("").at(EngineKind::kRedis)),
        endpoints_({}, [this](MemberId id) { return SocketPath(id); }),
        replicator_(io_) {
    std::vector<EndpointSpec> specs;
    for (MemberId id = 1; id <= 3; ++id) {
      addresses_[id] = FreshAddress();
      specs.push_back({.id = id, .listen = addresses_[id], .target = id});
      specs.back().door.peers = {*ParseIp4("127.0.0.1"), addresses_[id].ip};
    }
    endpoints_.Conform(specs, SharedNetwork());
    wish_ = Leads(1, {addresses_[2], addresses_[3]});
  }

  void Start(MemberId id, std::optional<ReplicationSpec> part) {
    MemberSpec spec;
    spec.id = id;
    spec.address = addresses_.at(id);
    spec.replication = std::move(part);
    spec.access = EngineAccess{"admin", "replication", {}, 1};
    spec.access->users = {{"default", "default", {"on", "nopass", "~*", "&*", "+@all"}}};
    engines_[id] = std::make_unique<Engine>(members_.path(), spec, program_);
    ASSERT_TRUE(Eventually([&] { return Command(id, "PING") == "+PONG\r\n"; }));
  }
  // A leader and its followers, all in sync.
  void StartGroup() {
    Start(1, wish_);
    for (const MemberId id : {2, 3}) Start(id, Follows(1, addresses_[1]));
    ASSERT_TRUE(Eventually([&] { return Look(1, wish_).seen.in_sync.size() == 2; }));
  }

  // One look, which knows what the last one saw.
  host::ReplicationSynced Look(MemberId id, std::optional<ReplicationSpec> spec, uint64_t ask = 0,
                               int64_t at_least = 0, bool look_only = false) {
    host::SyncReplication sync{id,        1,         ++turn_, std::move(spec),
                               look_only, seen_[id], ask,     at_least};
    std::optional<host::ReplicationSynced> synced;
    replicator_.Sync(sync, SocketPath(id), [&](const auto& answer) { synced = answer; });
    io_.restart();
    while (!synced) io_.run_one();
    EXPECT_EQ(synced->turn, sync.turn);
    if (synced->ok) seen_[id] = synced->seen;
    return *synced;
  }
  bool Follow(MemberId id, uint64_t epoch, MemberId leader) {
    return Eventually([&] { return Look(id, Follows(epoch, addresses_[leader])).seen.link_up; });
  }

  // A client's command through the member's own endpoint; the first line of the reply.
  std::string Command(MemberId id, const std::string& command) {
    Socket client = Connect(addresses_.at(id));
    client.Send(command + "\r\n");
    return client.ReceiveUntil("\r\n");
  }
  std::string SocketPath(MemberId id) const {
    return MemberDirectory(members_.path(), id).socket_path();
  }

  TempDir members_;
  const Program program_;
  std::map<MemberId, Address> addresses_;
  std::map<MemberId, std::unique_ptr<Engine>> engines_;
  EndpointServer endpoints_;
  boost::asio::io_context io_;
  Replicator replicator_;
  uint64_t turn_ = 0;
  std::map<MemberId, ReplicationReport> seen_;
  ReplicationSpec wish_;  // for the first
};

TEST_F(ReplicationTest, FollowersTakeWhatTheLeaderHasAndRefuseWrites) {
  Start(1, wish_);
  EXPECT_EQ(Command(1, "SET key before"), "+OK\r\n");
  Start(2, Follows(1, addresses_[1]));
  EXPECT_THAT(Command(2, "SET key mine"), StartsWith("-READONLY"));
  ASSERT_TRUE(Follow(2, 1, 1));
  EXPECT_EQ(seen_[2].epoch, 1u);
  EXPECT_FALSE(seen_[2].leads);
  EXPECT_EQ(Command(1, "SET another key"), "+OK\r\n");
  EXPECT_TRUE(Eventually([&] { return Look(2, Follows(1, addresses_[1])).seen.offset > 0; }));
  Socket client = Connect(addresses_[2]);
  client.Send("GET key\r\n");
  EXPECT_EQ(client.ReceiveUntil("before\r\n"), "$6\r\nbefore\r\n");
}

TEST_F(ReplicationTest, ALeaderThatWasAloneFindsItsFollowersInSync) {
  Start(1, wish_);
  EXPECT_TRUE(Look(1, wish_).ok);
  EXPECT_TRUE(seen_[1].leads);
  EXPECT_THAT(seen_[1].in_sync, IsEmpty());
  Start(2, Follows(1, addresses_[1]));
  ASSERT_TRUE(Eventually([&] { return !Look(1, wish_).seen.in_sync.empty(); }));
  EXPECT_THAT(seen_[1].in_sync, ElementsAre(addresses_[2]));
  engines_[2]->Kill();
  ASSERT_TRUE(Eventually([&] { return Look(1, wish_).seen.in_sync.empty(); }));
}

TEST_F(ReplicationTest, ANewProofCountsOnlyThoseThatHaveAcknowledgedIt) {
  StartGroup();
  wish_.proof = 4;
  EXPECT_EQ(Look(1, wish_).seen.proof, 4u);
  EXPECT_THAT(seen_[1].in_sync, UnorderedElementsAre(addresses_[2], addresses_[3]));
  engines_[3]->Signal(SIGSTOP);
  EXPECT_EQ(Look(1, wish_).seen.in_sync.size(), 2u);  // proved, and still connected
  wish_.proof = 5;
  EXPECT_EQ(Look(1, wish_).seen.proof, 5u);
  EXPECT_THAT(seen_[1].in_sync, ElementsAre(addresses_[2]));
  engines_[3]->Signal(SIGCONT);
  EXPECT_TRUE(Eventually([&] { return Look(1, wish_).seen.in_sync.size() == 2; }));
}

TEST_F(ReplicationTest, WhatAnEarlierEpochProvedIsProvedAgain) {
  StartGroup();
  engines_[3]->Signal(SIGSTOP);
  wish_.epoch = 2;
  EXPECT_TRUE(Look(1, wish_).ok);
  EXPECT_THAT(seen_[1].in_sync, ElementsAre(addresses_[2]));
  engines_[3]->Signal(SIGCONT);
}

TEST_F(ReplicationTest, APausedLeaderHoldsWritesAndItsOffsetUntilItGoesOn) {
  StartGroup();
  wish_.paused = true;
  EXPECT_TRUE(Look(1, wish_).seen.paused);
  const int64_t offset = seen_[1].offset;
  Socket client = Connect(addresses_[1]);
  ASSERT_TRUE(client.Send("SET key value\r\n"));
  EXPECT_EQ(Command(1, "PING"), "+PONG\r\n");  // it has seen the SET by now
  wish_.proof = 9;                             // which would not come to an end
  EXPECT_TRUE(Look(1, wish_).seen.paused);
  EXPECT_EQ(seen_[1].offset, offset);
  EXPECT_EQ(seen_[1].proof, 0u);
  wish_.paused = false;
  EXPECT_FALSE(Look(1, wish_).seen.paused);
  EXPECT_EQ(client.ReceiveUntil("\r\n"), "+OK\r\n");
}

// It is a client's own business to pause an engine.
TEST_F(ReplicationTest, APauseThatNobodyWishedForIsLeftAlone) {
  StartGroup();
  EXPECT_EQ(Command(1, "CLIENT PAUSE 100000 WRITE"), "+OK\r\n");
  EXPECT_TRUE(Look(1, wish_).ok);
  Socket client = Connect(addresses_[1]);
  ASSERT_TRUE(client.Send("SET key value\r\n"));
  EXPECT_EQ(Command(1, "PING"), "+PONG\r\n");
  pollfd answered{.fd = client.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&answered, 1, 50), 0);
  EXPECT_EQ(Command(1, "CLIENT UNPAUSE"), "+OK\r\n");
  EXPECT_EQ(client.ReceiveUntil("\r\n"), "+OK\r\n");
}

TEST_F(ReplicationTest, AFollowerTakesOverFromALeaderThatHasDied) {
  StartGroup();
  EXPECT_EQ(Command(1, "SET key value"), "+OK\r\n");
  wish_.proof = 2;
  ASSERT_EQ(Look(1, wish_).seen.in_sync.size(), 2u);
  engines_[1]->Kill();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(Look(2, Leads(2, {addresses_[1], addresses_[3]})).ok);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  fmt::print("promoted in {:.2f} ms\n", took.count());
  EXPECT_TRUE(seen_[2].leads);
  EXPECT_EQ(seen_[2].epoch, 2u);
  EXPECT_EQ(Command(2, "SET key other"), "+OK\r\n");
  EXPECT_TRUE(Follow(3, 2, 2));
  EXPECT_TRUE(Eventually([&] {
    return Look(2, Leads(2, {addresses_[1], addresses_[3]})).seen.in_sync.size() == 1;
  }));
}

TEST_F(ReplicationTest, APlannedChangeOfLeaderLosesNothing) {
  StartGroup();
  for (int i = 0; i < 100; ++i) Command(1, fmt::format("INCR counter"));
  wish_.paused = true;
  ASSERT_TRUE(Look(1, wish_).seen.paused);
  ASSERT_EQ(Look(2, Follows(1, addresses_[1]), 7, seen_[1].offset).seen.answers, 7u);
  EXPECT_EQ(seen_[2].offset, seen_[1].offset);
  EXPECT_TRUE(Look(1, Follows(2, addresses_[2])).ok);  // first the old one
  EXPECT_THAT(Command(1, "INCR counter"), StartsWith("-READONLY"));
  EXPECT_TRUE(Look(2, Leads(2, {addresses_[1], addresses_[3]})).ok);
  EXPECT_EQ(Command(2, "INCR counter"), ":101\r\n");
  EXPECT_TRUE(Follow(1, 2, 2));
  EXPECT_TRUE(Follow(3, 2, 2));
}

TEST_F(ReplicationTest, AFollowerBecomesAMasterOfItsOwnWithWhatItHas) {
  StartGroup();
  EXPECT_EQ(Command(1, "SET key value"), "+OK\r\n");
  ASSERT_EQ(Look(3, Follows(1, addresses_[1]), 1, Look(1, wish_).seen.offset).seen.answers, 1u);
  EXPECT_TRUE(Look(3, std::nullopt).ok);
  EXPECT_EQ(seen_[3].epoch, 0u);
  EXPECT_EQ(Command(3, "STRLEN key"), ":5\r\n");
  EXPECT_EQ(Command(3, "SET key other"), "+OK\r\n");
  EXPECT_EQ(Command(1, "STRLEN key"), ":5\r\n");
}

TEST_F(ReplicationTest, AStandaloneBecomesAFollowerAsItRuns) {
  Start(1, std::nullopt);
  Start(2, std::nullopt);
  EXPECT_EQ(Command(1, "SET key of-the-first"), "+OK\r\n");
  EXPECT_EQ(Command(2, "SET own data"), "+OK\r\n");
  ASSERT_TRUE(Follow(2, 1, 1));
  EXPECT_EQ(Command(2, "EXISTS own key"), ":1\r\n");
  ASSERT_TRUE(Eventually([&] { return !Look(1, wish_).seen.in_sync.empty(); }));
  EXPECT_THAT(seen_[1].in_sync, ElementsAre(addresses_[2]));  // as it announces itself
}

TEST_F(ReplicationTest, AQuestionWaitsForTheOffsetAndIsLeftOpenIfThatDoesNotCome) {
  StartGroup();
  const int64_t offset = Look(1, wish_).seen.offset;
  EXPECT_EQ(Look(2, Follows(1, addresses_[1]), 5, offset).seen.answers, 5u);
  EXPECT_GE(seen_[2].offset, offset);
  const auto open = Look(2, Follows(1, addresses_[1]), 6, offset + 1'000'000);
  EXPECT_TRUE(open.ok);
  EXPECT_EQ(open.seen.answers, 0u);
  EXPECT_EQ(Look(1, wish_, 8, offset).seen.answers, 8u);
}

TEST_F(ReplicationTest, ALookChangesNothing) {
  StartGroup();
  EXPECT_FALSE(Look(2, Leads(2, {}), 0, 0, /*look_only=*/true).ok);
  EXPECT_THAT(Command(2, "SET key value"), StartsWith("-READONLY"));
  EXPECT_FALSE(Look(1, Follows(2, addresses_[2]), 0, 0, /*look_only=*/true).ok);
  EXPECT_TRUE(Look(1, wish_, 0, 0, /*look_only=*/true).ok);
}

TEST_F(ReplicationTest, AnEngineThatIsNotThereOrStandsStillIsNotReached) {
  EXPECT_FALSE(Look(1, wish_).ok);
  Start(1, wish_);
  engines_[1]->Signal(SIGSTOP);
  EXPECT_FALSE(Look(1, wish_).ok);
  engines_[1]->Signal(SIGCONT);
  EXPECT_TRUE(Look(1, wish_).ok);
}

TEST_F(ReplicationTest, ANewLookTakesThePlaceOfOneThatIsUnderWay) {
  StartGroup();
  bool first_told = false;
  replicator_.Sync({.id = 2,
                    .launch = 1,
                    .spec = Follows(1, addresses_[1]),
                    .ask = 1,
                    .at_least = 1'000'000'000},
                   SocketPath(2), [&](const auto&) { first_told = true; });
  EXPECT_TRUE(Look(2, Leads(2, {})).seen.leads);
  io_.restart();
  io_.run();
  EXPECT_FALSE(first_told);
}

}  // namespace
}  // namespace ec::engine
