// How failures of a call reach the user.
#include "cli/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/check.h"
#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;

// A port where connections are taken and nothing is ever said.
class SilentPort {
 public:
  SilentPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    EC_CHECK(bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    EC_CHECK(listen(socket_.get(), 5) == 0);
    EC_CHECK(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(name.sin_port));
  }
  const std::string& address() const { return address_; }
  bool AwaitConnection() const {
    pollfd poller{socket_.get(), POLLIN, 0};
    return poll(&poller, 1, 10'000) == 1;
  }

 private:
  UniqueFd socket_;
  std::string address_;
};

TEST(ServiceError, IsOneLineWithAwsCode) {
  FakeService service;
  service.describe = Describing({});
  const Ended ended = service.Ecctl({"cluster", "show", "nope"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "ecctl: CacheClusterNotFound: CacheCluster not found: nope\n");
}

TEST(ServiceError, IsJsonWhenJsonIsAskedFor) {
  FakeService service;
  service.describe = Describing({});
  const Ended ended = service.Ecctl({"cluster", "show", "nope", "-o", "json"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_EQ(ended.err,
            "{\"error\":{\"code\":\"CacheClusterNotFound\",\"message\":\"CacheCluster not found: "
            "nope\"}}\n");
}

TEST(ServiceError, OfAServiceThatIsUnavailableIsNotAnUnreachableOne) {
  FakeService service;
  service.describe = [](const auto&, auto*) {
    return AwsError("ServiceUnavailable", "not ready yet", grpc::StatusCode::UNAVAILABLE);
  };
  const Ended ended = service.Ecctl({"cluster", "list"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_EQ(ended.err, "ecctl: ServiceUnavailable: not ready yet\n");
}

TEST(ServiceError, WithoutDetailsShowsTheGrpcCode) {
  FakeService service;
  service.describe = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::INTERNAL, "oh no");
  };
  const Ended ended = service.Ecctl({"cluster", "list"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("gRPC error 13: oh no"));
}

TEST(Unreachable, SaysWhereAndHowToStart) {
  std::string address;
  {
    const FakeService gone;
    address = gone.address();
  }
  const Ended named = Ecctl({"--address", address, "cluster", "list"});
  EXPECT_EQ(named.exit, 3);
  EXPECT_EQ(named.err, "ecctl: no control plane answers at " + address + " (given by --address)\n");

  const TempDir dir;
  const Ended missing = Ecctl({"--dir", dir.path(), "cluster", "list"});
  EXPECT_EQ(missing.exit, 3);
  EXPECT_THAT(missing.err, HasSubstr("there is no installation in " + dir.path()));
  EXPECT_THAT(missing.err, HasSubstr("'ecctl up'"));
}

TEST(Timeout, ExitsWith4) {
  const SilentPort silent;
  const Ended ended =
      Ecctl({"--address", silent.address(), "--timeout", "100ms", "cluster", "list"});
  EXPECT_EQ(ended.exit, 4);
  EXPECT_THAT(ended.err, HasSubstr("within 100 ms"));
}

TEST(Interrupt, EndsACallWith130) {
  const SilentPort silent;
  Running running(EcctlCommand({"--address", silent.address(), "cluster", "list"}));
  ASSERT_TRUE(silent.AwaitConnection());
  running.Interrupt();
  EXPECT_EQ(running.Await().exit, 130);
}

TEST(Target, NeedsNoResolverForNumbers) {
  EXPECT_EQ(TargetOf("127.0.0.1:7379"), "ipv4:127.0.0.1:7379");
  EXPECT_EQ(TargetOf("localhost:1"), "ipv4:127.0.0.1:1");
  EXPECT_EQ(TargetOf("[::1]:80"), "ipv6:[::1]:80");
  EXPECT_EQ(TargetOf("cache.example:80"), "dns:///cache.example:80");
}

}  // namespace
}  // namespace ec::cli
