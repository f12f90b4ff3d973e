// Connections that are handed to real engines.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/netcard.h"
#include "nodeagent/endpoint/discovery_reply.h"
#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/engine_fixture.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;

const Discovery kNodes{.version = 3,
                       .nodes = {{.host = "one", .address = {.ip = {0x7f0a0004}, .port = 11211}}}};

class HandoverEngineTest : public EngineFixture {
 protected:
  HandoverEngineTest()
      : server_(
            {}, [this](MemberId id) { return EngineSocket(directory_, id); },
            [this](MemberId id) { return PassingSocket(id); }) {}

  EndpointCounts counts(EndpointId id) const { return ReportOf(server_, id).counts; }
  bool ComesTo(EndpointId id, EndpointCounts wanted) const {
    return Eventually([&] { return counts(id) == wanted; });
  }
  // A client that has been served.
  Socket Client(Address address) {
    Socket client = Connect(address);
    EXPECT_TRUE(Ping(client));
    return client;
  }
  static bool Ping(Socket& client) {
    return client.Send("PING\r\n") && client.ReceiveUntil("\r\n") == "+PONG\r\n";
  }

  OpenServer server_;
};

// --- Redis --------------------------------------------------------------------------------------

TEST_F(HandoverEngineTest, ARedisHasTheClientsOwnConnection) {
  StartRedis();
  server_.Conform({Spec(1, address_, kMember)});
  Socket client = Client(address_);
  EXPECT_TRUE(ComesTo(1, {.accepted = 1, .handed_over = 1}));  // the engine may answer first
  EXPECT_EQ(ReportOf(server_, 1).carry, Carry::kHandOver);
  sockaddr_in name{};
  socklen_t length = sizeof(name);
  getsockname(client.fd(), reinterpret_cast<sockaddr*>(&name), &length);
  EXPECT_TRUE(client.Send("CLIENT INFO\r\n"));
  const std::string info = client.ReceiveUntil("\r\n") + client.ReceiveUntil("\n");
  EXPECT_NE(info.find(" addr=127.0.0.1:" + std::to_string(ntohs(name.sin_port)) + " "),
            std::string::npos)
      << info;
  EXPECT_NE(info.find(" laddr=" + ToString(address_) + " "), std::string::npos) << info;
}

TEST_F(HandoverEngineTest, AnEngineThatSpeaksTlsIsPassedTheEndOfARelayedConnection) {
  StartRedis();
  Settings settings;
  settings.carry = Carry::kRelay;
  OpenServer server(
      settings, [this](MemberId id) { return EngineSocket(directory_, id) + ".unused"; },
      [this](MemberId id) { return PassingSocket(id); });
  EndpointSpec spec = Spec(1, address_, kMember);
  spec.encrypted = true;
  server.Conform({spec});
  std::vector<Socket> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(Connect(address_));
  for (Socket& client : clients) EXPECT_TRUE(Ping(client));
  EXPECT_TRUE(CountsTo(server, 1, {.accepted = 50, .relayed = 50, .open = 50}));
  engine_->Kill();
  for (Socket& client : clients) EXPECT_NE(client.AwaitEnding(), Ending::kTimeout);
  StartRedis();
  Socket again = Connect(address_);
  EXPECT_TRUE(Ping(again));
  server.Conform({});
  EXPECT_NE(again.AwaitEnding(), Ending::kTimeout);
}

TEST_F(HandoverEngineTest, AChangedEndpointHasExactlyItsOwnClientsCut) {
  StartRedis();
  const Address other = FreshAddress();
  server_.Conform({Spec(1, address_, kMember), Spec(2, other, kMember)});
  Socket first = Client(address_);
  Socket second = Client(address_);
  Socket bystander = Client(other);
  const std::vector<EndpointReport> reports =
      server_.Conform({Spec(1, address_, kMember + 1), Spec(2, other, kMember)});
  EXPECT_EQ(reports.at(0).counts, (EndpointCounts{.accepted = 2, .handed_over = 2, .cut = 2}));
  EXPECT_NE(first.AwaitEnding(), Ending::kTimeout);
  EXPECT_NE(second.AwaitEnding(), Ending::kTimeout);
  EXPECT_TRUE(Ping(bystander));
  server_.Conform({});
  EXPECT_NE(bystander.AwaitEnding(), Ending::kTimeout);
}

