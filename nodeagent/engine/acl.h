// What a Redis is told of its users, in its own notation. Pure.
//
// No client's user may run the commands that are kept from customers. An engine forgets a denial
// that stands before a grant, and does not apply the root's to a selector: so it is said at the end
// of the root's rules and at the end of each selector's.
#pragma once

#include <string>
#include <vector>

#include "common/engine_login.h"
#include "common/host_plan.h"

namespace ec::engine {

struct AclUser {
  std::string name;
  std::vector<std::string> rules;  // beginning with "reset": all that is known of the user
};

// A client's user as the engine is to know it.
AclUser AclOf(const EngineUser& user);

// All users: the agent's, the followers', and the clients'; `default` is always among them.
std::vector<AclUser> AclOf(const EngineAccess& access);

// The commands that the directives `rename-command` hide begin with this. It is no secret: what
// keeps clients from them are the access rules.
std::string PrefixFor(const EngineAccess& access);

// The part of engine.conf.
std::string AclConfiguration(const EngineAccess& access);

// What the agent has to know to log in.
EngineLogin LoginFor(const EngineAccess& access, const std::string& prefix);

// Commands that bring a running engine from what `before` says to `access`, one per line. Users
// that are gone, and those whose name now is somebody else's, lose their connections.
std::vector<std::string> AclCommands(const EngineLogin& before, const EngineAccess& access);

}  // namespace ec::engine
