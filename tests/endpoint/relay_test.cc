// What happens to the bytes of a connection; the test plays both the client and the engine.
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;

constexpr MemberId kMember = 7;
constexpr EndpointId kEndpoint = 1;

class RelayTest : public testing::Test {
 protected:
  RelayTest() : path_(EngineSocket(directory_, kMember)) {}

  void Serve(Settings settings = {}, std::optional<Discovery> discovery = std::nullopt) {
    server_ = std::make_unique<OpenServer>(settings, [this](MemberId) { return path_; });
    EndpointSpec spec = Spec(kEndpoint, address_, kMember);
    spec.discovery = std::move(discovery);
    ASSERT_TRUE(server_->Conform({spec}).at(0).listening);
  }
  // Serves, and connects a client to an engine.
  void Establish() {
    engine_ = std::make_unique<FakeEngine>(path_);
    Serve();
    client_ = Connect(address_);
    behind_ = engine_->Accept();
    ASSERT_TRUE(client_ && behind_);
  }
  EndpointCounts counts() const { return ReportOf(*server_, kEndpoint).counts; }
  bool ComesTo(EndpointCounts wanted) const {
    return Eventually([&] { return counts() == wanted; });
  }
  static Settings HoldFor(Duration hold_max) {
    Settings settings;
    settings.hold_max = hold_max;
    return settings;
  }

  TempDir directory_;
  std::string path_;
  const Address address_ = FreshAddress();
  std::unique_ptr<FakeEngine> engine_;
  std::unique_ptr<OpenServer> server_;
  Socket client_;
  Socket behind_;
};

// Bytes that differ from place to place.
std::string Pattern(size_t length) {
  std::string bytes(length, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

// --- engines that speak TLS --------------------------------------------------------------------

TEST_F(RelayTest, NeverSpeaksToThePlainSocketOfAnEngineThatSpeaksTls) {
  engine_ = std::make_unique<FakeEngine>(path_);
  Settings settings = HoldFor(std::chrono::milliseconds(50));
  settings.carry = Carry::kRelay;
  server_ = std::make_unique<OpenServer>(
      settings, [this](MemberId) { return path_; },
      [this](MemberId) { return directory_.path() + "/nothing"; });
  EndpointSpec spec = Spec(kEndpoint, address_, kMember);
  spec.encrypted = true;
  ASSERT_TRUE(server_->Conform({spec}).at(0).listening);
  client_ = Connect(address_);
  ASSERT_TRUE(client_.Send("PING\r\n"));
  EXPECT_EQ(client_.AwaitEnding(), Ending::kReset);
  EXPECT_FALSE(engine_->HasArrival());
}

// --- bytes ------------------------------------------------------------------------------------

TEST_F(RelayTest, CarriesBytesBothWays) {
  Establish();
  EXPECT_TRUE(client_.Send("PING\r\n"));
  EXPECT_EQ(behind_.Receive(6), "PING\r\n");
  EXPECT_TRUE(behind_.Send("+PONG\r\n"));
  EXPECT_EQ(client_.Receive(7), "+PONG\r\n");
}

TEST_F(RelayTest, CarriesManyBytesBothWaysAtOnceUnchanged) {
  Establish();
  const std::string request = Pattern(20'000'000);
  const std::string reply = Pattern(15'000'000);
  std::string received_request;
  std::thread client_sends([&] { EXPECT_TRUE(client_.Send(request)); });
  std::thread engine_sends([&] { EXPECT_TRUE(behind_.Send(reply)); });
  std::thread engine_receives([&] { received_request = behind_.Receive(request.size()); });
  const std::string received_reply = client_.Receive(reply.size());
  client_sends.join();
  engine_sends.join();
  engine_receives.join();
  EXPECT_TRUE(received_reply == reply);
  EXPECT_TRUE(received_request == request);
}

TEST_F(RelayTest, KeepsManyConnectionsApart) {
  engine_ = std::make_unique<FakeEngine>(path_);
  Serve();
  std::vector<std::thread> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back([this, i] {
      Socket client = Connect(address_);
      for (int turn = 0; turn < 50; ++turn) {
        const std::string text = std::to_string(i) + ":" + std::to_string(turn) + "\n";
        ASSERT_TRUE(client.Send(text));
        ASSERT_EQ(client.ReceiveUntil("\n"), text);
      }
    });
  }
  std::vector<std::thread> echoes;
  for (int i = 0; i < 20; ++i) {
    echoes.emplace_back([socket = engine_->Accept()]() mutable {
      for (std::string text; !(text = socket.ReceiveUntil("\n")).empty();) socket.Send(text);
    });
  }
  for (std::thread& client : clients) client.join();
  for (std::thread& echo : echoes) echo.join();
  EXPECT_TRUE(ComesTo({.accepted = 20, .relayed = 20}));
}

// --- ends -------------------------------------------------------------------------------------

TEST_F(RelayTest, PassesTheEndOfTheClientsBytesOnAndStillDeliversTheReply) {
  Establish();
  EXPECT_TRUE(client_.Send("question"));
  client_.SendEnd();
  EXPECT_EQ(behind_.ReceiveToEnd(), "question");
  EXPECT_EQ(behind_.ending(), Ending::kEnd);
  EXPECT_TRUE(behind_.Send("answer"));
  behind_.Close();
  EXPECT_EQ(client_.ReceiveToEnd(), "answer");
  EXPECT_EQ(client_.ending(), Ending::kEnd);
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1}));
}

