#include "controlplane/server/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "controlplane/core/placement.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/names.h"
#include "controlplane/server/controller_loop.h"
#include "controlplane/server/convert.h"
#include "controlplane/server/pages.h"

namespace ec::server {
namespace {

bool Matches(const v1::DescribeCacheEngineVersionsRequest& request,
             const model::EngineVersion& version) {
  if (request.has_engine() && model::Lower(request.engine()) != NameOf(version.engine)) {
    return false;
  }
  if (request.has_cache_parameter_group_family() &&
      request.cache_parameter_group_family() != version.family) {
    return false;
  }
  if (request.has_engine_version()) {
    const auto asked = model::ResolveVersion(version.engine, request.engine_version());
    if (!asked || asked->reported != version.reported) return false;
  }
  return true;
}

// Versions on offer, with the program that would run them.
std::vector<v1::CacheEngineVersion> Offered(const model::State& state, bool strict,
                                            const v1::DescribeCacheEngineVersionsRequest& request) {
  std::vector<v1::CacheEngineVersion> offered;
  for (const EngineKind engine : kAllEngines) {
    const std::vector<std::string> installed = core::InstalledVersions(state, engine);
    if (installed.empty() && engine == EngineKind::kValkey) continue;
    const std::vector<model::EngineVersion> versions = model::VersionsOf(engine);
    for (const model::EngineVersion& version : versions) {
      if (!Matches(request, version)) continue;
      if (request.default_only() && version.reported != versions.back().reported) continue;
      const bool runs = std::ranges::any_of(installed, [&](const std::string& program) {
        return model::SameMinor(version.reported, program);
      });
      if (strict && !runs) continue;
      v1::CacheEngineVersion& out = offered.emplace_back();
      out.set_engine(std::string(NameOf(engine)));
      out.set_engine_version(std::string(version.offered));
      out.set_cache_parameter_group_family(std::string(version.family));
      out.set_cache_engine_description(std::string(model::DescriptionOf(engine)));
      out.set_cache_engine_version_description(
          fmt::format("{} version {}", NameOf(engine), version.offered));
      if (!installed.empty()) out.set_installed_engine_version(installed.back());
    }
  }
  return offered;
}

}  // namespace

Status DescribeCacheEngineVersions(ControllerLoop& loop,
                                   const v1::DescribeCacheEngineVersionsRequest& request,
                                   v1::DescribeCacheEngineVersionsResponse* response) {
  const Result<int> size = PageSize(MaxRecordsOf(request));
  if (!size.ok()) return size.status();
  uint64_t position = 0;
  if (!request.marker().empty()) {
    const auto marker = ParseMarker(request.marker());
    if (!marker) {
      return {Fault::kInvalidParameterValue,
              fmt::format("Invalid value for Marker: '{}'.", request.marker())};
    }
    position = *marker;
  }
  const bool strict = loop.settings().strict_versions;
  const std::vector<v1::CacheEngineVersion> offered =
      loop.Read([&](const model::State& state) { return Offered(state, strict, request); });
  for (; position < offered.size() && response->cache_engine_versions_size() < *size; ++position) {
    *response->add_cache_engine_versions() = offered[position];
  }
  if (position < offered.size()) response->set_marker(std::to_string(position));
  return {};
}

Status DescribeCacheNodeTypes(ControllerLoop& loop,
                              const v1::DescribeCacheNodeTypesRequest& request,
                              v1::DescribeCacheNodeTypesResponse* response) {
  return loop.Read([&](const model::State& state) -> Status {
    const auto& types = state.records.node_types;
    if (request.has_cache_node_type()) {
      const auto found = types.find(model::Lower(request.cache_node_type()));
      if (found == types.end()) {
        return {Fault::kInvalidParameterValue,
                fmt::format("Invalid value for CacheNodeType: '{}'. There is no such node type.",
                            request.cache_node_type())};
      }
      ToProto(found->second, response->add_cache_node_types());
      return {};
    }
    // The catalogue's own order: AWS's families from the oldest to the newest, small to large.
    for (const model::NodeType& type : model::NodeTypeCatalogue()) {
      const auto found = types.find(type.name);
      if (found != types.end()) ToProto(found->second, response->add_cache_node_types());
    }
    return {};
  });
}

}  // namespace ec::server
