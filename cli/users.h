// `ecctl user` and `ecctl user-group`.
#pragma once

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// All users, or all user groups: every page in one response.
Outcome FindUsers(Context& context, v1::DescribeUsersResponse* response);
Outcome FindUserGroups(Context& context, v1::DescribeUserGroupsResponse* response);

}  // namespace ec::cli