TEST_F(HandoverEngineTest, AClientThatIsStillUnderWayIsCutAsWell) {
  StartRedis();
  server_.Conform({Spec(1, address_, kMember)});
  for (int round = 0; round < 20; ++round) {
    engine_->Signal(SIGSTOP);
    std::vector<Socket> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(Connect(address_));
    const auto seen = static_cast<uint64_t>(5 * (round + 1));
    EXPECT_TRUE(Eventually([&] { return counts(1).handed_over == seen; }));
    engine_->Signal(SIGCONT);
    server_.Conform({Spec(1, address_, kMember + 1)});
    for (Socket& client : clients) EXPECT_NE(client.AwaitEnding(), Ending::kTimeout);
    server_.Conform({Spec(1, address_, kMember)});
  }
}

TEST_F(HandoverEngineTest, AHungEngineHoldsNobodyUpAndCutsItsClientsWhenItGoesOn) {
  StartRedis();
  server_.Conform({Spec(1, address_, kMember)});
  Socket client = Client(address_);
  engine_->Signal(SIGSTOP);
  const SystemClock clock;
  const Instant before = clock.now().instant;
  server_.Conform({});
  EXPECT_LT(clock.now().instant - before, std::chrono::seconds(5));
  engine_->Signal(SIGCONT);
  EXPECT_NE(client.AwaitEnding(), Ending::kTimeout);
}

TEST_F(HandoverEngineTest, ConnectionsWaitForAnEngineThatIsJustStarted) {
  server_.Conform({Spec(1, address_, kMember)});
  std::vector<Socket> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(Connect(address_));
    EXPECT_TRUE(clients.back().Send("PING\r\n"));
  }
  EXPECT_TRUE(ComesTo(1, {.accepted = 30, .open = 30}));
  StartRedis();
  for (Socket& client : clients) EXPECT_EQ(client.ReceiveUntil("\r\n"), "+PONG\r\n");
  EXPECT_TRUE(ComesTo(1, {.accepted = 30, .handed_over = 30}));
  // And again, when there was one before.
  engine_->Kill();
  Socket late = Connect(address_);
  EXPECT_TRUE(late.Send("PING\r\n"));
  StartRedis();
  EXPECT_EQ(late.ReceiveUntil("\r\n"), "+PONG\r\n");
}

TEST_F(HandoverEngineTest, ConnectionsThatAnEngineHasNoRoomForWaitAndAreAllServed) {
  StartRedis();
  server_.Conform({Spec(1, address_, kMember)});
  engine_->Signal(SIGSTOP);
  constexpr size_t kClients = 700;  // more than any queue
  std::vector<Socket> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(Connect(address_));
    EXPECT_TRUE(clients.back().Send("PING\r\n"));
  }
  EXPECT_TRUE(Eventually([&] { return counts(1).accepted == kClients && counts(1).open > 0; }));
  engine_->Signal(SIGCONT);
  for (Socket& client : clients) EXPECT_EQ(client.ReceiveUntil("\r\n"), "+PONG\r\n");
  EXPECT_TRUE(ComesTo(1, {.accepted = kClients, .handed_over = kClients}));
}

TEST_F(HandoverEngineTest, AnEngineWithoutANetworkCardGetsTheRelay) {
  const auto plain = ec::endpoint::StartRedis(EngineSocket(directory_, kMember));
  server_.Conform({Spec(1, address_, kMember)});
  EXPECT_EQ(ReportOf(server_, 1).carry, Carry::kHandOver) << "as nobody has come yet";
  Socket client = Client(address_);
  EXPECT_TRUE(ComesTo(1, {.accepted = 1, .relayed = 1, .open = 1}));
  EXPECT_EQ(ReportOf(server_, 1).carry, Carry::kRelay);
  // Its successor has one.
  plain->Kill();
  EXPECT_NE(client.AwaitEnding(), Ending::kTimeout);
  StartRedis();
  Socket next = Client(address_);
  EXPECT_TRUE(Eventually([&] { return counts(1).handed_over == 1; }));  // it may answer first
  EXPECT_EQ(ReportOf(server_, 1).carry, Carry::kHandOver);
}

