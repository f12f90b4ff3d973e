// Endpoints that come, change and go. What happens to the bytes is in relay_test.cc.
#include "nodeagent/endpoint/endpoint_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;

class EndpointServerTest : public testing::Test {
 protected:
  static Settings Quick() {
    Settings settings;
    settings.hold_max = std::chrono::milliseconds(50);
    return settings;
  }

  std::string PathOf(MemberId member) const { return EngineSocket(directory_, member); }
  std::function<std::string(MemberId)> Paths() const {
    return [this](MemberId member) { return PathOf(member); };
  }
  // Whether a byte travels from the client to the engine's side and back.
  static bool Speak(Socket& client, Socket& engine) {
    return client.Send("?") && engine.Receive(1) == "?" && engine.Send("!") &&
           client.Receive(1) == "!";
  }

  TempDir directory_;
  const Address address_ = FreshAddress();
};

TEST_F(EndpointServerTest, ListensWhereItIsToldTo) {
  FakeEngine engine(PathOf(7));
  OpenServer server({}, Paths());
  const std::vector<EndpointReport> reports = server.Conform({Spec(1, address_, 7)});
  EXPECT_EQ(reports, (std::vector<EndpointReport>{{.id = 1, .listening = true}}));
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  EXPECT_TRUE(Speak(client, behind));
}

TEST_F(EndpointServerTest, AsksForTheSocketOfTheEndpointsTarget) {
  FakeEngine first(PathOf(7));
  FakeEngine second(PathOf(8));
  const Address other = FreshAddress();
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7), Spec(2, other, 8)});
  Socket client = Connect(other);
  Socket behind = second.Accept();
  EXPECT_TRUE(Speak(client, behind));
  EXPECT_FALSE(first.HasArrival());
}

TEST_F(EndpointServerTest, StopsListeningWhereAnEndpointIsGone) {
  OpenServer server(Quick(), Paths());
  server.Conform({Spec(1, address_, 7)});
  EXPECT_EQ(server.Conform({}), std::vector<EndpointReport>{});
  EXPECT_FALSE(Connect(address_));
  EXPECT_EQ(server.Report(), std::vector<EndpointReport>{});
}

TEST_F(EndpointServerTest, CutsTheConnectionsOfAnEndpointThatIsGone) {
  FakeEngine engine(PathOf(7));
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7)});
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  ASSERT_TRUE(Speak(client, behind));
  server.Conform({});
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_EQ(behind.AwaitEnding(), Ending::kEnd);
}

TEST_F(EndpointServerTest, KeepsTheConnectionsOfAnUnchangedEndpoint) {
  FakeEngine engine(PathOf(7));
  const Address other = FreshAddress();
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7), Spec(2, other, 7)});
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  server.Conform({Spec(1, address_, 7)});
  server.Conform({Spec(1, address_, 7), Spec(3, other, 9)});
  EXPECT_TRUE(Speak(client, behind));
}

TEST_F(EndpointServerTest, CountsTheBytesOfRelayedConnections) {
  FakeEngine engine(PathOf(7));
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7)});
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  ASSERT_TRUE(client.Send("hello"));
  ASSERT_EQ(behind.Receive(5), "hello");
  ASSERT_TRUE(behind.Send("good day"));
  ASSERT_EQ(client.Receive(8), "good day");
  EXPECT_TRUE(Eventually(
      [&] { return server.Report().at(0).relayed_bytes == RelayedBytes{.in = 5, .out = 8}; }));
}

TEST_F(EndpointServerTest, CutsTheConnectionsWhenTheTargetChangesAndServesTheNewOne) {
  FakeEngine old_engine(PathOf(7));
  FakeEngine new_engine(PathOf(8));
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7)});
  Socket client = Connect(address_);
  Socket behind = old_engine.Accept();
  ASSERT_TRUE(Speak(client, behind));

  const auto reports = server.Conform({Spec(1, address_, 8)});
  EXPECT_EQ(reports.at(0).counts, (EndpointCounts{.accepted = 1, .relayed = 1, .cut = 1}));
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_EQ(behind.AwaitEnding(), Ending::kEnd);
  Socket next = Connect(address_);
  Socket next_behind = new_engine.Accept();
  EXPECT_TRUE(Speak(next, next_behind));
  EXPECT_TRUE(
      CountsTo(server, 1, EndpointCounts{.accepted = 2, .relayed = 2, .cut = 1, .open = 1}));
}

TEST_F(EndpointServerTest, CutsTheConnectionsWhenTheAddressChangesAndListensAtTheNewOne) {
  FakeEngine engine(PathOf(7));
  const Address other = FreshAddress();
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7)});
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  ASSERT_TRUE(Speak(client, behind));
  server.Conform({Spec(1, other, 7)});
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_FALSE(Connect(address_));
  Socket next = Connect(other);
  Socket next_behind = engine.Accept();
  EXPECT_TRUE(Speak(next, next_behind));
}

