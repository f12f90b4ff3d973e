// `ecctl forward`, between clients and servers of the test.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "common/check.h"
#include "tests/cli/network_support.h"

namespace ec::cli {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

UniqueFd DialLocal(int port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(static_cast<uint16_t>(port));
  EC_CHECK(connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0);
  return fd;
}

// What comes up to the end; " (reset)" behind it if that is what it is, " (late)" if none comes.
std::string ReadToEnd(const UniqueFd& fd) {
  std::string text;
  char buffer[64 << 10];
  while (true) {
    pollfd poller{fd.get(), POLLIN, 0};
    if (poll(&poller, 1, 10'000) != 1) return text + " (late)";
    const ssize_t count = recv(fd.get(), buffer, sizeof(buffer), 0);
    if (count <= 0) return count == 0 ? text : text + " (reset)";
    text.append(buffer, static_cast<size_t>(count));
  }
}

void Send(const UniqueFd& fd, const std::string& text) {
  EC_CHECK(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size()));
}

class Forward : public testing::Test {
 protected:
  Forward() { AddInstances(&service_); }

  std::vector<std::string> Words(const std::string& endpoint) {
    return EcctlCommand({"forward", endpoint, "--as", kInstance, "-o", "json", "--timeout", "2s"});
  }
  // Waits until it listens, and gives its port.
  static int PortOf(Running& running) {
    EXPECT_TRUE(running.PrintsOut("\n")) << running.err();
    return nlohmann::json::parse(running.out())["local_port"];
  }

  FakeService service_;
  Listener server_;
};

TEST_F(Forward, CarriesBothWaysFromTheInstance) {
  Running running(Words("10.0.1.5:" + server_.port()), service_.environment());
  const int port = PortOf(running);
  EXPECT_EQ(nlohmann::json::parse(running.out()),
            (nlohmann::json{{"local_address", "127.0.0.1"},
                            {"local_port", port},
                            {"endpoint_address", "127.77.1.5"},
                            {"endpoint_port", std::stoi(server_.port())},
                            {"instance_id", kInstance},
                            {"source_address", kSource}}));
  const UniqueFd client = DialLocal(port);
  std::string source;
  const UniqueFd peer = server_.Accept(&source);
  EXPECT_EQ(source, kSource);
  // Each side ends when it has said all, and hears the other one out.
  Send(client, "question");
  shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(ReadToEnd(peer), "question");
  Send(peer, "answer");
  shutdown(peer.get(), SHUT_WR);
  EXPECT_EQ(ReadToEnd(client), "answer");
  running.Interrupt();
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 130);
  EXPECT_EQ(ended.err, "");
}

TEST_F(Forward, CarriesMoreThanAnyBufferHolds) {
  Running running(Words("127.77.1.5:" + server_.port()), service_.environment());
  const UniqueFd client = DialLocal(PortOf(running));
  const UniqueFd peer = server_.Accept();
  const std::string much(32 << 20, 'x');
  ASSERT_EQ(fcntl(client.get(), F_SETFL, O_NONBLOCK), 0);
  size_t sent = 0, received = 0;
  char buffer[256 << 10];
  EXPECT_TRUE(Eventually([&] {
    while (received < much.size()) {
      const ssize_t out = send(client.get(), much.data() + sent, much.size() - sent, MSG_NOSIGNAL);
      if (out > 0) sent += static_cast<size_t>(out);
      const ssize_t in = recv(peer.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
      if (in > 0) received += static_cast<size_t>(in);
      if (out <= 0 && in <= 0) return false;
    }
    return true;
  }));
  EXPECT_EQ(received, much.size());
}

TEST_F(Forward, CarriesAThousandConnections) {
  Running running(Words("10.0.1.5:" + server_.port()), service_.environment());
  const int port = PortOf(running);
  const Ended dialed = [&] {
    Running dialer({BuiltProgram("dialer"), "threads", "127.0.0.1", std::to_string(port), "1000"});
    return dialer.Await();
  }();
  EXPECT_EQ(dialed.out, "ok 1000\n");
  std::vector<std::string> sources;
  EXPECT_TRUE(Eventually([&] {
    for (const std::string& one : server_.Sources()) sources.push_back(one);
    return sources.size() == 1000;
  }));
  EXPECT_THAT(sources, Each(kSource));
}

TEST_F(Forward, PassesAResetOn) {
  Running running(Words("10.0.1.5:" + server_.port()), service_.environment());
  const int port = PortOf(running);
  const UniqueFd client = DialLocal(port);
  UniqueFd peer = server_.Accept();
  const linger now = {1, 0};
  ASSERT_EQ(setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
  peer.reset();
  EXPECT_EQ(ReadToEnd(client), " (reset)");
}

TEST_F(Forward, ResetsClientsWhenTheEndpointCannotBeReachedAndSaysSoOnce) {
  const std::string closed = ClosedPort();
  Running running(Words("10.0.1.5:" + closed), service_.environment());
  const int port = PortOf(running);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ReadToEnd(DialLocal(port)), " (reset)");
  running.Interrupt();
  EXPECT_EQ(running.Await().err, "ecctl: cannot connect to 127.77.1.5:" + closed +
                                     " from 127.77.1.9: Connection refused\n");
}

TEST_F(Forward, GivesUpOnAnEndpointThatDoesNotAnswer) {
  const Listener silent("127.77.1.6", /*silent=*/true);
  Running running(Words("10.0.1.6:" + silent.port()), service_.environment());
  EXPECT_EQ(ReadToEnd(DialLocal(PortOf(running))), " (reset)");
  EXPECT_TRUE(running.PrintsErr("Connection timed out"));
}

TEST_F(Forward, FindsTheEndpointsOfClustersAndGroups) {
  v1::ReplicationGroup group = MakeGroup("orders", "available");
  v1::Endpoint* reader = group.mutable_node_groups(0)->mutable_reader_endpoint();
  reader->set_address("127.77.1.5");
  reader->set_port(std::stoi(server_.port()));
  service_.describe = Describing({MakeCluster("demo", "available", "redis", 1, 6400)});
  service_.describe_groups = DescribingGroups({group});
  Running running(EcctlCommand({"forward", "orders", "--reader", "--as", kInstance}),
                  service_.environment());
  EXPECT_TRUE(running.PrintsOut(" to 127.77.1.5:" + server_.port() +
                                " as i-web (127.77.1.9). Ctrl-C ends it.\n"));
  Running cluster(EcctlCommand({"forward", "demo", "--as", kInstance}), service_.environment());
  EXPECT_TRUE(cluster.PrintsOut(" to 127.0.0.1:6400 as i-web"));
}

// In address mode `ports` the API names a host that may be anywhere.
TEST_F(Forward, FindsAnAdvertisedEndpointOnLoopback) {
  v1::ReplicationGroup group = MakeGroup("orders", "available");
  v1::Endpoint* primary = group.mutable_node_groups(0)->mutable_primary_endpoint();
  primary->set_address("cache.example");
  primary->set_port(7400);
  service_.describe = Describing({});
  service_.describe_groups = DescribingGroups({group});
  service_.endpoints = [&](const auto&, auto* response) {
    const auto add = [&](const char* kind, const char* address, int port) {
      v1::EndpointStatus* one = response->add_endpoints();
      one->set_kind(kind);
      one->set_replication_group_id("orders");
      one->mutable_endpoint()->set_address(address);
      one->mutable_endpoint()->set_port(port);
    };
    add("primary", "127.77.1.5", std::stoi(server_.port()));
    add("primary (outside)", "cache.example", 7400);
    add("reader", "127.77.1.6", 6379);
    return grpc::Status::OK;
  };
  Running running(EcctlCommand({"forward", "orders", "--as", kInstance}), service_.environment());
  EXPECT_TRUE(running.PrintsOut(" to 127.77.1.5:" + server_.port() + " as i-web")) << running.err();
}

TEST_F(Forward, SaysWhatIsWrong) {
  const auto forward = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"forward"};
    words.insert(words.end(), more.begin(), more.end());
    return service_.Ecctl(words);
  };
  EXPECT_THAT(forward({"10.0.1.5:6379"}).err, HasSubstr("--as is missing"));
  EXPECT_THAT(forward({"10.0.1.5", "--as", kInstance}).err, HasSubstr("10.0.1.5 has no port"));
  EXPECT_THAT(forward({"10.0.1.5:many", "--as", kInstance}).err, HasSubstr("'10.0.1.5:many' is"));
  EXPECT_THAT(forward({"10.9.1.5:6379", "--as", kInstance}).err,
              HasSubstr("10.9.1.5 is no address of the VPC of i-web (10.0.0.0/16)"));
  EXPECT_EQ(forward({"10.0.1.5:6379", "--as", kInstance, "--reader"}).exit, 2);
  const Listener taken("127.0.0.1");
  const Ended busy = forward({"10.0.1.5:6379", "--as", kInstance, "--port", taken.port()});
  EXPECT_EQ(busy.exit, 1);
  EXPECT_THAT(busy.err, HasSubstr("Address already in use"));
}

}  // namespace
}  // namespace ec::cli