TEST_F(RelayTest, PassesTheEndOfTheEnginesBytesOnAndStillDeliversTheClients) {
  Establish();
  EXPECT_TRUE(behind_.Send("greeting"));
  behind_.SendEnd();
  EXPECT_EQ(client_.ReceiveToEnd(), "greeting");
  EXPECT_EQ(client_.ending(), Ending::kEnd);
  EXPECT_TRUE(client_.Send("last words"));
  client_.Close();
  EXPECT_EQ(behind_.ReceiveToEnd(), "last words");
  EXPECT_EQ(behind_.ending(), Ending::kEnd);
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1}));
}

TEST_F(RelayTest, DeliversAllBytesBeforeTheEnd) {
  Establish();
  const std::string reply = Pattern(5'000'000);
  std::thread engine_sends([&] {
    EXPECT_TRUE(behind_.Send(reply));
    behind_.Close();
  });
  EXPECT_TRUE(client_.ReceiveToEnd() == reply);
  EXPECT_EQ(client_.ending(), Ending::kEnd);
  engine_sends.join();
}

TEST_F(RelayTest, ClosesTheClientsConnectionWhenTheEngineDoes) {
  Establish();
  EXPECT_TRUE(client_.Send("QUIT\r\n"));
  EXPECT_EQ(behind_.Receive(6), "QUIT\r\n");
  EXPECT_TRUE(behind_.Send("+OK\r\n"));
  behind_.Close();
  EXPECT_EQ(client_.ReceiveToEnd(), "+OK\r\n");
  EXPECT_EQ(client_.ending(), Ending::kEnd);
  // The client has not closed its side, but the connection is over. The engine lives, so it counts
  // as neither cut nor refused.
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1}));
}

TEST_F(RelayTest, ResetsTheClientWhenTheEngineHasNotTakenAllItsBytes) {
  Establish();
  EXPECT_TRUE(client_.Send("never read"));
  ASSERT_TRUE(Eventually([&] {
    int waiting = 0;
    return ioctl(behind_.fd(), FIONREAD, &waiting) == 0 && waiting == 10;
  }));
  behind_.Close();
  EXPECT_EQ(client_.AwaitEnding(), Ending::kReset);
}

TEST_F(RelayTest, DeliversWhatAnEngineSentBeforeItReset) {
  Establish();
  EXPECT_TRUE(client_.Send("never read"));
  EXPECT_TRUE(behind_.Send("last words"));
  ASSERT_TRUE(Eventually([&] {
    int waiting = 0;
    return ioctl(behind_.fd(), FIONREAD, &waiting) == 0 && waiting == 10;
  }));
  behind_.Close();
  EXPECT_EQ(client_.ReceiveToEnd(), "last words");
  EXPECT_EQ(client_.ending(), Ending::kReset);
}

TEST_F(RelayTest, ClosesTheEnginesConnectionWhenTheClientIsReset) {
  Establish();
  client_.CloseWithReset();
  EXPECT_EQ(behind_.AwaitEnding(), Ending::kEnd);
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1}));
}

TEST_F(RelayTest, DeliversWhatAClientSentBeforeItReset) {
  engine_ = std::make_unique<FakeEngine>(path_);
  Serve();
  const std::string commands(10'000, 'x');
  for (int i = 0; i < 200; ++i) {
    client_ = Connect(address_);
    behind_ = engine_->Accept();
    EXPECT_TRUE(client_.Send(commands));
    client_.CloseWithReset();
    ASSERT_EQ(behind_.ReceiveToEnd().size(), commands.size());
    EXPECT_EQ(behind_.ending(), Ending::kEnd);
  }
}

TEST_F(RelayTest, EndsAResetClientsConnectionOnceTheEngineHasTakenItsBytes) {
  Establish();
  client_.SendUntilFull(100'000'000);
  client_.CloseWithReset();
  EXPECT_EQ(behind_.AwaitEnding(), Ending::kEnd);
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1}));
}

