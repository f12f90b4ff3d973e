// Where members go: zones, hosts, addresses.
#include "controlplane/core/placement.h"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

CreateCluster CrossAz(const std::string& id, int nodes) {
  CreateCluster request = Memcached(id, nodes);
  request.az_mode = "cross-az";
  return request;
}

CreateCluster InZones(const std::string& id, std::vector<std::string> zones) {
  CreateCluster request = Memcached(id, static_cast<int>(zones.size()));
  request.zones = std::move(zones);
  return request;
}

std::map<std::string, int> CountZones(const ControlPlane& plane, const std::string& id) {
  std::map<std::string, int> count;
  for (const model::Member& node : plane.nodes(id)) ++count[node.zone];
  return count;
}

std::map<std::string, int> CountHosts(const ControlPlane& plane, const std::string& id) {
  std::map<std::string, int> count;
  for (const model::Member& node : plane.nodes(id)) ++count[node.host];
  return count;
}

using Count = std::map<std::string, int>;

TEST(Placement, PutsASingleAzClusterIntoOneZoneOnItsLeastLoadedHosts) {
  ControlPlane plane;
  plane.AddHosts(4, 2);  // host-0 and host-2 in a, host-1 and host-3 in b
  ASSERT_THAT(plane.Ask(Memcached("mem", 4)), IsOk());
  EXPECT_EQ(CountZones(plane, "mem"), (Count{{"us-east-1a", 4}}));
  EXPECT_EQ(CountHosts(plane, "mem"), (Count{{"host-0", 2}, {"host-2", 2}}));
  // The next one goes where less is.
  ASSERT_THAT(plane.Ask(Memcached("next", 1)), IsOk());
  EXPECT_EQ(CountZones(plane, "next"), (Count{{"us-east-1b", 1}}));
}

TEST(Placement, PutsASingleAzClusterIntoAZoneThatHasRoomForAllOfIt) {
  ControlPlane plane;
  plane.AddHost("small", 'a', 2);
  plane.AddHost("large", 'b', 9);
  ASSERT_THAT(plane.Ask(Memcached("mem", 3)), IsOk());
  EXPECT_EQ(CountZones(plane, "mem"), (Count{{"us-east-1b", 3}}));
  ExpectRefused(
      plane, Memcached("more", 7), Fault::kInsufficientCapacity,
      AllOf(HasSubstr("us-east-1a or us-east-1b"), HasSubstr("small (us-east-1a, 0 of 2 nodes)"),
            HasSubstr("large (us-east-1b, 3 of 9 nodes)")));
}

TEST(Placement, SpreadsACrossAzClusterEvenly) {
  ControlPlane plane;
  plane.AddHosts(3, 3);
  ASSERT_THAT(plane.Ask(CrossAz("mem", 7)), IsOk());
  const Count zones = CountZones(plane, "mem");
  ASSERT_EQ(zones.size(), 3u);
  for (const auto& [zone, count] : zones) EXPECT_TRUE(count == 2 || count == 3) << zone;
}

TEST(Placement, SpreadsOverTheZonesThatHaveRoom) {
  ControlPlane plane;
  plane.AddHost("small", 'a', 1);
  plane.AddHost("large", 'b', 9);
  ASSERT_THAT(plane.Ask(CrossAz("mem", 4)), IsOk());
  EXPECT_EQ(CountZones(plane, "mem"), (Count{{"us-east-1a", 1}, {"us-east-1b", 3}}));
}

TEST(Placement, FollowsThePreferredZonesNodeByNode) {
  ControlPlane plane;
  plane.AddHosts(3, 3);
  ASSERT_THAT(plane.Ask(InZones("mem", {"us-east-1c", "us-east-1a", "us-east-1c"})), IsOk());
  std::vector<std::string> zones;
  for (const model::Member& node : plane.nodes("mem")) zones.push_back(node.zone);
  EXPECT_THAT(zones, ElementsAre("us-east-1c", "us-east-1a", "us-east-1c"));
  EXPECT_TRUE(plane.cluster("mem").cross_zone);
}

TEST(Placement, PutsAllNodesIntoThePreferredZone) {
  ControlPlane plane;
  plane.AddHosts(3, 3);
  CreateCluster request = Memcached("mem", 3);
  request.zone = "us-east-1b";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_EQ(CountZones(plane, "mem"), (Count{{"us-east-1b", 3}}));
  EXPECT_FALSE(plane.cluster("mem").cross_zone);
}

