#include "controlplane/core/network_resources.h"

#include <fmt/format.h>

#include "controlplane/core/validate.h"

namespace ec::core {

using model::InstanceRow;
using model::SecurityGroupRow;
using model::SecurityGroupRule;
using model::Subnet;
using model::Vpc;

Result<const Vpc*> MustFindVpc(const Draft& draft, const model::VpcId& id) {
  if (const Vpc* vpc = draft.FindVpc(id)) return vpc;
  return Status(Fault::kVpcNotFound, fmt::format("The vpc ID '{}' does not exist", id));
}

Result<const Subnet*> MustFindSubnet(const Draft& draft, const model::SubnetId& id) {
  if (const Subnet* subnet = draft.FindSubnet(id)) return subnet;
  return Status(Fault::kSubnetNotFound, fmt::format("The subnet ID '{}' does not exist", id));
}

Result<const SecurityGroupRow*> MustFindGroup(const Draft& draft,
                                              const model::SecurityGroupId& id) {
  if (const SecurityGroupRow* group = draft.FindSecurityGroup(id)) return group;
  return Status(Fault::kSecurityGroupNotFound,
                fmt::format("The security group '{}' does not exist", id));
}

Result<const InstanceRow*> MustFindInstance(const Draft& draft, const model::InstanceId& id) {
  if (const InstanceRow* instance = draft.FindInstance(id)) return instance;
  return Status(Fault::kInstanceNotFound, fmt::format("The instance ID '{}' does not exist", id));
}

Result<std::map<std::string, std::string>> CheckTags(const NetworkTags& tags) {
  Result<std::map<std::string, std::string>> merged = MergeTags({}, tags);
  if (merged.ok() || merged.status().fault() != Fault::kTagQuotaExceeded) return merged;
  return Status(Fault::kTagLimitExceeded, merged.status().message());
}

Status InUse(const std::string& kind, const std::string& id, const std::string& by) {
  return {Fault::kDependencyViolation,
          fmt::format("The {} '{}' has dependencies and cannot be deleted: {}.", kind, id, by)};
}

SecurityGroupRule EverythingOutwards(const std::string& id) {
  return {id, "-1", -1, -1, Cidr{{0}, 0}, {}, {}};
}

}  // namespace ec::core