TEST_F(RelayTest, NoticesAResetClientThatDoesNotTakeItsReply) {
  Establish();
  behind_.SendUntilFull(100'000'000);
  client_.CloseWithReset();
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1}));
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Uses no processor time for a while, during which `socket` receives nothing.
void ExpectRest(Socket& socket) {
  const timeval a_while{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &a_while, sizeof(a_while));
  const double before = ProcessorSeconds();
  EXPECT_EQ(socket.AwaitEnding(), Ending::kTimeout);
  EXPECT_LT(ProcessorSeconds() - before, 0.1);
}

TEST_F(RelayTest, RestsWhileOnlyOneSideHasEnded) {
  Establish();
  client_.SendEnd();
  EXPECT_EQ(behind_.AwaitEnding(), Ending::kEnd);
  ExpectRest(client_);
}

TEST_F(RelayTest, RestsWhileAClientDoesNotTakeTheReplyOfAnEngineThatHasGone) {
  Establish();
  behind_.SendUntilFull(100'000'000);
  behind_.Close();
  Socket other = Connect(address_);
  Socket other_behind = engine_->Accept();
  ExpectRest(other);
  EXPECT_TRUE(Eventually([&] { return counts().open == 2u; }));
}

// --- bounds -----------------------------------------------------------------------------------

// What the kernel may hold in the four sockets of a path, with room to spare.
constexpr size_t kKernelBytesMax = 24'000'000;
// What the relay may hold: a buffer for each direction, and the memory of the test itself.
constexpr size_t kRelayBytesMax = 4'000'000;

TEST_F(RelayTest, HoldsLittleOfAReplyThatTheClientDoesNotRead) {
  Establish();
  const size_t before = ResidentBytes();
  const size_t sent = behind_.SendUntilFull(100'000'000);
  EXPECT_LT(sent, kKernelBytesMax);
  EXPECT_TRUE(GrewByLessThan(before, kRelayBytesMax));
  // Once the client reads, the rest comes.
  std::thread engine_sends([&] {
    EXPECT_TRUE(behind_.Send(std::string(100'000'000 - sent, 'x')));
    behind_.Close();
  });
  size_t received = 0;
  while (client_.ending() == Ending::kNone) received += client_.Receive(1'000'000).size();
  EXPECT_EQ(received, 100'000'000u);
  EXPECT_EQ(client_.ending(), Ending::kEnd);
  engine_sends.join();
}

TEST_F(RelayTest, HoldsLittleOfARequestThatTheEngineDoesNotRead) {
  Establish();
  const size_t before = ResidentBytes();
  const size_t sent = client_.SendUntilFull(100'000'000);
  EXPECT_LT(sent, kKernelBytesMax);
  EXPECT_TRUE(GrewByLessThan(before, kRelayBytesMax));
  client_.SendEnd();
  EXPECT_EQ(behind_.ReceiveToEnd().size(), sent);
}

