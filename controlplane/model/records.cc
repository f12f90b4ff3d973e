#include "controlplane/model/records.h"

#include <utility>

namespace ec::model {
namespace {

constexpr std::pair<ClusterStatus, std::string_view> kClusterNames[] = {
    {ClusterStatus::kCreating, "creating"},
    {ClusterStatus::kAvailable, "available"},
    {ClusterStatus::kModifying, "modifying"},
    {ClusterStatus::kRebooting, "rebooting"},
    {ClusterStatus::kRecovering, "recovering"},
    {ClusterStatus::kSnapshotting, "snapshotting"},
    {ClusterStatus::kRestoreFailed, "restore-failed"},
    {ClusterStatus::kDeleting, "deleting"},
    {ClusterStatus::kCreateFailed, "create-failed"},
    {ClusterStatus::kIncompatibleNetwork, "incompatible-network"},
    {ClusterStatus::kFailed, "failed"},
};

constexpr std::pair<MemberStatus, std::string_view> kMemberNames[] = {
    {MemberStatus::kCreating, "creating"},   {MemberStatus::kAvailable, "available"},
    {MemberStatus::kRebooting, "rebooting"}, {MemberStatus::kRecovering, "recovering"},
    {MemberStatus::kDeleting, "deleting"},   {MemberStatus::kFailed, "failed"},
};

constexpr std::pair<GroupStatus, std::string_view> kGroupNames[] = {
    {GroupStatus::kCreating, "creating"},          {GroupStatus::kAvailable, "available"},
    {GroupStatus::kModifying, "modifying"},        {GroupStatus::kDeleting, "deleting"},
    {GroupStatus::kCreateFailed, "create-failed"}, {GroupStatus::kSnapshotting, "snapshotting"},
};

constexpr std::pair<SnapshotStatus, std::string_view> kSnapshotNames[] = {
    {SnapshotStatus::kCreating, "creating"},   {SnapshotStatus::kAvailable, "available"},
    {SnapshotStatus::kExporting, "exporting"}, {SnapshotStatus::kDeleting, "deleting"},
    {SnapshotStatus::kFailed, "failed"},
};

constexpr std::pair<AfterSnapshot, std::string_view> kAfterNames[] = {
    {AfterSnapshot::kNothing, "nothing"},
    {AfterSnapshot::kDelete, "delete"},
    {AfterSnapshot::kDemote, "demote"},
};

constexpr std::pair<SwitchStep, std::string_view> kStepNames[] = {
    {SwitchStep::kNone, "none"},
    {SwitchStep::kPausing, "pausing"},
    {SwitchStep::kDemoting, "demoting"},
};

constexpr std::pair<UserStatus, std::string_view> kUserNames[] = {
    {UserStatus::kActive, "active"},
    {UserStatus::kModifying, "modifying"},
    {UserStatus::kDeleting, "deleting"},
};

constexpr std::pair<UserGroupStatus, std::string_view> kUserGroupNames[] = {
    {UserGroupStatus::kCreating, "creating"},
    {UserGroupStatus::kActive, "active"},
    {UserGroupStatus::kModifying, "modifying"},
    {UserGroupStatus::kDeleting, "deleting"},
};

constexpr std::pair<AccessChange, std::string_view> kAccessChangeNames[] = {
    {AccessChange::kNone, "none"},
    {AccessChange::kSettingToken, "setting-token"},
    {AccessChange::kRotatingToken, "rotating-token"},
    {AccessChange::kUserGroups, "user-groups"},
};

template <typename Table, typename Value>
std::string_view Name(const Table& table, Value value) {
  for (const auto& [status, name] : table) {
    if (status == value) return name;
  }
  return {};
}

template <typename Value, size_t size>
std::optional<Value> Parse(const std::pair<Value, std::string_view> (&table)[size],
                           std::string_view name) {
  for (const auto& [value, known] : table) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(ClusterStatus status) { return Name(kClusterNames, status); }
std::string_view NameOf(MemberStatus status) { return Name(kMemberNames, status); }
std::string_view NameOf(GroupStatus status) { return Name(kGroupNames, status); }
std::string_view NameOf(SnapshotStatus status) { return Name(kSnapshotNames, status); }
std::string_view NameOf(AfterSnapshot after) { return Name(kAfterNames, after); }
std::string_view NameOf(SwitchStep step) { return Name(kStepNames, step); }
std::string_view NameOf(UserStatus status) { return Name(kUserNames, status); }
std::string_view NameOf(UserGroupStatus status) { return Name(kUserGroupNames, status); }
std::string_view NameOf(AccessChange change) { return Name(kAccessChangeNames, change); }

std::optional<ClusterStatus> ParseClusterStatus(std::string_view name) {
  return Parse(kClusterNames, name);
}
std::optional<MemberStatus> ParseMemberStatus(std::string_view name) {
  return Parse(kMemberNames, name);
}
std::optional<GroupStatus> ParseGroupStatus(std::string_view name) {
  return Parse(kGroupNames, name);
}
std::optional<SnapshotStatus> ParseSnapshotStatus(std::string_view name) {
  return Parse(kSnapshotNames, name);
}
std::optional<AfterSnapshot> ParseAfterSnapshot(std::string_view name) {
  return Parse(kAfterNames, name);
}
std::optional<SwitchStep> ParseSwitchStep(std::string_view name) { return Parse(kStepNames, name); }
std::optional<UserStatus> ParseUserStatus(std::string_view name) { return Parse(kUserNames, name); }
std::optional<UserGroupStatus> ParseUserGroupStatus(std::string_view name) {
  return Parse(kUserGroupNames, name);
}
std::optional<AccessChange> ParseAccessChange(std::string_view name) {
  return Parse(kAccessChangeNames, name);
}

}  // namespace ec::model
