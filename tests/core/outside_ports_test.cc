// Address mode `ports`: every endpoint's second face.
#include <gmock/gmock.h>

#include <set>

#include "controlplane/core/plans.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::IsEmpty;

class OutsidePortsTest : public ::testing::Test {
 protected:
  OutsidePortsTest() { plane.AddHosts(2, 2); }

  Status Serve(uint16_t first = 7400, uint16_t last = 7499) {
    return plane.Ask(Prepare{true, model::OutsidePorts{"cache.local", {}, first, last}});
  }
  std::set<uint16_t> Ports() const {
    std::set<uint16_t> ports;
    for (const auto& [id, port] : plane.records().outside_ports) ports.insert(port);
    return ports;
  }
  static const EndpointSpec* Find(const PlanUpdate& update, EndpointId id) {
    for (const EndpointSpec& endpoint : update.endpoints) {
      if (endpoint.id == id) return &endpoint;
    }
    return nullptr;
  }

  ControlPlane plane;
};

TEST_F(OutsidePortsTest, WithoutTheModeNobodyHasOne) {
  ASSERT_THAT(plane.Ask(Memcached("mem", 2)), IsOk());
  EXPECT_THAT(plane.records().outside_ports, IsEmpty());
}

TEST_F(OutsidePortsTest, EveryEndpointHasOneOfItsOwnWhileItIsThere) {
  ASSERT_THAT(plane.Ask(Redis("before")), IsOk());
  ASSERT_THAT(Serve(), IsOk());
  ASSERT_THAT(plane.Ask(Memcached("mem", 3)), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.records().outside_ports.size(), 5u);  // four nodes and a configuration endpoint
  EXPECT_EQ(Ports().size(), 5u);
  for (const uint16_t port : Ports()) EXPECT_TRUE(port >= 7400 && port < 7500) << port;
  ASSERT_THAT(plane.Ask(DeleteCluster{"mem", {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.records().outside_ports.size(), 1u);
}

TEST_F(OutsidePortsTest, APortThatIsAskedForIsTakenWhereItIsFree) {
  ASSERT_THAT(Serve(), IsOk());
  CreateCluster request = Redis("one");
  request.port = 7777;
  ASSERT_THAT(plane.Ask(request), IsOk());
  request.id = "two";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(Ports(), (std::set<uint16_t>{7400, 7777}));
}

TEST_F(OutsidePortsTest, WithoutAFreePortAnEndpointIsServedOnLoopbackAlone) {
  ASSERT_THAT(Serve(7400, 7400), IsOk());
  ASSERT_THAT(plane.Ask(Redis("one")), IsOk());
  ASSERT_THAT(plane.Ask(Redis("two")), IsOk());
  EXPECT_EQ(Ports(), std::set<uint16_t>{7400});
  ASSERT_THAT(plane.Ask(DeleteCluster{"one", {}}), IsOk());
  plane.Settle();
  EXPECT_THAT(Ports(), IsEmpty());
}

TEST_F(OutsidePortsTest, PlansHaveBothFaces) {
  ASSERT_THAT(Serve(), IsOk());
  ASSERT_THAT(plane.Ask(Memcached("mem", 2)), IsOk());
  plane.Settle();
  const model::Member& node = plane.node("mem", "0001");
  const uint16_t port = plane.records().outside_ports.at(node.id);
  const PlanUpdate plan = PlanSince(plane.state, node.host, 0);
  const EndpointSpec* inside = Find(plan, node.id);
  const EndpointSpec* outside = Find(plan, model::OutsideOf(node.id));
  ASSERT_TRUE(inside != nullptr && outside != nullptr);
  EXPECT_EQ(outside->listen, (Address{{}, port}));
  EXPECT_EQ(outside->source, node.address.ip);
  EXPECT_TRUE(outside->relayed);
  EXPECT_FALSE(inside->relayed);
  EXPECT_EQ(outside->door, inside->door);
  EXPECT_EQ(outside->target, node.id);
  for (const Discovery::Node& listed : outside->discovery->nodes) {
    EXPECT_EQ(listed.host, "cache.local");
    EXPECT_EQ(listed.address.port, plane.records().outside_ports.at(listed.member));
  }
  const uint64_t before = plane.records().revision;
  ASSERT_THAT(plane.Ask(DeleteCluster{"mem", {}}), IsOk());
  EXPECT_THAT(PlanSince(plane.state, node.host, before).gone_endpoints,
              ::testing::Contains(model::OutsideOf(node.id)));
}

TEST_F(OutsidePortsTest, HostsGetAWholePlanWhenTheModeChanges) {
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const HostId host = plane.node("red", "0001").host;
  const uint64_t before = plane.records().revision;
  ASSERT_THAT(Serve(), IsOk());
  EXPECT_EQ(PlanSince(plane.state, host, before).base, 0u);
  ASSERT_THAT(plane.Ask(Prepare{true, std::nullopt}), IsOk());
  EXPECT_THAT(plane.records().outside_ports, IsEmpty());
}

}  // namespace
}  // namespace ec::core
