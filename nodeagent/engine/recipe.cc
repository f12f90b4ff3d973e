#include "nodeagent/engine/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "common/engine_login.h"
#include "common/netcard.h"
#include "nodeagent/engine/acl.h"

namespace ec::engine {
namespace {

using Parameters = std::map<std::string, std::string>;

// Parameters of ElastiCache that are directives of the engine under the same name. The others are
// AWS's own (reserved-memory), for clusters and persistence that this engine is not given here
// (cluster-enabled, appendonly), or names that the installed engine no longer knows.
constexpr std::array<std::string_view, 46> kRedisDirectives = {
    "acl-pubsub-default",
    "acllog-max-len",
    "active-defrag-cycle-max",
    "active-defrag-cycle-min",
    "active-defrag-ignore-bytes",
    "active-defrag-max-scan-fields",
    "active-defrag-threshold-lower",
    "active-defrag-threshold-upper",
    "active-expire-effort",
    "activerehashing",
    "client-query-buffer-limit",
    "databases",
    "hash-max-listpack-entries",
    "hash-max-listpack-value",
    "hash-max-ziplist-entries",
    "hash-max-ziplist-value",
    "hll-sparse-max-bytes",
    "latency-tracking",
    "lazyfree-lazy-eviction",
    "lazyfree-lazy-expire",
    "lazyfree-lazy-server-del",
    "lazyfree-lazy-user-del",
    "lfu-decay-time",
    "lfu-log-factor",
    "list-compress-depth",
    "list-max-ziplist-size",
    "lua-time-limit",
    "maxmemory-policy",
    "maxmemory-samples",
    "min-replicas-max-lag",
    "min-replicas-to-write",
    "notify-keyspace-events",
    "proto-max-bulk-len",
    "repl-backlog-size",
    "repl-backlog-ttl",
    "set-max-intset-entries",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "stream-node-max-bytes",
    "stream-node-max-entries",
    "tcp-keepalive",
    "timeout",
    "tracking-table-max-keys",
    "zset-max-listpack-entries",
    "zset-max-listpack-value",
    "zset-max-ziplist-entries",
};

const std::string* Find(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  return found == parameters.end() || found->second.empty() ? nullptr : &found->second;
}

int64_t NumberOf(const Parameters& parameters, const std::string& name, int64_t otherwise) {
  const std::string* value = Find(parameters, name);
  return value == nullptr ? otherwise : std::strtoll(value->c_str(), nullptr, 10);
}

// --- Redis ----------------------------------------------------------------------------------

// ElastiCache has three parameters where Redis has one directive of three values: the hard limit,
// the soft one and its seconds. nullopt: the specification lacks one.
std::optional<std::array<std::string, 3>> BufferLimit(const Parameters& parameters,
                                                      const std::string& kind) {
  const std::string prefix = "client-output-buffer-limit-" + kind;
  const std::string* hard = Find(parameters, prefix + "-hard-limit");
  const std::string* soft = Find(parameters, prefix + "-soft-limit");
  const std::string* seconds = Find(parameters, prefix + "-soft-seconds");
  if (hard == nullptr || soft == nullptr || seconds == nullptr) return std::nullopt;
  return std::array{*hard, *soft, *seconds};
}

// What it calls itself to a leader and where its link comes from is said to every Redis, so that it
// can become a follower as it runs. One that is started as a follower is never anything else, not
// even for a moment.
void AppendReplication(const MemberSpec& spec, std::string* conf) {
  if (spec.address.port != 0) {
    *conf +=
        fmt::format("replica-announce-ip {0}\nreplica-announce-port {1}\nbind-source-addr {0}\n",
                    ToString(spec.address.ip), spec.address.port);
  }
  if (!spec.replication || spec.replication->leads) return;
  const Address& leader = spec.replication->leader;
  *conf += fmt::format("replicaof {} {}\n", ToString(leader.ip), leader.port);
}

// What tells the network card of its place.
std::vector<std::string> NetcardEnvironment(Address address) {
  return {fmt::format("LD_PRELOAD=./{}", kNetcardName),
          fmt::format("{}={}", EC_NETCARD_SOCKET, kPassingName),
          fmt::format("{}={}", EC_NETCARD_ADDRESS, ToString(address.ip))};
}

// Where it takes connections. Its own unix socket, which is the agent's alone, is always plain.
std::string ListenDirectives(const MemberSpec& spec, std::optional<Address> address) {
  if (!address) return "port 0\n";
  if (!spec.tls) return fmt::format("bind {}\nport {}\n", ToString(address->ip), address->port);
  return fmt::format(
      "bind {}\n"
      "port 0\n"
      "tls-port {}\n"
      "tls-cert-file {}\n"
      "tls-key-file {}\n"
      "tls-ca-cert-file {}\n"
      "tls-auth-clients no\n"
      "tls-replication yes\n",
      ToString(address->ip), address->port, kTlsName, kTlsName, kAuthorityName);
}

std::string RedisConfiguration(const MemberSpec& spec, const Machine& machine,
                               std::optional<Address> address) {
  std::string conf = ListenDirectives(spec, address);
  // Nothing is saved by itself; what an orderly stop keeps is saved then. The process keeps its
  // arguments, for people who look for it.
  conf += fmt::format(
      "unixsocket {}\n"
      "unixsocketperm 700\n"
      "protected-mode no\n"
      "daemonize no\n"
      "supervised no\n"
      "set-proc-title no\n"
      "dir \".\"\n"
      "dbfilename {}\n"
      "logfile \"\"\n"
      "save \"\"\n"
      "appendonly no\n"
      "stop-writes-on-bgsave-error no\n"
      "repl-diskless-sync no\n"
      "repl-diskless-sync-delay 0\n"
      "replica-read-only yes\n"
      "maxmemory {}\n",
      kSocketName, kDataName, spec.memory_max_bytes);
  // Somebody else has written it: every value in it is looked through before it is believed.
  if (spec.seed && spec.seed->file == 0) conf += "sanitize-dump-payload yes\n";
  // Redis keeps 32 descriptors to itself.
  const int64_t clients = std::min(NumberOf(spec.parameters, "maxclients", 65000),
                                   std::max<int64_t>(machine.open_files_max - 32, 1));
  conf += fmt::format("maxclients {}\n", clients);
  for (const auto& [name, value] : spec.parameters) {
    if (std::ranges::find(kRedisDirectives, name) == kRedisDirectives.end()) continue;
    conf += fmt::format("{} {}\n", name, QuoteForRedis(value));
  }
  for (const char* kind : {"normal", "pubsub"}) {
    if (const auto limit = BufferLimit(spec.parameters, kind)) {
      const auto& [hard, soft, seconds] = *limit;
      conf += fmt::format("client-output-buffer-limit {} {} {} {}\n", kind, QuoteForRedis(hard),
                          QuoteForRedis(soft), QuoteForRedis(seconds));
    }
  }
  if (spec.access) conf += AclConfiguration(*spec.access);
  AppendReplication(spec, &conf);
  return conf;
}

Recipe RedisRecipe(const MemberSpec& spec, const Machine& machine, std::optional<Address> address) {
  Recipe recipe;
  recipe.arguments = {"engine.conf"};
  recipe.files = {{"engine.conf", RedisConfiguration(spec, machine, address)}};
  if (spec.tls) {
    for (auto& file : CertificateFiles(*spec.tls)) recipe.files.push_back(std::move(file));
  }
  if (spec.access) {
    recipe.files.emplace_back(kLoginName, ToText(LoginFor(*spec.access, PrefixFor(*spec.access))));
  }
  if (address) recipe.environment = NetcardEnvironment(*address);
  return recipe;
}

// --- Memcached ------------------------------------------------------------------------------

// Memcached listens either on a unix socket or on TCP, never on both. With a network card, the
// second of its TCP listeners becomes the unix socket.
void ListenWith(std::optional<Address> address, Recipe* recipe) {
  if (!address) {
    recipe->arguments = {"-s", kSocketName, "-a", "0700"};
    return;
  }
  recipe->arguments = {"-p", std::to_string(address->port), "-l",
                       ToString(address->ip) + ",127.0.0.1"};
  recipe->environment = NetcardEnvironment(*address);
  recipe->environment.push_back(fmt::format("{}={}", EC_NETCARD_LOCAL, kSocketName));
}

Recipe MemcachedRecipe(const MemberSpec& spec, const Machine& machine,
                       std::optional<Address> address) {
  const Parameters& parameters = spec.parameters;
  const auto on = [&](const std::string& name) { return NumberOf(parameters, name, 0) != 0; };
  // Memcached wants some descriptors beside its connections and gives up when it cannot have them.
  const int64_t connections = std::min(NumberOf(parameters, "max_simultaneous_connections", 65000),
                                       std::max<int64_t>(machine.open_files_max - 128, 16));
  const int threads = std::clamp(spec.threads, 1, std::max(machine.cores, 1));
  Recipe recipe;
  ListenWith(address, &recipe);
  std::vector<std::string>& arguments = recipe.arguments;
  const auto add = [&](const char* flag, const std::string& value) {
    arguments.push_back(flag);
    arguments.push_back(value);
  };
  const auto add_parameter = [&](const char* flag, const std::string& name) {
    if (const std::string* value = Find(parameters, name)) add(flag, *value);
  };
  add("-U", "0");
  add("-m", std::to_string(std::max<int64_t>(spec.memory_max_bytes >> 20, 8)));
  add("-c", std::to_string(connections));
  add("-t", std::to_string(threads));
  add_parameter("-I", "max_item_size");
  add_parameter("-n", "chunk_size");
  add_parameter("-f", "chunk_size_growth_factor");
  add_parameter("-b", "backlog_queue_limit");
  add_parameter("-R", "requests_per_event");
  if (on("cas_disabled")) arguments.push_back("-C");
  if (on("error_on_memory_exhausted")) arguments.push_back("-M");
  if (on("disable_flush_all")) arguments.push_back("-F");
  if (on("idle_timeout")) add("-o", "idle_timeout=" + *Find(parameters, "idle_timeout"));
  if (!machine.user.empty()) add("-u", machine.user);
  return recipe;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> LiveSettings(const MemberSpec& spec) {
  constexpr std::array<std::string_view, 2> kAtStartOnly = {"activerehashing", "databases"};
  std::vector<std::pair<std::string, std::string>> settings = {
      {"maxmemory", std::to_string(spec.memory_max_bytes)}};
  for (const auto& [name, value] : spec.parameters) {
    if (std::ranges::find(kRedisDirectives, name) == kRedisDirectives.end()) continue;
    if (std::ranges::find(kAtStartOnly, name) != kAtStartOnly.end()) continue;
    settings.emplace_back(name, value);
  }
  for (const char* kind : {"normal", "pubsub"}) {
    if (const auto limit = BufferLimit(spec.parameters, kind)) {
      settings.emplace_back("client-output-buffer-limit",
                            fmt::format("{} {}", kind, fmt::join(*limit, " ")));
    }
  }
  // The same name, and perhaps another certificate: being told of it, it reads all of them anew.
  if (spec.tls) settings.emplace_back("tls-cert-file", kTlsName);
  return settings;
}

std::vector<std::pair<std::string, std::string>> CertificateFiles(const TlsSpec& tls) {
  return {{kTlsName, tls.key + tls.certificate}, {kAuthorityName, tls.authority}};
}

std::string QuoteForRedis(const std::string& value) {
  std::string quoted = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

Recipe RecipeFor(const MemberSpec& spec, const Machine& machine, std::optional<Address> address) {
  return SpeaksRedis(spec.engine) ? RedisRecipe(spec, machine, address)
                                  : MemcachedRecipe(spec, machine, address);
}

}  // namespace ec::engine
