// What clients of EC2 set on resources of the network besides what they are for: attributes, tags.
// tags.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "controlplane/core/network_resources.h"
#include "controlplane/core/validate.h"

namespace ec::core {
namespace {

using TagMap = std::map<std::string, std::string>;
// What becomes of a resource's tags.
using ChangeTags = std::function<Result<TagMap>(const TagMap& present)>;

// Changes the tags of a row that has them, and puts it back.
template <typename Row>
Status ChangeRow(Draft& draft, const Result<const Row*>& found, const ChangeTags& change) {
  if (!found.ok()) return found.status();
  Row row = **found;
  Result<TagMap> tags = change(row.tags);
  if (!tags.ok()) return tags.status();
  row.tags = *tags;
  draft.Put(std::move(row));
  return {};
}

Status ChangeRule(Draft& draft, const std::string& id, const ChangeTags& change) {
  for (const model::SecurityGroupRow* present : draft.SecurityGroups()) {
    model::SecurityGroupRow group = *present;
    for (auto* rules : {&group.ingress, &group.egress}) {
      const auto rule = std::ranges::find(*rules, id, &model::SecurityGroupRule::id);
      if (rule == rules->end()) continue;
      Result<TagMap> tags = change(rule->tags);
      if (!tags.ok()) return tags.status();
      rule->tags = *tags;
      draft.Put(std::move(group));
      return {};
    }
  }
  return {Fault::kSecurityGroupRuleNotFound,
          fmt::format("The security group rule ID '{}' does not exist", id)};
}

Status ChangeTagsOf(Draft& draft, const std::string& id, const ChangeTags& change) {
  if (id.starts_with("vpc-")) return ChangeRow(draft, MustFindVpc(draft, id), change);
  if (id.starts_with("subnet-")) return ChangeRow(draft, MustFindSubnet(draft, id), change);
  if (id.starts_with("sgr-")) return ChangeRule(draft, id, change);
  if (id.starts_with("sg-")) return ChangeRow(draft, MustFindGroup(draft, id), change);
  if (id.starts_with("i-")) return ChangeRow(draft, MustFindInstance(draft, id), change);
  return {Fault::kInvalidId,
          fmt::format("The ID '{}' is not valid: VPCs, subnets, security groups, their rules and "
                      "instances have tags.",
                      id)};
}

// All of them or none.
Status ChangeAll(Draft& draft, const std::vector<std::string>& resources,
                 const ChangeTags& change) {
  Draft tried = draft;
  for (const std::string& id : resources) EC_RETURN_IF_ERROR(ChangeTagsOf(tried, id, change));
  draft.Replace(std::move(tried));
  return {};
}

}  // namespace

Status Obey(Draft& draft, const ModifyVpc& request) {
  Result<const model::Vpc*> found = MustFindVpc(draft, request.id);
  if (!found.ok()) return found.status();
  model::Vpc vpc = **found;
  vpc.dns_support = request.dns_support.value_or(vpc.dns_support);
  vpc.dns_hostnames = request.dns_hostnames.value_or(vpc.dns_hostnames);
  vpc.usage_metrics = request.usage_metrics.value_or(vpc.usage_metrics);
  draft.Put(std::move(vpc));
  return {};
}

Status Obey(Draft& draft, const ModifySubnet& request) {
  Result<const model::Subnet*> found = MustFindSubnet(draft, request.id);
  if (!found.ok()) return found.status();
  model::Subnet subnet = **found;
  subnet.public_ip_on_launch = request.public_ip_on_launch;
  draft.Put(std::move(subnet));
  return {};
}

Status Obey(Draft& draft, const TagNetwork& request) {
  return ChangeAll(draft, request.resources, [&](const TagMap& present) {
    Result<TagMap> merged = MergeTags(present, request.tags);
    if (merged.ok() || merged.status().fault() != Fault::kTagQuotaExceeded) return merged;
    return Result<TagMap>(Status(Fault::kTagLimitExceeded, merged.status().message()));
  });
}

Status Obey(Draft& draft, const UntagNetwork& request) {
  return ChangeAll(draft, request.resources, [&](const TagMap& present) -> Result<TagMap> {
    if (request.tags.empty()) return TagMap{};
    TagMap left = present;
    for (const auto& [key, value] : request.tags) {
      const auto tag = left.find(key);
      if (tag != left.end() && (!value || *value == tag->second)) left.erase(tag);
    }
    return left;
  });
}

}  // namespace ec::core
