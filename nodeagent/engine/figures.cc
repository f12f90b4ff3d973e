#include "nodeagent/engine/figures.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "nodeagent/engine/redis_talk.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {
namespace {

using Fields = std::map<std::string, std::string>;

std::optional<double> NumberOf(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  double number = 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

// A field that is a metric as it stands.
struct Plain {
  const char* name;
  const char* field;
  bool rises;
};

void AddPlain(const Fields& fields, const Plain& plain, EngineFigures* out) {
  if (const auto value = NumberOf(fields, plain.field)) {
    out->push_back({plain.name, *value, plain.rises});
  }
}

void Sort(EngineFigures* figures) { std::ranges::sort(*figures, {}, &EngineFigure::name); }

// --- Redis ------------------------------------------------------------------------------------

constexpr Plain kRedis[] = {
    {"ActiveDefragHits", "active_defrag_hits", true},
    {"BytesUsedForCache", "used_memory", false},
    {"CacheHits", "keyspace_hits", true},
    {"CacheMisses", "keyspace_misses", true},
    {"CurrConnections", "connected_clients", false},
    {"Evictions", "evicted_keys", true},
    {"MemoryFragmentationRatio", "mem_fragmentation_ratio", false},
    {"NetworkBytesIn", "total_net_input_bytes", true},
    {"NetworkBytesOut", "total_net_output_bytes", true},
    {"NewConnections", "total_connections_received", true},
    {"Reclaimed", "expired_keys", true},
    {"SaveInProgress", "rdb_bgsave_in_progress", false},
};

// Commands by what they act upon. Those that are in none of these are NonKeyTypeCmds.
struct CommandKind {
  const char* name;
  const char* reads;   // GetTypeCmds, too
  const char* writes;  // SetTypeCmds, too
  const char* others;
};
constexpr CommandKind kCommandKinds[] = {
    {"ClusterBasedCmds", "", "", "cluster readonly readwrite asking"},
    {"EvalBasedCmds", "", "", "eval evalsha eval_ro evalsha_ro fcall fcall_ro"},
    {"GeoSpatialBasedCmds", "geodist geohash geopos georadius_ro georadiusbymember_ro geosearch",
     "geoadd georadius georadiusbymember geosearchstore", ""},
    {"HashBasedCmds", "hexists hget hgetall hkeys hlen hmget hrandfield hscan hstrlen hvals",
     "hdel hincrby hincrbyfloat hmset hset hsetnx", ""},
    {"HyperLogLogBasedCmds", "pfcount", "pfadd pfmerge", ""},
    {"KeyBasedCmds",
     "dump exists expiretime keys object pexpiretime pttl randomkey scan sort_ro touch ttl type",
     "copy del expire expireat migrate move persist pexpire pexpireat rename renamenx restore sort "
     "unlink",
     ""},
    {"ListBasedCmds", "lindex llen lpos lrange",
     "blmove blmpop blpop brpop brpoplpush linsert lmove lmpop lpop lpush lpushx lrem lset ltrim "
     "rpop rpoplpush rpush rpushx",
     ""},
    {"PubSubBasedCmds", "", "",
     "psubscribe publish pubsub punsubscribe spublish ssubscribe subscribe sunsubscribe "
     "unsubscribe"},
    {"SetBasedCmds",
     "scard sdiff sinter sintercard sismember smembers smismember srandmember sscan sunion",
     "sadd sdiffstore sinterstore smove spop srem sunionstore", ""},
    {"SortedSetBasedCmds",
     "zcard zcount zdiff zinter zintercard zlexcount zmscore zrandmember zrange zrangebylex "
     "zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion",
     "bzmpop bzpopmax bzpopmin zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin "
     "zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore",
     ""},
    {"StreamBasedCmds", "xinfo xlen xpending xrange xread xrevrange",
     "xack xadd xautoclaim xclaim xdel xgroup xreadgroup xsetid xtrim", ""},
    {"StringBasedCmds", "bitcount bitfield_ro bitpos get getbit getrange lcs mget strlen substr",
     "append bitfield bitop decr decrby getdel getex getset incr incrby incrbyfloat mset msetnx "
     "psetex set setbit setex setnx setrange",
     ""},
};

struct Kinds {
  const char* of_what;  // one of kCommandKinds
  const char* of_use;   // GetTypeCmds, SetTypeCmds, or null
};

void Enter(const char* commands, const Kinds& kinds, std::map<std::string_view, Kinds>* out) {
  std::string_view rest = commands;
  while (!rest.empty()) {
    const std::string_view command = rest.substr(0, rest.find(' '));
    out->emplace(command, kinds);
    rest.remove_prefix(std::min(command.size() + 1, rest.size()));
  }
}

const std::map<std::string_view, Kinds>& KindsOfCommands() {
  static const std::map<std::string_view, Kinds> all = [] {
    std::map<std::string_view, Kinds> kinds;
    for (const CommandKind& kind : kCommandKinds) {
      Enter(kind.reads, {kind.name, "GetTypeCmds"}, &kinds);
      Enter(kind.writes, {kind.name, "SetTypeCmds"}, &kinds);
      Enter(kind.others, {kind.name, nullptr}, &kinds);
    }
    return kinds;
  }();
  return all;
}

// The number behind "name=" in "calls=1,usec=2".
double Part(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    if (!part.starts_with(name)) continue;
    double number = 0;
    std::from_chars(part.data() + name.size(), part.data() + part.size(), number);
    return number;
  }
  return 0;
}

void AddCommands(const Fields& fields, EngineFigures* out) {
  constexpr std::string_view kPrefix = "cmdstat_";
  const char* const none = "NonKeyTypeCmds";
  std::map<std::string, double> calls{{none, 0}, {"GetTypeCmds", 0}, {"SetTypeCmds", 0}};
  for (const CommandKind& kind : kCommandKinds) calls.emplace(kind.name, 0);
  for (auto it = fields.lower_bound(std::string(kPrefix));
       it != fields.end() && it->first.starts_with(kPrefix); ++it) {
    std::string_view command = it->first;
    command.remove_prefix(kPrefix.size());
    command = command.substr(0, command.find('|'));  // "object|freq"
    const auto kinds = KindsOfCommands().find(command);
    const double count = Part(it->second, "calls=");
    calls[kinds == KindsOfCommands().end() ? none : kinds->second.of_what] += count;
    if (kinds != KindsOfCommands().end() && kinds->second.of_use != nullptr) {
      calls[kinds->second.of_use] += count;
    }
  }
  for (const auto& [name, count] : calls) out->push_back({name, count, true});
}

void AddKeyspace(const Fields& fields, EngineFigures* out) {
  double keys = 0;
  double volatile_keys = 0;
  for (auto it = fields.lower_bound("db0"); it != fields.end() && it->first.starts_with("db");
       ++it) {
    if (!it->second.starts_with("keys=")) continue;
    keys += Part(it->second, "keys=");
    volatile_keys += Part(it->second, "expires=");
  }
  out->push_back({"CurrItems", keys, false});
  out->push_back({"CurrVolatileItems", volatile_keys, false});
}

void AddReplication(const Fields& fields, EngineFigures* out) {
  const auto role = fields.find("role");
  if (role == fields.end()) return;
  const bool is_master = role->second == "master";
  out->push_back({"IsMaster", is_master ? 1.0 : 0.0, false});
  if (is_master) {
    // Without replicas nothing is sent, though the offset may be there from before.
    if (NumberOf(fields, "connected_slaves").value_or(0) > 0) {
      AddPlain(fields, {"ReplicationBytes", "master_repl_offset", true}, out);
    }
    return;
  }
  const auto link = fields.find("master_link_status");
  const bool is_up = link != fields.end() && link->second == "up";
  out->push_back({"MasterLinkHealthStatus", is_up ? 1.0 : 0.0, false});
  const auto lag = NumberOf(fields, is_up ? "master_last_io_seconds_ago"  //
                                          : "master_link_down_since_seconds");
  if (lag && *lag >= 0) out->push_back({"ReplicationLag", *lag, false});
}

void AddProcessor(const Fields& fields, Instant now, std::optional<ProcessorUse>* use,
                  EngineFigures* out) {
  const auto user = NumberOf(fields, "used_cpu_user_main_thread");
  const auto system = NumberOf(fields, "used_cpu_sys_main_thread");
  if (!user || !system) return;
  const ProcessorUse present{*user + *system, now};
  double used = present.seconds;
  double passed = NumberOf(fields, "uptime_in_seconds").value_or(0);
  if (*use) {
    used -= (*use)->seconds;
    passed = std::chrono::duration<double>(now - (*use)->at).count();
  }
  if (passed > 0) out->push_back({"EngineCPUUtilization", 100 * used / passed, false});
  *use = present;
}

EngineFigures OfRedis(const Fields& fields, Instant now, std::optional<ProcessorUse>* use) {
  EngineFigures figures;
  if (!fields.contains("redis_version")) return figures;
  for (const Plain& plain : kRedis) AddPlain(fields, plain, &figures);
  const double hits = NumberOf(fields, "keyspace_hits").value_or(0);
  const double asked = hits + NumberOf(fields, "keyspace_misses").value_or(0);
  if (asked > 0) figures.push_back({"CacheHitRate", 100 * hits / asked, false});
  const double memory_max = NumberOf(fields, "maxmemory").value_or(0);
  const auto memory = NumberOf(fields, "used_memory");
  if (memory && memory_max > 0) {
    figures.push_back({"DatabaseMemoryUsagePercentage", 100 * *memory / memory_max, false});
  }
  AddKeyspace(fields, &figures);
  AddReplication(fields, &figures);
  AddCommands(fields, &figures);
  AddProcessor(fields, now, use, &figures);
  Sort(&figures);
  return figures;
}

// --- Memcached --------------------------------------------------------------------------------

constexpr Plain kMemcached[] = {
    {"BytesReadIntoMemcached", "bytes_read", true},
    {"BytesUsedForCacheItems", "bytes", false},
    {"BytesUsedForHash", "hash_bytes", false},
    {"BytesWrittenOutFromMemcached", "bytes_written", true},
    {"CasBadval", "cas_badval", true},
    {"CasHits", "cas_hits", true},
    {"CasMisses", "cas_misses", true},
    {"CmdFlush", "cmd_flush", true},
    {"CmdGet", "cmd_get", true},
    {"CmdSet", "cmd_set", true},
    {"CmdTouch", "cmd_touch", true},
    {"CurrConnections", "curr_connections", false},
    {"CurrItems", "curr_items", false},
    {"DecrHits", "decr_hits", true},
    {"DecrMisses", "decr_misses", true},
    {"DeleteHits", "delete_hits", true},
    {"DeleteMisses", "delete_misses", true},
    {"EvictedUnfetched", "evicted_unfetched", true},
    {"Evictions", "evictions", true},
    {"ExpiredUnfetched", "expired_unfetched", true},
    {"GetHits", "get_hits", true},
    {"GetMisses", "get_misses", true},
    {"IncrHits", "incr_hits", true},
    {"IncrMisses", "incr_misses", true},
    {"NewConnections", "total_connections", true},
    {"NewItems", "total_items", true},
    {"Reclaimed", "reclaimed", true},
    {"SlabsMoved", "slabs_moved", true},
    {"TouchHits", "touch_hits", true},
    {"TouchMisses", "touch_misses", true},
};

// "STAT name value" lines as a map.
Fields ParseStats(std::string_view text) {
  constexpr std::string_view kPrefix = "STAT ";
  Fields fields;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\r\n"), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    if (!line.starts_with(kPrefix)) continue;
    line.remove_prefix(kPrefix.size());
    const size_t space = std::min(line.find(' '), line.size());
    fields.emplace(line.substr(0, space), line.substr(std::min(space + 1, line.size())));
  }
  return fields;
}

