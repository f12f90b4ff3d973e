// What each host is told to be.
#include "controlplane/core/plans.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "controlplane/model/access.h"
#include "controlplane/model/parameters.h"
#include "controlplane/model/users.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class PlansTest : public ::testing::Test {
 protected:
  PlansTest() { plane.AddHosts(2, 2); }

  PlanUpdate Whole(const HostId& host) const { return PlanSince(plane.state, host, 0); }
  static std::set<MemberId> Ids(const PlanUpdate& update) {
    std::set<MemberId> ids;
    for (const MemberSpec& member : update.members) ids.insert(member.id);
    return ids;
  }
  static const EndpointSpec* Find(const PlanUpdate& update, EndpointId id) {
    for (const EndpointSpec& endpoint : update.endpoints) {
      if (endpoint.id == id) return &endpoint;
    }
    return nullptr;
  }

  ControlPlane plane;
};

TEST_F(PlansTest, SayEverythingThatAnEngineNeeds) {
  CreateCluster request = Redis("red");
  request.node_type = "cache.m5.large";
  request.port = 7001;
  ASSERT_THAT(plane.Ask(request), IsOk());
  const model::Member& node = plane.node("red", "0001");
  const model::NodeType& type = plane.records().node_types.at("cache.m5.large");
  MemberSpec spec;
  spec.id = node.id;
  spec.engine = EngineKind::kRedis;
  spec.generation = 1;
  spec.label = "red/0001";
  spec.parameters = model::DefaultParameters("redis7");
  spec.memory_max_bytes = *type.redis_maxmemory_bytes * 3 / 4;
  spec.threads = type.vcpu;
  spec.address = node.address;
  spec.access = model::EngineAccessOf(plane.records(), plane.cluster("red"));
  EXPECT_EQ(type.vcpu, 2);
  const PlanUpdate plan = Whole(node.host);
  EXPECT_EQ(plan.base, 0u);
  EXPECT_EQ(plan.revision, plane.records().revision);
  EXPECT_THAT(plan.members, ElementsAre(spec));
  const Address listen{node.address.ip, 7001};
  EndpointSpec endpoint;
  endpoint.id = endpoint.target = node.id;
  endpoint.listen = listen;
  endpoint.door = model::DoorOf(plane.records(), plane.cluster("red"), listen);
  EXPECT_THAT(plan.endpoints, ElementsAre(endpoint));
}

TEST_F(PlansTest, SayWhatConfigGetClusterAnswers) {
  CreateCluster request = Memcached("mem", 3);
  request.zones = {"us-east-1b", "us-east-1a", "us-east-1b"};
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  Discovery discovery;
  discovery.version = 1;
  for (const model::Member& node : plane.nodes("mem")) {  // by node id, not by number or host
    discovery.nodes.push_back({ToString(node.address.ip), node.address, node.id});
  }
  ASSERT_THAT(discovery.nodes, SizeIs(3));
  size_t endpoints = 0;
  for (const HostId host : {"host-0", "host-1"}) {
    for (const EndpointSpec& endpoint : Whole(host).endpoints) {
      EXPECT_EQ(endpoint.discovery, discovery);
      ++endpoints;
    }
  }
  EXPECT_EQ(endpoints, 4u);  // three nodes, and the configuration endpoint
  const model::ConfigurationEndpoint& configuration = *plane.cluster("mem").configuration;
  const PlanUpdate home = Whole(configuration.host);
  const EndpointSpec* endpoint = Find(home, configuration.id);
  ASSERT_NE(endpoint, nullptr);
  EXPECT_EQ(endpoint->listen, configuration.address);
  EXPECT_EQ(endpoint->target, plane.node("mem", "0001").id);
}

TEST_F(PlansTest, ListNobodyBeforeTheNodesAreThere) {
  ASSERT_THAT(plane.Ask(Memcached("mem", 2)), IsOk());
  for (const EndpointSpec& endpoint : Whole("host-0").endpoints) {
    EXPECT_EQ(endpoint.discovery, Discovery{});
  }
}

TEST_F(PlansTest, LeaveOutWhatIsToBeRemoved) {
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const model::Member node = plane.node("red", "0001");
  const uint64_t before = plane.records().revision;
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  EXPECT_THAT(Whole(node.host).members, IsEmpty());
  EXPECT_THAT(Whole(node.host).gone_members, IsEmpty());  // what is not in it is gone
  const PlanUpdate update = PlanSince(plane.state, node.host, before);
  EXPECT_EQ(update.base, before);
  EXPECT_THAT(update.gone_members, ElementsAre(node.id));
  EXPECT_THAT(update.gone_endpoints, ElementsAre(node.id));
}

TEST_F(PlansTest, CarryOnlyWhatHasChangedSince) {
  ASSERT_THAT(plane.Ask(Redis("one")), IsOk());
  ASSERT_THAT(plane.Ask(Redis("two")), IsOk());
  ASSERT_THAT(plane.Ask(Redis("three")), IsOk());  // on host-0, as the first
  plane.Settle();
  const model::Member& three = plane.node("three", "0001");
  ASSERT_EQ(three.host, plane.node("one", "0001").host);
  const uint64_t before = plane.records().revision;
  ASSERT_THAT(plane.Ask(RebootCluster{"three", {"0001"}}), IsOk());
  const PlanUpdate update = PlanSince(plane.state, three.host, before);
  EXPECT_EQ(Ids(update), std::set<MemberId>{three.id});
  EXPECT_THAT(update.endpoints, SizeIs(1));
  EXPECT_THAT(update.gone_members, IsEmpty());
  EXPECT_THAT(PlanSince(plane.state, "host-1", before).members, IsEmpty());
}

