// Clients that may not connect any more, whose connections real engines were handed.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/access_fixture.h"
#include "tests/endpoint/engine_fixture.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;

class AccessEngineTest : public EngineFixture {
 protected:
  AccessEngineTest() { StartAgent(); }

  // An agent that starts again finds the engines and their connections as they are.
  void StartAgent() {
    server_.reset();
    server_ = std::make_unique<EndpointServer>(
        Settings{}, [this](MemberId id) { return EngineSocket(directory_, id); },
        [this](MemberId id) { return PassingSocket(id); });
  }
  void Conform(const SharedNetwork& network) {
    server_->Conform({Spec(kMember, address_, kMember)}, network);
  }
  void ConformMemcached(const SharedNetwork& network) {
    const Discovery nodes{.version = 1, .nodes = {{.host = "one", .address = address_}}};
    server_->Conform({Spec(kMember, address_, kMember, nodes)}, network);
  }
  EndpointCounts counts() const { return ReportOf(*server_, kMember).counts; }

  static bool Ping(Socket& client) {
    return client.Send("PING\r\n") && client.ReceiveUntil("\r\n") == "+PONG\r\n";
  }
  static bool AskMemcached(Socket& client) {
    return client.Send("mn\r\n") && client.ReceiveUntil("\r\n") == "MN\r\n";
  }

  std::unique_ptr<EndpointServer> server_;
};

TEST_F(AccessEngineTest, ARedisClosesThoseThatMayNotConnectAnyMore) {
  StartRedis();
  Conform(WithRules({FromAnywhere()}));
  Socket stays = Connect(address_, kFriend);
  Socket goes = Connect(address_, kStranger);
  ASSERT_TRUE(Ping(stays) && Ping(goes));
  ASSERT_TRUE(Eventually([&] { return counts().handed_over == 2u; }));
  Conform(WithRules({FromFriends()}));
  EXPECT_EQ(goes.AwaitEnding(), Ending::kEnd);
  EXPECT_TRUE(Ping(stays));
  EXPECT_TRUE(Eventually([&] { return counts().cut == 1u; }));
}

TEST_F(AccessEngineTest, AMemcachedClosesThoseThatMayNotConnectAnyMore) {
  StartMemcached();
  ConformMemcached(WithRules({FromAnywhere()}));
  Socket stays = Connect(address_, kFriend);
  std::vector<Socket> go;
  for (int i = 0; i < 20; ++i) {  // over all of its threads
    go.push_back(Connect(address_, kStranger));
    ASSERT_TRUE(AskMemcached(go.back()));
  }
  ASSERT_TRUE(AskMemcached(stays));
  ConformMemcached(WithRules({FromFriends()}));
  for (Socket& client : go) EXPECT_EQ(client.AwaitEnding(), Ending::kEnd);
  EXPECT_TRUE(AskMemcached(stays));
  EXPECT_TRUE(Eventually([&] { return counts().cut == 20u; }));
}

TEST_F(AccessEngineTest, AClientThatIsBlockedInACommandIsClosedToo) {
  StartRedis();
  Conform(WithRules({FromAnywhere()}));
  Socket client = Connect(address_, kStranger);
  ASSERT_TRUE(Ping(client) && client.Send("BLPOP list 0\r\n"));
  Conform(WithRules({}));
  EXPECT_EQ(client.AwaitEnding(), Ending::kEnd);
}

TEST_F(AccessEngineTest, AnEngineThatHangsClosesThemWhenItGoesOn) {
  StartRedis();
  Conform(WithRules({FromAnywhere()}));
  Socket client = Connect(address_, kStranger);
  ASSERT_TRUE(Ping(client));
  engine_->Signal(SIGSTOP);
  Conform(WithRules({}));
  engine_->Signal(SIGCONT);
  EXPECT_EQ(client.AwaitEnding(), Ending::kEnd);
  // Told again meanwhile, or not: it comes to an end, and then nothing is left to do.
  server_->Sweep();
}

TEST_F(AccessEngineTest, RulesThatChangedWhileTheAgentWasAwayAreEnforcedAtItsStart) {
  StartRedis();
  Conform(WithRules({FromAnywhere()}));
  Socket stays = Connect(address_, kFriend);
  Socket goes = Connect(address_, kStranger);
  ASSERT_TRUE(Ping(stays) && Ping(goes));
  StartAgent();
  Conform(WithRules({FromFriends()}));
  EXPECT_EQ(goes.AwaitEnding(), Ending::kEnd);
  EXPECT_TRUE(Ping(stays));
}

TEST_F(AccessEngineTest, EachEndpointIsJudgedByItsOwnGroups) {
  StartRedis();
  const Address other = FreshAddress();
  EndpointSpec primary = Spec(2, other, kMember);
  const SharedNetwork network = WithRules({FromAnywhere()});
  server_->Conform({Spec(kMember, address_, kMember), primary}, network);
  Socket here = Connect(address_, kStranger);
  Socket there = Connect(other, kStranger);
  ASSERT_TRUE(Ping(here) && Ping(there));
  primary.door.groups = {"sg-friends"};
  server_->Conform({Spec(kMember, address_, kMember), primary}, network);
  EXPECT_EQ(there.AwaitEnding(), Ending::kEnd);
  EXPECT_TRUE(Ping(here));
}

}  // namespace
}  // namespace ec::endpoint
