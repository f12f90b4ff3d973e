#include "controlplane/core/subnet_groups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "controlplane/core/addresses.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

using model::CacheSubnetGroup;
using model::Cluster;
using model::Subnet;
using model::SubnetId;

Status CheckDescription(const std::string& description) {
  if (!description.empty() && description.size() <= model::kDescriptionLengthMax) return {};
  return BadValue("CacheSubnetGroupDescription", description,
                  fmt::format("It must have 1 to {} characters.", model::kDescriptionLengthMax));
}

// The subnets asked for, without repetitions: they are there, and of one VPC.
Result<std::vector<SubnetId>> CheckSubnets(const Draft& draft, const std::vector<SubnetId>& asked) {
  std::vector<SubnetId> subnets;
  std::vector<SubnetId> unknown;
  for (const SubnetId& id : asked) {
    if (draft.FindSubnet(id) == nullptr) unknown.push_back(id);
    if (std::ranges::find(subnets, id) == subnets.end()) subnets.push_back(id);
  }
  if (!unknown.empty()) {  // [AWS]
    return Status(
        Fault::kInvalidParameterValue,
        fmt::format("Some input subnets in :[{}] are invalid.", fmt::join(unknown, ", ")));
  }
  if (subnets.size() > model::kSubnetsPerGroupMax) {
    return Status(Fault::kCacheSubnetQuota,
                  fmt::format("A cache subnet group can have at most {} subnets; these are {}.",
                              model::kSubnetsPerGroupMax, subnets.size()));
  }
  for (const SubnetId& id : subnets) {
    const Subnet& first = *draft.FindSubnet(subnets.front());
    const Subnet& other = *draft.FindSubnet(id);
    if (other.vpc == first.vpc) continue;
    return Status(Fault::kInvalidSubnet,
                  fmt::format("The subnets of a cache subnet group must be of one VPC: {} is of "
                              "{}, and {} of {}.",
                              first.id, first.vpc, other.id, other.vpc));
  }
  return subnets;
}

std::vector<const Cluster*> ClustersIn(const Draft& draft, const CacheSubnetGroup& group) {
  std::vector<const Cluster*> clusters;
  for (const model::ClusterId& id : draft.Clusters()) {
    const Cluster* cluster = draft.FindCluster(id);
    if (cluster->subnet_group == group.name) clusters.push_back(cluster);
  }
  return clusters;
}

// What lives in a subnet keeps it in the group.
Status CheckMayLose(const Draft& draft, const CacheSubnetGroup& group,
                    const std::vector<SubnetId>& left) {
  for (const SubnetId& id : group.subnets) {
    if (std::ranges::find(left, id) != left.end()) continue;
    for (const Cluster* cluster : ClustersIn(draft, group)) {
      if (!LivesIn(draft, *cluster, *draft.FindSubnet(id))) continue;
      return {Fault::kSubnetInUse,
              fmt::format("The subnet {} is in use by cache cluster {}.", id, cluster->id)};
    }
  }
  return {};
}

}  // namespace

Result<const CacheSubnetGroup*> MustFindSubnetGroup(const Draft& draft, const std::string& text) {
  Result<std::string> name = model::ParseSubnetGroupName(text);
  if (!name.ok()) return name.status();
  if (const CacheSubnetGroup* group = draft.FindSubnetGroup(*name)) return group;
  return Status(Fault::kCacheSubnetGroupNotFound,
                fmt::format("CacheSubnetGroup not found: {}", *name));
}

Status Create(Draft& draft, const CreateSubnetGroup& request) {
  Result<std::string> name = model::ParseSubnetGroupName(request.name);
  if (!name.ok()) return name.status();
  EC_RETURN_IF_ERROR(CheckDescription(request.description));
  if (draft.FindSubnetGroup(*name) != nullptr || *name == model::kDefaultSubnetGroup) {
    return {Fault::kCacheSubnetGroupAlreadyExists,
            fmt::format("CacheSubnetGroup already exists: {}", *name)};
  }
  if (draft.SubnetGroups().size() >= model::kSubnetGroupsMax) {
    return {Fault::kCacheSubnetGroupQuota,
            fmt::format("There can be at most {} cache subnet groups.", model::kSubnetGroupsMax)};
  }
  if (request.subnets.empty()) {
    return {Fault::kInvalidParameterValue, "The parameter SubnetIds must name at least one."};
  }
  Result<std::vector<SubnetId>> subnets = CheckSubnets(draft, request.subnets);
  if (!subnets.ok()) return subnets.status();
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  const model::VpcId vpc = draft.FindSubnet(subnets->front())->vpc;
  draft.Put(CacheSubnetGroup{*name, request.description, vpc, *subnets, *tags});
  return {};
}

Status Modify(Draft& draft, const ModifySubnetGroup& request) {
  Result<const CacheSubnetGroup*> found = MustFindSubnetGroup(draft, request.name);
  if (!found.ok()) return found.status();
  CacheSubnetGroup group = **found;
  if (!request.description && request.subnets.empty()) {  // [AWS]
    return BadCombination("No modifications were requested");
  }
  if (request.description) {
    EC_RETURN_IF_ERROR(CheckDescription(*request.description));
    group.description = *request.description;
  }
  if (!request.subnets.empty()) {
    if (group.name == model::kDefaultSubnetGroup) {
      return BadValue("CacheSubnetGroupName", group.name,
                      "Its subnets are those of the default VPC and cannot be changed.");
    }
    Result<std::vector<SubnetId>> subnets = CheckSubnets(draft, request.subnets);
    if (!subnets.ok()) return subnets.status();
    EC_RETURN_IF_ERROR(CheckMayLose(draft, group, *subnets));
    const model::VpcId vpc = draft.FindSubnet(subnets->front())->vpc;
    if (vpc != group.vpc && !ClustersIn(draft, group).empty()) {
      return {Fault::kSubnetInUse,
              fmt::format("Cache subnet group {} is in use and cannot leave VPC {}.", group.name,
                          group.vpc)};
    }
    group.subnets = *subnets;
    group.vpc = vpc;
  }
  draft.Put(std::move(group));
  return {};
}

Status Delete(Draft& draft, const DeleteSubnetGroup& request) {
  Result<const CacheSubnetGroup*> found = MustFindSubnetGroup(draft, request.name);
  if (!found.ok()) return found.status();
  const CacheSubnetGroup group = **found;
  if (group.name == model::kDefaultSubnetGroup) {
    return BadValue("CacheSubnetGroupName", group.name,
                    "The default cache subnet group cannot be deleted.");
  }
  if (const auto clusters = ClustersIn(draft, group); !clusters.empty()) {
    return {Fault::kCacheSubnetGroupInUse,
            fmt::format("Cache subnet group {} is currently in use by a cache cluster: {}.",
                        group.name, clusters.front()->id)};
  }
  draft.DropSubnetGroup(group.name);
  return {};
}

}  // namespace ec::core
