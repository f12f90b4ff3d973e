// Identifiers and ARNs: AWS's rules for what a thing may be called.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace ec::model {

std::string Lower(std::string_view text);

// A cache cluster id in lower case, or the fault that AWS gives for a malformed one.
Result<std::string> ParseClusterId(std::string_view text);
// The same for a replication group.
Result<std::string> ParseGroupId(std::string_view text);
// The same for a cache subnet group: letters, digits and hyphens.
Result<std::string> ParseSubnetGroupName(std::string_view text);

// The same for a snapshot, whose error names the parameter.
Result<std::string> ParseSnapshotName(std::string_view text, std::string_view parameter);

// An object in S3: "arn:aws:s3:::bucket/key".
struct BucketObject {
  std::string bucket;
  std::string key;
};
// Buckets have AWS's names; a key has no part that is empty, "." or "..", and no control byte.
bool IsBucketName(std::string_view text);
Result<BucketObject> ParseObjectArn(std::string_view text, std::string_view parameter);
// The same for a user or a user group, whose error names the parameter.
Result<std::string> ParseUserId(std::string_view text, std::string_view parameter);
// The same for a cache parameter group, which may also begin with "default.".
Result<std::string> ParseParameterGroupName(std::string_view text);

// Letters, digits and hyphens; begins with a letter; no two hyphens in a row, none at the end.
bool IsIdentifier(std::string_view text);

// Whether it is an availability zone of the region: "us-east-1a" of "us-east-1".
bool IsZoneOf(std::string_view zone, std::string_view region);

// "0001" for 1.
std::string NodeId(int number);

// The kind of thing an ARN or an event speaks of, by AWS's names.
inline constexpr std::string_view kClusterArnKind = "cluster";
inline constexpr std::string_view kClusterSourceType = "cache-cluster";
inline constexpr std::string_view kGroupArnKind = "replicationgroup";
inline constexpr std::string_view kGroupSourceType = "replication-group";
inline constexpr std::string_view kSnapshotArnKind = "snapshot";
inline constexpr std::string_view kSubnetGroupArnKind = "subnetgroup";
inline constexpr std::string_view kParameterGroupArnKind = "parametergroup";
inline constexpr std::string_view kUserArnKind = "user";
inline constexpr std::string_view kUserSourceType = "user";
inline constexpr std::string_view kUserGroupArnKind = "usergroup";
inline constexpr std::string_view kUserGroupSourceType = "user-group";
inline constexpr std::string_view kFaultSourceType = "fault";  // not one of AWS's

struct Arn {
  std::string region;
  std::string account;
  std::string kind;  // "cluster"
  std::string name;
};

std::string ToString(const Arn& arn);
// kInvalidArn unless it is an ElastiCache ARN.
Result<Arn> ParseArn(std::string_view text);

// Whether `text` is one of the source types that DescribeEvents knows.
bool IsSourceType(std::string_view text);

}  // namespace ec::model