TEST_F(EndpointServerTest, LetsTwoEndpointsChangePlaces) {
  FakeEngine first(PathOf(7));
  FakeEngine second(PathOf(8));
  const Address other = FreshAddress();
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7), Spec(2, other, 8)});
  for (const EndpointReport& report : server.Conform({Spec(1, other, 7), Spec(2, address_, 8)})) {
    EXPECT_TRUE(report.listening) << report.trouble_text;
  }
  Socket client = Connect(address_);
  Socket behind = second.Accept();
  EXPECT_TRUE(Speak(client, behind));
}

TEST_F(EndpointServerTest, CutsAConnectionThatStillWaitsForTheOldTarget) {
  FakeEngine new_engine(PathOf(8));
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7)});
  Socket client = Connect(address_);
  ASSERT_TRUE(Eventually([&] { return ReportOf(server, 1).counts.open == 1; }));
  server.Conform({Spec(1, address_, 8)});
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_FALSE(new_engine.HasArrival());
  EXPECT_TRUE(CountsTo(server, 1, EndpointCounts{.accepted = 1, .cut = 1}));
}

// --- discovery lists --------------------------------------------------------------------------

TEST_F(EndpointServerTest, KeepsTheConnectionsWhenOnlyTheDiscoveryListChanges) {
  FakeEngine engine(PathOf(7));
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7, {.version = 1})});
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  ASSERT_TRUE(client.Send("config get cluster\r\n"));
  EXPECT_EQ(client.ReceiveUntil("END\r\n"), "CONFIG cluster 0 3\r\n1\n\n\r\nEND\r\n");
  server.Conform({Spec(1, address_, 7, {.version = 2})});
  ASSERT_TRUE(client.Send("config get cluster\r\n"));
  EXPECT_EQ(client.ReceiveUntil("END\r\n"), "CONFIG cluster 0 3\r\n2\n\n\r\nEND\r\n");
  EXPECT_TRUE(CountsTo(server, 1, EndpointCounts{.accepted = 1, .relayed = 1, .open = 1}));
}

TEST_F(EndpointServerTest, LeavesTheCommandsToTheEngineWhenTheListIsGone) {
  FakeEngine engine(PathOf(7));
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7, {.version = 1})});
  Socket client = Connect(address_);
  Socket behind = engine.Accept();
  ASSERT_TRUE(Eventually([&] { return ReportOf(server, 1).counts.open == 1; }));
  server.Conform({Spec(1, address_, 7)});
  ASSERT_TRUE(client.Send("config get cluster\r\n"));
  EXPECT_EQ(behind.ReceiveUntil("\n"), "config get cluster\r\n");
}

// --- addresses that cannot be had -------------------------------------------------------------

// A listening socket that belongs to nobody's endpoint.
UniqueFd Occupy(Address address) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ip.bits);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(listen(fd.get(), 1), 0);
  return fd;
}

TEST_F(EndpointServerTest, SaysThatAnAddressIsInUseAndOpensItOnceItIsFree) {
  UniqueFd occupant = Occupy(address_);
  OpenServer server({}, Paths());
  const EndpointReport in_use{.id = 1,
                              .trouble = EndpointTrouble::kAddressInUse,
                              .trouble_text = "the address " + ToString(address_) + " is in use"};
  EXPECT_EQ(server.Conform({Spec(1, address_, 7)}), std::vector{in_use});
  EXPECT_EQ(server.Conform({Spec(1, address_, 7)}), std::vector{in_use});
  EXPECT_EQ(server.Report(), std::vector{in_use});
  occupant.reset();
  const EndpointReport listening{.id = 1, .listening = true};
  EXPECT_EQ(server.Conform({Spec(1, address_, 7)}), std::vector{listening});
  EXPECT_TRUE(Connect(address_));
}

TEST_F(EndpointServerTest, SaysThatTheMachineDoesNotHaveAnAddress) {
  const Address nowhere{.ip = *ParseIp4("192.0.2.1"), .port = 6379};
  OpenServer server({}, Paths());
  const auto reports = server.Conform({Spec(1, nowhere, 7)});
  EXPECT_EQ(
      reports.at(0),
      (EndpointReport{.id = 1,
                      .trouble = EndpointTrouble::kAddressNotAvailable,
                      .trouble_text = "this machine does not have the address 192.0.2.1:6379"}));
}

TEST_F(EndpointServerTest, OpensTheOthersWhenOneCannotBeOpened) {
  const UniqueFd occupant = Occupy(address_);
  OpenServer server({}, Paths());
  const auto reports = server.Conform({Spec(1, address_, 7), Spec(2, FreshAddress(), 7)});
  EXPECT_FALSE(reports.at(0).listening);
  EXPECT_TRUE(reports.at(1).listening);
}

