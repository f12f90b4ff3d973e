#include "controlplane/server/api_service.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "common/fault.h"
#include "common/log.h"
#include "controlplane/server/cache_clusters.h"
#include "controlplane/server/catalogue.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/emulator.h"
#include "controlplane/server/events.h"
#include "controlplane/server/grpc_status.h"
#include "controlplane/server/replication_groups.h"
#include "controlplane/server/tags.h"
#include "ec/v1/options.pb.h"

namespace ec::server {
namespace {

// AWS's name of a member: its JSON name with the first letter in upper case.
std::string WireName(const google::protobuf::FieldDescriptor& field) {
  std::string name = field.json_name();
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') {
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
  }
  return name;
}

// Members marked (required) in the proto must be there and not be empty.
Status CheckRequired(const google::protobuf::Message& request) {
  const google::protobuf::Descriptor* type = request.GetDescriptor();
  const google::protobuf::Reflection* reflection = request.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type->field(i);
    if (!field->options().GetExtension(v1::required)) continue;
    bool present = false;
    if (field->is_repeated()) {
      present = reflection->FieldSize(request, field) > 0;
    } else {
      present = reflection->HasField(request, field) &&
                (field->type() != google::protobuf::FieldDescriptor::TYPE_STRING ||
                 !reflection->GetString(request, field).empty());
    }
    if (!present) {
      return {Fault::kMissingParameter,
              fmt::format("The request must contain the parameter {}.", WireName(*field))};
    }
  }
  return {};
}

// Whether the request asks for something by this member: false, empty and nothing do not.
bool IsGiven(const google::protobuf::Message& request,
             const google::protobuf::FieldDescriptor& field) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection* reflection = request.GetReflection();
  if (field.is_repeated()) return reflection->FieldSize(request, &field) > 0;
  if (!reflection->HasField(request, &field)) return false;
  if (field.type() == FieldDescriptor::TYPE_BOOL) return reflection->GetBool(request, &field);
  return field.type() != FieldDescriptor::TYPE_STRING ||
         !reflection->GetString(request, &field).empty();
}

// Members marked (not_emulated) in the proto must not ask for anything.
Status CheckEmulated(const google::protobuf::Message& request) {
  const google::protobuf::Descriptor* type = request.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type->field(i);
    if (field->options().GetExtension(v1::not_emulated) && IsGiven(request, *field)) {
      return {Fault::kInvalidParameterValue,
              fmt::format("The parameter {} is not emulated.", WireName(*field))};
    }
  }
  return {};
}

bool OnlyLooks(std::string_view name) {
  return name.starts_with("Describe") || name.starts_with("List") || name.starts_with("Get");
}

// What every call shares. Names of the things a call is about are in its own log line's message;
// secrets are not logged because requests are not.
template <typename Request, typename Handler>
grpc::Status Serve(const Clock& clock, std::string_view name, const Request& request,
                   Handler handler) {
  const Instant begin = clock.now().instant;
  Status status = CheckRequired(request);
  if (status.ok()) status = CheckEmulated(request);
  if (status.ok()) status = handler();
  const auto took = (clock.now().instant - begin).count();
  if (!status.ok()) {
    LogInfo("call refused", {{"call", name},
                             {"code", InfoOf(status.fault()).wire_code},
                             {"why", status.message()},
                             {"us", took}});
  } else if (OnlyLooks(name)) {
    LogDebug("call", {{"call", name}, {"us", took}});
  } else {
    LogInfo("call", {{"call", name}, {"us", took}});
  }
  return ToGrpc(status);
}

}  // namespace

