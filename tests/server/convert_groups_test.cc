// Groups as the API shows them: from records and from what hosts have said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/server/convert.h"

namespace ec::server {
namespace {

using testing::ElementsAre;

constexpr Address kPrimary{{0x7f000009}, 6379};
constexpr Address kReader{{0x7f00000a}, 6379};

// A group "orders": orders-001 leads, orders-002 is in sync.
class ConvertGroups : public testing::Test {
 protected:
  ConvertGroups() {
    state_.records.installation.region = "us-east-1";
    state_.records.installation.account = "000000000000";
    model::Group& group = state_.records.groups["orders"];
    group.id = "orders";
    group.description = "a test's";
    group.status = model::GroupStatus::kAvailable;
    group.automatic_failover = true;
    group.epoch = 3;
    group.leader = 1;
    group.primary = {11, kPrimary, "host-a"};
    group.reader = {12, kReader, "host-b"};
    AddMember(1, "orders-001", "host-a", "cache.m5.large");
    AddMember(2, "orders-002", "host-b", "cache.t3.micro");
    state_.records.members.at(2).in_sync = true;
  }

  void AddMember(MemberId id, const std::string& cluster_id, const HostId& host,
                 const std::string& node_type) {
    model::Cluster& cluster = state_.records.clusters[cluster_id];
    cluster.id = cluster_id;
    cluster.group = "orders";
    cluster.status = model::ClusterStatus::kAvailable;
    cluster.node_type = node_type;
    cluster.members = {id};
    model::Member& member = state_.records.members[id];
    member.id = id;
    member.cluster = cluster_id;
    member.node_id = "0001";
    member.host = host;
    member.zone = host == "host-a" ? "us-east-1a" : "us-east-1b";
    member.address = {{0x7f000010 + static_cast<uint32_t>(id)}, 6379};
    state_.records.groups.at("orders").members.insert(cluster_id);
  }

  void Say(MemberId id, uint64_t epoch, int64_t offset) {
    MemberReport report;
    report.id = id;
    report.pid = 100 + static_cast<int64_t>(id);
    report.replication = ReplicationReport{.epoch = epoch, .offset = offset};
    state_.sightings[state_.records.members.at(id).host].members[id] = report;
  }

  model::Group& group() { return state_.records.groups.at("orders"); }

  v1::ReplicationGroup Shown() const {
    v1::ReplicationGroup out;
    ToProto(state_, state_.records.groups.at("orders"), &out);
    return out;
  }

  v1::NodeGroupMember Member(int index) const {
    return Shown().node_groups(0).node_group_members(index);
  }

  model::State state_;
};

TEST_F(ConvertGroups, ShowsWhatAwsShows) {
  const v1::ReplicationGroup shown = Shown();
  EXPECT_EQ(shown.status(), "available");
  EXPECT_EQ(shown.arn(), "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:orders");
  EXPECT_EQ(shown.automatic_failover(), "enabled");
  EXPECT_EQ(shown.multi_az(), "disabled");
  EXPECT_THAT(shown.member_clusters(), ElementsAre("orders-001", "orders-002"));
  ASSERT_EQ(shown.node_groups_size(), 1);
  EXPECT_EQ(shown.node_groups(0).node_group_id(), "0001");
  EXPECT_EQ(shown.node_groups(0).primary_endpoint().address(), "127.0.0.9");
  EXPECT_EQ(shown.node_groups(0).reader_endpoint().address(), "127.0.0.10");
  EXPECT_EQ(Member(0).current_role(), "primary");
  EXPECT_EQ(Member(1).current_role(), "replica");
  EXPECT_EQ(Member(1).read_endpoint().address(), "127.0.0.18");
  EXPECT_FALSE(Member(0).has_in_sync());
  EXPECT_TRUE(Member(1).in_sync());
  v1::CacheCluster cluster;
  ToProto(state_, state_.records.clusters.at("orders-002"), false, &cluster);
  EXPECT_EQ(cluster.replication_group_id(), "orders");
}

TEST_F(ConvertGroups, TakesItsSettingsFromTheLeadersCluster) {
  EXPECT_EQ(Shown().cache_node_type(), "cache.m5.large");
  group().leader = 2;
  EXPECT_EQ(Shown().cache_node_type(), "cache.t3.micro");
}

TEST_F(ConvertGroups, HidesEndpointsWithNothingBehindThemYet) {
  group().status = model::GroupStatus::kCreating;
  state_.records.clusters.at("orders-002").status = model::ClusterStatus::kCreating;
  EXPECT_FALSE(Shown().node_groups(0).has_primary_endpoint());
  EXPECT_FALSE(Shown().node_groups(0).has_reader_endpoint());
  EXPECT_TRUE(Member(0).has_read_endpoint());
  EXPECT_FALSE(Member(1).has_read_endpoint());
}

TEST_F(ConvertGroups, TellsLagOnlyWithinOneEpoch) {
  EXPECT_FALSE(Member(1).has_lag_bytes());
  Say(1, 3, 5000);
  Say(2, 3, 4200);
  EXPECT_EQ(Member(1).lag_bytes(), 800);
  EXPECT_EQ(Member(1).replication_offset(), 4200);
  EXPECT_EQ(Member(1).engine_pid(), 102);
  EXPECT_FALSE(Member(0).has_lag_bytes());
  Say(2, 3, 6000);  // reported later than the leader
  EXPECT_EQ(Member(1).lag_bytes(), 0);
  Say(2, 2, 4200);
  EXPECT_FALSE(Member(1).has_lag_bytes());
  EXPECT_TRUE(Member(1).has_replication_offset());
  Say(2, 0, 0);  // has no role yet in this launch
  EXPECT_FALSE(Member(1).has_replication_offset());
}

TEST_F(ConvertGroups, TellsWhoIsToLead) {
  EXPECT_FALSE(Shown().pending_modified_values().has_primary_cluster_id());
  group().pending_primary = "orders-001";
  EXPECT_EQ(Shown().pending_modified_values().primary_cluster_id(), "orders-001");
  group().successor = 2;
  group().step = model::SwitchStep::kPausing;
  EXPECT_EQ(Shown().pending_modified_values().primary_cluster_id(), "orders-002");
  group().step = model::SwitchStep::kNone;  // without a step there is no successor under way
  EXPECT_EQ(Shown().pending_modified_values().primary_cluster_id(), "orders-001");
}

TEST_F(ConvertGroups, TellsWhatTheLastFailoverHasLost) {
  EXPECT_FALSE(Shown().has_last_failover_lost_bytes());
  group().lost_bytes = 0;
  group().lost_ms = 7;
  group().trouble = "nobody leads";
  EXPECT_TRUE(Shown().has_last_failover_lost_bytes());
  EXPECT_EQ(Shown().last_failover_lost_ms(), 7);
  EXPECT_EQ(Shown().trouble(), "nobody leads");
}

TEST_F(ConvertGroups, AreShownWithoutALeaderToo) {
  group().leader = 77;
  const v1::ReplicationGroup shown = Shown();
  EXPECT_EQ(shown.node_groups(0).node_group_members(0).current_role(), "replica");
  EXPECT_EQ(shown.cache_node_type(), "cache.m5.large");  // of any member
}

TEST_F(ConvertGroups, AreFoundInAnyLetterCase) {
  ASSERT_TRUE(FindGroup(state_.records, "ORDERS").ok());
  const auto missing = FindGroup(state_.records, "nobody");
  EXPECT_EQ(missing.status().fault(), Fault::kReplicationGroupNotFound);
  EXPECT_EQ(missing.status().message(), "ReplicationGroup not found: nobody");
}

}  // namespace
}  // namespace ec::server
