// Clients of the engines, as users have them: hiredis, and Memcached's text protocol.
#pragma once

#include <hiredis/hiredis.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/engine_login.h"
#include "common/unique_fd.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::integration {

class RedisClient {
 public:
  // An answer that takes longer than `patience` ends the connection.
  // It comes from that address, if one is given.
  explicit RedisClient(const v1::Endpoint& endpoint,
                       std::chrono::milliseconds patience = std::chrono::seconds(10),
                       const std::string& from = "");
  bool connected() const { return context_ && context_->err == 0; }
  // The reply as text: "OK", "(nil)", a number, or "ERR ..."; "(gone)" when the connection is.
  std::string Do(const std::vector<std::string>& words);

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
};

// The agent's own user of an engine, which may do what is kept from customers.
class RedisAdmin {
 public:
  // `directory` is the member's, where the agent keeps the login.
  RedisAdmin(const v1::Endpoint& endpoint, const std::string& directory);
  // The first word is the command as people know it.
  std::string Do(std::vector<std::string> words);

 private:
  const EngineLogin login_;
  RedisClient client_;
};

class MemcachedClient {
 public:
  explicit MemcachedClient(const v1::Endpoint& endpoint);
  bool connected() const { return static_cast<bool>(fd_); }
  // Sends the bytes as they are, and reads until `end` has come; what came. Empty when the
  // connection ended or nothing came in time.
  std::string Ask(const std::string& bytes, const std::string& end);
  bool Set(const std::string& key, const std::string& value);
  std::string Get(const std::string& key);  // "(none)" when it is not there

 private:
  UniqueFd fd_;
};

// A client of auto discovery, written to the byte format alone.
struct Discovered {
  int version = 0;
  std::vector<v1::Endpoint> nodes;
};
Discovered Discover(const v1::Endpoint& endpoint);

}  // namespace ec::integration
