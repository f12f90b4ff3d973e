// What an engine's answer to a probe says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/engine_kind.h"

namespace ec::engine {

// Sent to ask an engine how it is and which version it has.
std::string_view ProbeRequest(EngineKind engine);

struct ProbeReply {
  bool loading = false;  // it is there, and still reads its data
  std::string version;   // empty when it did not say
};

// The answer, once `received` holds all of it; nullopt before. Whatever is not understood counts as
// an answer without a version: an engine that refuses to tell is alive all the same.
std::optional<ProbeReply> ParseProbeReply(EngineKind engine, std::string_view received);

// One reply of a Redis taken off the front: a line without its type's letter, or a bulk string's
// content. nullopt while it has not come whole.
struct RedisReply {
  bool is_error = false;
  std::string text;
};
std::optional<RedisReply> TakeRedisReply(std::string_view* received);

// What a Redis says to INFO replication.
struct ReplicationInfo {
  struct Follower {
    Address address;      // as it announces itself
    bool online = false;  // has been sent the data; it need not have got the stream yet
    int64_t offset = 0;   // that it has acknowledged
  };
  bool is_master = false;
  Address master;        // of a replica; zero when that is a name
  bool link_up = false;  // of a replica
  int64_t offset = 0;    // how far it has come itself
  std::vector<Follower> followers;
};
// nullopt for a text without a role.
std::optional<ReplicationInfo> ParseReplicationInfo(std::string_view info);

}  // namespace ec::engine
