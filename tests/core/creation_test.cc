// From "creating" to "available", or to one of the two ways in which a creation fails.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::MemberStatus;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Creation : public ::testing::Test {
 protected:
  void Create(const CreateCluster& request) { ASSERT_THAT(plane.Ask(request), IsOk()); }
  ClusterStatus StatusOf(const std::string& id) const { return plane.cluster(id).status; }

  ControlPlane plane;
};

TEST_F(Creation, OfARedisEndsWhenItsNodeServes) {
  plane.AddHosts(1);
  Create(Redis("red"));
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kCreating);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
  plane.Report(plane.host("host-0"));
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
  const model::Member& node = plane.node("red", "0001");
  EXPECT_EQ(node.status, MemberStatus::kAvailable);
  EXPECT_EQ(node.launch, 1u);
  EXPECT_EQ(node.installed_version, "7.0.15");
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Added cache node 0001 in availability zone us-east-1a",
                          "Cache node 0001 runs the installed redis-server 7.0.15 (engine version "
                          "7.1.0)",
                          "Cache cluster created"));
}

TEST_F(Creation, WaitsForAnAnswerThroughTheNodesOwnEndpoint) {
  plane.AddHosts(1);
  plane.host("host-0").first_phase = MemberPhase::kStarting;
  Create(Redis("red"));
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kCreating);
  EXPECT_EQ(plane.node("red", "0001").status, MemberStatus::kCreating);
  plane.host("host-0").members.begin()->second.phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
}

// The nodes of a Memcached enter the list together, and the cluster is available only when every
// host has said that it answers with that list.
TEST_F(Creation, OfAMemcachedEndsWhenEveryNodeKnowsAllOfThem) {
  plane.AddHosts(2, 2);
  CreateCluster request = Memcached("mem", 4);
  request.az_mode = "cross-az";
  Create(request);
  plane.Report(plane.host("host-0"));
  EXPECT_EQ(plane.cluster("mem").discovery_version, 0u);
  plane.Report(plane.host("host-1"));
  EXPECT_EQ(plane.cluster("mem").discovery_version, 1u);
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kCreating);
  for (const model::Member& node : plane.nodes("mem")) EXPECT_TRUE(node.listed);
  plane.Report(plane.host("host-1"));
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kCreating);  // host-0 does not know it yet
  plane.Report(plane.host("host-0"));
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kAvailable);
  EXPECT_EQ(plane.cluster("mem").discovery_version, 1u);
}

TEST_F(Creation, DoesNotBelieveAReportThatIsOlderThanTheNode) {
  plane.AddHosts(1);
  FakeHost& host = plane.host("host-0");
  Create(Redis("red"));
  HostReport report;  // says that it serves, but with a plan of before
  report.host = "host-0";
  report.incarnation = host.hello.incarnation;
  report.sequence = ++host.sequence;
  report.plan_revision = host.plan.revision;
  report.members = {{.id = plane.node("red", "0001").id,
                     .generation = 1,
                     .launch = 1,
                     .phase = MemberPhase::kServing}};
  ASSERT_TRUE(plane.Hear(report));
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kCreating);
}

TEST_F(Creation, FailsWithTheReasonWhenAnEngineCannotBeStarted) {
  plane.AddHosts(1);
  plane.host("host-0").first_phase = MemberPhase::kFailed;
  plane.host("host-0").first_trouble = "cannot fork (5 times in a row)";
  Create(Memcached("mem", 2));
  plane.Report(plane.host("host-0"));
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kCreateFailed);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Failed to create the cache cluster: cache node 0001: cannot fork (5 "
                          "times in a row); cache node 0002: cannot fork (5 times in a row)"));
  // Its engines go; its row stays until it is deleted.
  plane.Settle();
  EXPECT_THAT(plane.records().members, IsEmpty());
  EXPECT_THAT(plane.host("host-0").plan.members, IsEmpty());
  EXPECT_THAT(plane.host("host-0").plan.endpoints, IsEmpty());
  plane.Pass(std::chrono::hours(1));
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kCreateFailed);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
}