TEST(Placement, IsRefusedWhereThePreferredZoneIsFullAndTakesNothing) {
  ControlPlane plane;
  plane.AddHost("host-a", 'a', 2);
  plane.AddHost("host-b", 'b', 9);
  ExpectRefused(plane, InZones("mem", {"us-east-1a", "us-east-1a", "us-east-1a"}),
                Fault::kInsufficientCapacity, HasSubstr("us-east-1a"));
  EXPECT_THAT(plane.Ask(InZones("mem", {"us-east-1a", "us-east-1a"})), IsOk());
}

TEST(Placement, LeavesOutHostsWithoutTheEngine) {
  ControlPlane plane;
  FakeHost& without = plane.AddHost("host-0", 'a');
  without.hello.engines.erase(EngineKind::kMemcached);
  plane.Register(without);
  plane.AddHost("host-1", 'a');
  ASSERT_THAT(plane.Ask(Memcached("mem", 5)), IsOk());
  EXPECT_EQ(CountHosts(plane, "mem"), (Count{{"host-1", 5}}));
}

TEST(Placement, LeavesOutSilentHosts) {
  ControlPlane plane;
  plane.AddHosts(2);
  plane.host("host-0").silent = true;
  plane.Pass(plane.settings.host_silence_max);
  ASSERT_THAT(plane.Ask(Memcached("mem", 3)), IsOk());
  EXPECT_EQ(CountHosts(plane, "mem"), (Count{{"host-1", 3}}));
  plane.host("host-1").silent = true;
  plane.Pass(plane.settings.host_silence_max);
  ExpectRefused(plane, Redis("red"), Fault::kInsufficientCapacity, HasSubstr("silent"));
}

TEST(Placement, TakesNobodyForSilentWhileTheControlPlaneHasOnlyBegunToListen) {
  ControlPlane plane;
  plane.AddHosts(1);
  plane.MoveClocks(std::chrono::hours(1));
  plane.state = model::Begin(model::Records(plane.records()), plane.now.instant);
  EXPECT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.MoveClocks(plane.settings.host_silence_max);
  EXPECT_THAT(plane.Ask(Redis("late")), Fails(Fault::kInsufficientCapacity, HasSubstr("silent")));
}

TEST(Placement, CallsAHostSilentExactlyAtItsTime) {
  ControlPlane plane;
  plane.AddHosts(1);
  const Instant at = SilentAt(plane.state, plane.settings, "host-0");
  EXPECT_EQ(at, plane.now.instant + plane.settings.host_silence_max);
  EXPECT_FALSE(IsSilent(Draft(plane.state, {at - Duration(1), {}}), plane.settings, "host-0"));
  EXPECT_TRUE(IsSilent(Draft(plane.state, {at, {}}), plane.settings, "host-0"));
}

TEST(Placement, SeesTheHostsThatRegisteredEarlierInTheSameStep) {
  ControlPlane plane;
  HostHello hello;
  hello.host = "host-0";
  hello.zone = "us-east-1a";
  hello.incarnation = 1;
  hello.members_max = 5;
  hello.engines = {{EngineKind::kRedis, "7.0.15"}};
  ASSERT_TRUE(model::NoteHello(hello, plane.now.instant, &plane.state));
  EXPECT_THAT(plane.Step({hello, Command(Redis("red"))}), ElementsAre(IsOk(), IsOk()));
  // And it sees that one has gone to another zone.
  ASSERT_THAT(plane.Ask(Reset{}), IsOk());
  hello.zone = "us-east-1b";
  hello.incarnation = 2;
  ASSERT_TRUE(model::NoteHello(hello, plane.now.instant, &plane.state));
  EXPECT_THAT(plane.Step({hello, Command(Redis("red"))}), ElementsAre(IsOk(), IsOk()));
  EXPECT_EQ(plane.node("red", "0001").zone, "us-east-1b");
}

TEST(Placement, CountsTheSeatsThatTheSameStepHasTaken) {
  ControlPlane plane;
  plane.AddHost("host-0", 'a', 3);
  EXPECT_THAT(
      plane.Step({Command(Memcached("one", 2)), Command(Memcached("two", 2)),
                  Command(Memcached("three", 1))}),
      ElementsAre(IsOk(), Fails(Fault::kInsufficientCapacity, HasSubstr("2 of 3 nodes")), IsOk()));
}

