// What of ElastiCache's API is not emulated: README.md lists the same.
#pragma once

#include <string_view>

namespace ec::gateway {

struct NotEmulatedAction {
  std::string_view name;
  // The list of the answer, which is empty: there is nothing of that kind. Empty: the action is
  // refused.
  std::string_view empty_list;
};

// An action that has an rpc is emulated, whether it stands here or not.
inline constexpr NotEmulatedAction kNotEmulated[] = {
    {"CreateSnapshot", ""},
    {"CopySnapshot", ""},
    {"DescribeSnapshots", "Snapshots"},
    {"DeleteSnapshot", ""},
    {"ModifyReplicationGroupShardConfiguration", ""},
    {"CreateGlobalReplicationGroup", ""},
    {"DescribeGlobalReplicationGroups", "GlobalReplicationGroups"},
    {"ModifyGlobalReplicationGroup", ""},
    {"DeleteGlobalReplicationGroup", ""},
    {"DisassociateGlobalReplicationGroup", ""},
    {"FailoverGlobalReplicationGroup", ""},
    {"IncreaseNodeGroupsInGlobalReplicationGroup", ""},
    {"DecreaseNodeGroupsInGlobalReplicationGroup", ""},
    {"RebalanceSlotsInGlobalReplicationGroup", ""},
    {"DescribeReservedCacheNodesOfferings", "ReservedCacheNodesOfferings"},
    {"DescribeReservedCacheNodes", "ReservedCacheNodes"},
    {"PurchaseReservedCacheNodesOffering", ""},
    {"DescribeServiceUpdates", "ServiceUpdates"},
    {"DescribeUpdateActions", "UpdateActions"},
    {"BatchApplyUpdateAction", ""},
    {"BatchStopUpdateAction", ""},
    {"StartMigration", ""},
    {"CompleteMigration", ""},
    {"TestMigration", ""},
    {"CreateServerlessCache", ""},
    {"DescribeServerlessCaches", "ServerlessCaches"},
    {"ModifyServerlessCache", ""},
    {"DeleteServerlessCache", ""},
    {"CreateServerlessCacheSnapshot", ""},
    {"DescribeServerlessCacheSnapshots", "ServerlessCacheSnapshots"},
    {"CopyServerlessCacheSnapshot", ""},
    {"DeleteServerlessCacheSnapshot", ""},
    {"ExportServerlessCacheSnapshot", ""},
};

}  // namespace ec::gateway
