#include "tests/cli/fake_service.h"

#include <fmt/format.h>

#include "common/check.h"
#include "ec/v1/error.pb.h"

namespace ec::cli {
namespace {

template <typename Request, typename Response>
grpc::Status Give(std::mutex& mutex, const Answer<Request, Response>& answer,
                  const Request& request, Response* response) {
  const std::scoped_lock lock(mutex);
  if (!answer) return {grpc::StatusCode::UNIMPLEMENTED, "the test gives no answer"};
  return answer(request, response);
}

}  // namespace

// One line per call.
#define EC_FAKE_CALL_WITH(Name, Response, answer)                           \
  grpc::Status Name(grpc::ServerContext*, const v1::Name##Request* request, \
                    v1::Response* response) override {                      \
    return Give(fake_.mutex_, fake_.answer, *request, response);            \
  }
#define EC_FAKE_CALL(Name, answer) EC_FAKE_CALL_WITH(Name, Name##Response, answer)

class FakeService::ElastiCache : public v1::ElastiCache::Service {
 public:
  explicit ElastiCache(FakeService& fake) : fake_(fake) {}
  EC_FAKE_CALL(CreateCacheCluster, create)
  EC_FAKE_CALL(DescribeCacheClusters, describe)
  EC_FAKE_CALL(ModifyCacheCluster, modify)
  EC_FAKE_CALL(DeleteCacheCluster, remove)
  EC_FAKE_CALL(RebootCacheCluster, reboot)
  EC_FAKE_CALL(CreateReplicationGroup, create_group)
  EC_FAKE_CALL(DescribeReplicationGroups, describe_groups)
  EC_FAKE_CALL(ModifyReplicationGroup, modify_group)
  EC_FAKE_CALL(DeleteReplicationGroup, remove_group)
  EC_FAKE_CALL(IncreaseReplicaCount, increase)
  EC_FAKE_CALL(DecreaseReplicaCount, decrease)
  EC_FAKE_CALL(TestFailover, failover)
  EC_FAKE_CALL(SwitchoverReplicationGroup, switchover)
  EC_FAKE_CALL(PromoteCacheCluster, promote)
  EC_FAKE_CALL(DemoteCacheCluster, demote)
  EC_FAKE_CALL(DescribeCacheEngineVersions, versions)
  EC_FAKE_CALL(DescribeCacheNodeTypes, node_types)
  EC_FAKE_CALL(DescribeEvents, events)
  EC_FAKE_CALL(AddTagsToResource, add_tags)
  EC_FAKE_CALL(ListTagsForResource, list_tags)
  EC_FAKE_CALL(RemoveTagsFromResource, remove_tags)
  EC_FAKE_CALL(CreateCacheSubnetGroup, create_subnet_group)
  EC_FAKE_CALL(DescribeCacheSubnetGroups, subnet_groups)
  EC_FAKE_CALL(ModifyCacheSubnetGroup, modify_subnet_group)
  EC_FAKE_CALL(DeleteCacheSubnetGroup, remove_subnet_group)
  EC_FAKE_CALL_WITH(CreateUser, User, create_user)
  EC_FAKE_CALL(DescribeUsers, users)
  EC_FAKE_CALL_WITH(ModifyUser, User, modify_user)
  EC_FAKE_CALL_WITH(DeleteUser, User, remove_user)
  EC_FAKE_CALL_WITH(CreateUserGroup, UserGroup, create_user_group)
  EC_FAKE_CALL(DescribeUserGroups, user_groups)
  EC_FAKE_CALL_WITH(ModifyUserGroup, UserGroup, modify_user_group)
  EC_FAKE_CALL_WITH(DeleteUserGroup, UserGroup, remove_user_group)
  EC_FAKE_CALL(CreateSnapshot, create_snapshot)
  EC_FAKE_CALL(DescribeSnapshots, snapshots)
  EC_FAKE_CALL(DeleteSnapshot, remove_snapshot)
  EC_FAKE_CALL(CopySnapshot, copy_snapshot)

