// Checks of request members that several commands share. Each error names the parameter and the
// value, as AWS's do.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"
#include "controlplane/model/records.h"

namespace ec::core {

// InvalidParameterValue: "Invalid value for <parameter>: '<value>'. <why>"
Status BadValue(std::string_view parameter, std::string_view value, std::string_view why);
Status BadCombination(std::string message);

Status AlreadyExists(const model::ClusterId& id);

// The tags that `present` becomes; later ones replace earlier ones of the same key.
Result<std::map<std::string, std::string>> MergeTags(std::map<std::string, std::string> present,
                                                     const Tags& tags);

// EC2-Classic's cache security groups are refused: an account has VPCs only.
Status RefuseCacheSecurityGroups();
Status CheckCacheSecurityGroups(const std::vector<std::string>& names);
// A cluster's security groups: those asked for, which must be the VPC's, or its default one.
Result<std::vector<model::SecurityGroupId>> ChooseSecurityGroups(
    const Draft& draft, const model::VpcId& vpc, const std::vector<std::string>& asked);
Status CheckTopic(std::string_view arn);
Status CheckSnapshotRetention(int days, const model::NodeType& type);
// Only IPv4 is emulated.
Status CheckIpVersion(std::string_view parameter, const std::optional<std::string>& value);

// Whether the region may have this many nodes more.
Status CheckRegionQuota(const Draft& draft, const Settings& settings, int more);

// "cross-az" is true, "single-az" false.
Result<bool> ParseAzMode(std::string_view text);

// Whether automatic failover, and with it Multi-AZ, is offered: AWS excludes the smallest type and
// the first Redis.
Status CheckFailoverSupported(const std::string& node_type, const std::string& version);

// Whether encryption in transit is offered: Redis 3.2.6, and 4.0 and later. [AWS docs]
Status CheckEncryptionSupported(EngineKind engine, const std::string& version);

// TransitEncryptionMode, beside what TransitEncryptionEnabled says or is.
Status CheckEncryptionMode(const std::optional<std::string>& mode, bool enabled);

}  // namespace ec::core
