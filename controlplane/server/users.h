// Users and user groups: proto in, one command or one look at the records, proto out.
#pragma once

#include "common/status.h"
#include "ec/v1/users.pb.h"

namespace ec::server {

class ControllerLoop;

Status CreateUser(ControllerLoop& loop, const v1::CreateUserRequest& request, v1::User* response);
Status DescribeUsers(ControllerLoop& loop, const v1::DescribeUsersRequest& request,
                     v1::DescribeUsersResponse* response);
Status ModifyUser(ControllerLoop& loop, const v1::ModifyUserRequest& request, v1::User* response);
Status DeleteUser(ControllerLoop& loop, const v1::DeleteUserRequest& request, v1::User* response);
Status CreateUserGroup(ControllerLoop& loop, const v1::CreateUserGroupRequest& request,
                       v1::UserGroup* response);
Status DescribeUserGroups(ControllerLoop& loop, const v1::DescribeUserGroupsRequest& request,
                          v1::DescribeUserGroupsResponse* response);
Status ModifyUserGroup(ControllerLoop& loop, const v1::ModifyUserGroupRequest& request,
                       v1::UserGroup* response);
Status DeleteUserGroup(ControllerLoop& loop, const v1::DeleteUserGroupRequest& request,
                       v1::UserGroup* response);

}  // namespace ec::server
