#include "controlplane/server/subnet_groups.h"

#include <fmt/format.h>

#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert_network.h"
#include "controlplane/server/pages.h"
#include "controlplane/server/request.h"

namespace ec::server {
namespace {

// Submits the command and answers with the group as it then is.
Status SubmitFor(ControllerLoop& loop, const std::string& name, core::Command command,
                 v1::CacheSubnetGroup* response) {
  return loop.Submit(std::move(command), [&](const model::State& state) {
    const auto found = state.records.subnet_groups.find(model::Lower(name));
    if (found != state.records.subnet_groups.end()) {
      ToProto(state.records, found->second, response);
    }
  });
}

}  // namespace

Status CreateCacheSubnetGroup(ControllerLoop& loop,
                              const v1::CreateCacheSubnetGroupRequest& request,
                              v1::CreateCacheSubnetGroupResponse* response) {
  core::CreateSubnetGroup command{request.cache_subnet_group_name(),
                                  request.cache_subnet_group_description(),
                                  ToVector(request.subnet_ids()), ToTags(request.tags())};
  return SubmitFor(loop, request.cache_subnet_group_name(), std::move(command),
                   response->mutable_cache_subnet_group());
}

Status ModifyCacheSubnetGroup(ControllerLoop& loop,
                              const v1::ModifyCacheSubnetGroupRequest& request,
                              v1::ModifyCacheSubnetGroupResponse* response) {
  core::ModifySubnetGroup command{request.cache_subnet_group_name(),
                                  EC_OPTIONAL(request, cache_subnet_group_description),
                                  ToVector(request.subnet_ids())};
  return SubmitFor(loop, request.cache_subnet_group_name(), std::move(command),
                   response->mutable_cache_subnet_group());
}

Status DeleteCacheSubnetGroup(ControllerLoop& loop,
                              const v1::DeleteCacheSubnetGroupRequest& request,
                              v1::DeleteCacheSubnetGroupResponse*) {
  return loop.Submit(core::Command(core::DeleteSubnetGroup{request.cache_subnet_group_name()}));
}

Status DescribeCacheSubnetGroups(ControllerLoop& loop,
                                 const v1::DescribeCacheSubnetGroupsRequest& request,
                                 v1::DescribeCacheSubnetGroupsResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  return loop.Read([&](const model::State& state) -> Status {
    const auto& groups = state.records.subnet_groups;
    if (request.has_cache_subnet_group_name()) {
      const std::string name = model::Lower(request.cache_subnet_group_name());
      const auto found = groups.find(name);
      if (found == groups.end()) {
        return {Fault::kCacheSubnetGroupNotFound,
                fmt::format("CacheSubnetGroup not found: {}", name)};
      }
      ToProto(state.records, found->second, response->add_cache_subnet_groups());
      return {};
    }
    // The marker is the last name of the page before.
    auto it = request.marker().empty() ? groups.begin() : groups.upper_bound(request.marker());
    for (; it != groups.end() && response->cache_subnet_groups_size() < *size; ++it) {
      ToProto(state.records, it->second, response->add_cache_subnet_groups());
    }
    if (it != groups.end()) response->set_marker(std::prev(it)->first);
    return {};
  });
}

Status RefuseCacheSecurityGroups() { return core::RefuseCacheSecurityGroups(); }

}  // namespace ec::server