 private:
  FakeService& fake_;
};

class FakeService::Network : public v1::Network::Service {
 public:
  explicit Network(FakeService& fake) : fake_(fake) {}
  EC_FAKE_CALL(CreateVpc, create_vpc)
  EC_FAKE_CALL(DescribeVpcs, vpcs)
  EC_FAKE_CALL(DeleteVpc, remove_vpc)
  EC_FAKE_CALL(CreateSubnet, create_subnet)
  EC_FAKE_CALL(DescribeSubnets, subnets)
  EC_FAKE_CALL(DeleteSubnet, remove_subnet)
  EC_FAKE_CALL(CreateSecurityGroup, create_security_group)
  EC_FAKE_CALL(DescribeSecurityGroups, security_groups)
  EC_FAKE_CALL(DescribeSecurityGroupRules, rules)
  EC_FAKE_CALL(DeleteSecurityGroup, remove_security_group)
  EC_FAKE_CALL(AuthorizeSecurityGroupIngress, authorize)
  EC_FAKE_CALL(RevokeSecurityGroupIngress, revoke)
  EC_FAKE_CALL(AuthorizeSecurityGroupEgress, authorize_egress)
  EC_FAKE_CALL(RevokeSecurityGroupEgress, revoke_egress)
  EC_FAKE_CALL(RunInstances, run_instances)
  EC_FAKE_CALL(DescribeInstances, instances)
  EC_FAKE_CALL(ModifyInstanceAttribute, modify_instance)
  EC_FAKE_CALL(TerminateInstances, terminate)

 private:
  FakeService& fake_;
};

class FakeService::Emulator : public v1::Emulator::Service {
 public:
  explicit Emulator(FakeService& fake) : fake_(fake) {}
  EC_FAKE_CALL(DescribeHosts, hosts)
  EC_FAKE_CALL(DescribeEndpoints, endpoints)
  EC_FAKE_CALL(AddFault, add_fault)
  EC_FAKE_CALL(DescribeFaults, faults)
  EC_FAKE_CALL(ClearFaults, clear_faults)
  EC_FAKE_CALL(GetCertificateAuthority, authority)
  EC_FAKE_CALL(GetVersion, version)
  EC_FAKE_CALL(DescribeClock, clock)
  EC_FAKE_CALL(SetClock, set_clock)
  grpc::Status AdvanceClock(grpc::ServerContext*, const v1::AdvanceClockRequest* request,
                            grpc::ServerWriter<v1::AdvanceClockResponse>* writer) override {
    v1::AdvanceClockResponse last;
    const grpc::Status status = Give(fake_.mutex_, fake_.advance, *request, &last);
    if (!status.ok()) return status;
    v1::AdvanceClockResponse first = last;
    first.set_snapshots_taken(0);
    first.clear_done();
    writer->Write(first);
    writer->Write(last);
    return status;
  }
  EC_FAKE_CALL(Reset, reset)

  grpc::Status WatchEvents(grpc::ServerContext* context, const v1::WatchEventsRequest* request,
                           grpc::ServerWriter<v1::Event>* writer) override {
    if (!fake_.watch) return {grpc::StatusCode::UNIMPLEMENTED, ""};
    return fake_.watch(*request, context, writer);
  }

 private:
  FakeService& fake_;
};

#undef EC_FAKE_CALL

FakeService::FakeService(int port)
    : elasticache_(std::make_unique<ElastiCache>(*this)),
      emulator_(std::make_unique<Emulator>(*this)),
      network_(std::make_unique<Network>(*this)) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(fmt::format("127.0.0.1:{}", port), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(elasticache_.get());
  builder.RegisterService(emulator_.get());
  builder.RegisterService(network_.get());
  server_ = builder.BuildAndStart();
  EC_CHECK(server_ != nullptr);
  address_ = fmt::format("127.0.0.1:{}", port_);
}

FakeService::~FakeService() { Stop(); }

void FakeService::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::time_point());  // at once: calls are cancelled
  server_->Wait();
  server_.reset();
}

Ended FakeService::Ecctl(const std::vector<std::string>& words,
                         const std::optional<std::string>& input) const {
  return cli::Ecctl(words, environment(), input);
}

grpc::Status AwsError(const std::string& code, const std::string& message,
                      grpc::StatusCode grpc_code) {
  v1::RpcErrorInfo info;
  info.set_reason(code);
  info.set_domain("elasticache.amazonaws.com");
  v1::RpcStatus status;
  status.set_code(grpc_code);
  status.set_message(message);
  google::protobuf::Any* detail = status.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value(info.SerializeAsString());
  return {grpc_code, message, status.SerializeAsString()};
}

v1::CacheCluster MakeCluster(const std::string& id, const std::string& status,
                             const std::string& engine, int nodes, int port) {
  v1::CacheCluster cluster;
  cluster.set_cache_cluster_id(id);
  cluster.set_cache_cluster_status(status);
  cluster.set_engine(engine);
  cluster.set_engine_version(engine == "redis" ? "7.0.7" : "1.6.12");
  cluster.set_cache_node_type("cache.t3.micro");
  cluster.set_num_cache_nodes(nodes);
  cluster.set_preferred_availability_zone("us-east-1a");
  cluster.set_arn("arn:aws:elasticache:us-east-1:000000000000:cluster:" + id);
  for (int i = 0; i < nodes; ++i) {
    v1::CacheNode* node = cluster.add_cache_nodes();
    node->set_cache_node_id(fmt::format("{:04}", i + 1));
    node->set_cache_node_status(status == "available" ? "available" : "creating");
    node->set_customer_availability_zone("us-east-1a");
    node->set_installed_engine_version(engine == "redis" ? "7.0.15" : "1.6.18");
    node->set_host_id("us-east-1a");
    node->mutable_endpoint()->set_address("127.0.0.1");
    node->mutable_endpoint()->set_port(port + i);
  }
  if (engine == "memcached") {
    cluster.mutable_configuration_endpoint()->set_address("127.0.0.1");
    cluster.mutable_configuration_endpoint()->set_port(port + nodes);
  }
  return cluster;
}

