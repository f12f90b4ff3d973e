#include "controlplane/core/tags.h"

#include <fmt/format.h>

#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"
#include "controlplane/model/users.h"

namespace ec::core {
namespace {

using TagMap = std::map<std::string, std::string>;

Status NotAvailable() {
  return {Fault::kInvalidReplicationGroupState,  // [AWS]: this code, for clusters as well
          "Cluster not in available state to perform tagging operations."};
}

Status NotFound(const Tagged& tagged) {
  switch (tagged.kind) {
    case Tagged::Kind::kGroup:
      return {Fault::kReplicationGroupNotFound,
              fmt::format("ReplicationGroup not found: {}", tagged.id)};
    case Tagged::Kind::kSubnetGroup:
      return {Fault::kCacheSubnetGroupNotFound,
              fmt::format("CacheSubnetGroup not found: {}", tagged.id)};
    case Tagged::Kind::kSnapshot:
      return {Fault::kSnapshotNotFound, fmt::format("Snapshot not found: {}", tagged.id)};
    case Tagged::Kind::kUser:
      return {Fault::kUserNotFound, fmt::format("User not found: {}", tagged.id)};
    case Tagged::Kind::kUserGroup:
      return {Fault::kUserGroupNotFound, fmt::format("UserGroup not found: {}", tagged.id)};
    case Tagged::Kind::kParameterGroup:
      return {Fault::kCacheParameterGroupNotFound,
              fmt::format("CacheParameterGroup not found: {}", tagged.id)};
    case Tagged::Kind::kCluster:
      break;
  }
  return {Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", tagged.id)};
}

std::string NounOf(Tagged::Kind kind) {
  switch (kind) {
    case Tagged::Kind::kGroup:
      return "Replication group";
    case Tagged::Kind::kSubnetGroup:
      return "Cache subnet group";
    case Tagged::Kind::kSnapshot:
      return "Snapshot";
    case Tagged::Kind::kUser:
      return "User";
    case Tagged::Kind::kUserGroup:
      return "User group";
    case Tagged::Kind::kParameterGroup:
      return "Cache parameter group";
    case Tagged::Kind::kCluster:
      break;
  }
  return "Cache cluster";
}

std::optional<Tagged::Kind> ParseKind(std::string_view kind) {
  if (kind == model::kClusterArnKind) return Tagged::Kind::kCluster;
  if (kind == model::kGroupArnKind) return Tagged::Kind::kGroup;
  if (kind == model::kSubnetGroupArnKind) return Tagged::Kind::kSubnetGroup;
  if (kind == model::kSnapshotArnKind) return Tagged::Kind::kSnapshot;
  if (kind == model::kParameterGroupArnKind) return Tagged::Kind::kParameterGroup;
  if (kind == model::kUserArnKind) return Tagged::Kind::kUser;
  if (kind == model::kUserGroupArnKind) return Tagged::Kind::kUserGroup;
  return std::nullopt;
}

// What the ARN speaks of, whether it is there or not.
Result<Tagged> NameIn(const std::string& text, const model::Installation& here) {
  Result<model::Arn> arn = model::ParseArn(text);
  if (!arn.ok()) return arn.status();
  const auto kind = ParseKind(arn->kind);
  if (!kind) {
    return Status(
        Fault::kInvalidArn,
        fmt::format("The ARN '{}' names a {}; only clusters, replication groups, "
                    "cache subnet groups, cache parameter groups, snapshots, users and user groups "
                    "are emulated.",
                    text, arn->kind));
  }
  const Tagged tagged{*kind, arn->name};
  if (arn->region != here.region || arn->account != here.account) return NotFound(tagged);
  return tagged;
}

// The tags of what is there; nullptr when it is not.
const TagMap* TagsOf(const Draft& draft, const Tagged& tagged) {
  const auto of = [](const auto* row) { return row == nullptr ? nullptr : &row->tags; };
  switch (tagged.kind) {
    case Tagged::Kind::kGroup:
      return of(draft.FindGroup(tagged.id));
    case Tagged::Kind::kSubnetGroup:
      return of(draft.FindSubnetGroup(tagged.id));
    case Tagged::Kind::kSnapshot:
      return of(draft.FindSnapshot(tagged.id));
    case Tagged::Kind::kUser:
      return of(draft.FindUser(tagged.id));
    case Tagged::Kind::kUserGroup:
      return of(draft.FindUserGroup(tagged.id));
    case Tagged::Kind::kParameterGroup:
      return of(draft.FindParameterGroup(tagged.id));
    case Tagged::Kind::kCluster:
      break;
  }
  return of(draft.FindCluster(tagged.id));
}

bool IsAvailable(const Draft& draft, const Tagged& tagged) {
  switch (tagged.kind) {
    case Tagged::Kind::kGroup:
      return draft.FindGroup(tagged.id)->status == model::GroupStatus::kAvailable;
    case Tagged::Kind::kSubnetGroup:
    case Tagged::Kind::kParameterGroup:
      return true;
    case Tagged::Kind::kSnapshot:
      return draft.FindSnapshot(tagged.id)->status == model::SnapshotStatus::kAvailable;
    case Tagged::Kind::kUser:
      return draft.FindUser(tagged.id)->status == model::UserStatus::kActive;
    case Tagged::Kind::kUserGroup:
      return draft.FindUserGroup(tagged.id)->status == model::UserGroupStatus::kActive;
    case Tagged::Kind::kCluster:
      break;
  }
  return draft.FindCluster(tagged.id)->status == model::ClusterStatus::kAvailable;
}

Status CheckTaggable(const Draft& draft, const Tagged& tagged) {
  const bool is_users = tagged.kind == Tagged::Kind::kUser;
  if (is_users && tagged.id == model::kDefaultUser) {
    return BadValue("ResourceName", tagged.id, "The user default has no tags.");
  }
  if (IsAvailable(draft, tagged)) return {};
  if (is_users) {  // [AWS]: the end of its text
    return {Fault::kUserNotFound, fmt::format("User {} is not available for tagging", tagged.id)};
  }
  if (tagged.kind == Tagged::Kind::kUserGroup) {
    return {Fault::kInvalidUserGroupState,
            fmt::format("User group {} is not available for tagging", tagged.id)};
  }
  return NotAvailable();
}

void Put(Draft& draft, const Tagged& tagged, TagMap tags) {
  switch (tagged.kind) {
    case Tagged::Kind::kGroup:
      draft.EditGroup(tagged.id).tags = std::move(tags);
      return;
    case Tagged::Kind::kSubnetGroup: {
      model::CacheSubnetGroup group = *draft.FindSubnetGroup(tagged.id);
      group.tags = std::move(tags);
      draft.Put(std::move(group));
      return;
    }
    case Tagged::Kind::kSnapshot:
      draft.EditSnapshot(tagged.id).tags = std::move(tags);
      return;
    case Tagged::Kind::kUser: {
      model::User user = *draft.FindUser(tagged.id);
      user.tags = std::move(tags);
      draft.Put(std::move(user));
      return;
    }
    case Tagged::Kind::kUserGroup: {
      model::UserGroup group = *draft.FindUserGroup(tagged.id);
      group.tags = std::move(tags);
      draft.Put(std::move(group));
      return;
    }
    case Tagged::Kind::kParameterGroup: {
      model::ParameterGroup group = *draft.FindParameterGroup(tagged.id);
      group.tags = std::move(tags);
      draft.Put(std::move(group));
      return;
    }
    case Tagged::Kind::kCluster:
      draft.EditCluster(tagged.id).tags = std::move(tags);
      return;
  }
}

Result<Tagged> FindTagged(const Draft& draft, const std::string& arn) {
  Result<Tagged> tagged = NameIn(arn, draft.installation());
  if (tagged.ok() && TagsOf(draft, *tagged) == nullptr) return NotFound(*tagged);
  return tagged;
}

}  // namespace

Result<Tagged> FindTagged(const model::Records& records, const std::string& arn) {
  Result<Tagged> tagged = NameIn(arn, records.installation);
  if (!tagged.ok()) return tagged;
  bool is_there = false;
  switch (tagged->kind) {
    case Tagged::Kind::kGroup:
      is_there = records.groups.contains(tagged->id);
      break;
    case Tagged::Kind::kSubnetGroup:
      is_there = records.subnet_groups.contains(tagged->id);
      break;
    case Tagged::Kind::kSnapshot:
      is_there = records.snapshots.contains(tagged->id);
      break;
    case Tagged::Kind::kUser:
      is_there = model::FindUser(records, tagged->id) != nullptr;
      break;
    case Tagged::Kind::kUserGroup:
      is_there = records.user_groups.contains(tagged->id);
      break;
    case Tagged::Kind::kParameterGroup:
      is_there = records.parameter_groups.contains(tagged->id);
      break;
    case Tagged::Kind::kCluster:
      is_there = records.clusters.contains(tagged->id);
      break;
  }
  if (!is_there) return NotFound(*tagged);
  return tagged;
}

const TagMap& TagsOf(const model::Records& records, const Tagged& tagged) {
  switch (tagged.kind) {
    case Tagged::Kind::kGroup:
      return records.groups.at(tagged.id).tags;
    case Tagged::Kind::kSubnetGroup:
      return records.subnet_groups.at(tagged.id).tags;
    case Tagged::Kind::kSnapshot:
      return records.snapshots.at(tagged.id).tags;
    case Tagged::Kind::kUser:
      return model::FindUser(records, tagged.id)->tags;
    case Tagged::Kind::kUserGroup:
      return records.user_groups.at(tagged.id).tags;
    case Tagged::Kind::kParameterGroup:
      return records.parameter_groups.at(tagged.id).tags;
    case Tagged::Kind::kCluster:
      break;
  }
  return records.clusters.at(tagged.id).tags;
}

Status Tag(Draft& draft, const AddTags& request) {
  Result<Tagged> tagged = FindTagged(draft, request.arn);
  if (!tagged.ok()) return tagged.status();
  if (request.tags.empty()) {
    return {Fault::kInvalidParameterValue, "The parameter Tags must name at least one tag."};
  }
  EC_RETURN_IF_ERROR(CheckTaggable(draft, *tagged));
  Result<TagMap> tags = MergeTags(*TagsOf(draft, *tagged), request.tags);
  if (!tags.ok()) return tags.status();
  Put(draft, *tagged, *tags);
  return {};
}

Status Untag(Draft& draft, const RemoveTags& request) {
  Result<Tagged> tagged = FindTagged(draft, request.arn);
  if (!tagged.ok()) return tagged.status();
  if (request.keys.empty()) {
    return {Fault::kInvalidParameterValue, "The parameter TagKeys must name at least one key."};
  }
  EC_RETURN_IF_ERROR(CheckTaggable(draft, *tagged));
  TagMap tags = *TagsOf(draft, *tagged);
  for (const std::string& key : request.keys) {
    if (tags.erase(key) > 0) continue;
    if (TagsOf(draft, *tagged)->contains(key)) continue;  // named twice
    return {Fault::kTagNotFound, fmt::format("{} {} has no tag with the key '{}'.",
                                             NounOf(tagged->kind), tagged->id, key)};
  }
  Put(draft, *tagged, std::move(tags));
  return {};
}

}  // namespace ec::core
