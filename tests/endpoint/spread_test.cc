// Endpoints that hold their connections, and endpoints that spread them over others.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;

bool Speak(Socket& client, Socket& behind) {
  return client.Send("ping\n") && behind.ReceiveUntil("\n") == "ping\n" && behind.Send("pong\n") &&
         client.ReceiveUntil("\n") == "pong\n";
}

class HoldTest : public testing::Test {
 protected:
  std::string PathOf(MemberId target) const { return EngineSocket(directory_, target); }
  EndpointCounts counts() const { return ReportOf(server_, 1).counts; }
  bool Opens(uint64_t count) const {
    return Eventually([&] { return counts().open == count; });
  }

  TempDir directory_;
  const Address address_ = FreshAddress();
  OpenServer server_{{}, [this](MemberId id) { return PathOf(id); }};
};

TEST_F(HoldTest, HeldConnectionsGoThroughOnceThereIsATarget) {
  FakeEngine engine(PathOf(7));
  server_.Conform({Spec(1, address_, 0)});
  Socket client = Connect(address_);
  ASSERT_TRUE(client.Send("before\n"));
  ASSERT_TRUE(Opens(1));
  EXPECT_FALSE(engine.HasArrival());
  server_.Conform({Spec(1, address_, 7)});
  Socket behind = engine.Accept();
  EXPECT_EQ(behind.ReceiveUntil("\n"), "before\n");
  EXPECT_TRUE(Speak(client, behind));
  EXPECT_TRUE(Eventually(
      [&] { return counts() == EndpointCounts{.accepted = 1, .relayed = 1, .open = 1}; }));
}

TEST_F(HoldTest, ATargetThatIsTakenAwayTakesItsConnectionsWithIt) {
  FakeEngine engine(PathOf(7));
  server_.Conform({Spec(1, address_, 7)});
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  ASSERT_TRUE(Speak(client, behind));
  server_.Conform({Spec(1, address_, 0)});
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(Eventually(
      [&] { return counts() == EndpointCounts{.accepted = 1, .relayed = 1, .cut = 1}; }));
  Socket next = Connect(address_);
  ASSERT_TRUE(Opens(1));
  EXPECT_FALSE(engine.HasArrival());
}

// A client that has come again before the death of its engine was known.
TEST_F(HoldTest, HeldConnectionsStayHeldWhenTheirTargetIsTakenAway) {
  server_.Conform({Spec(1, address_, 7)});
  Socket client = Connect(address_);
  ASSERT_TRUE(Opens(1));
  server_.Conform({Spec(1, address_, 0)});
  FakeEngine other(PathOf(8));
  server_.Conform({Spec(1, address_, 8)});
  Socket behind = other.Accept();
  EXPECT_TRUE(Speak(client, behind));
}

TEST_F(HoldTest, ConnectionsAreNotHeldForever) {
  OpenServer server({.hold_max = std::chrono::milliseconds(50)}, [](MemberId) { return ""; });
  server.Conform({Spec(1, address_, 0)});
  Socket client = Connect(address_);
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(Eventually([&] { return ReportOf(server, 1).counts.refused == 1; }));
}

// Three endpoints with an engine each, and one that spreads over them.
class SpreadTest : public HoldTest {
 protected:
  SpreadTest() {
    for (size_t i = 0; i < 3; ++i) addresses_.push_back(FreshAddress());
    Spread(addresses_);
  }
  void Spread(std::vector<Address> addresses) {
    std::vector<EndpointSpec> specs = {Spec(1, address_, 0)};
    specs[0].spread = std::move(addresses);
    for (MemberId id = 2; id <= 4; ++id) specs.push_back(Spec(id, addresses_[id - 2], id));
    server_.Conform(specs);
  }

  std::vector<Address> addresses_;
  FakeEngine engines_[3] = {FakeEngine(PathOf(2)), FakeEngine(PathOf(3)), FakeEngine(PathOf(4))};
};

TEST_F(SpreadTest, GivesEachConnectionToTheNextAddress) {
  std::vector<Socket> clients;
  for (int round = 0; round < 2; ++round) {
    for (FakeEngine& engine : engines_) {
      clients.push_back(Connect(address_));
      Socket behind = engine.Accept();
      EXPECT_TRUE(Speak(clients.back(), behind));
    }
  }
}

TEST_F(SpreadTest, CountsLikeAnyOther) {
  Socket client = Connect(address_);
  Socket behind = engines_[0].Accept();
  EXPECT_TRUE(Speak(client, behind));
  EXPECT_TRUE(Eventually(
      [&] { return counts() == EndpointCounts{.accepted = 1, .relayed = 1, .open = 1}; }));
  client.Close();
  EXPECT_TRUE(Eventually([&] {
    behind.AwaitEnding();
    behind.Close();
    return counts() == EndpointCounts{.accepted = 1, .relayed = 1};
  }));
}

TEST_F(SpreadTest, CutsOnlyThoseWhoseAddressIsGone) {
  std::vector<Socket> clients;
  std::vector<Socket> behind;
  for (FakeEngine& engine : engines_) {
    clients.push_back(Connect(address_));
    behind.push_back(engine.Accept());
    ASSERT_TRUE(Speak(clients.back(), behind.back()));
  }
  Spread({addresses_[2], addresses_[0]});
  EXPECT_EQ(clients[1].AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(Speak(clients[0], behind[0]));
  EXPECT_TRUE(Speak(clients[2], behind[2]));
  EXPECT_TRUE(Eventually([&] {
    return counts() == EndpointCounts{.accepted = 3, .relayed = 3, .cut = 1, .open = 2};
  }));
}

TEST_F(SpreadTest, PassesOverAnAddressThatRefuses) {
  Spread({FreshAddress(), addresses_[1]});
  std::vector<Socket> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(Connect(address_));
    Socket behind = engines_[1].Accept();
    EXPECT_TRUE(Speak(clients.back(), behind));
  }
}

// Nobody takes connections off this socket, and there is no room for more.
TEST_F(SpreadTest, PassesOverAnAddressThatDoesNotAnswer) {
  const Address deaf = FreshAddress();
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(deaf.port);
  name.sin_addr.s_addr = htonl(deaf.ip.bits);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  const Socket fills = Connect(deaf);
  Spread({deaf, addresses_[1]});
  std::vector<Socket> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(Connect(address_));
    Socket behind = engines_[1].Accept();
    EXPECT_TRUE(Speak(clients.back(), behind));
  }
}

TEST_F(SpreadTest, HoldsWhileItsListIsEmpty) {
  Spread({});
  Socket client = Connect(address_);
  ASSERT_TRUE(client.Send("before\n"));
  ASSERT_TRUE(Opens(1));
  Spread({addresses_[2]});
  Socket behind = engines_[2].Accept();
  EXPECT_EQ(behind.ReceiveUntil("\n"), "before\n");
  EXPECT_TRUE(Speak(client, behind));
  EXPECT_TRUE(Eventually(
      [&] { return counts() == EndpointCounts{.accepted = 1, .relayed = 1, .open = 1}; }));
}

TEST_F(SpreadTest, EndsAConnectionWhoseEngineEndsIt) {
  Socket client = Connect(address_);
  Socket behind = engines_[0].Accept();
  ASSERT_TRUE(Speak(client, behind));
  behind.Close();
  EXPECT_NE(client.AwaitEnding(), Ending::kTimeout);
}

}  // namespace
}  // namespace ec::endpoint
