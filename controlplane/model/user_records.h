// The records of users and user groups, and of who may use an engine.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/time.h"

namespace ec::model {

using UserId = std::string;       // AWS's UserId, in lower case
using UserGroupId = std::string;  // AWS's UserGroupId, in lower case

// kModifying and kDeleting last until every running engine that knows the user has been told.
enum class UserStatus { kActive, kModifying, kDeleting };
enum class UserGroupStatus { kCreating, kActive, kModifying, kDeleting };

std::string_view NameOf(UserStatus status);
std::string_view NameOf(UserGroupStatus status);
std::optional<UserStatus> ParseUserStatus(std::string_view name);
std::optional<UserGroupStatus> ParseUserGroupStatus(std::string_view name);

struct User {
  UserId id;
  std::string name;  // by which clients log in
  UserStatus status = UserStatus::kActive;
  std::string engine = "redis";
  std::string access_string;           // as it was given
  std::vector<std::string> passwords;  // their SHA-256, in hexadecimal; never themselves
  bool no_password = false;            // anybody is let in under its name
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;
  friend bool operator==(const User&, const User&) = default;
};

struct UserGroup {
  UserGroupId id;
  UserGroupStatus status = UserGroupStatus::kCreating;
  std::string engine = "redis";
  std::set<UserId> users;  // before the change under way
  std::set<UserId> adding;
  std::set<UserId> removing;
  std::map<std::string, std::string> tags;
  uint64_t revision = 0;

  // With the change under way: what engines are told.
  std::set<UserId> Members() const {
    std::set<UserId> members = users;
    members.insert(adding.begin(), adding.end());
    for (const UserId& leaving : removing) members.erase(leaving);
    return members;
  }
  friend bool operator==(const UserGroup&, const UserGroup&) = default;
};

// A change of a group's access that not every engine has been told yet.
enum class AccessChange { kNone, kSettingToken, kRotatingToken, kUserGroups };

std::string_view NameOf(AccessChange change);
std::optional<AccessChange> ParseAccessChange(std::string_view name);

// Who may use the engines of a group, or of a cluster of its own: whoever has the token; the users
// of the user group; without both, everybody.
struct AccessControl {
  std::string token;               // the AuthToken's SHA-256; empty: there is none
  std::string previous_token;      // valid beside it, after ROTATE
  bool token_is_optional = false;  // it was the first one, by ROTATE: who has none gets in, too
  std::optional<WallTime> token_changed;
  UserGroupId user_group;  // empty: none
  // Of groups only.
  AccessChange change = AccessChange::kNone;
  UserGroupId former_user_group;  // with kUserGroups: what it had before; empty: none
  friend bool operator==(const AccessControl&, const AccessControl&) = default;
};

// The installation's own users of its engines; drawn once.
struct EngineSecrets {
  std::string admin;
  std::string replication;
  friend bool operator==(const EngineSecrets&, const EngineSecrets&) = default;
};

}  // namespace ec::model