TEST_F(HandoverEngineTest, WaitingConnectionsAreRefusedInTheEndAndCutByAChange) {
  Settings settings;
  settings.hold_max = std::chrono::milliseconds(50);
  OpenServer server(
      settings, [this](MemberId id) { return EngineSocket(directory_, id); },
      [this](MemberId id) { return PassingSocket(id); });
  server.Conform({Spec(1, address_, kMember)});
  EXPECT_EQ(Connect(address_).AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(Eventually(
      [&] { return ReportOf(server, 1).counts == EndpointCounts{.accepted = 1, .refused = 1}; }));

  server_.Conform({Spec(2, FreshAddress(), kMember)});
  const Address waits = FreshAddress();
  server_.Conform({Spec(3, waits, kMember)});
  Socket client = Connect(waits);
  EXPECT_TRUE(ComesTo(3, {.accepted = 1, .open = 1}));
  server_.Conform({Spec(3, waits, kMember + 1)});
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(ComesTo(3, {.accepted = 1, .cut = 1}));
}

// --- Memcached ----------------------------------------------------------------------------------

TEST_F(HandoverEngineTest, AMemcachedClientIsLookedAtFirst) {
  StartMemcached();
  server_.Conform({Spec(kMember, address_, kMember, kNodes)});
  const DiscoveryReplies replies = RepliesFor(kNodes);
  uint64_t talks = 0;
  const auto talk = [&](const std::string& first, const std::string& rest,
                        const std::string& reply) {
    Socket client = Connect(address_);
    EXPECT_TRUE(client.Send(first));
    ++talks;
    EXPECT_TRUE(Eventually([&] { return counts(kMember).accepted == talks; }));
    poll(nullptr, 0, 20);  // the rest comes in a packet of its own
    EXPECT_TRUE(client.Send(rest));
    EXPECT_EQ(client.Receive(reply.size()), reply);
  };
  talk("con", "fig get cluster\r\n", replies.config);
  talk("get AmazonElast", "iCache:cluster\r\n", replies.legacy);
  EXPECT_TRUE(ComesTo(kMember, {.accepted = 2, .relayed = 2}));
  talk("co", "mplete nonsense\r\n", "ERROR\r\n");
  talk("g", "et k\r\n", "END\r\n");
  talk("set k 0 0 20\r\nconfig get", " cluster\r\n\r\n", "STORED\r\n");
  talk(std::string("\x80\x0b", 2), std::string(22, '\0'), "\x81\x0b");  // the binary protocol
  EXPECT_TRUE(ComesTo(kMember, {.accepted = 6, .handed_over = 4, .relayed = 2}));
  EXPECT_EQ(ReportOf(server_, kMember).carry, Carry::kFirstBytes);
}

TEST_F(HandoverEngineTest, ASilentMemcachedClientWaitsAndMayLeave) {
  StartMemcached();
  server_.Conform({Spec(kMember, address_, kMember, kNodes)});
  Socket silent = Connect(address_);
  Socket leaves = Connect(address_);
  Socket half = Connect(address_);
  EXPECT_TRUE(half.Send("con"));
  EXPECT_TRUE(ComesTo(kMember, {.accepted = 3, .open = 3}));
  leaves.Close();
  half.SendEnd();  // no more will come: that is no discovery command
  EXPECT_TRUE(ComesTo(kMember, {.accepted = 3, .handed_over = 1, .open = 1}));
  EXPECT_TRUE(silent.Send("mn\r\n"));
  EXPECT_EQ(silent.ReceiveUntil("\r\n"), "MN\r\n");
  EXPECT_TRUE(ComesTo(kMember, {.accepted = 3, .handed_over = 2}));
}

TEST_F(HandoverEngineTest, AConfigurationEndpointIsRelayed) {
  StartMemcached();
  server_.Conform({Spec(99, address_, kMember, kNodes)});
  Socket client = Connect(address_);
  EXPECT_TRUE(client.Send("mn\r\nconfig get cluster\r\n"));
  const std::string expected = "MN\r\n" + RepliesFor(kNodes).config;
  EXPECT_EQ(client.Receive(expected.size()), expected);
  EXPECT_TRUE(Eventually(
      [&] { return counts(99) == EndpointCounts{.accepted = 1, .relayed = 1, .open = 1}; }));
}

}  // namespace
}  // namespace ec::endpoint
