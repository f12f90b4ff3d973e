// The relay in front of a real memcached.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "nodeagent/endpoint/discovery_reply.h"
#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;

constexpr MemberId kMember = 7;

const Discovery kNodes{.version = 3,
                       .nodes = {{.host = "one", .address = {.ip = {0x7f0a0004}, .port = 11211}},
                                 {.host = "two", .address = {.ip = {0x7f0a0005}, .port = 11212}}}};
constexpr char kPayload[] = "3\none|127.10.0.4|11211 two|127.10.0.5|11212\n";

class MemcachedEngineTest : public testing::Test {
 protected:
  MemcachedEngineTest()
      : path_(EngineSocket(directory_, kMember)),
        engine_(StartMemcached(path_)),
        server_({}, [this](MemberId) { return path_; }) {
    server_.Conform({Spec(1, address_, kMember, kNodes)});
  }

  TempDir directory_;
  const std::string path_;
  const Address address_ = FreshAddress();
  std::unique_ptr<EngineProcess> engine_;
  OpenServer server_;
  const DiscoveryReplies replies_ = RepliesFor(kNodes);
};

// Sends everything, then the end, and receives everything, at once.
std::string Converse(Socket client, const std::string& bytes) {
  std::thread sends([&] {
    client.Send(bytes);
    client.SendEnd();
  });
  std::string received = client.ReceiveToEnd();
  sends.join();
  EXPECT_NE(client.ending(), Ending::kTimeout);
  return received;
}

// Reads an answer to `config get cluster` as client libraries do: byte by byte, up to "\n\r\nEND".
struct Found {
  std::string version;
  std::vector<std::string> nodes;
};
Found Discover(Socket& client, const std::string& command) {
  EXPECT_TRUE(client.Send(command));
  const std::string header = client.ReceiveUntil("\r\n");
  EXPECT_TRUE(header.starts_with("CONFIG cluster 0 ")) << header;
  const size_t length = std::stoul(header.substr(17));
  Found found{.version = client.ReceiveUntil("\n")};
  const std::string list = client.ReceiveUntil("\n");
  EXPECT_EQ(found.version.size() + list.size(), length);
  EXPECT_EQ(client.ReceiveUntil("END\r\n"), "\r\nEND\r\n");
  found.version.pop_back();
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = list.find_first_of(" \n", begin);
    found.nodes.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

TEST_F(MemcachedEngineTest, LetsAClientDiscoverTheNodes) {
  for (const std::string command : {"config get cluster\r\n", "config get cluster\n"}) {
    Socket client = Connect(address_);
    const Found found = Discover(client, command);
    EXPECT_EQ(found.version, "3");
    EXPECT_EQ(found.nodes,
              (std::vector<std::string>{"one|127.10.0.4|11211", "two|127.10.0.5|11212"}));
  }
}

TEST_F(MemcachedEngineTest, LetsAnOldClientDiscoverTheNodesWithGet) {
  Socket client = Connect(address_);
  EXPECT_TRUE(client.Send("get AmazonElastiCache:cluster\r\n"));
  const std::string length = std::to_string(sizeof(kPayload) - 1);
  EXPECT_EQ(client.ReceiveUntil("END\r\n"),
            "VALUE AmazonElastiCache:cluster 0 " + length + "\r\n" + kPayload + "\r\nEND\r\n");
}

TEST_F(MemcachedEngineTest, AnswersAmongOtherCommandsOnOneConnection) {
  Socket client = Connect(address_);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(client.Send("set k 0 0 20\r\nconfig get cluster\r\n\r\n"));
    EXPECT_EQ(client.ReceiveUntil("\r\n"), "STORED\r\n");
    EXPECT_EQ(Discover(client, "config get cluster\r\n").nodes.size(), 2u);
    EXPECT_TRUE(client.Send("get k\r\n"));
    EXPECT_EQ(client.ReceiveUntil("END\r\n"), "VALUE k 0 20\r\nconfig get cluster\r\n\r\nEND\r\n");
  }
}

TEST_F(MemcachedEngineTest, AnswersPipelinedCommandsInTheirPlaces) {
  const std::string config = "config get cluster\r\n";
  EXPECT_EQ(
      Converse(Connect(address_), config + "set k 0 0 1\r\nx\r\n" + config + "get k\r\n" + config +
                                      "get AmazonElastiCache:cluster\r\nmn\r\n" + config),
      replies_.config + "STORED\r\n" + replies_.config + "VALUE k 0 1\r\nx\r\nEND\r\n" +
          replies_.config + replies_.legacy + "MN\r\n" + replies_.config);
}

TEST_F(MemcachedEngineTest, AnswersAnyNumberOfPipelinedCommands) {
  std::string commands;
  std::string answers;
  for (int i = 0; i < 2'000; ++i) {
    commands += "mn\r\nconfig get cluster\r\n";
    answers += "MN\r\n" + replies_.config;
  }
  EXPECT_TRUE(Converse(Connect(address_), commands) == answers);
}

TEST_F(MemcachedEngineTest, LetsTheBinaryProtocolPassUntouched) {
  // A binary set of the key "k" with a value that is a discovery command, and a get of it.
  const std::string value = "\nconfig get cluster\r\n";
  std::string set("\x80\x01\x00\x01\x08\x00\x00\x00\x00\x00\x00\x1e", 12);
  set += std::string(12, '\0') + std::string(8, '\0') + "k" + value;
  std::string get("\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", 12);
  get += std::string(12, '\0') + "k";
  const std::string received = Converse(Connect(address_), set + get);
  ASSERT_EQ(received.size(), 24 + 24 + 4 + value.size());
  EXPECT_EQ(received.substr(0, 2), "\x81\x01");
  EXPECT_TRUE(received.ends_with(value));
}

TEST_F(MemcachedEngineTest, AnswersWhileTheEngineIsStartedAgain) {
  engine_->Kill();
  Socket client = Connect(address_);
  EXPECT_EQ(Discover(client, "config get cluster\r\n").nodes.size(), 2u);
  EXPECT_TRUE(client.Send("config get cluster\r\nmn\r\n"));
  EXPECT_EQ(client.Receive(replies_.config.size()), replies_.config);
  engine_ = StartMemcached(path_);
  EXPECT_EQ(client.ReceiveUntil("\r\n"), "MN\r\n");
}

TEST_F(MemcachedEngineTest, GoesOnAfterMemcachedHasThrownRepliesAway) {
  // A get of a key that is too long takes the replies with it that memcached has not yet sent.
  Socket client = Connect(address_);
  const std::string bad_get = "get " + std::string(251, 'k') + "\r\n";
  const std::string refusal = "CLIENT_ERROR bad command line format\r\n";
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(client.Send("mn\r\nconfig get cluster\r\nconfig get cluster\r\n" + bad_get));
    EXPECT_TRUE(client.ReceiveUntil(refusal).ends_with(refusal));
    EXPECT_EQ(Discover(client, "config get cluster\r\n").nodes.size(), 2u);
  }
}

TEST_F(MemcachedEngineTest, GivesNoAnswerBehindACommandThatClosesTheConnection) {
  EXPECT_EQ(Converse(Connect(address_), "mn\r\nquit\r\n"), "MN\r\n");
  const std::string received = Converse(Connect(address_), "mn\r\nquit\r\nconfig get cluster\r\n");
  EXPECT_TRUE(received == "MN\r\n" || received.empty()) << received;
}

}  // namespace
}  // namespace ec::endpoint
