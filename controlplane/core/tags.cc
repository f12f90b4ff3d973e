#include "controlplane/core/tags.h"

#include <fmt/format.h>

#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

using TagMap = std::map<std::string, std::string>;

Status NotAvailable() {
  return {Fault::kInvalidReplicationGroupState,  // [AWS]: this code, for clusters as well
          "Cluster not in available state to perform tagging operations."};
}

Status NotFound(const Tagged& tagged) {
  if (tagged.is_group) {
    return {Fault::kReplicationGroupNotFound,
            fmt::format("ReplicationGroup not found: {}", tagged.id)};
  }
  return {Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", tagged.id)};
}

// What the ARN speaks of, whether it is there or not.
Result<Tagged> NameIn(const std::string& text, const model::Installation& here) {
  Result<model::Arn> arn = model::ParseArn(text);
  if (!arn.ok()) return arn.status();
  const bool is_group = arn->kind == model::kGroupArnKind;
  if (!is_group && arn->kind != model::kClusterArnKind) {
    return Status(Fault::kInvalidArn,
                  fmt::format("The ARN '{}' names a {}; only clusters and replication groups are "
                              "emulated.",
                              text, arn->kind));
  }
  const Tagged tagged{is_group, arn->name};
  if (arn->region != here.region || arn->account != here.account) return NotFound(tagged);
  return tagged;
}

// The tags of what is there; nullptr when it is not.
const TagMap* TagsOf(const Draft& draft, const Tagged& tagged) {
  if (tagged.is_group) {
    const model::Group* group = draft.FindGroup(tagged.id);
    return group == nullptr ? nullptr : &group->tags;
  }
  const model::Cluster* cluster = draft.FindCluster(tagged.id);
  return cluster == nullptr ? nullptr : &cluster->tags;
}

bool IsAvailable(const Draft& draft, const Tagged& tagged) {
  return tagged.is_group ? draft.FindGroup(tagged.id)->status == model::GroupStatus::kAvailable
                         : draft.FindCluster(tagged.id)->status == model::ClusterStatus::kAvailable;
}

void Put(Draft& draft, const Tagged& tagged, TagMap tags) {
  (tagged.is_group ? draft.EditGroup(tagged.id).tags : draft.EditCluster(tagged.id).tags) =
      std::move(tags);
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
  const bool is_there = tagged->is_group ? records.groups.contains(tagged->id)
                                         : records.clusters.contains(tagged->id);
  if (!is_there) return NotFound(*tagged);
  return tagged;
}

Status Tag(Draft& draft, const AddTags& request) {
  Result<Tagged> tagged = FindTagged(draft, request.arn);
  if (!tagged.ok()) return tagged.status();
  if (request.tags.empty()) {
    return {Fault::kInvalidParameterValue, "The parameter Tags must name at least one tag."};
  }
  if (!IsAvailable(draft, *tagged)) return NotAvailable();
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
  if (!IsAvailable(draft, *tagged)) return NotAvailable();
  TagMap tags = *TagsOf(draft, *tagged);
  for (const std::string& key : request.keys) {
    if (tags.erase(key) > 0) continue;
    if (TagsOf(draft, *tagged)->contains(key)) continue;  // named twice
    return {Fault::kTagNotFound,
            fmt::format("{} {} has no tag with the key '{}'.",
                        tagged->is_group ? "Replication group" : "Cache cluster", tagged->id, key)};
  }
  Put(draft, *tagged, std::move(tags));
  return {};
}

}  // namespace ec::core
