// Tags on whatever an ARN names.
#pragma once

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"

namespace ec::core {

Status Tag(Draft& draft, const AddTags& request);
Status Untag(Draft& draft, const RemoveTags& request);

// What an ARN may name.
struct Tagged {
  enum class Kind { kCluster, kGroup, kSubnetGroup, kParameterGroup, kSnapshot, kUser, kUserGroup };
  Kind kind = Kind::kCluster;
  std::string id;
};

// Errors: kInvalidArn, and the NotFound fault of its kind.
Result<Tagged> FindTagged(const model::Records& records, const std::string& arn);

// Its tags. REQUIRES: FindTagged() has found it in the same records.
const std::map<std::string, std::string>& TagsOf(const model::Records& records,
                                                 const Tagged& tagged);

}  // namespace ec::core