// --- addresses -------------------------------------------------------------------------------

TEST(Addresses, AreInTheZonesSubnetAndLeaveOutWhatAwsKeeps) {
  ControlPlane plane;
  plane.AddHosts(3, 3);
  ASSERT_THAT(plane.Ask(InZones("mem", {"us-east-1a", "us-east-1b", "us-east-1c"})), IsOk());
  EXPECT_EQ(ToString(plane.node("mem", "0001").address.ip), "127.10.0.4");
  EXPECT_EQ(ToString(plane.node("mem", "0002").address.ip), "127.10.16.4");
  EXPECT_EQ(ToString(plane.node("mem", "0003").address.ip), "127.10.32.4");
  EXPECT_EQ(ToString(plane.cluster("mem").configuration->address.ip), "127.10.0.5");
}

// An address that has become free rests: the search goes on where it ended.
TEST(Addresses, AreNotUsedAgainSoon) {
  ControlPlane plane;
  plane.AddHosts(1);
  std::set<Ip4> seen;
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
    EXPECT_TRUE(seen.insert(plane.node("red", "0001").address.ip).second);
    plane.Settle();
    ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
    plane.Settle();
  }
}

// A small subnet: 16 addresses, of which AWS keeps the first four and the last.
class SmallSubnet : public ::testing::Test {
 protected:
  SmallSubnet() {
    plane.AddHosts(1);
    model::Edit edit{.revision = plane.records().revision + 1};
    model::Subnet subnet = plane.DefaultSubnet("us-east-1a");
    subnet.block = *ParseCidr("172.31.0.0/28");
    edit.subnets[subnet.id] = subnet;
    model::Apply(edit, plane.now.instant, &plane.state);
  }
  ControlPlane plane;
};

TEST_F(SmallSubnet, IsUsedUpToItsLastButOneAddressAndThenFull) {
  std::set<std::string> used;
  for (int i = 0; i < 11; ++i) {
    const std::string id = "red-" + std::to_string(i);
    ASSERT_THAT(plane.Ask(Redis(id)), IsOk()) << i;
    used.insert(ToString(plane.node(id, "0001").address.ip));
  }
  EXPECT_EQ(used.size(), 11u);
  EXPECT_TRUE(used.contains("127.10.0.4"));
  EXPECT_TRUE(used.contains("127.10.0.14"));
  EXPECT_FALSE(used.contains("127.10.0.15"));
  ExpectRefused(plane, Redis("one-more"), Fault::kInsufficientCapacity,
                HasSubstr("no free address"));
}

TEST_F(SmallSubnet, IsSearchedFromItsBeginningAgainAfterItsEnd) {
  for (int i = 0; i < 11; ++i) {
    ASSERT_THAT(plane.Ask(Redis("red-" + std::to_string(i))), IsOk());
  }
  const Ip4 freed = plane.node("red-3", "0001").address.ip;
  plane.Settle();
  ASSERT_THAT(plane.Ask(DeleteCluster{"red-3", {}}), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(Redis("again")), IsOk());
  EXPECT_EQ(plane.node("again", "0001").address.ip, freed);
}

TEST_F(SmallSubnet, LeavesAClusterWithoutConfigurationEndpointWhenItIsFull) {
  ASSERT_THAT(plane.Ask(Memcached("mem", 11)), IsOk());
  EXPECT_FALSE(plane.cluster("mem").configuration);
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, model::ClusterStatus::kAvailable);
}

TEST(Addresses, AreUniqueInTheWholeRegion) {
  ControlPlane plane;
  plane.AddHosts(3, 3);
  std::set<Ip4> seen;
  size_t count = 0;
  for (int i = 0; i < 12; ++i) {
    const std::string id = "c-" + std::to_string(i);
    ASSERT_THAT(plane.Ask(i % 2 == 0 ? CrossAz(id, 4) : Redis(id)), IsOk());
    for (const model::Member& node : plane.nodes(id)) {
      seen.insert(node.address.ip);
      ++count;
    }
    if (const auto& configuration = plane.cluster(id).configuration) {
      seen.insert(configuration->address.ip);
      ++count;
    }
  }
  EXPECT_EQ(seen.size(), count);
}

}  // namespace
}  // namespace ec::core
