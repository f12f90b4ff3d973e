// Users, user groups and tokens: what engines are told of them.
#pragma once

#include "common/host_plan.h"
#include "controlplane/model/records.h"

namespace ec::model {

// Ids and names that belong to the service.
inline constexpr std::string_view kDefaultUser = "default";
// Names of users that begin so are the agents' own.
inline constexpr std::string_view kReservedUserPrefix = "__emucache";

// The user that is there from the start, in no record.
const User& DefaultUser();

// nullptr when there is none; knows the default one.
const User* FindUser(const Records& records, const UserId& id);

// The user groups that it is in, also those that it is about to enter.
std::vector<UserGroupId> UserGroupsWith(const Records& records, const UserId& id);
// Whether the replication group uses it, or did before the change under way.
bool UsesUserGroup(const Group& group, const UserGroupId& id);
std::vector<GroupId> GroupsWith(const Records& records, const UserGroupId& id);

// "6.0", or "7.0" when the access string needs that.
std::string MinimumEngineVersion(const User& user);
// Of its users, the highest.
std::string MinimumEngineVersion(const Records& records, const UserGroup& group);

// The access of the cluster's group, or its own.
const AccessControl& AccessControlOf(const Records& records, const Cluster& cluster);

// What the cluster's engines are to know; nullopt for Memcached, and for an installation without
// secrets (which has not been prepared).
std::optional<EngineAccess> EngineAccessOf(const Records& records, const Cluster& cluster);

}  // namespace ec::model