TEST_F(PlansTest, AreWholeWhenTheChangesSinceAreNotKnown) {
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const HostId host = plane.node("red", "0001").host;
  const uint64_t before = plane.records().revision;
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  plane.state = model::Begin(model::Records(plane.records()), plane.now.instant);
  EXPECT_EQ(PlanSince(plane.state, host, before).base, 0u);  // from before this control plane
  EXPECT_EQ(PlanSince(plane.state, host, plane.records().revision).base, plane.records().revision);
  EXPECT_EQ(PlanSince(plane.state, host, plane.records().revision + 1).base, 0u);  // from nowhere
}

TEST_F(PlansTest, AreEmptyForAHostThatHasNothing) {
  const PlanUpdate plan = Whole("stranger");
  EXPECT_EQ(plan.revision, plane.records().revision);
  EXPECT_THAT(plan.members, IsEmpty());
  EXPECT_THAT(plan.endpoints, IsEmpty());
}

// --- who may connect --------------------------------------------------------------------------

TEST_F(PlansTest, CarryTheNetworkToEveryHostWhenItHasChanged) {
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const uint64_t before = plane.records().revision;
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  EXPECT_FALSE(PlanSince(plane.state, "host-0", before).network);
  const model::State state = plane.state;
  ASSERT_THAT(plane.Ask(NetworkCommand(CreateVpc{"vpc-1", "sg-1", "10.0.0.0/16", {}})), IsOk());
  EXPECT_EQ(HostsTouched(state, plane.decision.edit), (std::set<HostId>{"host-0", "host-1"}));
  for (const HostId host : {"host-0", "host-1"}) {
    const PlanUpdate update = PlanSince(plane.state, host, state.records.revision);
    ASSERT_TRUE(update.network);
    EXPECT_EQ(update.network->revision, plane.records().revision);
    EXPECT_TRUE(update.network->groups.contains("sg-1"));
  }
}

TEST_F(PlansTest, SayWhereInstancesComeFromOnThisMachine) {
  ASSERT_THAT(plane.Ask(NetworkCommand(CreateVpc{"vpc-1", "sg-1", "10.0.0.0/16", {}})), IsOk());
  ASSERT_THAT(plane.Ask(NetworkCommand(CreateSubnet{"subnet-1", "vpc-1", "10.0.1.0/24", {}, {}})),
              IsOk());
  RunInstance run{"i-1", "subnet-1", {}, "10.0.1.5", {}};
  ASSERT_THAT(plane.Ask(NetworkCommand(run)), IsOk());
  const model::Vpc& vpc = plane.records().vpcs.at("vpc-1");
  const Instance expected{
      "i-1", "vpc-1", {vpc.slice.network.bits | 0x0105u}, {0x0a000105}, {"sg-1"}};
  EXPECT_THAT(Whole("host-0").network->instances, Contains(expected));
}

TEST_F(PlansTest, ClustersAreInTheDefaultGroupOfTheDefaultVpc) {
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const model::Member& node = plane.node("red", "0001");
  const PlanUpdate plan = Whole(node.host);
  const EndpointSpec* endpoint = Find(plan, node.id);
  ASSERT_NE(endpoint, nullptr);
  ASSERT_THAT(endpoint->door.groups, SizeIs(1));
  const SecurityGroup& group = plan.network->groups.at(endpoint->door.groups[0]);
  EXPECT_EQ(group.vpc, endpoint->door.vpc);
  EXPECT_THAT(group.ingress, ElementsAre(Field(&IngressRule::group, group.id)));
  EXPECT_THAT(
      plan.network->instances,
      Contains(AllOf(Field(&Instance::id, "red/0001"), Field(&Instance::source, node.address.ip),
                     Field(&Instance::groups, endpoint->door.groups))));
}

// --- HostsTouched ----------------------------------------------------------------------------

TEST_F(PlansTest, TouchTheHostsOfWhatAnEditChanges) {
  const auto touched = [&](const Command& command) {
    const model::State before = plane.state;
    EXPECT_THAT(plane.Ask(command), IsOk());
    return HostsTouched(before, plane.decision.edit);
  };
  using Hosts = std::set<HostId>;
  // A new node may be a source anywhere.
  EXPECT_EQ(touched(Redis("red")), (Hosts{"host-0", "host-1"}));
  CreateCluster request = Memcached("mem", 2);
  request.zones = {"us-east-1a", "us-east-1b"};
  EXPECT_EQ(touched(request), (Hosts{"host-0", "host-1"}));
  plane.Settle();
  EXPECT_EQ(touched(AddTags{ClusterArn("red"), {{"k", "v"}}}), Hosts());
  EXPECT_EQ(touched(RebootCluster{"red", {"0001"}}), Hosts{"host-0"});
  plane.Settle();
  // The configuration endpoint leaves host-0 together with the node there.
  ModifyCluster shrink;
  shrink.id = "mem";
  shrink.nodes = 1;
  shrink.remove = {"0001"};
  shrink.apply_immediately = true;
  EXPECT_EQ(touched(shrink), (Hosts{"host-0", "host-1"}));
  plane.Settle();
  EXPECT_EQ(touched(Reset{}), (Hosts{"host-0", "host-1"}));
}

}  // namespace
}  // namespace ec::core
