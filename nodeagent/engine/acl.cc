#include "nodeagent/engine/acl.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/digest.h"
#include "common/restricted_commands.h"
#include "nodeagent/engine/recipe.h"

namespace ec::engine {
namespace {

constexpr std::string_view kDefault = "default";

std::vector<std::string> Denials() {
  std::vector<std::string> rules;
  for (const std::string_view name : kRestrictedCommands) rules.push_back(fmt::format("-{}", name));
  for (const std::string_view name : kRestrictedLinkCommands) {
    rules.push_back(fmt::format("-{}", name));
  }
  for (const std::string_view name : kRestrictedSubcommands) {
    rules.push_back(fmt::format("-{}", name));
  }
  return rules;
}

AclUser Admin(const EngineAccess& access) {
  return {std::string(kAdminUser),
          {"reset", "on", "#" + Sha256Hex(access.admin_secret), "~*", "&*", "+@all"}};
}

// Just what a follower says to its leader.
AclUser Follower(const EngineAccess& access) {
  return {
      std::string(kReplicationUser),
      {"reset", "on", "#" + Sha256Hex(access.replication_secret), "+psync", "+replconf", "+ping"}};
}

std::string Quoted(const AclUser& user) {
  std::string line = QuoteForRedis(user.name);
  for (const std::string& rule : user.rules) line += " " + QuoteForRedis(rule);
  return line;
}

}  // namespace

AclUser AclOf(const EngineUser& user) {
  const std::vector<std::string> denials = Denials();
  AclUser acl{user.name, {"reset"}};
  for (const std::string& rule : user.rules) {
    if (!rule.starts_with('(') || !rule.ends_with(')')) {
      acl.rules.push_back(rule);
      continue;
    }
    std::string selector = rule.substr(0, rule.size() - 1);
    for (const std::string& denial : denials) {
      if (selector.size() > 1) selector += ' ';
      selector += denial;
    }
    acl.rules.push_back(selector + ")");
  }
  acl.rules.insert(acl.rules.end(), denials.begin(), denials.end());
  return acl;
}

std::vector<AclUser> AclOf(const EngineAccess& access) {
  std::vector<AclUser> users = {Admin(access), Follower(access)};
  const bool has_default =
      std::ranges::find(access.users, kDefault, &EngineUser::name) != access.users.end();
  if (!has_default) users.push_back({std::string(kDefault), {"reset", "off"}});
  for (const EngineUser& user : access.users) users.push_back(AclOf(user));
  return users;
}

std::string PrefixFor(const EngineAccess& access) {
  return fmt::format("ec-{}-", Sha256Hex("prefix " + access.admin_secret).substr(0, 12));
}

std::string AclConfiguration(const EngineAccess& access) {
  const std::string prefix = PrefixFor(access);
  std::string conf;
  for (const std::string_view name : kRestrictedCommands) {
    conf += fmt::format("rename-command {} {}{}\n", name, prefix, name);
  }
  conf += fmt::format("masteruser {}\nmasterauth {}\n", kReplicationUser,
                      QuoteForRedis(access.replication_secret));
  for (const AclUser& user : AclOf(access)) conf += fmt::format("user {}\n", Quoted(user));
  return conf;
}

EngineLogin LoginFor(const EngineAccess& access, const std::string& prefix) {
  EngineLogin login{access.admin_secret, prefix, access.version, {}};
  for (const EngineUser& user : access.users) login.users[user.name] = user.id;
  return login;
}

std::vector<std::string> AclCommands(const EngineLogin& before, const EngineAccess& access) {
  std::vector<std::string> commands;
  const EngineLogin after = LoginFor(access, before.prefix);
  const std::string config = before.Name("config");
  commands.push_back(fmt::format("{} SET masteruser {}", config, kReplicationUser));
  commands.push_back(
      fmt::format("{} SET masterauth {}", config, QuoteForRedis(access.replication_secret)));
  for (const AclUser& user : AclOf(access)) {
    commands.push_back("ACL SETUSER " + Quoted(user));
    // An engine that lets everybody in has known no administrator to begin with, and is about to
    // keep such commands from everybody else.
    if (user.name == kAdminUser)
      commands.push_back(fmt::format("AUTH {} {}", user.name, after.secret));
  }
  for (const auto& [name, id] : before.users) {
    const auto now = after.users.find(name);
    const bool is_gone = now == after.users.end() && name != kDefault;
    if (is_gone) commands.push_back("ACL DELUSER " + QuoteForRedis(name));
    if (is_gone || (now != after.users.end() && now->second == id)) continue;
    commands.push_back("CLIENT KILL USER " + QuoteForRedis(name));
  }
  return commands;
}

}  // namespace ec::engine