TEST_F(EndpointServerTest, ListensAgainAtOnceWhereConnectionsHaveJustBeen) {
  FakeEngine engine(PathOf(7));
  for (int i = 0; i < 20; ++i) {
    OpenServer server({}, Paths());
    const auto reports = server.Conform({Spec(1, address_, 7)});
    ASSERT_TRUE(reports.at(0).listening) << reports.at(0).trouble_text;
    Socket client = Connect(address_);
    Socket behind = engine.Accept();
    ASSERT_TRUE(Speak(client, behind));
  }
}

// --- limits -----------------------------------------------------------------------------------

TEST_F(EndpointServerTest, ResetsConnectionsThatAreTooMany) {
  FakeEngine engine(PathOf(7));
  Settings settings;
  settings.connections_max = 3;
  OpenServer server(settings, Paths());
  server.Conform({Spec(1, address_, 7)});
  std::vector<Socket> clients;
  std::vector<Socket> behind;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Connect(address_));
    behind.push_back(engine.Accept());
  }
  Socket refused = Connect(address_);
  EXPECT_TRUE(!refused || refused.AwaitEnding() == Ending::kReset);
  EXPECT_TRUE(CountsTo(
      server, 1,
      EndpointCounts{.accepted = 4, .refused = 1, .refused_full = 1, .relayed = 3, .open = 3}));
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(Speak(clients[i], behind[i]));

  clients[0].Close();
  ASSERT_TRUE(Eventually([&] {
    behind[0].AwaitEnding();
    behind[0].Close();
    return ReportOf(server, 1).counts.open == 2;
  }));
  Socket next = Connect(address_);
  Socket next_behind = engine.Accept();
  EXPECT_TRUE(Speak(next, next_behind));
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST_F(EndpointServerTest, WaitsWithoutSpinningWhenDescriptorsAreUsedUp) {
  FakeEngine engine(PathOf(7));
  OpenServer server({}, Paths());
  server.Conform({Spec(1, address_, 7)});
  Socket client(UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  // A low limit, which is then filled.
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = 200;
  setrlimit(RLIMIT_NOFILE, &low);
  std::vector<UniqueFd> filling;
  while (UniqueFd fd{fcntl(client.fd(), F_DUPFD_CLOEXEC, 0)}) filling.push_back(std::move(fd));

  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address_.port);
  name.sin_addr.s_addr = htonl(address_.ip.bits);
  EXPECT_EQ(connect(client.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  const double processor_before = ProcessorSeconds();
  // For a while nothing comes, and nearly nothing is done.
  const timeval while_full{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &while_full, sizeof(while_full));
  EXPECT_EQ(client.AwaitEnding(), Ending::kTimeout);
  EXPECT_LT(ProcessorSeconds() - processor_before, 0.1);
  EXPECT_EQ(ReportOf(server, 1).counts.accepted, 0u);

  filling.clear();
  setrlimit(RLIMIT_NOFILE, &before);
  Socket behind = engine.Accept();
  EXPECT_TRUE(client.Send("?"));
  EXPECT_EQ(behind.Receive(1), "?");
}

// --- the end ----------------------------------------------------------------------------------

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* const directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

TEST_F(EndpointServerTest, ClosesEverythingAtItsEnd) {
  FakeEngine engine(PathOf(7));
  const size_t before = OpenDescriptors();
  Socket client;
  Socket behind;
  Socket held;
  {
    OpenServer server({}, Paths());
    const Address other = FreshAddress();
    server.Conform({Spec(1, address_, 7), Spec(2, other, 9)});
    client = Connect(address_);
    behind = engine.Accept();
    held = Connect(other);
    ASSERT_TRUE(Speak(client, behind));
    ASSERT_TRUE(Eventually([&] { return ReportOf(server, 2).counts.open == 1; }));
  }
  EXPECT_EQ(client.AwaitEnding(), Ending::kEnd);
  EXPECT_EQ(behind.AwaitEnding(), Ending::kEnd);
  EXPECT_EQ(held.AwaitEnding(), Ending::kEnd);
  EXPECT_FALSE(Connect(address_));
  client.Close();
  behind.Close();
  held.Close();
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(EndpointServerTest, WorksWithAnyNumberOfThreads) {
  FakeEngine engine(PathOf(7));
  for (const int threads : {1, 2, 5}) {
    Settings settings;
    settings.threads = threads;
    OpenServer server(settings, Paths());
    server.Conform({Spec(1, address_, 7)});
    std::vector<Socket> clients;
    std::vector<Socket> behind;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(Connect(address_));
      behind.push_back(engine.Accept());
      EXPECT_TRUE(Speak(clients.back(), behind.back()));
    }
    server.Conform({});
    for (Socket& client : clients) EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  }
}

}  // namespace
}  // namespace ec::endpoint
