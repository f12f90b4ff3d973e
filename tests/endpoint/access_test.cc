// Who may connect to an endpoint, with the test as the engine. common/access_test has the rules.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/access_fixture.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;

class AccessTest : public testing::Test {
 protected:
  EndpointCounts counts() const { return ReportOf(server_, 1).counts; }
  void Conform(const SharedNetwork& network) { server_.Conform({Spec(1, address_, 7)}, network); }
  bool IsRefused(Ip4 from) {
    Socket client = Connect(address_, from);
    return !client || client.AwaitEnding() == Ending::kReset;
  }
  // A connection that bytes have gone through.
  std::pair<Socket, Socket> Through(Ip4 from) {
    Socket client = Connect(address_, from);
    Socket behind = engine_.Accept();
    EXPECT_TRUE(client.Send("ping\n"));
    EXPECT_EQ(behind.ReceiveUntil("\n"), "ping\n");
    return {std::move(client), std::move(behind)};
  }

  TempDir directory_;
  const Address address_ = FreshAddress();
  FakeEngine engine_{EngineSocket(directory_, 7)};
  EndpointServer server_{{}, [this](MemberId id) { return EngineSocket(directory_, id); }};
};

TEST_F(AccessTest, WithoutANetworkNobodyConnects) {
  Conform({});
  for (const Ip4 from : {kFriend, kForeigner, kNobody}) EXPECT_TRUE(IsRefused(from));
  EXPECT_TRUE(Eventually([&] {
    return counts() == EndpointCounts{.accepted = 3, .refused = 3, .refused_outside = 3};
  }));
  EXPECT_FALSE(engine_.HasArrival());
}

TEST_F(AccessTest, NoRuleLetsAnyoneInFromOutsideTheVpc) {
  Conform(WithRules({FromAnywhere()}));
  EXPECT_TRUE(IsRefused(kForeigner));
  EXPECT_TRUE(IsRefused(kNobody));
  EXPECT_TRUE(Eventually([&] {
    return counts() == EndpointCounts{.accepted = 2, .refused = 2, .refused_outside = 2};
  }));
  Through(kStranger);
}

TEST_F(AccessTest, InsideTheVpcARuleIsNeeded) {
  Conform(WithRules({FromFriends()}));
  EXPECT_TRUE(IsRefused(kStranger));
  EXPECT_TRUE(Eventually([&] {
    return counts() == EndpointCounts{.accepted = 1, .refused = 1, .refused_by_rules = 1};
  }));
  Through(kFriend);
}

TEST_F(AccessTest, ARuleForAnotherPortLetsNobodyIn) {
  IngressRule rule = FromAnywhere();
  rule.to_port = static_cast<uint16_t>(address_.port - 1);
  Conform(WithRules({rule}));
  EXPECT_TRUE(IsRefused(kFriend));
}

TEST_F(AccessTest, AnEndpointWithoutAVpcLetsOnlyItsPeersIn) {
  EndpointSpec spec = Spec(1, address_, 7);
  spec.door = {.port = address_.port, .peers = {kStranger}};
  server_.Conform({spec}, WithRules({FromAnywhere()}));
  EXPECT_TRUE(IsRefused(kFriend));
  Through(kStranger);
}

TEST_F(AccessTest, ARuleThatGoesTakesItsConnectionsWithItAndNoOthers) {
  IngressRule stranger{.id = "sgr-stranger", .block = Cidr{{0x0a000006}, 32}};
  Conform(WithRules({FromFriends(), stranger}));
  auto [stays, behind_it] = Through(kFriend);
  auto [goes, behind_that] = Through(kStranger);
  Conform(WithRules({FromFriends()}));
  EXPECT_EQ(goes.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(stays.Send("still there\n"));
  EXPECT_EQ(behind_it.ReceiveUntil("\n"), "still there\n");
  EXPECT_TRUE(Eventually([&] { return counts().cut == 1u; }));
  EXPECT_TRUE(IsRefused(kStranger));
}

TEST_F(AccessTest, AnInstanceThatLeavesItsGroupIsCut) {
  Conform(WithRules({FromFriends()}));
  auto [client, behind] = Through(kFriend);
  Network network = AccessNetwork({FromFriends()});
  network.instances[0].groups.clear();
  Conform(SharedNetwork(network));
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
}

TEST_F(AccessTest, AnEndpointThatChangesItsGroupsIsJudgedByTheNewOnes) {
  const SharedNetwork network = WithRules({FromFriends()});
  Conform(network);
  auto [client, behind] = Through(kFriend);
  EndpointSpec spec = Spec(1, address_, 7);
  spec.door.groups = {"sg-friends"};  // which has no rules
  server_.Conform({spec}, network);
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(IsRefused(kFriend));
}

TEST_F(AccessTest, ConnectionsThatWaitForAnEngineAreJudgedAnew) {
  server_.Conform({Spec(1, address_, 0)}, WithRules({FromFriends()}));
  Socket client = Connect(address_, kFriend);
  ASSERT_TRUE(Eventually([&] { return counts().open == 1; }));
  server_.Conform({Spec(1, address_, 0)}, WithRules({}));
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  // The relay may not have taken it over before the rules changed.
  EXPECT_TRUE(Eventually([&] { return counts().cut + counts().refused == 1; }));
}

TEST_F(AccessTest, AReaderReachesItsMembersOnBehalfOfItsClients) {
  const Address reader = {{address_.ip.bits ^ 0x100}, address_.port};  // an address of its own
  EndpointSpec spread = Spec(2, reader, 0);
  spread.spread = {address_};
  EndpointSpec member = Spec(1, address_, 7);
  member.door.peers = {reader.ip};
  member.door.groups.clear();  // nobody else
  server_.Conform({member, spread}, WithRules({FromFriends()}));
  EXPECT_TRUE(IsRefused(kFriend));
  Socket client = Connect(reader, kFriend);
  Socket behind = engine_.Accept();
  EXPECT_TRUE(client.Send("ping\n"));
  EXPECT_EQ(behind.ReceiveUntil("\n"), "ping\n");
}

// --- clients that are not answered ---------------------------------------------------------------

// A connection that is being made.
UniqueFd BeginToConnect(Address to, Ip4 from) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto name_of = [](Address named) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(named.port);
    name.sin_addr.s_addr = htonl(named.ip.bits);
    return name;
  };
  const sockaddr_in own = name_of({from, 0});
  const sockaddr_in peer = name_of(to);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0);
  EXPECT_LT(connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)), 0);
  EXPECT_EQ(errno, EINPROGRESS);
  return fd;
}

