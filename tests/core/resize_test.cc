// "modifying": nodes that come and go, the list that `config get cluster` answers with, and what
// becomes of a change that does not work.
#include <gmock/gmock.h>

#include <algorithm>
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A Memcached "mem" of three nodes, one in each zone, on host-0, host-1 and host-2; available.
class ResizeTest : public ::testing::Test {
 protected:
  ResizeTest() {
    plane.AddHosts(3, 3);
    CreateCluster request = Memcached("mem", 3);
    request.zones = {"us-east-1a", "us-east-1b", "us-east-1c"};
    EXPECT_THAT(plane.Ask(request), IsOk());
    plane.Settle();
    EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
    EXPECT_EQ(cluster().discovery_version, 1u);
    plane.ForgetEvents();
  }

  void Grow(int nodes, std::vector<std::string> zones) {
    ModifyCluster request;
    request.id = "mem";
    request.nodes = nodes;
    request.new_zones = std::move(zones);
    request.apply_immediately = true;
    ASSERT_THAT(plane.Ask(request), IsOk());
  }
  void Shrink(int nodes, std::vector<std::string> remove) {
    ModifyCluster request;
    request.id = "mem";
    request.nodes = nodes;
    request.remove = std::move(remove);
    request.apply_immediately = true;
    ASSERT_THAT(plane.Ask(request), IsOk());
  }
  const model::Cluster& cluster() const { return plane.cluster("mem"); }
  MemberReport& Engine(const std::string& node_id) {
    const model::Member& node = plane.node("mem", node_id);
    return plane.HostOf(node).members.at(node.id);
  }
  std::vector<std::string> Listed() const {
    std::vector<std::string> ids;
    for (const model::Member& node : plane.nodes("mem")) {
      if (node.listed) ids.push_back(node.node_id);
    }
    return ids;
  }
  // What the host answers to `config get cluster` at the node's endpoint.
  std::vector<std::string> AnsweredBy(const std::string& node_id) {
    const model::Member& node = plane.node("mem", node_id);
    std::vector<std::string> hosts;
    for (const auto& other : plane.HostOf(node).plan.endpoints.at(node.id).discovery->nodes) {
      hosts.push_back(other.host);
    }
    return hosts;
  }

  ControlPlane plane;
};

TEST_F(ResizeTest, ListsNewNodesTogetherOnceNoneIsBeingCreated) {
  Grow(5, {"us-east-1a", "us-east-1b"});
  plane.Report(plane.host("host-0"));
  EXPECT_EQ(plane.node("mem", "0004").status, MemberStatus::kAvailable);
  EXPECT_THAT(Listed(), ElementsAre("0001", "0002", "0003"));
  EXPECT_EQ(cluster().discovery_version, 1u);
  plane.Report(plane.host("host-1"));
  EXPECT_THAT(Listed(), ElementsAre("0001", "0002", "0003", "0004", "0005"));
  EXPECT_EQ(cluster().discovery_version, 2u);
  EXPECT_EQ(cluster().status, ClusterStatus::kModifying);  // not every node answers so yet
  plane.Report(plane.host("host-0"));
  plane.Report(plane.host("host-1"));
  EXPECT_EQ(cluster().status, ClusterStatus::kModifying);
  plane.Report(plane.host("host-2"));
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  for (const std::string id : {"0001", "0003", "0005"}) {
    EXPECT_THAT(AnsweredBy(id), ElementsAre("127.10.0.4", "127.10.16.4", "127.10.32.4",
                                            "127.10.0.6", "127.10.16.5"));
  }
}

TEST_F(ResizeTest, TakesLeavingNodesOffTheListAtOnce) {
  Shrink(2, {"0002"});
  EXPECT_THAT(Listed(), ElementsAre("0001", "0003"));
  EXPECT_EQ(cluster().discovery_version, 2u);
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  EXPECT_EQ(cluster().discovery_version, 2u);
  EXPECT_THAT(AnsweredBy("0001"), ElementsAre("127.10.0.4", "127.10.32.4"));
}

TEST_F(ResizeTest, MovesTheConfigurationEndpointAwayFromALeavingNode) {
  EXPECT_EQ(cluster().configuration->host, "host-0");
  const Address address = cluster().configuration->address;
  Shrink(2, {"0001"});
  plane.Settle();
  EXPECT_EQ(cluster().configuration->host, "host-1");
  EXPECT_EQ(cluster().configuration->address, address);
}

TEST_F(ResizeTest, TakesNewNodesAwayAgainWhenOneCannotBeStarted) {
  plane.host("host-1").first_phase = MemberPhase::kFailed;
  plane.host("host-1").first_trouble = "cannot fork";
  Grow(5, {"us-east-1a", "us-east-1b"});
  plane.ForgetEvents();
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  EXPECT_EQ(cluster().node_count, 3);
  EXPECT_EQ(plane.nodes("mem").size(), 3u);
  EXPECT_EQ(cluster().discovery_version, 1u);  // clients never heard of them
  EXPECT_THAT(
      plane.NewEvents(),
      ElementsAre("Added cache node 0004 in availability zone us-east-1a", HasSubstr("runs"),
                  "Failed to modify number of nodes from 3 to 5: cache node 0005: cannot "
                  "fork"));
}

