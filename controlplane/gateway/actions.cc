#include "controlplane/gateway/actions.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/gateway/not_emulated.h"
#include "ec/v1/elasticache.pb.h"
#include "ec/v1/identity.pb.h"
#include "ec/v1/network.pb.h"
#include "ec/v1/options.pb.h"

namespace ec::gateway {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

void AddActions(const ServiceDescriptor& service, Shapes* shapes, AwsService* out) {
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    if (method.options().GetExtension(v1::emulator_operation)) continue;
    Action action{method.name(), &method};
    action.input = &shapes->Add(*method.input_type());
    action.output = &shapes->Add(*method.output_type());
    out->actions.emplace(method.name(), std::move(action));
  }
}

}  // namespace

std::string AwsService::Xmlns(std::string_view version) const {
  return fmt::format("{}{}/", xmlns_before_version,
                     HasVersion(version) ? version : versions.front());
}

bool AwsService::HasVersion(std::string_view version) const {
  return std::ranges::find(versions, version) != versions.end();
}

Actions::Actions() {
  AwsService elasticache{"elasticache",
                         Dialect::kQuery,
                         {"2015-02-02", "2014-09-30"},
                         "http://elasticache.amazonaws.com/doc/"};
  AddActions(*v1::CacheCluster::descriptor()->file()->service(0), &query_, &elasticache);
  for (const NotEmulatedAction& one : kNotEmulated) {
    Action action{std::string(one.name)};
    action.empty_list = one.empty_list;
    elasticache.actions.emplace(action.name, action);  // unless there is an rpc
  }
  AwsService ec2{"ec2", Dialect::kEc2, {"2016-11-15"}, "http://ec2.amazonaws.com/doc/"};
  AddActions(*v1::Vpc::descriptor()->file()->service(0), &ec2_, &ec2);
  AwsService sts{"sts", Dialect::kQuery, {"2011-06-15"}, "https://sts.amazonaws.com/doc/"};
  AddActions(*v1::GetCallerIdentityRequest::descriptor()->file()->service(0), &query_, &sts);
  services_.push_back(std::move(elasticache));
  services_.push_back(std::move(ec2));
  services_.push_back(std::move(sts));
}

const AwsService* Actions::ServiceOf(std::string_view scope) const {
  const auto found = std::ranges::find(services_, scope, &AwsService::scope);
  return found == services_.end() ? nullptr : &*found;
}

const AwsService& Actions::ServiceWith(std::string_view action) const {
  const auto found = std::ranges::find_if(
      services_, [&](const AwsService& service) { return service.actions.contains(action); });
  return found == services_.end() ? elasticache() : *found;
}

WireError UnknownAction(const AwsService& service, std::string_view action,
                        std::string_view version) {
  const std::string name(action.substr(0, 100));
  if (service.dialect == Dialect::kEc2) {
    return {"InvalidAction", 400,
            fmt::format("The action {} is not valid for this web service.", name)};
  }
  return {"InvalidAction", 400,
          fmt::format("Could not find operation {} for version {}", name,
                      version.empty() ? service.versions.front() : version.substr(0, 100))};
}

WireError NotEmulated(const AwsService& service, std::string_view action) {
  return {"InvalidAction", 400, fmt::format("{} of {} is not emulated.", action, service.scope)};
}

}  // namespace ec::gateway
