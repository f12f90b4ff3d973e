// DeleteCacheCluster and RebootCacheCluster.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using model::ClusterStatus;
using model::MemberStatus;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Fault kState = Fault::kInvalidCacheClusterState;

// A Redis "red" and a Memcached "mem" of three nodes on two hosts; available.
class DeleteReboot : public ::testing::Test {
 protected:
  DeleteReboot() {
    plane.AddHosts(2, 2);
    EXPECT_THAT(plane.Ask(Redis("red")), IsOk());
    CreateCluster request = Memcached("mem", 3);
    request.az_mode = "cross-az";
    EXPECT_THAT(plane.Ask(request), IsOk());
    plane.Settle();
    plane.ForgetEvents();
  }

  void ExpectRefused(const Command& command, Fault fault,
                     const ::testing::Matcher<const std::string&>& message) {
    ec::testing::ExpectRefused(plane, command, fault, message);
  }
  MemberReport& Engine(const std::string& id, const std::string& node_id) {
    const model::Member& node = plane.node(id, node_id);
    return plane.HostOf(node).members.at(node.id);
  }

  ControlPlane plane;
};

class Delete : public DeleteReboot {};
class Reboot : public DeleteReboot {};

// --- delete ----------------------------------------------------------------------------------

TEST_F(Delete, MarksTheClusterAndEveryMemberAndThenForgetsThem) {
  const model::Records before = plane.records();
  ASSERT_THAT(plane.Ask(DeleteCluster{"MEM", {}}), IsOk());
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kDeleting);
  EXPECT_FALSE(plane.cluster("mem").configuration);
  for (const model::Member& node : plane.nodes("mem")) {
    EXPECT_EQ(node.status, MemberStatus::kDeleting);
  }
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
  plane.Settle();
  EXPECT_FALSE(plane.has_cluster("mem"));
  EXPECT_EQ(plane.records().members.size(), 1u);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Cache cluster deleted"));
  EXPECT_EQ(plane.state.addresses.size(), 1u);  // the Redis's
  for (const auto& [id, host] : plane.hosts()) {
    EXPECT_EQ(host.plan.members.size(), id == plane.node("red", "0001").host ? 1u : 0u);
  }
}

TEST_F(Delete, WaitsForTheHostsToSayThatEverythingIsGone) {
  const HostId host = plane.node("red", "0001").host;
  plane.host(host).keeps_removed = true;
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kDeleting);
  plane.host(host).keeps_removed = false;
  plane.Settle();
  EXPECT_FALSE(plane.has_cluster("red"));
}

TEST_F(Delete, DoesNotBelieveAReportThatIsOlderThanTheDeletion) {
  const model::Member node = plane.node("red", "0001");
  FakeHost& host = plane.HostOf(node);
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  // The host has not got the plan yet, and has lost sight of the engine for another reason.
  HostReport report;
  report.host = node.host;
  report.incarnation = host.hello.incarnation;
  report.sequence = ++host.sequence;
  report.plan_revision = host.plan.revision;
  ASSERT_TRUE(plane.Hear(report));
  EXPECT_TRUE(plane.has_cluster("red"));
}

TEST_F(Delete, DoesNotWaitForASilentHost) {
  const HostId host = plane.node("red", "0001").host;
  plane.host(host).silent = true;
  plane.Pass(std::chrono::seconds(5));
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kRecovering);
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Tick();
  plane.Tick();
  EXPECT_FALSE(plane.has_cluster("red"));
  // When it is back, it is told.
  plane.host(host).silent = false;
  plane.Report(plane.host(host));
  for (const auto& [id, member] : plane.host(host).plan.members) {
    EXPECT_TRUE(plane.records().members.contains(id));
  }
}

TEST_F(Delete, EndsByItselfWhenAHostNeverRemovesAnEngine) {
  const HostId host = plane.node("red", "0001").host;
  plane.host(host).keeps_removed = true;
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Pass(plane.settings.operation_max - std::chrono::seconds(1));
  EXPECT_TRUE(plane.has_cluster("red"));
  plane.ForgetEvents();
  plane.Pass(std::chrono::seconds(1));
  EXPECT_FALSE(plane.has_cluster("red"));
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Cache cluster deleted"));
}

TEST_F(Delete, GoesOnAfterARestart) {
  ASSERT_THAT(plane.Ask(DeleteCluster{"mem", {}}), IsOk());
  plane.Restart();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kDeleting);
  plane.Settle();
  EXPECT_FALSE(plane.has_cluster("mem"));
}

