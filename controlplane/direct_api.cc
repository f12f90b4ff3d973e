#include "controlplane/direct_api.h"

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "common/check.h"

namespace ec {
namespace {

using gateway::ApiDone;
using gateway::MessagePtr;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using server::ElastiCacheService;

class DirectApi : public gateway::Api {
 public:
  DirectApi(ElastiCacheService& elasticache, std::unique_ptr<gateway::Api> others)
      : elasticache_(elasticache), others_(std::move(others)) {
    Add(&ElastiCacheService::DescribeCacheClusters);
    Add(&ElastiCacheService::DescribeCacheEngineVersions);
    Add(&ElastiCacheService::DescribeCacheParameterGroups);
    Add(&ElastiCacheService::DescribeCacheParameters);
    Add(&ElastiCacheService::DescribeCacheSubnetGroups);
    Add(&ElastiCacheService::DescribeEvents);
    Add(&ElastiCacheService::DescribeReplicationGroups);
    Add(&ElastiCacheService::DescribeSnapshots);
    Add(&ElastiCacheService::ListTagsForResource);
  }

  void Call(const MethodDescriptor& method, MessagePtr request, ApiDone done) override {
    const auto call = calls_.find(&method);
    if (call == calls_.end()) return others_->Call(method, std::move(request), std::move(done));
    MessagePtr answer = gateway::NewMessage(*method.output_type());
    const grpc::Status status = call->second(*request, answer.get());
    if (!status.ok()) answer->Clear();
    done(status, std::move(answer));
  }

  std::shared_ptr<gateway::ApiStream> Stream(const MethodDescriptor& method,
                                             MessagePtr request) override {
    return others_->Stream(method, std::move(request));
  }

 private:
  // Request and response are what the method's descriptor says: both come from the same rpc.
  template <typename Request, typename Response>
  void Add(grpc::Status (ElastiCacheService::*call)(grpc::ServerContext*, const Request*,
                                                    Response*)) {
    constexpr size_t kSuffix = sizeof("Request") - 1;
    std::string name = Request::descriptor()->name();
    name.resize(name.size() - kSuffix);
    const auto* service = v1::CacheCluster::descriptor()->file()->service(0);
    const MethodDescriptor* method = service->FindMethodByName(name);
    EC_CHECK(method != nullptr && method->input_type() == Request::descriptor());
    EC_CHECK(method->output_type() == Response::descriptor());
    calls_[method] = [this, call](const Message& request, Message* answer) {
      // None of these calls has any use for the context.
      return (elasticache_.*call)(nullptr, static_cast<const Request*>(&request),
                                  static_cast<Response*>(answer));
    };
  }

  ElastiCacheService& elasticache_;
  const std::unique_ptr<gateway::Api> others_;
  std::map<const MethodDescriptor*, std::function<grpc::Status(const Message&, Message*)>> calls_;
};

}  // namespace

std::unique_ptr<gateway::Api> MakeDirectApi(ElastiCacheService& elasticache,
                                            std::unique_ptr<gateway::Api> others) {
  return std::make_unique<DirectApi>(elasticache, std::move(others));
}

}  // namespace ec
