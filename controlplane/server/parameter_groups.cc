#include "controlplane/server/parameter_groups.h"

#include <fmt/format.h>

#include <map>

#include "controlplane/core/commands.h"
#include "controlplane/model/names.h"
#include "controlplane/model/parameters.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/pages.h"

namespace ec::server {
namespace {

using google::protobuf::RepeatedPtrField;
using model::ParameterGroup;
using model::ParameterInfo;

constexpr std::string_view kFamilyNames[] = {
    "memcached1.4", "memcached1.5", "memcached1.6", "redis2.6", "redis2.8", "redis3.2",
    "redis4.0",     "redis5.0",     "redis6.x",     "redis7",   "valkey7",  "valkey8"};

Status NotFound(const std::string& name) {
  return {Fault::kCacheParameterGroupNotFound,
          fmt::format("CacheParameterGroup not found: {}", name)};
}

ParameterGroup DefaultGroup(std::string_view family) {
  ParameterGroup group;
  group.name = fmt::format("default.{}", family);
  group.family = family;
  group.description = fmt::format("Default parameter group for {}", family);
  return group;
}

// The user's own, and the default one of each family.
std::map<std::string, ParameterGroup> AllGroups(const model::Records& records) {
  std::map<std::string, ParameterGroup> groups = records.parameter_groups;
  for (const std::string_view family : kFamilyNames) {
    ParameterGroup group = DefaultGroup(family);
    groups.emplace(group.name, std::move(group));
  }
  return groups;
}

Result<ParameterGroup> FindParameterGroup(const model::Records& records, const std::string& text) {
  Result<std::string> name = model::ParseParameterGroupName(text);
  if (!name.ok()) return name.status();
  const auto groups = AllGroups(records);
  const auto found = groups.find(*name);
  if (found == groups.end()) return NotFound(*name);
  return found->second;
}

void ToProto(const model::Records& records, const ParameterGroup& group,
             v1::CacheParameterGroup* out) {
  out->set_cache_parameter_group_name(group.name);
  out->set_cache_parameter_group_family(group.family);
  out->set_description(group.description);
  out->set_is_global(false);
  out->set_arn(model::ToString(model::Arn{records.installation.region, records.installation.account,
                                          std::string(model::kParameterGroupArnKind), group.name}));
}

// What a parameter and one that follows the node type have in common.
template <typename Out>
void SetCommon(const ParameterInfo& info, bool is_users, Out* out) {
  out->set_parameter_name(info.name);
  out->set_source(is_users ? "user" : "system");
  out->set_data_type(info.type);
  if (!info.allowed.empty()) out->set_allowed_values(info.allowed);
  out->set_is_modifiable(info.modifiable);
  if (!info.minimum_version.empty()) out->set_minimum_engine_version(info.minimum_version);
  out->set_change_type(info.immediate ? "immediate" : "requires-reboot");
}

void ToProto(const ParameterInfo& info, const std::string* users, v1::Parameter* out) {
  SetCommon(info, users != nullptr, out);
  if (users != nullptr) {
    out->set_parameter_value(*users);
  } else if (info.value) {
    out->set_parameter_value(*info.value);
  }
}

// The memory limits, which every node type has for itself.
void AddNodeTypeSpecific(const model::Records& records, std::string_view family,
                         RepeatedPtrField<v1::CacheNodeTypeSpecificParameter>* out) {
  const bool speaks_redis = !family.starts_with("memcached");
  v1::CacheNodeTypeSpecificParameter* parameter = out->Add();
  ParameterInfo info;
  info.name = speaks_redis ? "maxmemory" : "max_cache_memory";
  info.type = "integer";
  SetCommon(info, false, parameter);
  for (const auto& [name, type] : records.node_types) {
    const auto& value =
        speaks_redis ? type.redis_maxmemory_bytes : type.memcached_max_cache_memory_mb;
    if (!value) continue;
    v1::CacheNodeTypeSpecificValue* specific = parameter->add_cache_node_type_specific_values();
    specific->set_cache_node_type(name);
    specific->set_value(std::to_string(*value));
  }
}

// A page of the group's parameters; the marker is the last name of the page before. The ones that
// follow the node type come with the first page. `Out` has the members of EngineDefaults.
template <typename Out>
void AddPage(const model::Records& records, const ParameterGroup& group, const std::string& source,
             const std::string& marker, int size, Out* out) {
  for (const ParameterInfo& info : model::ParametersOf(group.family)) {
    const auto users = group.values.find(info.name);
    const bool is_users = users != group.values.end();
    if (!source.empty() && (source == "user") != is_users) continue;
    if (info.name <= marker) continue;
    if (out->parameters_size() == size) {
      out->set_marker(out->parameters(size - 1).parameter_name());
      break;
    }
    ToProto(info, is_users ? &users->second : nullptr, out->add_parameters());
  }
  if (marker.empty() && source != "user") {
    AddNodeTypeSpecific(records, group.family, out->mutable_cache_node_type_specific_parameters());
  }
}

}  // namespace

Status CreateCacheParameterGroup(ControllerLoop& loop,
                                 const v1::CreateCacheParameterGroupRequest& request,
                                 v1::CreateCacheParameterGroupResponse* response) {
  core::CreateParameterGroup command{request.cache_parameter_group_name(),
                                     request.cache_parameter_group_family(),
                                     request.description(),
                                     {}};
  for (const v1::Tag& tag : request.tags()) command.tags.emplace_back(tag.key(), tag.value());
  return loop.Submit(core::Command(std::move(command)), [&](const model::State& state) {
    const std::string name = model::Lower(request.cache_parameter_group_name());
    const auto found = state.records.parameter_groups.find(name);
    if (found == state.records.parameter_groups.end()) return;
    ToProto(state.records, found->second, response->mutable_cache_parameter_group());
  });
}

Status DescribeCacheParameterGroups(ControllerLoop& loop,
                                    const v1::DescribeCacheParameterGroupsRequest& request,
                                    v1::DescribeCacheParameterGroupsResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  return loop.Read([&](const model::State& state) -> Status {
    if (request.has_cache_parameter_group_name()) {
      const Result<ParameterGroup> group =
          FindParameterGroup(state.records, request.cache_parameter_group_name());
      if (!group.ok()) return group.status();
      ToProto(state.records, *group, response->add_cache_parameter_groups());
      return {};
    }
    const auto groups = AllGroups(state.records);
    auto it = request.marker().empty() ? groups.begin() : groups.upper_bound(request.marker());
    for (; it != groups.end() && response->cache_parameter_groups_size() < *size; ++it) {
      ToProto(state.records, it->second, response->add_cache_parameter_groups());
    }
    if (it != groups.end()) response->set_marker(std::prev(it)->first);
    return {};
  });
}

Status DescribeCacheParameters(ControllerLoop& loop,
                               const v1::DescribeCacheParametersRequest& request,
                               v1::DescribeCacheParametersResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  const std::string& source = request.source();
  if (!source.empty() && source != "user" && source != "system" && source != "engine-default") {
    return {Fault::kInvalidParameterValue,
            fmt::format("Invalid value for Source: '{}'. It must be user, system or "
                        "engine-default.",
                        source)};
  }
  return loop.Read([&](const model::State& state) -> Status {
    const Result<ParameterGroup> group =
        FindParameterGroup(state.records, request.cache_parameter_group_name());
    if (!group.ok()) return group.status();
    if (source == "engine-default") return {};  // every default here is the system's
    AddPage(state.records, *group, source, request.marker(), *size, response);
    return {};
  });
}

Status ModifyCacheParameterGroup(ControllerLoop& loop,
                                 const v1::ModifyCacheParameterGroupRequest& request,
                                 v1::ModifyCacheParameterGroupResponse* response) {
  core::ModifyParameterGroup command{request.cache_parameter_group_name(), {}};
  for (const v1::ParameterNameValue& one : request.parameter_name_values()) {
    command.values.emplace_back(one.parameter_name(), one.parameter_value());
  }
  return loop.Submit(core::Command(std::move(command)), [&](const model::State&) {
    response->set_cache_parameter_group_name(model::Lower(request.cache_parameter_group_name()));
  });
}

Status ResetCacheParameterGroup(ControllerLoop& loop,
                                const v1::ResetCacheParameterGroupRequest& request,
                                v1::ResetCacheParameterGroupResponse* response) {
  core::ResetParameterGroup command{
      request.cache_parameter_group_name(), request.reset_all_parameters(), {}};
  for (const v1::ParameterNameValue& one : request.parameter_name_values()) {
    command.parameters.push_back(one.parameter_name());
  }
  return loop.Submit(core::Command(std::move(command)), [&](const model::State&) {
    response->set_cache_parameter_group_name(model::Lower(request.cache_parameter_group_name()));
  });
}

Status DeleteCacheParameterGroup(ControllerLoop& loop,
                                 const v1::DeleteCacheParameterGroupRequest& request,
                                 v1::DeleteCacheParameterGroupResponse*) {
  return loop.Submit(
      core::Command(core::DeleteParameterGroup{request.cache_parameter_group_name()}));
}

Status DescribeEngineDefaultParameters(ControllerLoop& loop,
                                       const v1::DescribeEngineDefaultParametersRequest& request,
                                       v1::DescribeEngineDefaultParametersResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  const std::string& family = request.cache_parameter_group_family();
  if (!model::IsFamily(family)) {
    return {
        Fault::kInvalidParameterValue,
        fmt::format("CacheParameterGroupFamily {} is not a valid parameter group family.", family)};
  }
  return loop.Read([&](const model::State& state) -> Status {
    v1::EngineDefaults* defaults = response->mutable_engine_defaults();
    defaults->set_cache_parameter_group_family(family);
    AddPage(state.records, DefaultGroup(family), "", request.marker(), *size, defaults);
    return {};
  });
}

}  // namespace ec::server
