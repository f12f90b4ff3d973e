// VPCs and instances as real network namespaces, with sockets of the test in them.
#include "controlplane/netns/namespaces.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "common/netns.h"

namespace ec::netns {
namespace {

constexpr uint16_t kPort = 6379;
constexpr int kPatienceMilliseconds = 5000;
// Nothing here takes a hundredth of this.
constexpr int kNeverMilliseconds = 300;

Ip4 Ip(const char* text) { return *ParseIp4(text); }

VpcSpace Vpc(const std::string& id, const char* slice) {
  return {id, {*ParseCidr("10.0.0.0/16"), *ParseCidr(slice)}, {}};
}

sockaddr_in NameOf(Address address) {
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(address.ip.bits);
  return name;
}

bool Bind(const UniqueFd& socket, Address address) {
  const sockaddr_in name = NameOf(address);
  return bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
}

enum class Outcome { kConnected, kFailed, kNotAnswered };

// What becomes of a connection that is made in that namespace; from another address than its own,
// if one is given.
Outcome Call(int space, Ip4 to, int patience, Ip4 forged = {}) {
  Outcome outcome = Outcome::kFailed;
  InNetns(space, [&] {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (forged.bits != 0) {
      ASSERT_EQ(setsockopt(socket.get(), IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)), 0);
      ASSERT_TRUE(Bind(socket, {forged, 0}));
    }
    const sockaddr_in name = NameOf({to, kPort});
    const int begun = connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name));
    if (begun != 0 && errno != EINPROGRESS) return;
    pollfd made{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    int error = 0;
    socklen_t size = sizeof(error);
    if (poll(&made, 1, patience) == 0) {
      outcome = Outcome::kNotAnswered;
    } else if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
      outcome = Outcome::kConnected;
    }
  });
  return outcome;
}

// Whether a listener there takes such a connection.
bool Connects(int space, Ip4 to, int patience = kPatienceMilliseconds, Ip4 forged = {}) {
  return Call(space, to, patience, forged) == Outcome::kConnected;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What could have been changed of this machine's own network.
std::string OwnNetwork() {
  std::string text = ReadAll("/proc/net/route") + ReadAll("/proc/net/fib_trie");
  for (const char* setting : {"rp_filter", "route_localnet", "forwarding"}) {
    text += ReadAll(std::string("/proc/sys/net/ipv4/conf/all/") + setting);
  }
  const std::unique_ptr<struct if_nameindex, decltype(&if_freenameindex)> devices(if_nameindex(),
                                                                                  if_freenameindex);
  for (auto* device = devices.get(); device->if_index != 0; ++device) text += device->if_name;
  return text;
}

class NamespacesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!MakeNetns()) GTEST_SKIP() << "no network namespaces here: " << std::strerror(errno);
    shop_.instances = {{"i-web", Ip("10.0.1.5")}, {"i-job", Ip("10.0.2.9")}};
    other_.instances = {{"i-far", Ip("10.0.1.6")}};
    Make();
    listeners_[0] = Listen("vpc-shop", Ip("10.0.1.4"));
    listeners_[1] = Listen("vpc-shop", Ip("127.77.1.4"));
  }
  void TearDown() override {
    EXPECT_TRUE(Conform(prefix_, {}, beyond()).ok());
    EXPECT_TRUE(NetnsNames(prefix_).empty());
    EXPECT_EQ(OwnNetwork(), own_network_);
  }

  virtual Beyond beyond() const { return Beyond::kUnreachable; }
  void Make() {
    const Status made = Conform(prefix_, {shop_, other_}, beyond());
    ASSERT_TRUE(made.ok()) << made.message();
  }
  UniqueFd Open(const std::string& id) { return OpenNetns(NetnsName(prefix_, id)); }
  UniqueFd Listen(const std::string& id, Ip4 ip) {
    UniqueFd socket;
    InNetns(Open(id).get(), [&] {
      socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      EXPECT_TRUE(Bind(socket, {ip, kPort})) << std::strerror(errno);
      EXPECT_EQ(listen(socket.get(), 16), 0);
    });
    return socket;
  }
  bool Reaches(const std::string& id, const char* to) { return Connects(Open(id).get(), Ip(to)); }
  Outcome Calls(const std::string& id, const char* to) {
    return Call(Open(id).get(), Ip(to), kNeverMilliseconds);
  }
  bool NeverReaches(const std::string& id, const char* to, Ip4 forged = {}) {
    return !Connects(Open(id).get(), Ip(to), kNeverMilliseconds, forged);
  }

  const std::string own_network_ = OwnNetwork();
  const std::string prefix_ = NetnsPrefix("/test/" + std::to_string(getpid()));
  VpcSpace shop_ = Vpc("vpc-shop", "127.77.0.0/16");
  VpcSpace other_ = Vpc("vpc-other", "127.78.0.0/16");  // with the same block
  UniqueFd listeners_[2];
};

TEST_F(NamespacesTest, AnInstanceReachesWhatListensInItsVpcAtBothAddresses) {
  for (const char* id : {"i-web", "i-job"}) {
    EXPECT_TRUE(Reaches(id, "10.0.1.4")) << id;
    EXPECT_TRUE(Reaches(id, "127.77.1.4")) << id;
  }
}

TEST_F(NamespacesTest, AnotherVpcIsOutOfReachEvenWithTheSameBlock) {
  EXPECT_TRUE(NeverReaches("i-far", "10.0.1.4"));
  EXPECT_TRUE(NeverReaches("i-far", "127.77.1.4"));
}

