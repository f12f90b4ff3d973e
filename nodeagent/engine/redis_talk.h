// A conversation with a Redis on its own socket, for threads that may wait.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/engine_login.h"
#include "common/status.h"
#include "common/time.h"
#include "common/unique_fd.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {

class RedisTalk {
 public:
  // Connects when it is first asked something.
  explicit RedisTalk(std::string socket_path) : path_(std::move(socket_path)) {}

  // The reply to one inline command, by the name that people know it by. kUnavailable: the engine
  // is not there, or did not answer in time; an error of its own is a reply.
  Result<RedisReply> Ask(std::string_view command, Duration timeout);

  // The fields of an INFO section.
  Result<std::map<std::string, std::string>> Info(std::string_view section, Duration timeout);

 private:
  const std::string path_;
  UniqueFd socket_;
  EngineLogin login_;
};

// "a:b" lines as a map. Pure.
std::map<std::string, std::string> ParseInfo(std::string_view text);

}  // namespace ec::engine