TEST_F(RelayTest, ServesOthersWhileOneConnectionIsBusy) {
  engine_ = std::make_unique<FakeEngine>(path_);
  Settings settings;
  settings.threads = 1;
  Serve(settings);
  Socket busy = Connect(address_);
  Socket busy_behind = engine_->Accept();
  Socket client = Connect(address_);
  Socket behind = engine_->Accept();
  std::atomic<bool> done = false;
  std::thread sends([&] {
    const std::string block(1'000'000, 'x');
    while (!done && busy_behind.Send(block)) continue;
    busy_behind.Close();
  });
  std::thread receives([&] {
    while (busy.ending() == Ending::kNone) busy.Receive(1'000'000);
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(client.Send("?"));
    EXPECT_EQ(behind.Receive(1), "?");
  }
  done = true;
  sends.join();
  receives.join();
}

// --- waiting for an engine --------------------------------------------------------------------

TEST_F(RelayTest, HoldsAConnectionUntilTheEngineIsThere) {
  Serve();
  client_ = Connect(address_);
  EXPECT_TRUE(client_.Send("early"));
  EXPECT_TRUE(ComesTo({.accepted = 1, .open = 1}));
  engine_ = std::make_unique<FakeEngine>(path_);
  behind_ = engine_->Accept();
  EXPECT_EQ(behind_.Receive(5), "early");
  EXPECT_TRUE(behind_.Send("served"));
  EXPECT_EQ(client_.Receive(6), "served");
}

TEST_F(RelayTest, HoldsAConnectionWhileADeadEnginesSocketIsLeft) {
  {
    FakeEngine dead(path_);
    std::filesystem::rename(path_, path_ + ".left");
  }
  std::filesystem::rename(path_ + ".left", path_);
  Serve();
  client_ = Connect(address_);
  EXPECT_TRUE(ComesTo({.accepted = 1, .open = 1}));
  std::filesystem::remove(path_);
  engine_ = std::make_unique<FakeEngine>(path_);
  behind_ = engine_->Accept();
  EXPECT_TRUE(behind_.Send("served"));
  EXPECT_EQ(client_.Receive(6), "served");
}

TEST_F(RelayTest, HoldsConnectionsThatTheEnginesBacklogHasNoRoomFor) {
  engine_ = std::make_unique<FakeEngine>(path_, 2);
  Serve();
  std::vector<Socket> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Connect(address_));
  EXPECT_TRUE(ComesTo({.accepted = 20, .relayed = 3, .open = 20}));
  std::vector<Socket> behind;
  for (int i = 0; i < 20; ++i) {
    behind.push_back(engine_->Accept());
    EXPECT_TRUE(behind.back().Send("!"));
  }
  for (Socket& client : clients) EXPECT_EQ(client.Receive(1), "!");
}

