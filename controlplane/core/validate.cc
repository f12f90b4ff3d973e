#include "controlplane/core/validate.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/core/default_network.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

// In characters, as AWS counts: all bytes of UTF-8 but those that go on with a character.
size_t LengthOf(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Status BadValue(std::string_view parameter, std::string_view value, std::string_view why) {
  return {Fault::kInvalidParameterValue,
          fmt::format("Invalid value for {}: '{}'. {}", parameter, value, why)};
}

Status BadCombination(std::string message) {
  return {Fault::kInvalidParameterCombination, std::move(message)};
}

Status AlreadyExists(const model::ClusterId& id) {
  return {Fault::kCacheClusterAlreadyExists, fmt::format("Cache cluster already exists: {}", id)};
}

Result<std::map<std::string, std::string>> MergeTags(std::map<std::string, std::string> present,
                                                     const Tags& tags) {
  for (const auto& [key, value] : tags) {
    if (key.empty()) return BadValue("Tags", key, "A tag key must not be empty.");
    if (LengthOf(key) > model::kTagKeyLengthMax) {
      return BadValue("Tags", key, "A tag key has at most 128 characters.");
    }
    if (LengthOf(value) > model::kTagValueLengthMax) {
      return BadValue("Tags", value, "A tag value has at most 256 characters.");
    }
    if (model::Lower(key).starts_with("aws:")) {
      return BadValue("Tags", key, "Tag keys that begin with aws: are reserved.");
    }
    present[key] = value;
  }
  if (present.size() > model::kTagsMax) {
    return Status(Fault::kTagQuotaExceeded,
                  fmt::format("A resource can have at most {} tags; this would make {}.",
                              model::kTagsMax, present.size()));
  }
  return present;
}

Status RefuseCacheSecurityGroups() {  // [AWS] the text of an account that has VPCs only
  return {Fault::kInvalidParameterValue,
          "Use of cache security groups is not permitted in this API version for your account."};
}

Status CheckCacheSecurityGroups(const std::vector<std::string>& names) {
  return names.empty() ? Status() : RefuseCacheSecurityGroups();
}

Result<std::vector<model::SecurityGroupId>> ChooseSecurityGroups(
    const Draft& draft, const model::VpcId& vpc, const std::vector<std::string>& asked) {
  std::vector<model::SecurityGroupId> groups;
  for (const std::string& id : asked) {
    const model::SecurityGroupRow* group = draft.FindSecurityGroup(id);
    if (group == nullptr) {
      return BadValue("SecurityGroupIds", id, "There is no such security group.");
    }
    if (group->vpc != vpc) {
      return BadValue("SecurityGroupIds", id,
                      fmt::format("This security group belongs to VPC {}, not to {}, where the "
                                  "cache cluster is.",
                                  group->vpc, vpc));
    }
    if (std::ranges::find(groups, id) == groups.end()) groups.push_back(id);
  }
  if (groups.size() > model::kSecurityGroupsPerClusterMax) {
    return BadValue("SecurityGroupIds", std::to_string(groups.size()),
                    fmt::format("A cache cluster can have at most {} security groups.",
                                model::kSecurityGroupsPerClusterMax));
  }
  if (groups.empty()) {
    const model::SecurityGroupRow* fallback = FindDefaultGroup(draft, vpc);
    if (fallback != nullptr) groups.push_back(fallback->id);
  }
  return groups;
}

Status CheckTopic(std::string_view arn) {
  if (arn.starts_with("arn:aws:sns:") && arn.size() > 12 && arn.size() < 1024) return {};
  return BadValue("NotificationTopicArn", arn,
                  "It must be the ARN of an SNS topic, arn:aws:sns:region:account:name.");
}

Status CheckSnapshotRetention(int days, const model::NodeType& type) {
  if (days < 0 || days > model::kSnapshotRetentionMax) {
    return BadValue("SnapshotRetentionLimit", std::to_string(days), "It must be 0 to 35 days.");
  }
  if (days > 0 && !type.backups_supported) {
    return {Fault::kSnapshotFeatureNotSupported,
            fmt::format("Backups are not supported on node type {}: SnapshotRetentionLimit must "
                        "be 0, not {}. They need cache.m1.small or larger.",
                        type.name, days)};
  }
  return {};
}

Status CheckIpVersion(std::string_view parameter, const std::optional<std::string>& value) {
  if (!value || *value == "ipv4") return {};
  return BadValue(parameter, *value, "Only ipv4 is emulated.");
}

Status CheckRegionQuota(const Draft& draft, const Settings& settings, int more) {
  const size_t present = draft.MemberCount();
  if (present + static_cast<size_t>(more) <= static_cast<size_t>(settings.region_nodes_max)) {
    return {};
  }
  return {
      Fault::kNodeQuotaForCustomerExceeded,
      fmt::format("Node quota exceeded. This region can have at most {} nodes; there are {} and "
                  "{} more were asked for.",
                  settings.region_nodes_max, present, more)};
}

Result<bool> ParseAzMode(std::string_view text) {
  if (text == "cross-az") return true;
  if (text == "single-az") return false;
  return BadValue("AZMode", text, "It must be single-az or cross-az.");
}

Status CheckFailoverSupported(const std::string& node_type, const std::string& version) {
  if (node_type == "cache.t1.micro") {
    return BadCombination("Automatic failover and Multi-AZ are not supported on cache.t1.micro.");
  }
  if (version.starts_with("2.6.")) {
    return BadCombination(
        fmt::format("Automatic failover and Multi-AZ are not supported by Redis {}.", version));
  }
  return {};
}

Status CheckEncryptionSupported(EngineKind engine, const std::string& version) {
  const bool is_early = model::CompareVersions(version, "4") < 0 && version != "3.2.6";
  if (engine != EngineKind::kRedis || !is_early) return {};
  return BadCombination(
      fmt::format("Encryption in transit needs Redis 3.2.6, or 4.0 and later; it is not supported "
                  "by Redis {}.",
                  version));
}

Status CheckEncryptionMode(const std::optional<std::string>& mode, bool enabled) {
  if (!mode) return {};
  if (*mode == "preferred") {
    return BadValue("TransitEncryptionMode", *mode,
                    "Only required is emulated: encrypted endpoints admit TLS alone.");
  }
  if (*mode != "required") {
    return BadValue("TransitEncryptionMode", *mode, "It must be preferred or required.");
  }
  if (enabled) return {};
  return BadCombination("TransitEncryptionMode needs TransitEncryptionEnabled.");
}

}  // namespace ec::core
