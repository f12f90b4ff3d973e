// A control plane without anything behind it: each test says what a call answers.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ec/v1/elasticache.grpc.pb.h"
#include "ec/v1/emulator.grpc.pb.h"
#include "ec/v1/network.grpc.pb.h"
#include "tests/cli/support.h"

namespace ec::cli {

// An error as the real service sends it: AWS's code in the status details.
grpc::Status AwsError(const std::string& code, const std::string& message,
                      grpc::StatusCode grpc_code = grpc::StatusCode::NOT_FOUND);

template <typename Request, typename Response>
using Answer = std::function<grpc::Status(const Request&, Response*)>;

// Calls without an answer are UNIMPLEMENTED. The answers run on gRPC's threads, one at a time.
class FakeService {
 public:
  // Port 0 takes any free one.
  explicit FakeService(int port = 0);
  ~FakeService();

  const std::string& address() const { return address_; }
  int port() const { return port_; }
  void Stop();

  // Runs ecctl against this service.
  Ended Ecctl(const std::vector<std::string>& words,
              const std::optional<std::string>& input = std::nullopt) const;
  Environment environment() const { return {{"EC_ADDRESS", address_}}; }

  Answer<v1::CreateCacheClusterRequest, v1::CreateCacheClusterResponse> create;
  Answer<v1::DescribeCacheClustersRequest, v1::DescribeCacheClustersResponse> describe;
  Answer<v1::ModifyCacheClusterRequest, v1::ModifyCacheClusterResponse> modify;
  Answer<v1::DeleteCacheClusterRequest, v1::DeleteCacheClusterResponse> remove;
  Answer<v1::RebootCacheClusterRequest, v1::RebootCacheClusterResponse> reboot;
  Answer<v1::CreateReplicationGroupRequest, v1::CreateReplicationGroupResponse> create_group;
  Answer<v1::DescribeReplicationGroupsRequest, v1::DescribeReplicationGroupsResponse>
      describe_groups;
  Answer<v1::ModifyReplicationGroupRequest, v1::ModifyReplicationGroupResponse> modify_group;
  Answer<v1::DeleteReplicationGroupRequest, v1::DeleteReplicationGroupResponse> remove_group;
  Answer<v1::IncreaseReplicaCountRequest, v1::IncreaseReplicaCountResponse> increase;
  Answer<v1::DecreaseReplicaCountRequest, v1::DecreaseReplicaCountResponse> decrease;
  Answer<v1::TestFailoverRequest, v1::TestFailoverResponse> failover;
  Answer<v1::SwitchoverReplicationGroupRequest, v1::SwitchoverReplicationGroupResponse> switchover;
  Answer<v1::PromoteCacheClusterRequest, v1::PromoteCacheClusterResponse> promote;
  Answer<v1::DemoteCacheClusterRequest, v1::DemoteCacheClusterResponse> demote;
  Answer<v1::DescribeCacheEngineVersionsRequest, v1::DescribeCacheEngineVersionsResponse> versions;
  Answer<v1::DescribeCacheNodeTypesRequest, v1::DescribeCacheNodeTypesResponse> node_types;
  Answer<v1::DescribeEventsRequest, v1::DescribeEventsResponse> events;
  Answer<v1::AddTagsToResourceRequest, v1::AddTagsToResourceResponse> add_tags;
  Answer<v1::ListTagsForResourceRequest, v1::ListTagsForResourceResponse> list_tags;
  Answer<v1::RemoveTagsFromResourceRequest, v1::RemoveTagsFromResourceResponse> remove_tags;
  Answer<v1::DescribeHostsRequest, v1::DescribeHostsResponse> hosts;
  Answer<v1::DescribeEndpointsRequest, v1::DescribeEndpointsResponse> endpoints;
  Answer<v1::AddFaultRequest, v1::AddFaultResponse> add_fault;
  Answer<v1::DescribeFaultsRequest, v1::DescribeFaultsResponse> faults;
  Answer<v1::ClearFaultsRequest, v1::ClearFaultsResponse> clear_faults;
  Answer<v1::GetCertificateAuthorityRequest, v1::GetCertificateAuthorityResponse> authority;
  Answer<v1::GetVersionRequest, v1::GetVersionResponse> version;
  Answer<v1::ResetRequest, v1::ResetResponse> reset;
  Answer<v1::CreateCacheSubnetGroupRequest, v1::CreateCacheSubnetGroupResponse> create_subnet_group;
  Answer<v1::DescribeCacheSubnetGroupsRequest, v1::DescribeCacheSubnetGroupsResponse> subnet_groups;
  Answer<v1::ModifyCacheSubnetGroupRequest, v1::ModifyCacheSubnetGroupResponse> modify_subnet_group;
  Answer<v1::DeleteCacheSubnetGroupRequest, v1::DeleteCacheSubnetGroupResponse> remove_subnet_group;
  Answer<v1::CreateUserRequest, v1::User> create_user;
  Answer<v1::DescribeUsersRequest, v1::DescribeUsersResponse> users;
  Answer<v1::ModifyUserRequest, v1::User> modify_user;
  Answer<v1::DeleteUserRequest, v1::User> remove_user;
  Answer<v1::CreateUserGroupRequest, v1::UserGroup> create_user_group;
  Answer<v1::DescribeUserGroupsRequest, v1::DescribeUserGroupsResponse> user_groups;
  Answer<v1::ModifyUserGroupRequest, v1::UserGroup> modify_user_group;
  Answer<v1::DeleteUserGroupRequest, v1::UserGroup> remove_user_group;
  Answer<v1::CreateSnapshotRequest, v1::CreateSnapshotResponse> create_snapshot;
  Answer<v1::DescribeSnapshotsRequest, v1::DescribeSnapshotsResponse> snapshots;
  Answer<v1::DeleteSnapshotRequest, v1::DeleteSnapshotResponse> remove_snapshot;
  Answer<v1::CopySnapshotRequest, v1::CopySnapshotResponse> copy_snapshot;
  Answer<v1::DescribeClockRequest, v1::DescribeClockResponse> clock;
  Answer<v1::SetClockRequest, v1::SetClockResponse> set_clock;
  // The last message of the stream; one that says less comes before it.
  Answer<v1::AdvanceClockRequest, v1::AdvanceClockResponse> advance;
  Answer<v1::CreateVpcRequest, v1::CreateVpcResponse> create_vpc;
  Answer<v1::DescribeVpcsRequest, v1::DescribeVpcsResponse> vpcs;
  Answer<v1::DeleteVpcRequest, v1::DeleteVpcResponse> remove_vpc;
  Answer<v1::CreateSubnetRequest, v1::CreateSubnetResponse> create_subnet;
  Answer<v1::DescribeSubnetsRequest, v1::DescribeSubnetsResponse> subnets;
  Answer<v1::DeleteSubnetRequest, v1::DeleteSubnetResponse> remove_subnet;
  Answer<v1::CreateSecurityGroupRequest, v1::CreateSecurityGroupResponse> create_security_group;
  Answer<v1::DescribeSecurityGroupsRequest, v1::DescribeSecurityGroupsResponse> security_groups;
  Answer<v1::DescribeSecurityGroupRulesRequest, v1::DescribeSecurityGroupRulesResponse> rules;
  Answer<v1::DeleteSecurityGroupRequest, v1::DeleteSecurityGroupResponse> remove_security_group;
  Answer<v1::AuthorizeSecurityGroupIngressRequest, v1::AuthorizeSecurityGroupIngressResponse>
      authorize;
  Answer<v1::RevokeSecurityGroupIngressRequest, v1::RevokeSecurityGroupIngressResponse> revoke;
  Answer<v1::AuthorizeSecurityGroupEgressRequest, v1::AuthorizeSecurityGroupEgressResponse>
      authorize_egress;
  Answer<v1::RevokeSecurityGroupEgressRequest, v1::RevokeSecurityGroupEgressResponse> revoke_egress;
  Answer<v1::RunInstancesRequest, v1::RunInstancesResponse> run_instances;
  Answer<v1::DescribeInstancesRequest, v1::DescribeInstancesResponse> instances;
  Answer<v1::ModifyInstanceAttributeRequest, v1::ModifyInstanceAttributeResponse> modify_instance;
  Answer<v1::TerminateInstancesRequest, v1::TerminateInstancesResponse> terminate;
  // Writes what there is and returns; the stream then ends with the returned status.
  std::function<grpc::Status(const v1::WatchEventsRequest&, grpc::ServerContext*,
                             grpc::ServerWriter<v1::Event>*)>
      watch;

