// Tags on whatever an ARN names.
#pragma once

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"

namespace ec::core {

Status Tag(Draft& draft, const AddTags& request);
Status Untag(Draft& draft, const RemoveTags& request);

// The cluster that the ARN names. Errors: kInvalidArn, and the NotFound fault of its kind.
Result<model::ClusterId> FindTagged(const model::Records& records, const std::string& arn);

}  // namespace ec::core