EngineFigures OfMemcached(const Fields& fields) {
  EngineFigures figures;
  for (const Plain& plain : kMemcached) AddPlain(fields, plain, &figures);
  const auto used = NumberOf(fields, "bytes");
  const auto limit = NumberOf(fields, "limit_maxbytes");
  if (used && limit) figures.push_back({"UnusedMemory", *limit - *used, false});
  Sort(&figures);
  return figures;
}

}  // namespace

// "All" has the counts of the commands, which "default" leaves out.
std::string_view FiguresRequest(EngineKind engine) {
  return SpeaksRedis(engine) ? "INFO all\r\n" : "stats\r\n";
}

bool IsWholeAnswer(EngineKind engine, std::string_view received) {
  if (SpeaksRedis(engine)) return TakeRedisReply(&received).has_value();
  return received.ends_with("\r\nEND\r\n") || received.starts_with("ERROR\r\n");
}

EngineFigures ParseFigures(EngineKind engine, std::string_view answer, Instant now,
                           std::optional<ProcessorUse>* use) {
  if (!SpeaksRedis(engine)) return OfMemcached(ParseStats(answer));
  const std::optional<RedisReply> reply = TakeRedisReply(&answer);
  if (!reply || reply->is_error) return {};
  return OfRedis(ParseInfo(reply->text), now, use);
}

}  // namespace ec::engine