 private:
  class ElastiCache;
  class Emulator;
  class Network;

  std::mutex mutex_;
  std::string address_;
  int port_ = 0;
  std::unique_ptr<ElastiCache> elasticache_;
  std::unique_ptr<Emulator> emulator_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<grpc::Server> server_;
};

// A cluster with `nodes` nodes at 127.0.0.1, on ports from `port` on.
v1::CacheCluster MakeCluster(const std::string& id, const std::string& status,
                             const std::string& engine = "redis", int nodes = 1, int port = 6379);

// A group of so many members at 127.0.0.1, named <id>-001 and so on, in zones us-east-1a and on;
// the first one leads, and the others are in sync.
v1::ReplicationGroup MakeGroup(const std::string& id, const std::string& status, int members = 2);
// Makes another member lead.
void SetPrimary(v1::ReplicationGroup* group, const std::string& cluster_id);

v1::Event MakeEvent(uint64_t serial, const std::string& source, const std::string& message);

// An answer to DescribeCacheClusters: these clusters, or the one that is asked for.
Answer<v1::DescribeCacheClustersRequest, v1::DescribeCacheClustersResponse> Describing(
    std::vector<v1::CacheCluster> clusters);
// The same for DescribeReplicationGroups.
Answer<v1::DescribeReplicationGroupsRequest, v1::DescribeReplicationGroupsResponse>
DescribingGroups(std::vector<v1::ReplicationGroup> groups);

}  // namespace ec::cli
