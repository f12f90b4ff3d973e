#include "tests/integration/groups.h"

#include <gtest/gtest.h>

#include "common/process.h"

namespace ec::integration {

using std::chrono::seconds;

namespace {

std::vector<std::string> ClustersWithRole(const v1::ReplicationGroup& group,
                                          const std::string& role) {
  std::vector<std::string> clusters;
  if (group.node_groups().empty()) return clusters;
  for (const auto& member : group.node_groups(0).node_group_members()) {
    if (member.current_role() == role) clusters.push_back(member.cache_cluster_id());
  }
  return clusters;
}

}  // namespace

grpc::Status Groups::Create(const std::string& id, int clusters, bool automatic_failover) {
  grpc::ClientContext context;
  v1::CreateReplicationGroupRequest request;
  request.set_replication_group_id(id);
  request.set_replication_group_description("for tests");
  request.set_cache_node_type("cache.t3.micro");
  request.set_engine("redis");
  request.set_num_cache_clusters(clusters);
  request.set_automatic_failover_enabled(automatic_failover);
  v1::CreateReplicationGroupResponse response;
  return api().CreateReplicationGroup(&context, request, &response);
}

bool Groups::MustCreate(const std::string& id, int clusters, bool automatic_failover) {
  const grpc::Status created = Create(id, clusters, automatic_failover);
  EXPECT_TRUE(created.ok()) << created.error_message();
  const bool whole = created.ok() && AwaitWhole(id, clusters);
  EXPECT_TRUE(whole) << Describe(id).DebugString();
  return whole;
}

v1::ReplicationGroup Groups::Describe(const std::string& id) {
  grpc::ClientContext context;
  v1::DescribeReplicationGroupsRequest request;
  request.set_replication_group_id(id);
  v1::DescribeReplicationGroupsResponse response;
  const grpc::Status status = api().DescribeReplicationGroups(&context, request, &response);
  return status.ok() ? response.replication_groups(0) : v1::ReplicationGroup();
}

std::string Groups::Leader(const std::string& id) {
  const std::vector<std::string> leaders = ClustersWithRole(Describe(id), "primary");
  return leaders.empty() ? std::string() : leaders.front();
}

std::vector<std::string> Groups::Replicas(const std::string& id) {
  return ClustersWithRole(Describe(id), "replica");
}

v1::Endpoint Groups::Primary(const std::string& id) {
  return Describe(id).node_groups(0).primary_endpoint();
}

v1::Endpoint Groups::Reader(const std::string& id) {
  return Describe(id).node_groups(0).reader_endpoint();
}

v1::Endpoint Groups::Own(const std::string& cluster) {
  return installation_.Describe(cluster)->cache_nodes(0).endpoint();
}

grpc::Status Groups::SwitchOver(const std::string& id) {
  grpc::ClientContext context;
  v1::SwitchoverReplicationGroupRequest request;
  request.set_replication_group_id(id);
  v1::SwitchoverReplicationGroupResponse response;
  return api().SwitchoverReplicationGroup(&context, request, &response);
}

bool Groups::IsWhole(const std::string& id, int clusters) {
  const v1::ReplicationGroup group = Describe(id);
  if (group.status() != "available" || group.member_clusters_size() != clusters) return false;
  for (const auto& member : group.node_groups(0).node_group_members()) {
    if (member.cache_cluster_status() != "available") return false;
    if (member.current_role() == "replica" && !member.in_sync()) return false;
  }
  return true;
}

bool Groups::AwaitWhole(const std::string& id, int clusters) {
  return WaitUntil([&] { return IsWhole(id, clusters); }, seconds(30));
}

bool Groups::AwaitOtherLeader(const std::string& id, const std::string& than) {
  return WaitUntil(
      [&] {
        const std::string leader = Leader(id);
        return !leader.empty() && leader != than;
      },
      seconds(20));
}

bool Groups::SignalEngine(const std::string& cluster, int signal) {
  const auto engine = installation_.EngineOf(cluster, "0001");
  return engine && SendSignal(OpenProcess(*engine), signal);
}

}  // namespace ec::integration