TEST_F(Creation, FailsAtItsDeadlineWithTheNodesThatAreMissing) {
  plane.AddHosts(1);
  plane.host("host-0").first_phase = MemberPhase::kStarting;
  Create(Memcached("mem", 2));
  plane.Report(plane.host("host-0"));
  plane.host("host-0").members.begin()->second.phase = MemberPhase::kServing;
  plane.Settle();
  plane.ForgetEvents();
  plane.Pass(plane.settings.operation_max - seconds(1));
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kCreating);
  plane.Pass(seconds(1));
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kCreateFailed);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Failed to create the cache cluster: cache node 0002: did not start in "
                          "time"));
}

TEST_F(Creation, NamesTheNodeThatDiedMeanwhileWhenItsDeadlineComes) {
  plane.AddHosts(1);
  plane.host("host-0").first_phase = MemberPhase::kStarting;
  Create(Memcached("mem", 2));
  plane.Report(plane.host("host-0"));
  auto& members = plane.host("host-0").members;
  members.begin()->second.phase = MemberPhase::kServing;
  plane.Report(plane.host("host-0"));
  members.begin()->second.phase = MemberPhase::kDown;
  members.begin()->second.trouble = "the engine was killed by signal 9";
  members.rbegin()->second.phase = MemberPhase::kServing;
  plane.Settle();
  plane.ForgetEvents();
  plane.Pass(plane.settings.operation_max);
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kCreateFailed);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Failed to create the cache cluster: cache node 0001: the engine was "
                          "killed by signal 9"));
}

TEST_F(Creation, BeginsItsTimeAgainAfterARestart) {
  plane.AddHosts(1);
  plane.host("host-0").first_phase = MemberPhase::kStarting;
  Create(Redis("red"));
  plane.Pass(plane.settings.operation_max - seconds(1));
  plane.Restart();
  plane.Pass(plane.settings.operation_max - seconds(1));
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kCreating);
  plane.Pass(seconds(1));
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kCreateFailed);
}

TEST_F(Creation, GoesOnAfterARestart) {
  plane.AddHosts(2, 2);
  CreateCluster request = Memcached("mem", 2);
  request.az_mode = "cross-az";
  Create(request);
  plane.Report(plane.host("host-0"));
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), SizeIs(5));  // two nodes with two events each, and the cluster
}

// --- addresses that somebody else has --------------------------------------------------------

TEST_F(Creation, TriesOtherAddressesForANodeWhoseOwnIsTaken) {
  plane.AddHosts(1);
  const std::vector<std::string> taken = {"127.10.0.4", "127.10.0.5", "127.10.0.6"};
  for (const std::string& ip : taken) plane.host("host-0").taken.insert(*ParseIp4(ip));
  Create(Redis("red"));
  plane.host("host-0").first_phase = MemberPhase::kStarting;  // not reached through its endpoint
  for (int i = 1; i <= 3; ++i) {
    plane.Report(plane.host("host-0"));
    EXPECT_EQ(plane.node("red", "0001").readdressed, i);
  }
  EXPECT_EQ(ToString(plane.node("red", "0001").address.ip), "127.10.0.7");
  plane.host("host-0").members.begin()->second.phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
}

// One look at an address is one try, however often the host repeats that it is taken.
TEST_F(Creation, CountsAnAddressOnceUntilTheHostHasTheNextOne) {
  plane.AddHosts(1);
  FakeHost& host = plane.host("host-0");
  host.taken.insert(*ParseIp4("127.10.0.4"));
  host.first_phase = MemberPhase::kStarting;
  Create(Redis("red"));
  plane.Report(host);
  EXPECT_EQ(plane.node("red", "0001").readdressed, 1);
  HostReport again;
  again.host = "host-0";
  again.incarnation = host.hello.incarnation;
  again.plan_revision = host.plan.revision;
  for (const auto& [id, endpoint] : host.endpoints) again.endpoints.push_back(endpoint);
  for (int i = 0; i < 3; ++i) {
    again.sequence = ++host.sequence;
    ASSERT_TRUE(plane.Hear(again));
  }
  EXPECT_EQ(plane.node("red", "0001").readdressed, 1);
}

