// Hosts that register, time that passes, and the way back to zero.
#include "controlplane/core/hosts.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "controlplane/model/limits.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

HostHello Hello(const HostId& host, const std::string& zone, uint64_t incarnation = 1) {
  HostHello hello;
  hello.host = host;
  hello.zone = zone;
  hello.incarnation = incarnation;
  hello.members_max = 7;
  hello.pid = 4711;
  hello.engines = {{EngineKind::kRedis, "7.0.15"}};
  return hello;
}

// --- hello -----------------------------------------------------------------------------------

TEST(Register, WritesTheHostAndGivesANewZoneASubnet) {
  ControlPlane plane;
  EXPECT_THAT(plane.Step({Hello("host-0", "us-east-1b")}), ElementsAre(IsOk()));
  model::Edit edit{.revision = plane.records().revision};
  // The second of the region's zones has the second subnet, whichever zone comes first.
  edit.zones["us-east-1b"] = model::Zone{"us-east-1b", *ParseCidr("127.10.16.0/20")};
  edit.hosts["host-0"] = model::Host{.id = "host-0",
                                     .zone = "us-east-1b",
                                     .incarnation = 1,
                                     .members_max = 7,
                                     .pid = 4711,
                                     .engines = {{EngineKind::kRedis, "7.0.15"}},
                                     .registered = plane.now.wall};
  EXPECT_EQ(plane.decision.edit.zones, edit.zones);
  EXPECT_EQ(plane.decision.edit.hosts, edit.hosts);
  ASSERT_EQ(plane.decision.edit.subnets.size(), 1u);
  EXPECT_EQ(ToString(plane.decision.edit.subnets.begin()->second->block), "172.31.16.0/20");
}

TEST(Register, ChangesNothingWhenNothingHasChanged) {
  ControlPlane plane;
  plane.Step({Hello("host-0", "us-east-1a")});
  plane.MoveClocks(std::chrono::seconds(1));
  plane.Step({Hello("host-0", "us-east-1a")});
  EXPECT_TRUE(plane.decision.edit.empty());
}

TEST(Register, KeepsTheTimeOfTheFirstHello) {
  ControlPlane plane;
  plane.Step({Hello("host-0", "us-east-1a")});
  const WallTime first = plane.now.wall;
  plane.MoveClocks(std::chrono::hours(1));
  plane.Step({Hello("host-0", "us-east-1a", 2)});
  EXPECT_EQ(plane.records().hosts.at("host-0").registered, first);
  EXPECT_EQ(plane.records().hosts.at("host-0").incarnation, 2u);
}

TEST(Register, GivesEveryZoneASubnetOfItsOwnInsideTheVpc) {
  ControlPlane plane;
  std::vector<Input> hellos;  // in one step: each sees those before it
  for (char zone = 'a'; zone < 'a' + 16; ++zone) {
    hellos.push_back(Hello(std::string("host-") + zone, std::string(kRegion) + zone));
  }
  for (const Status& verdict : plane.Step(hellos)) EXPECT_THAT(verdict, IsOk());
  std::vector<Cidr> subnets;
  for (const auto& [name, zone] : plane.records().zones) subnets.push_back(zone.subnet);
  ASSERT_THAT(subnets, SizeIs(16));
  for (size_t i = 0; i < subnets.size(); ++i) {
    EXPECT_TRUE(ParseCidr("127.10.0.0/16")->Contains(subnets[i].First()));
    EXPECT_TRUE(ParseCidr("127.10.0.0/16")->Contains(subnets[i].Last()));
    for (size_t k = 0; k < i; ++k) EXPECT_FALSE(subnets[k].Contains(subnets[i].First()));
  }
  // There is no room for one more; but there is for another host in one of them.
  EXPECT_THAT(plane.Step({Hello("host-q", "us-east-1q")}),
              ElementsAre(Fails(Fault::kInsufficientCapacity, HasSubstr("us-east-1q"))));
  EXPECT_TRUE(plane.decision.edit.empty());
  EXPECT_THAT(plane.Step({Hello("another", "us-east-1a")}), ElementsAre(IsOk()));
}

TEST(Register, NeverGivesOutASubnetThatLeavesTheVpc) {
  ControlPlane plane;
  model::Edit edit{.revision = plane.records().revision + 1};
  edit.installation = plane.records().installation;
  edit.installation->vpc = *ParseCidr("127.10.0.0/24");
  model::Apply(edit, plane.now.instant, &plane.state);
  EXPECT_THAT(plane.Step({Hello("host-0", "us-east-1a")}),
              ElementsAre(Fails(Fault::kInsufficientCapacity, HasSubstr("127.10.0.0/24"))));
}

TEST(Register, RefusesWhatIsMalformedAndChangesNothing) {
  ControlPlane plane;
  const auto refuses = [&](const HostHello& hello, const std::string& text) {
    SCOPED_TRACE(hello.host + " " + hello.zone);
    EXPECT_THAT(plane.Step({hello}),
                ElementsAre(Fails(Fault::kInvalidParameterValue, HasSubstr(text))));
    EXPECT_TRUE(plane.decision.edit.empty());
  };
  for (const std::string host : {"", "-a", "a_b", "1a", "a b"}) {
    refuses(Hello(host, "us-east-1a"), "host");
  }
  refuses(Hello(std::string(65, 'a'), "us-east-1a"), "64");
  for (const std::string zone :
       {"", "us-east-1", "us-east-1A", "us-east-11", "us-east-1aa", "eu-west-1a", "a"}) {
    refuses(Hello("host-0", zone), "zone");
  }
  HostHello hello = Hello("host-0", "us-east-1a");
  hello.members_max = 0;
  refuses(hello, "members_max");
}

