// What the commands about the network share, and one function for each; network_commands.h has the
// door to them all. Each checks the whole request first, and changes the draft only when it cannot
// fail any more.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/status.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/network_requests.h"

namespace ec::core {

// In vpcs.cc.
Status Obey(Draft& draft, const CreateVpc& request);
Status Obey(Draft& draft, const DeleteVpc& request);
Status Obey(Draft& draft, const CreateSubnet& request);
Status Obey(Draft& draft, const DeleteSubnet& request);
// In security_groups.cc.
Status Obey(Draft& draft, const CreateSecurityGroup& request);
Status Obey(Draft& draft, const DeleteSecurityGroup& request);
Status Obey(Draft& draft, const AuthorizeSecurityGroup& request);
Status Obey(Draft& draft, const RevokeSecurityGroup& request);
// In instances.cc.
Status Obey(Draft& draft, const RunInstance& request);
Status Obey(Draft& draft, const RunInstances& request);
Status Obey(Draft& draft, const TerminateInstance& request);
Status Obey(Draft& draft, const TerminateInstances& request);
Status Obey(Draft& draft, const ModifyInstanceGroups& request);

// In network_attributes.cc.
Status Obey(Draft& draft, const ModifyVpc& request);
Status Obey(Draft& draft, const ModifySubnet& request);
Status Obey(Draft& draft, const TagNetwork& request);
Status Obey(Draft& draft, const UntagNetwork& request);

// --- what they share: network_resources.cc ---

// The NotFound fault of the kind.
Result<const model::Vpc*> MustFindVpc(const Draft& draft, const model::VpcId& id);
Result<const model::Subnet*> MustFindSubnet(const Draft& draft, const model::SubnetId& id);
Result<const model::SecurityGroupRow*> MustFindGroup(const Draft& draft,
                                                     const model::SecurityGroupId& id);
Result<const model::InstanceRow*> MustFindInstance(const Draft& draft, const model::InstanceId& id);

// kTagLimitExceeded, kInvalidParameterValue.
Result<std::map<std::string, std::string>> CheckTags(const NetworkTags& tags);

// kDependencyViolation.
Status InUse(const std::string& kind, const std::string& id, const std::string& by);

// The egress rule of a new group.
model::SecurityGroupRule EverythingOutwards(const std::string& id);

}  // namespace ec::core
