// AWS's limits and defaults, each with where it comes from.
#pragma once

#include <chrono>
#include <cstdint>

namespace ec::model {

// CreateCacheCluster, CacheClusterId (50 since 2015; 20 before).
inline constexpr size_t kClusterIdLengthMax = 50;

// CreateReplicationGroup, ReplicationGroupId (40 since 2015; 20 before).
inline constexpr size_t kGroupIdLengthMax = 40;
// ReplicationGroupDescription.
inline constexpr size_t kDescriptionLengthMax = 255;
// NumCacheClusters: a leader and at most five followers.
inline constexpr int kGroupMembersMax = 6;
// TestFailover: "at most 15 shards in a rolling 24-hour period".
inline constexpr size_t kTestFailoversMax = 15;
inline constexpr std::chrono::hours kTestFailoverPeriod{24};

// CreateCacheCluster, NumCacheNodes: "must be between 1 and 40".
inline constexpr int kMemcachedNodesMax = 40;

// Account quotas, "Nodes per Region"; can be raised on AWS, and here by a flag.
inline constexpr int kRegionNodesMaxDefault = 300;

// Account quotas: "Subnet groups per Region", "Subnets per subnet group".
inline constexpr size_t kSubnetGroupsMax = 300;
inline constexpr size_t kParameterGroupsMax = 300;
inline constexpr size_t kParametersPerCallMax = 20;  // ModifyCacheParameterGroup
inline constexpr size_t kSubnetsPerGroupMax = 20;
// CreateCacheSubnetGroup, CacheSubnetGroupName.
inline constexpr size_t kSubnetGroupNameLengthMax = 255;
// SecurityGroupIds, by EC2's quota of groups per network interface.
inline constexpr size_t kSecurityGroupsPerClusterMax = 5;

// Account quotas: "Users", "User groups", "Users per user group".
inline constexpr size_t kUsersMax = 1000;
inline constexpr size_t kUserGroupsMax = 100;
inline constexpr size_t kUsersPerGroupMax = 100;
// CreateReplicationGroup, UserGroupIds: [unverified], as Terraform's provider documents it.
inline constexpr size_t kUserGroupsPerGroupMax = 1;
// CreateUser, UserId; ours, as AWS names none.
inline constexpr size_t kUserIdLengthMax = 40;
inline constexpr size_t kUserNameLengthMax = 128;
// CreateUser, Passwords; CreateReplicationGroup, AuthToken.
inline constexpr size_t kPasswordsMax = 2;
inline constexpr size_t kPasswordLengthMin = 16;
inline constexpr size_t kPasswordLengthMax = 128;

// Tag restrictions of AWS at large.
inline constexpr size_t kTagsMax = 50;
inline constexpr size_t kTagKeyLengthMax = 128;
inline constexpr size_t kTagValueLengthMax = 256;

// Describe operations: "Default: 100. Constraints: minimum 20; maximum 100."
inline constexpr int kMaxRecordsMin = 20;
inline constexpr int kMaxRecordsMax = 100;

// DescribeEvents: "events ... generated for the last 14 days"; by default the last hour.
inline constexpr std::chrono::days kEventAgeMax{14};
inline constexpr std::chrono::minutes kEventsDurationDefault{60};
// Ours: what memory and disk give to events at most, whatever their age.
inline constexpr size_t kEventsMax = 100'000;

// CreateSnapshot, SnapshotName; S3's keys.
inline constexpr size_t kSnapshotNameLengthMax = 40;
inline constexpr size_t kObjectKeyLengthMax = 1024;
// CreateSnapshot: "at most 20 manual backups per node in 24 hours".
inline constexpr size_t kManualBackupsMax = 20;
inline constexpr std::chrono::hours kManualBackupsPeriod{24};
// DescribeSnapshots: "Default: 50. Constraints: minimum 20; maximum 50."
inline constexpr int kSnapshotRecordsMax = 50;
// SnapshotRetentionLimit, in days.
inline constexpr int kSnapshotRetentionMax = 35;

// PreferredMaintenanceWindow and SnapshotWindow: "minimum 60 minute period"; at most a day.
inline constexpr std::chrono::minutes kWindowMin{60};
inline constexpr std::chrono::minutes kWindowMax{24 * 60};

}  // namespace ec::model