TEST_F(NamespacesTest, NeitherOtherInstancesNorTheMachineAreInReach) {
  const UniqueFd neighbour = Listen("i-job", Ip("10.0.2.9"));
  EXPECT_TRUE(Reaches("i-job", "10.0.2.9"));
  EXPECT_TRUE(NeverReaches("i-web", "10.0.2.9"));
  const UniqueFd machine(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(Bind(machine, {Ip("127.77.9.9"), kPort}));
  ASSERT_EQ(listen(machine.get(), 16), 0);
  EXPECT_TRUE(NeverReaches("i-web", "127.77.9.9"));
}

TEST_F(NamespacesTest, AForgedSourceIsNotHeard) {
  EXPECT_TRUE(NeverReaches("i-web", "10.0.1.4", Ip("10.0.2.9")));     // another instance's
  EXPECT_TRUE(NeverReaches("i-web", "10.0.1.4", Ip("10.0.1.4")));     // the endpoint's own
  EXPECT_TRUE(NeverReaches("i-web", "127.77.1.4", Ip("127.0.0.1")));  // the machine's
}

TEST_F(NamespacesTest, WhatIsAsItShouldBeIsLeftAlone) {
  const auto web = InodeOfNetns(NetnsName(prefix_, "i-web"));
  shop_.instances.push_back({"i-new", Ip("10.0.3.3")});
  Make();
  EXPECT_EQ(InodeOfNetns(NetnsName(prefix_, "i-web")), web);
  EXPECT_TRUE(Reaches("i-web", "10.0.1.4"));
  EXPECT_TRUE(Reaches("i-new", "10.0.1.4"));
}

TEST_F(NamespacesTest, AnInstanceThatIsNoMoreIsCutOffWhateverStillRunsInIt) {
  const UniqueFd kept = Open("i-web");
  shop_.instances.erase(shop_.instances.begin());
  Make();
  EXPECT_FALSE(Open("i-web"));
  EXPECT_FALSE(Connects(kept.get(), Ip("10.0.1.4"), kNeverMilliseconds));
  EXPECT_TRUE(Reaches("i-job", "10.0.1.4"));
}

TEST_F(NamespacesTest, WhatSomebodyTookAwayComesBack) {
  ASSERT_TRUE(UnnameNetns(NetnsName(prefix_, "i-web")));
  Make();
  EXPECT_TRUE(Reaches("i-web", "10.0.1.4"));
  ASSERT_TRUE(UnnameNetns(NetnsName(prefix_, "vpc-shop")));
  Make();
  listeners_[0] = Listen("vpc-shop", Ip("10.0.1.4"));
  EXPECT_TRUE(Reaches("i-web", "10.0.1.4"));
  EXPECT_TRUE(Reaches("i-job", "10.0.1.4"));
}

TEST_F(NamespacesTest, AnotherInstanceOfTheSameNameGetsANamespaceOfItsOwn) {
  shop_.instances[0].address = Ip("10.0.1.7");
  Make();
  EXPECT_TRUE(Reaches("i-web", "10.0.1.4"));
  EXPECT_FALSE(Connects(Open("i-web").get(), Ip("10.0.1.4"), kNeverMilliseconds, Ip("10.0.1.5")));
  EXPECT_TRUE(Connects(Open("i-web").get(), Ip("10.0.1.4"), kPatienceMilliseconds, Ip("10.0.1.7")));
}

// A crash between a file and its namespace.
TEST_F(NamespacesTest, ANameWithoutANamespaceIsMadeGood) {
  const std::string name = NetnsName(prefix_, "i-web");
  ASSERT_TRUE(UnnameNetns(name));
  const UniqueFd empty(open(("/run/netns/" + name).c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0));
  ASSERT_TRUE(empty);
  Make();
  EXPECT_TRUE(Reaches("i-web", "10.0.1.4"));
}

// The endpoint's address in another VPC, an address of nobody, and the world.
constexpr const char* kBeyond[] = {"127.77.1.4", "127.99.0.1", "192.168.7.7", "192.0.2.1"};

TEST_F(NamespacesTest, WhoCallsBeyondItsVpcIsToldSoAtOnce) {
  for (const char* to : kBeyond) EXPECT_EQ(Calls("i-far", to), Outcome::kFailed) << to;
}

class SilentNamespacesTest : public NamespacesTest {
  Beyond beyond() const override { return Beyond::kSilence; }
};

TEST_F(SilentNamespacesTest, WhoCallsBeyondItsVpcIsNotAnswered) {
  for (const char* to : kBeyond) EXPECT_EQ(Calls("i-far", to), Outcome::kNotAnswered) << to;
  EXPECT_EQ(Calls("i-web", "10.0.2.9"), Outcome::kNotAnswered);  // another instance
}

TEST_F(SilentNamespacesTest, TheVpcsOwnIsInReachAsEver) {
  EXPECT_TRUE(Reaches("i-web", "10.0.1.4"));
  EXPECT_TRUE(Reaches("i-web", "127.77.1.4"));
}

TEST_F(SilentNamespacesTest, AnInstanceHasItsOwnLoopback) {
  EXPECT_EQ(Calls("i-web", "127.0.0.1"), Outcome::kFailed);
  const UniqueFd own = Listen("i-web", Ip("127.0.0.2"));
  EXPECT_TRUE(Reaches("i-web", "127.0.0.2"));
}

}  // namespace
}  // namespace ec::netns