TEST_F(ResizeTest, TakesNewNodesAwayAgainAtTheDeadline) {
  plane.host("host-1").first_phase = MemberPhase::kStarting;
  Grow(5, {"us-east-1a", "us-east-1b"});
  plane.Settle();
  plane.ForgetEvents();
  plane.Pass(plane.settings.operation_max - seconds(1));
  EXPECT_EQ(cluster().status, ClusterStatus::kModifying);
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
  plane.Pass(seconds(1));
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  EXPECT_EQ(cluster().node_count, 3);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Failed to modify number of nodes from 3 to 5: cache node 0005: did not "
                          "start in time"));
}

TEST_F(ResizeTest, PutsANewNodeOnAnotherHostWhenItsOwnFallsSilent) {
  plane.AddHost("spare", 'b');
  plane.host("host-1").silent = true;
  plane.settings.operation_max = std::chrono::hours(1);
  ModifyCluster request;
  request.id = "mem";
  request.nodes = 6;
  request.new_zones = {"us-east-1b", "us-east-1b", "us-east-1b"};
  request.apply_immediately = true;
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Pass(plane.settings.host_silence_max);
  plane.Settle();
  for (const std::string id : {"0004", "0005", "0006"}) {
    EXPECT_EQ(plane.node("mem", id).host, "spare");
    EXPECT_TRUE(plane.node("mem", id).listed);
  }
  // The old node on the silent host is in trouble, but the growth is over.
  EXPECT_EQ(cluster().status, ClusterStatus::kRecovering);
  EXPECT_EQ(cluster().resized_from, 0);
}

TEST_F(ResizeTest, OfNodesOnASilentHostNeedsNoAnswerFromIt) {
  plane.host("host-1").silent = true;
  Shrink(2, {"0002"});
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kModifying);
  plane.Pass(plane.settings.host_silence_max);
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.nodes("mem").size(), 2u);
}

TEST_F(ResizeTest, ForgetsANodeThatAHostNeverRemoves) {
  plane.host("host-1").keeps_removed = true;
  Shrink(2, {"0002"});
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kModifying);
  plane.ForgetEvents();
  plane.Pass(plane.settings.operation_max);
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.nodes("mem").size(), 2u);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Finished modifying number of nodes from 3 to 2"));
}

TEST_F(ResizeTest, EndsInTheStatusThatTheNodesHaveThen) {
  plane.host("host-0").first_phase = MemberPhase::kStarting;
  Grow(4, {"us-east-1a"});
  Engine("0002").phase = MemberPhase::kDown;
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kModifying);
  Engine("0004").phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kRecovering);
  EXPECT_EQ(cluster().resized_from, 0);
  Engine("0002").phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  const std::vector<std::string> events = plane.NewEvents();
  EXPECT_EQ(std::ranges::count(events, "Finished modifying number of nodes from 3 to 4"), 1);
}

TEST_F(ResizeTest, GoesOnAfterARestart) {
  Grow(5, {"us-east-1a", "us-east-1b"});
  plane.Report(plane.host("host-0"));
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(cluster().status, ClusterStatus::kAvailable);
  const std::vector<std::string> events = plane.NewEvents();
  EXPECT_EQ(std::ranges::count(events, "Finished modifying number of nodes from 3 to 5"), 1);
}

TEST_F(ResizeTest, OfANewVersionFailsWithTheNodesThatDoNotComeUp) {
  plane.host("host-2").first_phase = MemberPhase::kFailed;
  plane.host("host-2").first_trouble = "cannot fork";
  ModifyCluster request;
  request.id = "mem";
  request.engine_version = "1.6.22";
  ASSERT_THAT(plane.Ask(request), IsOk());
  EXPECT_TRUE(plane.decision.edit.empty());  // it is the version that it has
  CreateCluster old = Memcached("old", 3);
  old.engine_version = "1.6.6";
  old.zones = {"us-east-1a", "us-east-1b", "us-east-1b"};
  ASSERT_THAT(plane.Ask(old), IsOk());
  plane.Settle();
  plane.host("host-0").first_phase = MemberPhase::kFailed;
  plane.host("host-0").first_trouble = "cannot fork";
  request.id = "old";
  request.apply_immediately = true;
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.ForgetEvents();
  plane.Settle();
  EXPECT_EQ(plane.cluster("old").status, ClusterStatus::kFailed);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Cache node 0001 has failed: cannot fork", "Cache node 0002 restarted",
                          "Cache node 0003 restarted"));
}

}  // namespace
}  // namespace ec::core