class DropTest : public AccessTest {
 protected:
  DropTest() {
    server_ = std::make_unique<EndpointServer>(Settings{.deny = Deny::kDrop}, [this](MemberId id) {
      return EngineSocket(directory_, id);
    });
  }
  EndpointCounts counts() const { return ReportOf(*server_, 1).counts; }
  void Conform(const SharedNetwork& network) { server_->Conform({Spec(1, address_, 7)}, network); }

  std::unique_ptr<EndpointServer> server_;
};

TEST_F(DropTest, WhoMayNotConnectIsNotAnswered) {
  Conform(WithRules({FromFriends()}));
  const UniqueFd client = BeginToConnect(address_, kStranger);
  ASSERT_TRUE(Eventually([&] { return counts().dropped_by_rules == 1; }));
  pollfd answered{.fd = client.get(), .events = POLLOUT, .revents = 0};
  EXPECT_EQ(poll(&answered, 1, 0), 0);
  EXPECT_TRUE(Eventually([&] { return counts() == EndpointCounts{.dropped_by_rules = 1}; }));
  Through(kFriend);
}

TEST_F(DropTest, WhoIsNotAnsweredIsCountedByTheReason) {
  Conform(WithRules({FromAnywhere()}));
  const UniqueFd foreigner = BeginToConnect(address_, kForeigner);
  const UniqueFd nobody = BeginToConnect(address_, kNobody);
  ASSERT_TRUE(Eventually([&] { return counts().dropped_outside == 2; }));
  EXPECT_EQ(counts(), EndpointCounts{.dropped_outside = 2});
  Conform(WithRules({FromFriends()}));
  const UniqueFd stranger = BeginToConnect(address_, kStranger);
  ASSERT_TRUE(Eventually([&] { return counts().dropped_by_rules >= 1; }));
}

// The sockets that hear nothing are at the address, too; but it is no other server's.
TEST_F(DropTest, TheAddressIsTheEndpointsAlone) {
  Conform(WithRules({}));
  EndpointServer other(Settings{.deny = Deny::kDrop},
                       [this](MemberId id) { return EngineSocket(directory_, id); });
  other.Conform({Spec(1, address_, 7)}, WithRules({}));
  EXPECT_EQ(ReportOf(other, 1).trouble, EndpointTrouble::kAddressInUse);
}

// The client's system tries again after a second.
TEST_F(DropTest, ARuleLetsTheWaitingConnectionThrough) {
  Conform(WithRules({}));
  const UniqueFd client = BeginToConnect(address_, kFriend);
  ASSERT_TRUE(Eventually([&] { return counts().dropped_by_rules >= 1; }));
  Conform(WithRules({FromFriends()}));
  pollfd answered{.fd = client.get(), .events = POLLOUT, .revents = 0};
  EXPECT_EQ(poll(&answered, 1, static_cast<int>(kPatience.count()) * 1000), 1);
  EXPECT_TRUE(engine_.Accept());
}

TEST_F(DropTest, WithMoreSourcesThanAFilterHoldsTheOthersAreReset) {
  Conform(WithRules({FromFriends()}));
  Network network = AccessNetwork({FromAnywhere()});
  for (uint32_t i = 0; i < 2100; ++i) {
    const Ip4 source{0x7f0b1000 + i};
    network.instances.push_back({"i-" + std::to_string(i), kVpc, source, source, {}});
  }
  Conform(SharedNetwork(network));
  Socket client = Connect(address_, kNobody);
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  Through(network.instances.back().source);
}

}  // namespace
}  // namespace ec::endpoint
