// The relay in front of a real Redis.
#include <gtest/gtest.h>

#include <memory>
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

class RedisEngineTest : public testing::Test {
 protected:
  RedisEngineTest()
      : path_(EngineSocket(directory_, kMember)), server_({}, [this](MemberId) { return path_; }) {
    server_.Conform({Spec(kEndpoint, address_, kMember)});
  }
  void Start(std::vector<std::string> more_arguments = {}) {
    engine_ = StartRedis(path_, std::move(more_arguments));
  }
  EndpointCounts counts() const { return ReportOf(server_, kEndpoint).counts; }
  bool ComesTo(EndpointCounts wanted) const {
    return Eventually([&] { return counts() == wanted; });
  }

  TempDir directory_;
  const std::string path_;
  const Address address_ = FreshAddress();
  std::unique_ptr<EngineProcess> engine_;
  OpenServer server_;
};

TEST_F(RedisEngineTest, AnswersPipelinesInOrder) {
  Start();
  constexpr int kClients = 20;
  constexpr int kCommands = 5'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([this, i] {
      Socket client = Connect(address_);
      const std::string key = "counter" + std::to_string(i);
      std::string commands;
      std::string replies;
      for (int n = 1; n <= kCommands; ++n) {
        commands += "INCR " + key + "\r\n";
        replies += ":" + std::to_string(n) + "\r\n";
      }
      std::thread sends([&] { EXPECT_TRUE(client.Send(commands)); });
      EXPECT_TRUE(client.Receive(replies.size()) == replies);
      sends.join();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(ComesTo({.accepted = kClients, .relayed = kClients}));
}

TEST_F(RedisEngineTest, CarriesLargeValuesUnchanged) {
  Start();
  std::string value(100'000'000, '\0');
  for (size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * 2654435761u >> 24);
  Socket client = Connect(address_);
  const std::string length = "$" + std::to_string(value.size()) + "\r\n";
  EXPECT_TRUE(client.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n" + length + value + "\r\n"));
  EXPECT_EQ(client.Receive(5), "+OK\r\n");
  EXPECT_TRUE(client.Send("GET k\r\n"));
  EXPECT_TRUE(client.Receive(length.size() + value.size() + 2) == length + value + "\r\n");
}

TEST_F(RedisEngineTest, BoundsAReplyThatTheClientDoesNotRead) {
  Start({"--client-output-buffer-limit", "normal 0 0 0"});
  Socket client = Connect(address_);
  EXPECT_TRUE(client.Send("SETRANGE k 99999999 x\r\n"));
  EXPECT_EQ(client.ReceiveUntil("\r\n"), ":100000000\r\n");
  const size_t before = ResidentBytes();
  EXPECT_TRUE(client.Send("GET k\r\n"));
  EXPECT_EQ(client.ReceiveUntil("\r\n"), "$100000000\r\n");
  // Another client's commands go on meanwhile.
  Socket other = Connect(address_);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_TRUE(other.Send("PING\r\n"));
    EXPECT_EQ(other.ReceiveUntil("\r\n"), "+PONG\r\n");
  }
  EXPECT_TRUE(GrewByLessThan(before, 4'000'000));
  size_t received = 0;
  while (received < 100'000'002 && client.ending() == Ending::kNone) {
    received += client.Receive(std::min<size_t>(1'000'000, 100'000'002 - received)).size();
  }
  EXPECT_EQ(received, 100'000'002u);
}

TEST_F(RedisEngineTest, EndsConnectionsAndCountsThemAsCutWhenTheEngineIsKilled) {
  Start();
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(Connect(address_));
    EXPECT_TRUE(clients.back().Send("PING\r\n"));
    EXPECT_EQ(clients.back().ReceiveUntil("\r\n"), "+PONG\r\n");
  }
  engine_->Kill();
  for (Socket& client : clients) EXPECT_NE(client.AwaitEnding(), Ending::kTimeout);
  EXPECT_TRUE(ComesTo({.accepted = 10, .relayed = 10, .cut = 10}));
}

TEST_F(RedisEngineTest, ResetsAClientWhoseCommandAKilledEngineNeverRead) {
  Start();
  Socket client = Connect(address_);
  EXPECT_TRUE(client.Send("PING\r\n"));
  EXPECT_EQ(client.ReceiveUntil("\r\n"), "+PONG\r\n");
  engine_->Signal(SIGSTOP);
  EXPECT_TRUE(client.Send("PING\r\n"));
  // More than the engine's socket takes: the relay has certainly sent the command on.
  client.SendUntilFull(100'000'000);
  engine_->Kill();
  EXPECT_EQ(client.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1, .cut = 1}));
}

TEST_F(RedisEngineTest, DoesNotCountAsCutWhatTheClientAskedFor) {
  Start();
  Socket client = Connect(address_);
  EXPECT_TRUE(client.Send("QUIT\r\n"));
  EXPECT_EQ(client.ReceiveToEnd(), "+OK\r\n");
  EXPECT_EQ(client.ending(), Ending::kEnd);
  EXPECT_TRUE(ComesTo({.accepted = 1, .relayed = 1}));
}

TEST_F(RedisEngineTest, ServesClientsThatConnectWhileTheEngineIsStartedAgain) {
  Start();
  engine_->Kill();
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(Connect(address_));
    EXPECT_TRUE(clients.back().Send("PING\r\n"));
  }
  Start();
  for (Socket& client : clients) EXPECT_EQ(client.ReceiveUntil("\r\n"), "+PONG\r\n");
  EXPECT_TRUE(Eventually(
      [&] { return counts() == EndpointCounts{.accepted = 10, .relayed = 10, .open = 10}; }));
}

TEST_F(RedisEngineTest, SurvivesAStormOfConnections) {
  Start();
  constexpr int kThreads = 8;
  constexpr int kConnections = 500;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < kConnections; ++n) {
        Socket client = Connect(address_);
        ASSERT_TRUE(client);
        ASSERT_TRUE(client.Send("PING\r\n"));
        ASSERT_EQ(client.ReceiveUntil("\r\n"), "+PONG\r\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(ComesTo({.accepted = kThreads * kConnections, .relayed = kThreads * kConnections}));
}

TEST_F(RedisEngineTest, KeepsThousandsOfIdleConnectionsCheaply) {
  constexpr size_t kConnections = 5'000;
  // Three for each connection are this process's: the client's, and the relay's two.
  ASSERT_TRUE(AllowDescriptors(3 * kConnections + 200))
      << "the hard limit of open files is too low";
  Start({"--maxclients", "6000"});
  const size_t before = ResidentBytes();
  std::vector<Socket> clients;
  for (size_t i = 0; i < kConnections; ++i) clients.push_back(Connect(address_));
  // All of them have been served once, so that buffers would be there if they were kept.
  for (Socket& client : clients) {
    ASSERT_TRUE(client.Send("PING\r\n"));
    ASSERT_EQ(client.ReceiveUntil("\r\n"), "+PONG\r\n");
  }
  EXPECT_TRUE(Eventually([&] { return counts().open == kConnections; }));
  EXPECT_TRUE(GrewByLessThan(before, kConnections * 2'000));
  EXPECT_TRUE(clients.front().Send("PING\r\n"));
  EXPECT_EQ(clients.front().ReceiveUntil("\r\n"), "+PONG\r\n");
  clients.clear();
  EXPECT_TRUE(ComesTo({.accepted = kConnections, .relayed = kConnections}));
}

}  // namespace
}  // namespace ec::endpoint
