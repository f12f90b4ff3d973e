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

template <typename Table, typename Value>
std::string_view Name(const Table& table, Value value) {
  for (const auto& [status, name] : table) {
    if (status == value) return name;
  }
  return {};
}

}  // namespace

std::string_view NameOf(ClusterStatus status) { return Name(kClusterNames, status); }
std::string_view NameOf(MemberStatus status) { return Name(kMemberNames, status); }

std::optional<ClusterStatus> ParseClusterStatus(std::string_view name) {
  for (const auto& [status, known] : kClusterNames) {
    if (known == name) return status;
  }
  return std::nullopt;
}

std::optional<MemberStatus> ParseMemberStatus(std::string_view name) {
  for (const auto& [status, known] : kMemberNames) {
    if (known == name) return status;
  }
  return std::nullopt;
}

}  // namespace ec::model
