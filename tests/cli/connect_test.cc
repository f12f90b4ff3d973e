// `ecctl connect`: redis-cli is looked for in PATH, Memcached is a server of the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "common/address.h"
#include "common/check.h"
#include "tests/cli/network_support.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;

// Takes one connection: answers each line with "GOT <line>", and closes at "quit".
class FakeMemcached {
 public:
  // `mute`: takes everything and never answers or closes.
  explicit FakeMemcached(bool mute = false)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    EC_CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    EC_CHECK(listen(listener_.get(), 5) == 0);
    EC_CHECK(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    port_ = ntohs(name.sin_port);
    thread_ = std::thread([this, mute] { Serve(mute); });
  }
  ~FakeMemcached() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return port_; }
  // Where the client came from.
  std::string Source() {
    Received();
    return source_;
  }
  // The bytes that came; complete when the client has ended.
  std::string Received() {
    shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return received_;
  }

 private:
  void Serve(bool mute) {
    sockaddr_in name = {};
    socklen_t size = sizeof(name);
    const UniqueFd peer(accept(listener_.get(), reinterpret_cast<sockaddr*>(&name), &size));
    if (!peer) return;
    source_ = ToString(Ip4{ntohl(name.sin_addr.s_addr)});
    char buffer[4096];
    ssize_t count = 0;
    size_t answered = 0;
    while ((count = read(peer.get(), buffer, sizeof(buffer))) > 0) {
      received_.append(buffer, static_cast<size_t>(count));
      size_t end = 0;
      while (!mute && (end = received_.find("\r\n", answered)) != std::string::npos) {
        const std::string line = received_.substr(answered, end - answered);
        answered = end + 2;
        if (line == "quit") return;
        const std::string answer = "GOT " + line + "\r\n";
        EC_CHECK(send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL) > 0);
      }
    }
  }

  UniqueFd listener_;
  int port_ = 0;
  std::string received_;
  std::string source_;
  std::thread thread_;
};

FakeService& WithMemcached(FakeService& service, int port) {
  service.describe = Describing({MakeCluster("pages", "available", "memcached", 1, port)});
  return service;
}

TEST(ConnectMemcached, SendsPipedLinesAndPrintsEveryAnswer) {
  FakeMemcached memcached;
  FakeService service;
  const Ended ended =
      WithMemcached(service, memcached.port()).Ecctl({"connect", "pages"}, "get a\nget b\r\nget c");
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(ended.out, "GOT get a\r\nGOT get b\r\nGOT get c\r\n");
  EXPECT_EQ(memcached.Received(), "get a\r\nget b\r\nget c\r\nquit\r\n");
}

TEST(ConnectMemcached, AnswersAsLinesAreTypedAndEndsAtQuit) {
  FakeMemcached memcached;
  FakeService service;
  WithMemcached(service, memcached.port());
  Running running(EcctlCommand({"connect", "pages", "--node", "0001"}), service.environment(),
                  Input::kPipe);
  running.Type("version\n");
  EXPECT_TRUE(running.PrintsOut("GOT version\r\n"));
  running.Type("quit\n");
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 0) << ended.err;
}

TEST(ConnectMemcached, TakesMoreInputThanFitsIntoThePipe) {
  FakeMemcached memcached;
  FakeService service;
  WithMemcached(service, memcached.port());
  Running running(EcctlCommand({"connect", "pages"}), service.environment(), Input::kPipe);
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    running.Type("get key" + std::to_string(i) + "\n");
    expected += "GOT get key" + std::to_string(i) + "\r\n";
    if (i % 100 == 0) running.out();
  }
  running.EndInput();
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(ended.out, expected);
}

TEST(ConnectMemcached, SendsOneCommandFromTheCommandLine) {
  FakeMemcached memcached;
  FakeService service;
  const Ended ended =
      WithMemcached(service, memcached.port()).Ecctl({"connect", "pages", "--", "stats", "items"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(ended.out, "GOT stats items\r\n");
}

TEST(ConnectMemcached, DoesNotWaitForeverForAMuteNode) {
  FakeMemcached memcached(/*mute=*/true);
  FakeService service;
  const Ended ended = WithMemcached(service, memcached.port())
                          .Ecctl({"connect", "pages", "--timeout", "200ms"}, "get a\n");
  EXPECT_EQ(ended.exit, 4);
  EXPECT_THAT(ended.err, HasSubstr("no answer from the node"));
}

TEST(ConnectMemcached, GoesToTheConfigurationEndpointWithConfig) {
  FakeMemcached memcached;
  FakeService service;
  v1::CacheCluster cluster = MakeCluster("pages", "available", "memcached", 1, 1);
  cluster.mutable_configuration_endpoint()->set_port(memcached.port());
  service.describe = Describing({cluster});
  const Ended ended =
      service.Ecctl({"connect", "pages", "--config", "--", "config", "get", "cluster"});
  EXPECT_EQ(ended.out, "GOT config get cluster\r\n") << ended.err;
}

TEST(ConnectRedis, BecomesRedisCli) {
  const TempDir bin;
  WriteAll(bin.path() + "/redis-cli", "#!/bin/sh\nfor word in \"$@\"; do echo \"[$word]\"; done\n",
           true);
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "available", "redis", 1, 6400)});
  Environment environment = service.environment();
  environment["PATH"] = bin.path() + ":/usr/bin:/bin";
  const Ended ended =
      Ecctl({"connect", "demo", "--", "SET", "a", "[x, y]", "--no-color"}, environment);
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(ended.out, "[-h]\n[127.0.0.1]\n[-p]\n[6400]\n[SET]\n[a]\n[[x, y]]\n[--no-color]\n");
  environment["PATH"] = bin.path() + "/empty";
  const Ended missing = Ecctl({"connect", "demo"}, environment);
  EXPECT_EQ(missing.exit, 1);
  EXPECT_THAT(missing.err, HasSubstr("cannot run redis-cli"));
}

