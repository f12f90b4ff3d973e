#include "controlplane/core/parameter_groups.h"

#include <fmt/format.h>

#include "controlplane/core/validate.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/parameters.h"

namespace ec::core {
namespace {

using model::ParameterGroup;

constexpr std::string_view kDefaultPrefix = "default.";
constexpr std::string_view kClusterOn = ".cluster.on";

// What an edit that is under way will be called.
uint64_t RevisionOf(const Draft& draft) { return draft.state().records.revision + 1; }

Status NotFound(const std::string& name) {
  return {Fault::kCacheParameterGroupNotFound,
          fmt::format("CacheParameterGroup not found: {}", name)};  // [AWS]
}

// One that can be changed, which the default ones cannot.
Result<const ParameterGroup*> MustFindOwn(const Draft& draft, const std::string& text) {
  Result<std::string> name = model::ParseParameterGroupName(text);
  if (!name.ok()) return name.status();
  if (const ParameterGroup* group = draft.FindParameterGroup(*name)) return group;
  if (name->starts_with(kDefaultPrefix) && model::IsFamily(name->substr(kDefaultPrefix.size()))) {
    return BadValue("CacheParameterGroupName", *name,
                    "The default parameter groups can be neither changed nor deleted.");
  }
  return NotFound(*name);
}

std::vector<const model::Cluster*> ClustersWith(const Draft& draft, const std::string& name) {
  std::vector<const model::Cluster*> clusters;
  for (const model::ClusterId& id : draft.Clusters()) {
    const model::Cluster* cluster = draft.FindCluster(id);
    if (cluster->parameter_group == name) clusters.push_back(cluster);
  }
  return clusters;
}

// Puts the group with its new values, and has the engines know.
void Put(Draft& draft, ParameterGroup group, bool needs_reboot) {
  if (needs_reboot) group.reboot_since = RevisionOf(draft);
  const std::string name = group.name;
  draft.Put(std::move(group));
  for (const model::Cluster* cluster : ClustersWith(draft, name)) TellMembers(draft, *cluster);
}

Result<const model::ParameterInfo*> MustFindParameter(const ParameterGroup& group,
                                                      const std::string& name) {
  const model::ParameterInfo* parameter = model::FindParameter(group.family, name);
  if (parameter != nullptr) return parameter;
  return Status(Fault::kInvalidParameterValue,  // [AWS]
                fmt::format("Could not find parameter with name: {}", name));
}

Status CheckUnused(const Draft& draft, const ParameterGroup& group,
                   const model::ParameterInfo& parameter) {
  if (!parameter.only_while_unused || ClustersWith(draft, group.name).empty()) return {};
  return {Fault::kInvalidParameterGroupState,
          fmt::format("The parameter {} can be changed only while no cache cluster uses the "
                      "parameter group {}.",
                      parameter.name, group.name)};
}

}  // namespace

Status Create(Draft& draft, const CreateParameterGroup& request) {
  Result<std::string> name = model::ParseParameterGroupName(request.name);
  if (!name.ok()) return name.status();
  if (name->find('.') != std::string::npos) {
    return BadValue("CacheParameterGroupName", request.name,
                    "Only the default parameter groups are called so.");
  }
  if (!model::IsFamily(request.family)) {
    return {Fault::kInvalidParameterValue,
            fmt::format("CacheParameterGroupFamily {} is not a valid parameter group family.",
                        request.family)};
  }
  if (request.description.empty() || request.description.size() > 255) {
    return BadValue("Description", request.description, "It must have 1 to 255 characters.");
  }
  if (draft.FindParameterGroup(*name) != nullptr) {
    return {Fault::kCacheParameterGroupAlreadyExists,
            fmt::format("CacheParameterGroup {} already exists.", *name)};
  }
  if (draft.ParameterGroups().size() >= model::kParameterGroupsMax) {
    return {
        Fault::kCacheParameterGroupQuota,
        fmt::format("There can be at most {} cache parameter groups.", model::kParameterGroupsMax)};
  }
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  ParameterGroup group;
  group.name = *name;
  group.family = request.family;
  group.description = request.description;
  group.tags = *tags;
  draft.Put(std::move(group));
  return {};
}

Status Modify(Draft& draft, const ModifyParameterGroup& request) {
  Result<const ParameterGroup*> found = MustFindOwn(draft, request.name);
  if (!found.ok()) return found.status();
  if (request.values.empty() || request.values.size() > model::kParametersPerCallMax) {
    return BadValue("ParameterNameValues", std::to_string(request.values.size()),
                    "There must be 1 to 20 of them.");
  }
  ParameterGroup group = **found;
  bool needs_reboot = false;
  for (const auto& [name, value] : request.values) {
    Result<const model::ParameterInfo*> parameter = MustFindParameter(group, name);
    if (!parameter.ok()) return parameter.status();
    EC_RETURN_IF_ERROR(model::CheckParameterValue(**parameter, value));
    const std::string usual = (*parameter)->value.value_or("");
    const auto present = group.values.find(name);
    if ((present == group.values.end() ? usual : present->second) != value) {
      EC_RETURN_IF_ERROR(CheckUnused(draft, group, **parameter));
      needs_reboot |= !(*parameter)->immediate;
    }
    group.values[name] = value;
  }
  Put(draft, std::move(group), needs_reboot);
  return {};
}

Status RestoreDefaults(Draft& draft, const ResetParameterGroup& request) {
  Result<const ParameterGroup*> found = MustFindOwn(draft, request.name);
  if (!found.ok()) return found.status();
  if (request.all == !request.parameters.empty()) {
    return BadCombination(
        "Either ResetAllParameters must be true or ParameterNameValues must name parameters.");
  }
  ParameterGroup group = **found;
  std::vector<std::string> names = request.parameters;
  if (request.all) {
    for (const auto& [name, value] : group.values) names.push_back(name);
  }
  bool needs_reboot = false;
  for (const std::string& name : names) {
    Result<const model::ParameterInfo*> parameter = MustFindParameter(group, name);
    if (!parameter.ok()) return parameter.status();
    const auto present = group.values.find(name);
    if (present == group.values.end()) continue;
    if (present->second != (*parameter)->value.value_or("")) {
      EC_RETURN_IF_ERROR(CheckUnused(draft, group, **parameter));
      needs_reboot |= !(*parameter)->immediate;
    }
    group.values.erase(present);
  }
  Put(draft, std::move(group), needs_reboot);
  return {};
}

Status Delete(Draft& draft, const DeleteParameterGroup& request) {
  Result<const ParameterGroup*> found = MustFindOwn(draft, request.name);
  if (!found.ok()) return found.status();
  const std::string name = (*found)->name;
  if (const auto clusters = ClustersWith(draft, name); !clusters.empty()) {
    return {Fault::kInvalidParameterGroupState,
            fmt::format("One or more cache clusters are still members of this parameter group {}, "
                        "so the group cannot be deleted: {}.",
                        name, clusters.front()->id)};
  }
  draft.DropParameterGroup(name);
  return {};
}

Result<std::string> ChooseParameterGroup(const Draft& draft, std::string_view family,
                                         const std::optional<std::string>& asked) {
  const std::string own = fmt::format("{}{}", kDefaultPrefix, family);
  if (!asked) return own;
  const std::string name = model::Lower(*asked);
  if (name == own) return own;
  std::string_view other = name;
  bool cluster_on = false;
  if (const ParameterGroup* group = draft.FindParameterGroup(name)) {
    other = group->family;
  } else if (other.starts_with(kDefaultPrefix)) {
    other.remove_prefix(kDefaultPrefix.size());
    cluster_on = other.ends_with(kClusterOn);
    if (cluster_on) other.remove_suffix(kClusterOn.size());
    if (!model::IsFamily(other)) return NotFound(*asked);
  } else {
    return NotFound(*asked);
  }
  if (other != family) {  // [AWS]
    return BadCombination(fmt::format(
        "Expected a parameter group of family {} but found one of family {}", family, other));
  }
  if (cluster_on) {  // [AWS]
    return BadCombination(
        "Cluster mode should be disabled in parameter group, but found it is enabled.");
  }
  return name;
}

void TellMembers(Draft& draft, const model::Cluster& cluster) {
  const std::set<MemberId> members = cluster.members;
  for (const MemberId member : members) draft.TouchMember(member);
}

void UseParameterGroup(Draft& draft, const model::ClusterId& id, const std::string& name) {
  if (draft.FindCluster(id)->parameter_group == name) return;
  model::Cluster& cluster = draft.EditCluster(id);
  cluster.parameter_group = name;
  cluster.parameter_group_since = RevisionOf(draft);
  TellMembers(draft, cluster);
}

}  // namespace ec::core