v1::ReplicationGroup MakeGroup(const std::string& id, const std::string& status, int members) {
  v1::ReplicationGroup group;
  group.set_replication_group_id(id);
  group.set_description("made by a test");
  group.set_status(status);
  group.set_engine("redis");
  group.set_cache_node_type("cache.t3.micro");
  group.set_automatic_failover("enabled");
  group.set_multi_az("enabled");
  group.set_arn("arn:aws:elasticache:us-east-1:000000000000:replicationgroup:" + id);
  group.set_epoch(1);
  v1::NodeGroup* node_group = group.add_node_groups();
  node_group->set_node_group_id("0001");
  node_group->set_status(status);
  const auto set = [](v1::Endpoint* endpoint, int port) {
    endpoint->set_address("127.0.0.1");
    endpoint->set_port(port);
  };
  set(node_group->mutable_primary_endpoint(), 6001);
  set(node_group->mutable_reader_endpoint(), 6002);
  for (int i = 0; i < members; ++i) {
    const std::string name = fmt::format("{}-{:03}", id, i + 1);
    group.add_member_clusters(name);
    v1::NodeGroupMember* member = node_group->add_node_group_members();
    member->set_cache_cluster_id(name);
    member->set_cache_node_id("0001");
    member->set_cache_cluster_status("available");
    member->set_preferred_availability_zone(std::string("us-east-1") + static_cast<char>('a' + i));
    member->set_host_id(member->preferred_availability_zone());
    member->set_engine_pid(100 + i);
    set(member->mutable_read_endpoint(), 6101 + i);
  }
  SetPrimary(&group, id + "-001");
  return group;
}

void SetPrimary(v1::ReplicationGroup* group, const std::string& cluster_id) {
  for (v1::NodeGroupMember& member : *group->mutable_node_groups(0)->mutable_node_group_members()) {
    const bool leads = member.cache_cluster_id() == cluster_id;
    member.set_current_role(leads ? "primary" : "replica");
    member.clear_in_sync();
    member.clear_lag_bytes();
    if (leads) continue;
    member.set_in_sync(true);
    member.set_lag_bytes(0);
  }
}

v1::Event MakeEvent(uint64_t serial, const std::string& source, const std::string& message) {
  v1::Event event;
  event.set_serial(serial);
  event.set_source_identifier(source);
  event.set_source_type("cache-cluster");
  event.set_message(message);
  event.mutable_date()->set_seconds(1'700'000'000 + static_cast<int64_t>(serial));
  return event;
}

Answer<v1::DescribeCacheClustersRequest, v1::DescribeCacheClustersResponse> Describing(
    std::vector<v1::CacheCluster> clusters) {
  return [clusters = std::move(clusters)](const v1::DescribeCacheClustersRequest& request,
                                          v1::DescribeCacheClustersResponse* response) {
    for (const v1::CacheCluster& cluster : clusters) {
      if (!request.has_cache_cluster_id() ||
          request.cache_cluster_id() == cluster.cache_cluster_id()) {
        *response->add_cache_clusters() = cluster;
      }
    }
    if (request.has_cache_cluster_id() && response->cache_clusters_size() == 0) {
      return AwsError("CacheClusterNotFound",
                      "CacheCluster not found: " + request.cache_cluster_id());
    }
    return grpc::Status::OK;
  };
}

Answer<v1::DescribeReplicationGroupsRequest, v1::DescribeReplicationGroupsResponse>
DescribingGroups(std::vector<v1::ReplicationGroup> groups) {
  return [groups = std::move(groups)](const auto& request, auto* response) {
    for (const v1::ReplicationGroup& group : groups) {
      if (!request.has_replication_group_id() ||
          request.replication_group_id() == group.replication_group_id()) {
        *response->add_replication_groups() = group;
      }
    }
    if (request.has_replication_group_id() && response->replication_groups_size() == 0) {
      return AwsError("ReplicationGroupNotFoundFault",
                      "ReplicationGroup not found: " + request.replication_group_id());
    }
    return grpc::Status::OK;
  };
}

}  // namespace ec::cli