TEST(ConnectRedis, GoesToTheEndpointsOfAGroup) {
  const TempDir bin;
  WriteAll(bin.path() + "/redis-cli", "#!/bin/sh\necho \"$@\"\n", true);
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "available")});
  v1::ReplicationGroup unborn = MakeGroup("unborn", "creating");
  unborn.mutable_node_groups(0)->clear_primary_endpoint();
  service.describe_groups = DescribingGroups({MakeGroup("orders", "available"), unborn});
  Environment environment = service.environment();
  environment["PATH"] = bin.path() + ":/usr/bin:/bin";
  EXPECT_EQ(Ecctl({"connect", "orders", "--", "PING"}, environment).out,
            "-h 127.0.0.1 -p 6001 PING\n");
  EXPECT_EQ(Ecctl({"connect", "orders", "--reader"}, environment).out, "-h 127.0.0.1 -p 6002\n");
  EXPECT_EQ(Ecctl({"connect", "orders", "--config"}, environment).exit, 2);
  const Ended neither = Ecctl({"connect", "nobody"}, environment);
  EXPECT_EQ(neither.exit, 1);
  EXPECT_THAT(neither.err, HasSubstr("CacheCluster not found: nobody"));
  EXPECT_THAT(Ecctl({"connect", "unborn"}, environment).err,
              HasSubstr("unborn has no primary endpoint yet: it is creating"));
  EXPECT_THAT(Ecctl({"connect", "demo", "--reader"}, environment).err,
              HasSubstr("only a group has a reader endpoint"));
}

TEST(ConnectRedis, SpeaksTlsToWhatIsEncrypted) {
  const TempDir bin;
  WriteAll(bin.path() + "/redis-cli", "#!/bin/sh\necho \"$1 $3 $5 $6 $8\"; cat \"$7\"\n", true);
  FakeService service;
  v1::CacheCluster safe = MakeCluster("safe-001", "available");
  safe.set_transit_encryption_enabled(true);
  service.describe = Describing({safe});
  v1::ReplicationGroup group = MakeGroup("safe", "available");
  group.set_transit_encryption_enabled(true);
  service.describe_groups = DescribingGroups({group});
  service.authority = [&](const v1::GetCertificateAuthorityRequest&,
                          v1::GetCertificateAuthorityResponse* response) {
    response->set_certificate("a certificate\n");
    response->set_path(bin.path() + "/ca.pem");
    return grpc::Status::OK;
  };
  Environment environment = service.environment();
  environment["PATH"] = bin.path() + ":/usr/bin:/bin";
  for (const std::string id : {"safe", "safe-001"}) {
    EXPECT_EQ(Ecctl({"connect", id, "--", "PING"}, environment).out,
              "-h -p --tls --cacert PING\na certificate\n");
  }
  // On the control plane's machine its own file does.
  WriteAll(bin.path() + "/ca.pem", "a certificate\n", false);
  WriteAll(bin.path() + "/redis-cli", "#!/bin/sh\necho \"$7\"\n", true);
  EXPECT_EQ(Ecctl({"connect", "safe"}, environment).out, bin.path() + "/ca.pem\n");
  EXPECT_EQ(Ecctl({"tls", "ca"}, environment).out, "a certificate\n");
}

TEST(ConnectAs, BindsTheMemcachedSession) {
  FakeMemcached memcached;
  FakeService service;
  AddInstances(&service);
  const Ended ended = WithMemcached(service, memcached.port())
                          .Ecctl({"connect", "pages", "--as", kInstance, "--", "stats"});
  EXPECT_EQ(ended.out, "GOT stats\r\n") << ended.err;
  EXPECT_EQ(memcached.Source(), kSource);
}

TEST(ConnectAs, RunsRedisCliAsTheInstance) {
  Listener server;
  FakeService service;
  AddInstances(&service);
  v1::CacheCluster cluster = MakeCluster("demo", "available", "redis", 1, std::stoi(server.port()));
  cluster.mutable_cache_nodes(0)->mutable_endpoint()->set_address("127.77.1.5");
  service.describe = Describing({cluster});
  Running running(EcctlCommand({"connect", "demo", "--as", kInstance, "--", "PING"}),
                  service.environment());
  std::string source;
  const UniqueFd peer = server.Accept(&source);
  if (const std::string why = WhyNoInstanceRun(running.err()); !why.empty()) GTEST_SKIP() << why;
  EXPECT_EQ(source, kSource);
  ASSERT_EQ(send(peer.get(), "+PONG\r\n", 7, MSG_NOSIGNAL), 7);
  const Ended ended = running.Await();
  EXPECT_EQ(ended.out, "PONG\n") << ended.err;
  EXPECT_EQ(ended.exit, 0);
}

TEST(Connect, SaysWhyThereIsNothingToConnectTo) {
  FakeService service;
  v1::CacheCluster unborn = MakeCluster("unborn", "creating", "redis", 0);
  service.describe = Describing({MakeCluster("demo", "available"), unborn});
  EXPECT_THAT(service.Ecctl({"connect", "unborn"}).err, HasSubstr("no nodes yet: it is creating"));
  EXPECT_THAT(service.Ecctl({"connect", "demo", "--node", "0007"}).err,
              HasSubstr("demo has no node 0007"));
  EXPECT_THAT(service.Ecctl({"connect", "demo", "--config"}).err,
              HasSubstr("no configuration endpoint"));
}

}  // namespace
}  // namespace ec::cli