TEST_F(Delete, IsRefusedForAnUnknownOrMalformedCluster) {
  ExpectRefused(DeleteCluster{"Absent", {}}, Fault::kCacheClusterNotFound,
                "CacheCluster not found: absent");
  ExpectRefused(DeleteCluster{"no_id", {}}, Fault::kInvalidParameterValue,
                HasSubstr("is not a valid identifier."));
}

TEST_F(Delete, IsRefusedWhileAnOperationIsUnderWay) {
  const auto expect_refused = [&](const std::string& id, ClusterStatus status) {
    EXPECT_EQ(plane.cluster(id).status, status);
    ExpectRefused(DeleteCluster{id, {}}, kState, HasSubstr("not in a valid state to be deleted"));
  };
  ASSERT_THAT(plane.Ask(Redis("new")), IsOk());
  expect_refused("new", ClusterStatus::kCreating);
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  expect_refused("red", ClusterStatus::kRebooting);
  ModifyCluster grow;
  grow.id = "mem";
  grow.nodes = 4;
  grow.apply_immediately = true;
  ASSERT_THAT(plane.Ask(grow), IsOk());
  expect_refused("mem", ClusterStatus::kModifying);
  plane.Settle();
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  expect_refused("red", ClusterStatus::kDeleting);
}

// From every failed status the way out is deletion.
TEST_F(Delete, TakesWhatHasFailed) {
  plane.host("host-0").first_phase = plane.host("host-1").first_phase = MemberPhase::kFailed;
  ASSERT_THAT(plane.Ask(Redis("bad")), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.cluster("bad").status, ClusterStatus::kCreateFailed);
  Engine("red", "0001").phase = MemberPhase::kFailed;
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kFailed);
  plane.ForgetEvents();
  EXPECT_THAT(plane.Ask(DeleteCluster{"bad", {}}), IsOk());
  EXPECT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Settle();
  EXPECT_FALSE(plane.has_cluster("bad"));
  EXPECT_FALSE(plane.has_cluster("red"));
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Cache cluster deleted", "Cache cluster deleted"));
}

TEST_F(Delete, TakesNoFinalSnapshotWhereThereAreNone) {
  CreateCluster tiny = Redis("tiny");
  tiny.node_type = "cache.t1.micro";
  ASSERT_THAT(plane.Ask(tiny), IsOk());
  plane.Settle();
  ExpectRefused(DeleteCluster{"mem", "last"}, Fault::kSnapshotFeatureNotSupported,
                HasSubstr("memcached"));
  ExpectRefused(DeleteCluster{"tiny", "last"}, Fault::kSnapshotFeatureNotSupported,
                HasSubstr("cache.t1.micro"));
  ExpectRefused(DeleteCluster{"red", "1"}, Fault::kInvalidParameterValue,
                HasSubstr("FinalSnapshotIdentifier"));
}

TEST_F(Delete, GivesTheNameFreeButNeverTheNumbers) {
  const MemberId before = plane.node("red", "0001").id;
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Settle();
  ASSERT_THAT(plane.Ask(Redis("red")), IsOk());
  EXPECT_GT(plane.node("red", "0001").id, before);
}

// --- reboot ----------------------------------------------------------------------------------

TEST_F(Reboot, StartsTheNamedNodesAgainEmpty) {
  ASSERT_THAT(plane.Ask(RebootCluster{"mem", {"0003", "0001"}}), IsOk());
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kRebooting);
  EXPECT_EQ(plane.node("mem", "0001").generation, 2u);
  EXPECT_EQ(plane.node("mem", "0001").status, MemberStatus::kRebooting);
  EXPECT_EQ(plane.node("mem", "0002").generation, 1u);
  EXPECT_EQ(plane.node("mem", "0002").status, MemberStatus::kAvailable);
  EXPECT_EQ(plane.node("mem", "0003").generation, 2u);
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Cache node 0001 shutdown", "Cache node 0003 shutdown"));
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
  EXPECT_THAT(plane.NewEvents(), ::testing::UnorderedElementsAre("Cache node 0001 restarted",
                                                                 "Cache node 0003 restarted"));
}

TEST_F(Reboot, TakesANodeThatIsNamedTwiceOnce) {
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001", "0001"}}), IsOk());
  EXPECT_EQ(plane.node("red", "0001").generation, 2u);
}