grpc::Status ElastiCacheService::CreateCacheCluster(grpc::ServerContext*,
                                                    const v1::CreateCacheClusterRequest* request,
                                                    v1::CreateCacheClusterResponse* response) {
  return Serve(clock_, "CreateCacheCluster", *request,
               [&] { return server::CreateCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheClusters(
    grpc::ServerContext*, const v1::DescribeCacheClustersRequest* request,
    v1::DescribeCacheClustersResponse* response) {
  return Serve(clock_, "DescribeCacheClusters", *request,
               [&] { return server::DescribeCacheClusters(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyCacheCluster(grpc::ServerContext*,
                                                    const v1::ModifyCacheClusterRequest* request,
                                                    v1::ModifyCacheClusterResponse* response) {
  return Serve(clock_, "ModifyCacheCluster", *request,
               [&] { return server::ModifyCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteCacheCluster(grpc::ServerContext*,
                                                    const v1::DeleteCacheClusterRequest* request,
                                                    v1::DeleteCacheClusterResponse* response) {
  return Serve(clock_, "DeleteCacheCluster", *request,
               [&] { return server::DeleteCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::RebootCacheCluster(grpc::ServerContext*,
                                                    const v1::RebootCacheClusterRequest* request,
                                                    v1::RebootCacheClusterResponse* response) {
  return Serve(clock_, "RebootCacheCluster", *request,
               [&] { return server::RebootCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::CreateReplicationGroup(
    grpc::ServerContext*, const v1::CreateReplicationGroupRequest* request,
    v1::CreateReplicationGroupResponse* response) {
  return Serve(clock_, "CreateReplicationGroup", *request,
               [&] { return server::CreateReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeReplicationGroups(
    grpc::ServerContext*, const v1::DescribeReplicationGroupsRequest* request,
    v1::DescribeReplicationGroupsResponse* response) {
  return Serve(clock_, "DescribeReplicationGroups", *request,
               [&] { return server::DescribeReplicationGroups(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ModifyReplicationGroup(
    grpc::ServerContext*, const v1::ModifyReplicationGroupRequest* request,
    v1::ModifyReplicationGroupResponse* response) {
  return Serve(clock_, "ModifyReplicationGroup", *request,
               [&] { return server::ModifyReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DeleteReplicationGroup(
    grpc::ServerContext*, const v1::DeleteReplicationGroupRequest* request,
    v1::DeleteReplicationGroupResponse* response) {
  return Serve(clock_, "DeleteReplicationGroup", *request,
               [&] { return server::DeleteReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::IncreaseReplicaCount(
    grpc::ServerContext*, const v1::IncreaseReplicaCountRequest* request,
    v1::IncreaseReplicaCountResponse* response) {
  return Serve(clock_, "IncreaseReplicaCount", *request,
               [&] { return server::IncreaseReplicaCount(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DecreaseReplicaCount(
    grpc::ServerContext*, const v1::DecreaseReplicaCountRequest* request,
    v1::DecreaseReplicaCountResponse* response) {
  return Serve(clock_, "DecreaseReplicaCount", *request,
               [&] { return server::DecreaseReplicaCount(loop_, *request, response); });
}

grpc::Status ElastiCacheService::TestFailover(grpc::ServerContext*,
                                              const v1::TestFailoverRequest* request,
                                              v1::TestFailoverResponse* response) {
  return Serve(clock_, "TestFailover", *request,
               [&] { return server::TestFailover(loop_, *request, response); });
}

grpc::Status ElastiCacheService::PromoteCacheCluster(grpc::ServerContext*,
                                                     const v1::PromoteCacheClusterRequest* request,
                                                     v1::PromoteCacheClusterResponse* response) {
  return Serve(clock_, "PromoteCacheCluster", *request,
               [&] { return server::PromoteCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DemoteCacheCluster(grpc::ServerContext*,
                                                    const v1::DemoteCacheClusterRequest* request,
                                                    v1::DemoteCacheClusterResponse* response) {
  return Serve(clock_, "DemoteCacheCluster", *request,
               [&] { return server::DemoteCacheCluster(loop_, *request, response); });
}

grpc::Status ElastiCacheService::SwitchoverReplicationGroup(
    grpc::ServerContext*, const v1::SwitchoverReplicationGroupRequest* request,
    v1::SwitchoverReplicationGroupResponse* response) {
  return Serve(clock_, "SwitchoverReplicationGroup", *request,
               [&] { return server::SwitchoverReplicationGroup(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheEngineVersions(
    grpc::ServerContext*, const v1::DescribeCacheEngineVersionsRequest* request,
    v1::DescribeCacheEngineVersionsResponse* response) {
  return Serve(clock_, "DescribeCacheEngineVersions", *request,
               [&] { return server::DescribeCacheEngineVersions(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ListAllowedNodeTypeModifications(
    grpc::ServerContext*, const v1::ListAllowedNodeTypeModificationsRequest* request,
    v1::ListAllowedNodeTypeModificationsResponse* response) {
  return Serve(clock_, "ListAllowedNodeTypeModifications", *request,
               [&] { return server::ListAllowedNodeTypeModifications(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeEvents(grpc::ServerContext*,
                                                const v1::DescribeEventsRequest* request,
                                                v1::DescribeEventsResponse* response) {
  return Serve(clock_, "DescribeEvents", *request, [&] {
    return server::DescribeEvents(loop_, clock_.now().wall, *request, response);
  });
}

grpc::Status ElastiCacheService::AddTagsToResource(grpc::ServerContext*,
                                                   const v1::AddTagsToResourceRequest* request,
                                                   v1::AddTagsToResourceResponse* response) {
  return Serve(clock_, "AddTagsToResource", *request,
               [&] { return server::AddTagsToResource(loop_, *request, response); });
}

grpc::Status ElastiCacheService::ListTagsForResource(grpc::ServerContext*,
                                                     const v1::ListTagsForResourceRequest* request,
                                                     v1::ListTagsForResourceResponse* response) {
  return Serve(clock_, "ListTagsForResource", *request,
               [&] { return server::ListTagsForResource(loop_, *request, response); });
}

grpc::Status ElastiCacheService::RemoveTagsFromResource(
    grpc::ServerContext*, const v1::RemoveTagsFromResourceRequest* request,
    v1::RemoveTagsFromResourceResponse* response) {
  return Serve(clock_, "RemoveTagsFromResource", *request,
               [&] { return server::RemoveTagsFromResource(loop_, *request, response); });
}

grpc::Status ElastiCacheService::DescribeCacheNodeTypes(
    grpc::ServerContext*, const v1::DescribeCacheNodeTypesRequest* request,
    v1::DescribeCacheNodeTypesResponse* response) {
  return Serve(clock_, "DescribeCacheNodeTypes", *request,
               [&] { return server::DescribeCacheNodeTypes(loop_, *request, response); });
}

grpc::Status EmulatorService::DescribeHosts(grpc::ServerContext*,
                                            const v1::DescribeHostsRequest* request,
                                            v1::DescribeHostsResponse* response) {
  return Serve(clock_, "DescribeHosts", *request, [&] {
    return server::DescribeHosts(loop_, clock_.now().instant, *request, response);
  });
}

grpc::Status EmulatorService::DescribeEndpoints(grpc::ServerContext*,
                                                const v1::DescribeEndpointsRequest* request,
                                                v1::DescribeEndpointsResponse* response) {
  return Serve(clock_, "DescribeEndpoints", *request,
               [&] { return server::DescribeEndpoints(loop_, *request, response); });
}

grpc::Status EmulatorService::AddFault(grpc::ServerContext*, const v1::AddFaultRequest* request,
                                       v1::AddFaultResponse* response) {
  return Serve(clock_, "AddFault", *request,
               [&] { return server::AddFault(loop_, fault_numbers_, *request, response); });
}

grpc::Status EmulatorService::DescribeFaults(grpc::ServerContext*,
                                             const v1::DescribeFaultsRequest* request,
                                             v1::DescribeFaultsResponse* response) {
  return Serve(clock_, "DescribeFaults", *request,
               [&] { return server::DescribeFaults(loop_, *request, response); });
}

grpc::Status EmulatorService::ClearFaults(grpc::ServerContext*,
                                          const v1::ClearFaultsRequest* request,
                                          v1::ClearFaultsResponse* response) {
  return Serve(clock_, "ClearFaults", *request,
               [&] { return server::ClearFaults(loop_, *request, response); });
}

grpc::Status EmulatorService::GetVersion(grpc::ServerContext*, const v1::GetVersionRequest* request,
                                         v1::GetVersionResponse* response) {
  return Serve(clock_, "GetVersion", *request,
               [&] { return server::GetVersion(loop_, *request, response); });
}

grpc::Status EmulatorService::Reset(grpc::ServerContext*, const v1::ResetRequest* request,
                                    v1::ResetResponse* response) {
  return Serve(clock_, "Reset", *request, [&] { return server::Reset(loop_, *request, response); });
}

grpc::Status EmulatorService::WatchEvents(grpc::ServerContext* context,
                                          const v1::WatchEventsRequest* request,
                                          grpc::ServerWriter<v1::Event>* writer) {
  return ToGrpc(server::WatchEvents(
      loop_, *request, [&](const v1::Event& event) { return writer->Write(event); },
      [&] { return context->IsCancelled(); }));
}

}  // namespace ec::server