TEST_F(Creation, FailsForItsNetworkWhenEveryAddressIsTaken) {
  plane.AddHosts(1);
  FakeHost& host = plane.host("host-0");
  host.first_phase = MemberPhase::kStarting;
  for (uint32_t i = 4; i < 20; ++i) host.taken.insert(Ip4{0x7f0a0000u + i});
  Create(Redis("red"));
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kIncompatibleNetwork);
  EXPECT_THAT(
      plane.NewEvents(),
      ElementsAre("Failed to create the cache cluster due to incompatible network state",
                  AllOf(HasSubstr("cache node 0001"), HasSubstr("127.10.0.7:6379 is in use"))));
  EXPECT_THAT(plane.records().members, IsEmpty());
  EXPECT_THAT(plane.state.addresses, IsEmpty());
}

TEST_F(Creation, TriesOtherAddressesForTheConfigurationEndpoint) {
  plane.AddHosts(1);
  plane.host("host-0").taken = {*ParseIp4("127.10.0.6"), *ParseIp4("127.10.0.7")};
  Create(Memcached("mem", 2));
  EXPECT_EQ(ToString(plane.cluster("mem").configuration->address.ip), "127.10.0.6");
  plane.Settle();
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kAvailable);
  EXPECT_EQ(ToString(plane.cluster("mem").configuration->address.ip), "127.10.0.8");
  EXPECT_EQ(plane.cluster("mem").configuration->readdressed, 2);
}

TEST_F(Creation, FailsForItsNetworkWhenTheConfigurationEndpointFindsNone) {
  plane.AddHosts(1);
  for (uint32_t i = 6; i < 20; ++i) plane.host("host-0").taken.insert(Ip4{0x7f0a0000u + i});
  Create(Memcached("mem", 2));
  plane.Settle();
  EXPECT_EQ(StatusOf("mem"), ClusterStatus::kIncompatibleNetwork);
  EXPECT_FALSE(plane.cluster("mem").configuration);
  EXPECT_THAT(plane.state.configurations, IsEmpty());
}

// --- hosts that fall silent meanwhile --------------------------------------------------------

TEST_F(Creation, GoesOnOnAnotherHostOfTheZoneWhenOneFallsSilent) {
  plane.AddHosts(2);
  plane.host("host-0").silent = true;
  Create(Redis("red"));
  const MemberId first = plane.node("red", "0001").id;
  EXPECT_EQ(plane.node("red", "0001").host, "host-0");
  plane.Pass(plane.settings.host_silence_max);
  const model::Member& second = plane.node("red", "0001");
  EXPECT_EQ(second.host, "host-1");
  EXPECT_NE(second.id, first);
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
  EXPECT_THAT(plane.cluster("red").members, ElementsAre(second.id));
  // The silent one is told when it comes back.
  plane.host("host-0").silent = false;
  plane.Settle();
  EXPECT_THAT(plane.host("host-0").plan.members, IsEmpty());
}

TEST_F(Creation, WaitsForASilentHostWhenThereIsNoOther) {
  plane.AddHosts(2, 2);
  plane.host("host-0").silent = true;
  Create(Redis("red"));
  plane.Pass(plane.settings.host_silence_max);
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kCreating);
  EXPECT_EQ(plane.node("red", "0001").host, "host-0");
  plane.host("host-0").silent = false;
  plane.Settle();
  EXPECT_EQ(StatusOf("red"), ClusterStatus::kAvailable);
}

TEST_F(Creation, MovesTheConfigurationEndpointToALiveHost) {
  plane.AddHosts(2, 2);
  CreateCluster request = Memcached("mem", 2);
  request.zones = {"us-east-1a", "us-east-1b"};
  Create(request);
  EXPECT_EQ(plane.cluster("mem").configuration->host, "host-0");
  plane.host("host-0").silent = true;
  plane.Pass(plane.settings.host_silence_max);
  EXPECT_EQ(plane.cluster("mem").configuration->host, "host-1");
}

}  // namespace
}  // namespace ec::core
