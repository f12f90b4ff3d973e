// How an agent logs in to a Redis that it has started: a file in the engine's directory, beside its
// socket, which only the agent's own user can read. An engine without one was started before agents
// had a user of their own: it lets everybody in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ec {

// The agent's user and the followers', in every engine.
inline constexpr std::string_view kAdminUser = "__emucache_admin";
inline constexpr std::string_view kReplicationUser = "__emucache_replication";
// The file's name.
inline constexpr std::string_view kLoginName = "login";

struct EngineLogin {
  std::string secret;
  // What comes before the names of the commands that clients are not to know; empty: nothing.
  std::string prefix;
  // What the engine was told of its users last: EngineAccess::version, and whose each name is.
  uint64_t version = 0;
  std::map<std::string, std::string> users;

  // To be said first on every connection, and answered by one reply; empty: nothing is to be said.
  std::string Greeting() const;
  size_t greetings() const { return secret.empty() ? 0 : 1; }
  // "BGSAVE" by the name that the engine knows it by.
  std::string Name(std::string_view command) const;
  friend bool operator==(const EngineLogin&, const EngineLogin&) = default;
};

// The file's content, and back; nullopt for what is none.
std::string ToText(const EngineLogin& login);
std::optional<EngineLogin> ParseEngineLogin(std::string_view text);

// Where the login of the engine with this socket is.
std::string LoginPathBeside(const std::string& socket_path);
// The login itself; an empty one when there is none.
EngineLogin LoginBeside(const std::string& socket_path);

}  // namespace ec