TEST_F(RelayTest, RefusesAConnectionThatWasHeldTooLong) {
  Serve(HoldFor(std::chrono::milliseconds(100)));
  client_ = Connect(address_);
  EXPECT_TRUE(client_.Send("early"));
  EXPECT_EQ(client_.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(ComesTo({.accepted = 1, .refused = 1}));
}

TEST_F(RelayTest, DropsAHeldConnectionWhoseClientHasGone) {
  Serve(HoldFor(std::chrono::hours(1)));
  client_ = Connect(address_);
  EXPECT_TRUE(ComesTo({.accepted = 1, .open = 1}));
  client_.Close();
  EXPECT_TRUE(ComesTo({.accepted = 1}));
}

TEST_F(RelayTest, DropsAHeldConnectionWhoseClientIsReset) {
  Serve(HoldFor(std::chrono::hours(1)));
  client_ = Connect(address_);
  EXPECT_TRUE(client_.Send("early"));
  EXPECT_TRUE(ComesTo({.accepted = 1, .open = 1}));
  client_.CloseWithReset();
  EXPECT_TRUE(ComesTo({.accepted = 1}));
}

TEST_F(RelayTest, StillServesAHeldClientThatHasSentACommandAndItsEnd) {
  Serve();
  client_ = Connect(address_);
  EXPECT_TRUE(client_.Send("question"));
  client_.SendEnd();
  EXPECT_TRUE(ComesTo({.accepted = 1, .open = 1}));
  engine_ = std::make_unique<FakeEngine>(path_);
  behind_ = engine_->Accept();
  EXPECT_EQ(behind_.ReceiveToEnd(), "question");
  EXPECT_TRUE(behind_.Send("answer"));
  behind_.Close();
  EXPECT_EQ(client_.ReceiveToEnd(), "answer");
  EXPECT_EQ(client_.ending(), Ending::kEnd);
}

TEST_F(RelayTest, ReachesAnEngineWhoseSocketHasALongPath) {
  path_ = directory_.path() + "/" + std::string(120, 'd');
  std::filesystem::create_directory(path_);
  path_ += "/" + std::string(60, 's');
  Establish();
  EXPECT_TRUE(client_.Send("?"));
  EXPECT_EQ(behind_.Receive(1), "?");
}

// --- discovery commands -----------------------------------------------------------------------

const Discovery kNodes{.version = 5,
                       .nodes = {{.host = "a", .address = {.ip = {0x7f0a0004}, .port = 11211}}}};
constexpr char kConfigAnswer[] = "CONFIG cluster 0 21\r\n5\na|127.10.0.4|11211\n\r\nEND\r\n";

TEST_F(RelayTest, AnswersDiscoveryCommandsWithoutAnEngine) {
  Serve({}, kNodes);
  client_ = Connect(address_);
  EXPECT_TRUE(client_.Send("config get cluster\r\n"));
  EXPECT_EQ(client_.ReceiveUntil("END\r\n"), kConfigAnswer);
  EXPECT_TRUE(client_.Send("config get cluster\n"));
  EXPECT_EQ(client_.ReceiveUntil("END\r\n"), kConfigAnswer);
}

TEST_F(RelayTest, AnswersAClientThatSendsOnlyADiscoveryCommandAndItsEnd) {
  Serve(HoldFor(std::chrono::hours(1)), kNodes);
  client_ = Connect(address_);
  EXPECT_TRUE(client_.Send("config get cluster\r\n"));
  client_.SendEnd();
  EXPECT_EQ(client_.ReceiveToEnd(), kConfigAnswer);
  EXPECT_EQ(client_.ending(), Ending::kEnd);
  EXPECT_TRUE(ComesTo({.accepted = 1}));
}

TEST_F(RelayTest, HoldsTheCommandsForTheEngineBehindADiscoveryCommand) {
  Serve({}, kNodes);
  client_ = Connect(address_);
  EXPECT_TRUE(client_.Send("config get cluster\r\nget a\r\n"));
  EXPECT_EQ(client_.ReceiveUntil("END\r\n"), kConfigAnswer);
  engine_ = std::make_unique<FakeEngine>(path_);
  behind_ = engine_->Accept();
  EXPECT_EQ(behind_.ReceiveUntil("\r\n"), "get a\r\n");
}

TEST_F(RelayTest, AnswersADiscoveryCommandInItsPlaceInAPipeline) {
  engine_ = std::make_unique<FakeEngine>(path_);
  Serve({}, kNodes);
  client_ = Connect(address_);
  behind_ = engine_->Accept();
  EXPECT_TRUE(client_.Send("get a\r\nconfig get cluster\r\nget b\r\n"));
  EXPECT_EQ(behind_.ReceiveUntil("\r\n"), "get a\r\n");
  const std::string sentinel = behind_.ReceiveUntil("\r\n");
  EXPECT_TRUE(sentinel.starts_with("md emucache:")) << sentinel;
  EXPECT_EQ(behind_.ReceiveUntil("\r\n"), "get b\r\n");
  const std::string token = sentinel.substr(sentinel.find(" O") + 1);
  EXPECT_TRUE(behind_.Send("END\r\nNF " + token + "END\r\n"));
  EXPECT_EQ(client_.Receive(5 + sizeof(kConfigAnswer) - 1 + 5),
            "END\r\n" + std::string(kConfigAnswer) + "END\r\n");
}

TEST_F(RelayTest, DeliversTheBeginningOfASentinelThatTheEngineNeverFinished) {
  engine_ = std::make_unique<FakeEngine>(path_);
  Serve({}, kNodes);
  client_ = Connect(address_);
  behind_ = engine_->Accept();
  EXPECT_TRUE(client_.Send("get a\r\nconfig get cluster\r\n"));
  behind_.ReceiveUntil("\r\n");
  behind_.ReceiveUntil("\r\n");
  EXPECT_TRUE(behind_.Send("END\r\nNF O"));
  behind_.Close();
  EXPECT_EQ(client_.ReceiveToEnd(), "END\r\nNF O");
  EXPECT_EQ(client_.ending(), Ending::kEnd);
}

TEST_F(RelayTest, HoldsLittleOfEndlessDiscoveryCommands) {
  engine_ = std::make_unique<FakeEngine>(path_);
  Discovery many = kNodes;
  many.nodes.resize(40, many.nodes[0]);
  Serve({}, many);
  client_ = Connect(address_);
  behind_ = engine_->Accept();
  const size_t before = ResidentBytes();
  std::string commands = "get a\r\n";
  while (commands.size() < 60'000) commands += "config get cluster\r\n";
  // Neither does the engine answer, nor does the client read.
  const timeval a_while{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(client_.fd(), SOL_SOCKET, SO_SNDTIMEO, &a_while, sizeof(a_while));
  while (client_.Send(commands)) continue;
  EXPECT_TRUE(GrewByLessThan(before, kRelayBytesMax));

  // The same before anything was sent to the engine: each command is answered at once.
  Socket other = Connect(address_);
  setsockopt(other.fd(), SOL_SOCKET, SO_SNDTIMEO, &a_while, sizeof(a_while));
  while (other.Send(commands.substr(7))) continue;
  EXPECT_TRUE(GrewByLessThan(before, 2 * kRelayBytesMax));
}

}  // namespace
}  // namespace ec::endpoint
