// Connections that real engines were handed, and the faults that come over them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/access_fixture.h"
#include "tests/endpoint/engine_fixture.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class FaultsEngineTest : public EngineFixture {
 protected:
  FaultsEngineTest() {
    server_ = std::make_unique<EndpointServer>(
        Settings{}, [this](MemberId id) { return EngineSocket(directory_, id); },
        [this](MemberId id) { return PassingSocket(id); });
    network_ = WithRules({FromAnywhere()});
  }
  void Put(std::vector<HostFault> faults) {
    server_->Conform({Spec(kMember, address_, kMember)}, network_,
                     SharedFaults(HostFaults{++revision_, std::move(faults)}));
  }
  EndpointCounts counts() const { return ReportOf(*server_, kMember).counts; }
  static bool Ping(Socket& client) {
    return client.Send("PING\r\n") && client.ReceiveUntil("\r\n") == "+PONG\r\n";
  }
  // About the connections of the stranger's.
  static HostFault Fault(FaultKind kind) {
    return {.id = "fault-1", .kind = kind, .sources = {Cidr{kStranger, 32}}};
  }

  std::unique_ptr<EndpointServer> server_;
  SharedNetwork network_;
  uint64_t revision_ = 0;
};

TEST_F(FaultsEngineTest, AConnectionThatWasHandedOverComesBackThroughTheRelay) {
  StartRedis();
  Put({});
  Socket stays = Connect(address_, kFriend);
  Socket goes = Connect(address_, kStranger);
  ASSERT_TRUE(Ping(stays) && Ping(goes));
  HostFault fault = Fault(FaultKind::kLatency);
  fault.delay = milliseconds(50);
  Put({fault});
  EXPECT_EQ(goes.AwaitEnding(), Ending::kEnd);
  EXPECT_TRUE(Eventually([&] { return counts().cut == 1u; }));
  Socket back = Connect(address_, kStranger);
  const auto begin = Clock::now();
  ASSERT_TRUE(Ping(back));
  EXPECT_GE(Clock::now() - begin, milliseconds(100));
  EXPECT_TRUE(Eventually([&] { return counts().relayed == 1u; }));
  EXPECT_TRUE(Ping(stays));

  server_->Sweep();
  fault.delay = milliseconds(1);
  Put({fault});
  EXPECT_TRUE(Ping(back)) << "one that is relayed is not cut when the fault changes";
  Put({});
  EXPECT_TRUE(Ping(back) && Ping(stays));
  EXPECT_TRUE(Eventually([&] { return counts().cut == 1u; }));
  Socket afterwards = Connect(address_, kStranger);
  EXPECT_TRUE(Ping(afterwards));
  EXPECT_TRUE(Eventually([&] { return counts().handed_over == 3u; }));
}

TEST_F(FaultsEngineTest, ACutEndsConnectionsThatWereHandedOverOnce) {
  StartRedis();
  Put({});
  Socket stays = Connect(address_, kFriend);
  Socket goes = Connect(address_, kStranger);
  ASSERT_TRUE(Ping(stays) && Ping(goes));
  Put({Fault(FaultKind::kCut)});
  EXPECT_EQ(goes.AwaitEnding(), Ending::kEnd);
  Socket back = Connect(address_, kStranger);
  EXPECT_TRUE(Ping(back));
  server_->Sweep();
  Put({});
  EXPECT_TRUE(Ping(back) && Ping(stays));
  EXPECT_TRUE(Eventually([&] { return counts().handed_over == 3u; }));
}

TEST_F(FaultsEngineTest, AMemcachedClientThatHasSaidNothingYetGetsTheFaultToo) {
  StartMemcached();
  const Discovery nodes{.version = 1, .nodes = {{.host = "one", .address = address_}}};
  const auto put = [&](std::vector<HostFault> faults) {
    server_->Conform({Spec(kMember, address_, kMember, nodes)}, network_,
                     SharedFaults(HostFaults{++revision_, std::move(faults)}));
  };
  put({});
  Socket client = Connect(address_, kStranger);
  ASSERT_TRUE(Eventually([&] { return counts().open == 1; }));
  HostFault fault = Fault(FaultKind::kLatency);
  fault.delay = milliseconds(50);
  put({fault});
  const auto begin = Clock::now();
  EXPECT_TRUE(client.Send("mn\r\n") && client.ReceiveUntil("\r\n") == "MN\r\n");
  EXPECT_GE(Clock::now() - begin, milliseconds(100));
}

}  // namespace
}  // namespace ec::endpoint