// An answer of the engine that ran before is no sign that the node has been started again.
TEST_F(Reboot, IsNotOverWhileTheOldGenerationServes) {
  const model::Member node = plane.node("red", "0001");
  FakeHost& host = plane.HostOf(node);
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  HostReport report;
  report.host = node.host;
  report.incarnation = host.hello.incarnation;
  report.sequence = ++host.sequence;
  report.plan_revision = host.plan.revision;
  report.members = {host.members.at(node.id)};
  ASSERT_TRUE(plane.Hear(report));
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kRebooting);
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kAvailable);
}

TEST_F(Reboot, EndsInFailedWithAnEventWhenTheEngineDiesTooOften) {
  FakeHost& host = plane.HostOf(plane.node("red", "0001"));
  host.first_phase = MemberPhase::kFailed;
  host.first_trouble = "the engine was killed by signal 11 (5 times in a row)";
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kFailed);
  EXPECT_EQ(plane.node("red", "0001").status, MemberStatus::kFailed);
  EXPECT_EQ(plane.node("red", "0001").trouble, host.first_trouble);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Cache node 0001 shutdown",
                                             "Cache node 0001 has failed: " + host.first_trouble));
}

TEST_F(Reboot, EndsInFailedWithAnEventWhenItTakesTooLong) {
  plane.HostOf(plane.node("red", "0001")).first_phase = MemberPhase::kStarting;
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  plane.Settle();
  plane.Pass(plane.settings.operation_max - std::chrono::seconds(1));
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kRebooting);
  plane.ForgetEvents();
  plane.Pass(std::chrono::seconds(1));
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kFailed);
  EXPECT_THAT(plane.NewEvents(), ElementsAre("Cache node 0001 has failed: did not start in time"));
  // It comes up after all.
  Engine("red", "0001").phase = MemberPhase::kServing;
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kAvailable);
}

TEST_F(Reboot, IsTheWayOutOfFailed) {
  Engine("red", "0001").phase = MemberPhase::kFailed;
  plane.Settle();
  ASSERT_EQ(plane.cluster("red").status, ClusterStatus::kFailed);
  plane.ForgetEvents();
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  plane.Settle();
  EXPECT_EQ(plane.cluster("red").status, ClusterStatus::kAvailable);
  EXPECT_EQ(plane.node("red", "0001").trouble, "");
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Cache node 0001 shutdown", "Cache node 0001 restarted"));
}

TEST_F(Reboot, GoesOnAfterARestart) {
  ASSERT_THAT(plane.Ask(RebootCluster{"mem", {"0001"}}), IsOk());
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(plane.cluster("mem").status, ClusterStatus::kAvailable);
}

TEST_F(Reboot, IsRefusedForAnUnknownClusterOrNode) {
  ExpectRefused(RebootCluster{"absent", {"0001"}}, Fault::kCacheClusterNotFound,
                "CacheCluster not found: absent");
  ExpectRefused(RebootCluster{"no_id", {"0001"}}, Fault::kInvalidParameterValue,
                HasSubstr("is not a valid identifier."));
  ExpectRefused(RebootCluster{"mem", {}}, Fault::kInvalidParameterValue,
                HasSubstr("CacheNodeIdsToReboot"));
  ExpectRefused(RebootCluster{"mem", {"0001", "0004"}}, Fault::kInvalidParameterValue,
                AllOf(HasSubstr("'0004'"), HasSubstr("0001, 0002, 0003")));
  ExpectRefused(RebootCluster{"mem", {""}}, Fault::kInvalidParameterValue,
                HasSubstr("CacheNodeIdsToReboot"));
}

TEST_F(Reboot, IsForAvailableAndFailedClustersOnly) {
  ASSERT_THAT(plane.Ask(RebootCluster{"red", {"0001"}}), IsOk());
  ExpectRefused(RebootCluster{"red", {"0001"}}, kState, HasSubstr("not in available state"));
  ASSERT_THAT(plane.Ask(Redis("new")), IsOk());
  ExpectRefused(RebootCluster{"new", {"0001"}}, kState, HasSubstr("not in available state"));
  Engine("mem", "0001").phase = MemberPhase::kDown;
  plane.Settle();
  ExpectRefused(RebootCluster{"mem", {"0001"}}, kState, HasSubstr("not in available state"));
}

}  // namespace
}  // namespace ec::core
