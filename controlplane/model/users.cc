#include "controlplane/model/users.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/model/access_string.h"
#include "controlplane/model/engine_versions.h"

namespace ec::model {
namespace {

// FNV-1a, over everything that an engine is told.
class Fingerprint {
 public:
  void Add(std::string_view text) {
    for (const char c : text) Mix(static_cast<unsigned char>(c));
    Mix(0);  // so that "ab", "c" differs from "a", "bc"
  }
  uint64_t value() const { return value_ == 0 ? 1 : value_; }

 private:
  void Mix(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  uint64_t value_ = 0xcbf29ce484222325;
};

uint64_t VersionOf(const EngineAccess& access) {
  Fingerprint print;
  print.Add(access.admin_secret);
  print.Add(access.replication_secret);
  for (const EngineUser& user : access.users) {
    print.Add(user.name);
    print.Add(user.id);
    for (const std::string& rule : user.rules) print.Add(rule);
  }
  return print.value();
}

EngineUser EngineUserOf(const User& user) {
  EngineUser engine_user{user.name, user.id, {}};
  if (user.no_password) engine_user.rules.push_back("nopass");
  for (const std::string& hash : user.passwords) engine_user.rules.push_back("#" + hash);
  // It was found to be sound when it was taken.
  if (const Result<AccessRules> rules = ParseAccessString(user.access_string); rules.ok()) {
    std::ranges::copy(rules->rules, std::back_inserter(engine_user.rules));
  }
  return engine_user;
}

// Without users: who knows the token may do everything that customers may, else everybody. Nobody
// loses a connection by a change of the token, so it is always the same user.
EngineUser TokenUser(const AccessControl& control) {
  EngineUser user{std::string(kDefaultUser), std::string(kDefaultUser), {"on"}};
  if (control.token.empty() || control.token_is_optional) {
    user.rules.push_back("nopass");
  } else {
    user.rules.push_back("#" + control.token);
    if (!control.previous_token.empty()) user.rules.push_back("#" + control.previous_token);
  }
  for (const char* rule : {"~*", "&*", "+@all"}) user.rules.push_back(rule);
  return user;
}

}  // namespace

const User& DefaultUser() {
  static const User user = [] {
    User predefined;
    predefined.id = kDefaultUser;
    predefined.name = kDefaultUser;
    predefined.access_string = "on ~* +@all";  // [AWS docs]
    predefined.no_password = true;
    return predefined;
  }();
  return user;
}

const User* FindUser(const Records& records, const UserId& id) {
  if (id == kDefaultUser) return &DefaultUser();
  const auto found = records.users.find(id);
  return found == records.users.end() ? nullptr : &found->second;
}

std::vector<UserGroupId> UserGroupsWith(const Records& records, const UserId& id) {
  std::vector<UserGroupId> groups;
  for (const auto& [name, group] : records.user_groups) {
    if (group.users.contains(id) || group.adding.contains(id)) groups.push_back(name);
  }
  return groups;
}

bool UsesUserGroup(const Group& group, const UserGroupId& id) {
  return !id.empty() && (group.access.user_group == id || group.access.former_user_group == id);
}

std::vector<GroupId> GroupsWith(const Records& records, const UserGroupId& id) {
  std::vector<GroupId> groups;
  for (const auto& [name, group] : records.groups) {
    if (UsesUserGroup(group, id)) groups.push_back(name);
  }
  return groups;
}

std::string MinimumEngineVersion(const User& user) {
  const Result<AccessRules> rules = ParseAccessString(user.access_string);
  return rules.ok() && rules->needs_redis7 ? "7.0" : "6.0";  // [AWS docs] for the former two
}

std::string MinimumEngineVersion(const Records& records, const UserGroup& group) {
  std::string minimum = "6.0";
  for (const UserId& id : group.Members()) {
    const User* user = FindUser(records, id);
    if (user == nullptr) continue;
    const std::string own = MinimumEngineVersion(*user);
    if (CompareVersions(own, minimum) > 0) minimum = own;
  }
  return minimum;
}

const AccessControl& AccessControlOf(const Records& records, const Cluster& cluster) {
  return cluster.group.empty() ? cluster.access : records.groups.at(cluster.group).access;
}

std::optional<EngineAccess> EngineAccessOf(const Records& records, const Cluster& cluster) {
  const std::optional<EngineSecrets>& secrets = records.installation.secrets;
  if (!SpeaksRedis(cluster.engine) || !secrets) return std::nullopt;
  EngineAccess access{secrets->admin, secrets->replication, {}, 0};
  const AccessControl& control = AccessControlOf(records, cluster);
  const auto group = records.user_groups.find(control.user_group);
  if (group == records.user_groups.end()) {
    access.users.push_back(TokenUser(control));
  } else {
    for (const UserId& id : group->second.Members()) {
      if (const User* user = FindUser(records, id)) access.users.push_back(EngineUserOf(*user));
    }
    std::ranges::sort(access.users, {}, &EngineUser::name);
  }
  access.version = VersionOf(access);
  return access;
}

}  // namespace ec::model
