// The commands about cache subnet groups, with ElastiCache's rules and errors.
#pragma once

#include "common/status.h"
#include "controlplane/core/commands.h"
#include "controlplane/core/draft.h"

namespace ec::core {

Status Create(Draft& draft, const CreateSubnetGroup& request);
Status Modify(Draft& draft, const ModifySubnetGroup& request);
Status Delete(Draft& draft, const DeleteSubnetGroup& request);

// By a name in any letter case. kCacheSubnetGroupNotFound, kInvalidParameterValue.
Result<const model::CacheSubnetGroup*> MustFindSubnetGroup(const Draft& draft,
                                                           const std::string& name);

}  // namespace ec::core
