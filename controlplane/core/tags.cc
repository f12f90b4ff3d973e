#include "controlplane/core/tags.h"

#include <fmt/format.h>

#include "controlplane/core/validate.h"
#include "controlplane/model/names.h"

namespace ec::core {
namespace {

Status CheckAvailable(const model::Cluster& cluster) {
  if (cluster.status == model::ClusterStatus::kAvailable) return {};
  return {Fault::kInvalidReplicationGroupState,  // [AWS]: this code, for clusters as well
          "Cluster not in available state to perform tagging operations."};
}

Status NotFound(const std::string& name) {
  return {Fault::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", name)};
}

// The name of the cluster that the ARN speaks of, whether there is one or not.
Result<model::ClusterId> NameIn(const std::string& text, const model::Installation& here) {
  Result<model::Arn> arn = model::ParseArn(text);
  if (!arn.ok()) return arn.status();
  if (arn->kind != model::kClusterArnKind) {
    return Status(
        Fault::kInvalidArn,
        fmt::format("The ARN '{}' names a {}; only clusters are emulated.", text, arn->kind));
  }
  if (arn->region != here.region || arn->account != here.account) return NotFound(arn->name);
  return arn->name;
}

Result<model::ClusterId> FindTagged(const Draft& draft, const std::string& arn) {
  Result<model::ClusterId> id = NameIn(arn, draft.installation());
  if (id.ok() && draft.FindCluster(*id) == nullptr) return NotFound(*id);
  return id;
}

}  // namespace

Result<model::ClusterId> FindTagged(const model::Records& records, const std::string& arn) {
  Result<model::ClusterId> id = NameIn(arn, records.installation);
  if (id.ok() && !records.clusters.contains(*id)) return NotFound(*id);
  return id;
}

Status Tag(Draft& draft, const AddTags& request) {
  Result<model::ClusterId> id = FindTagged(draft, request.arn);
  if (!id.ok()) return id.status();
  const model::Cluster* cluster = draft.FindCluster(*id);
  if (request.tags.empty()) {
    return {Fault::kInvalidParameterValue, "The parameter Tags must name at least one tag."};
  }
  EC_RETURN_IF_ERROR(CheckAvailable(*cluster));
  Result<std::map<std::string, std::string>> tags = MergeTags(cluster->tags, request.tags);
  if (!tags.ok()) return tags.status();
  draft.EditCluster(*id).tags = *tags;
  return {};
}

Status Untag(Draft& draft, const RemoveTags& request) {
  Result<model::ClusterId> id = FindTagged(draft, request.arn);
  if (!id.ok()) return id.status();
  const model::Cluster* cluster = draft.FindCluster(*id);
  if (request.keys.empty()) {
    return {Fault::kInvalidParameterValue, "The parameter TagKeys must name at least one key."};
  }
  EC_RETURN_IF_ERROR(CheckAvailable(*cluster));
  std::map<std::string, std::string> tags = cluster->tags;
  for (const std::string& key : request.keys) {
    if (!cluster->tags.contains(key)) {
      return {Fault::kTagNotFound,
              fmt::format("Cache cluster {} has no tag with the key '{}'.", *id, key)};
    }
    tags.erase(key);
  }
  draft.EditCluster(*id).tags = std::move(tags);
  return {};
}

}  // namespace ec::core