TEST(Register, RefusesAHostThatMovesToAnotherZoneWhileItHasNodes) {
  ControlPlane plane;
  FakeHost& host = plane.AddHost("host-0", 'a');
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  HostHello moved = host.hello;
  moved.zone = "us-east-1b";
  EXPECT_THAT(plane.Step({moved}),
              ElementsAre(Fails(Fault::kInvalidCacheClusterState, HasSubstr("us-east-1b"))));
  EXPECT_TRUE(plane.decision.edit.empty());
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Settle();
  EXPECT_THAT(plane.Step({moved}), ElementsAre(IsOk()));
  EXPECT_EQ(plane.records().hosts.at("host-0").zone, "us-east-1b");
}

// --- events ----------------------------------------------------------------------------------

TEST(Events, AreKeptForFourteenDays) {
  ControlPlane plane;
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const size_t first = plane.records().events.size();
  ASSERT_GT(first, 0u);
  plane.Pass(std::chrono::days(1));
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  plane.Settle();
  const size_t all = plane.records().events.size();
  plane.Pass(std::chrono::days(13));
  EXPECT_THAT(plane.records().events, SizeIs(all));  // exactly fourteen days old
  plane.Pass(std::chrono::milliseconds(1));
  EXPECT_THAT(plane.records().events, SizeIs(all - first));
  EXPECT_EQ(plane.records().events.begin()->second.message, "Cache node 0001 shutdown");
  plane.Pass(std::chrono::days(2));
  EXPECT_THAT(plane.records().events, IsEmpty());
}

TEST(Events, AreCountedOnAfterAllHaveBeenDropped) {
  ControlPlane plane;
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const uint64_t next = plane.records().installation.next_event;
  plane.Pass(std::chrono::days(15));
  ASSERT_THAT(plane.records().events, IsEmpty());
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  EXPECT_EQ(plane.records().events.begin()->first, next);
}

TEST(Events, AreNoMoreThanTheMostThatAreKept) {
  ControlPlane plane;
  model::Edit edit{.revision = plane.records().revision + 1};
  const uint64_t count = model::kEventsMax + 5;
  for (uint64_t serial = 1; serial <= count; ++serial) {
    edit.events.push_back({serial, plane.now.wall, "cache-cluster", "red", "x"});
  }
  edit.installation = plane.records().installation;
  edit.installation->next_event = count + 1;
  model::Apply(edit, plane.now.instant, &plane.state);
  plane.Tick();
  EXPECT_THAT(plane.records().events, SizeIs(model::kEventsMax));
  EXPECT_EQ(plane.records().events.begin()->first, 6u);
}

TEST(Events, HaveSerialsWithoutAGapAndTheTimeOfTheirStep) {
  ControlPlane plane;
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Memcached("mem", 3)), IsOk());
  plane.Settle();
  uint64_t serial = 0;
  for (const auto& [key, event] : plane.records().events) {
    EXPECT_EQ(key, ++serial);
    EXPECT_EQ(event.serial, key);
    EXPECT_EQ(event.date, plane.now.wall);
    EXPECT_EQ(event.source_type, "cache-cluster");
    EXPECT_EQ(event.source_id, "mem");
  }
  EXPECT_EQ(plane.records().installation.next_event, serial + 1);
}

// --- reset -----------------------------------------------------------------------------------

TEST(Reset, ForgetsEveryClusterAndEventAndKeepsHostsZonesAndCounters) {
  ControlPlane plane;
  plane.AddHosts(2, 2);
  ASSERT_THAT(plane.Ask(Memcached("mem", 3)), IsOk());
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  plane.Settle();
  const model::Records before = plane.records();
  ASSERT_THAT(plane.Ask(Reset{}), IsOk());
  model::Records expected = before;
  expected.revision = before.revision + 1;
  expected.clusters.clear();
  expected.members.clear();
  expected.events.clear();
  EXPECT_TRUE(plane.records() == expected);
  plane.Settle();
  for (const auto& [id, host] : plane.hosts()) {
    EXPECT_THAT(host.plan.members, IsEmpty());
    EXPECT_THAT(host.plan.endpoints, IsEmpty());
  }
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  EXPECT_EQ(plane.node("red", "0001").id, before.installation.next_id);
}

TEST(Reset, ForgetsWhatTheSameStepHasMade) {
  ControlPlane plane;
  plane.AddHosts(1);
  ASSERT_THAT(plane.Ask(Redis("old")), IsOk());
  plane.Settle();
  plane.MoveClocks(std::chrono::days(15));  // the tick has old events to drop as well
  plane.Report(plane.host("host-0"));
  plane.Step({Command(Redis("new")), Command(RebootCluster{"old", {"0001"}}), Command(Reset{}),
              Tick{}, Command(Memcached("newer"))});
  EXPECT_FALSE(plane.has_cluster("new"));
  EXPECT_FALSE(plane.has_cluster("old"));
  EXPECT_TRUE(plane.has_cluster("newer"));
  EXPECT_THAT(plane.records().events, IsEmpty());
  EXPECT_THAT(plane.records().members, SizeIs(1));
}

// --- install ---------------------------------------------------------------------------------

TEST(Install, SaysWhereTheInstallationLives) {
  ControlPlane plane;
  const model::Installation& installation = plane.records().installation;
  EXPECT_EQ(installation.region, kRegion);
  EXPECT_EQ(installation.account, kAccount);
  EXPECT_EQ(ToString(installation.vpc), "127.10.0.0/16");
  EXPECT_EQ(installation.next_id, 1u);
  EXPECT_EQ(installation.next_event, 1u);
}

TEST(InstallDeathTest, HappensOnce) {
  ControlPlane plane;
  EXPECT_DEATH((void)plane.Ask(Install{"eu-west-1", "1", {}}), "region");
}

}  // namespace
}  // namespace ec::core
