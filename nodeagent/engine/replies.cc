#include "nodeagent/engine/replies.h"

#include <algorithm>
#include <charconv>

namespace ec::engine {
namespace {

// The line up to \r\n, taken off the front; nullopt while it is not complete.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

// The value of "name:value" in the answer to INFO.
std::string InfoField(std::string_view info, std::string_view name) {
  const size_t at = info.find(name);
  if (at == std::string_view::npos) return {};
  info.remove_prefix(at + name.size());
  return std::string(info.substr(0, info.find_first_of("\r\n")));
}

template <typename Number>
Number NumberIn(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The value of "name=value" in a list of such, separated by commas.
std::string_view ListField(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::string_view field = list.substr(0, list.find(','));
    list.remove_prefix(std::min(field.size() + 1, list.size()));
    if (field.starts_with(name) && field.substr(name.size()).starts_with('=')) {
      return field.substr(name.size() + 1);
    }
  }
  return {};
}

Address AddressOf(std::string_view ip, std::string_view port) {
  const auto parsed = ParseIp4(ip);
  if (!parsed) return {};
  return {*parsed, NumberIn<uint16_t>(port)};
}

// "+PONG" or an error, then a bulk string or an error.
std::optional<ProbeReply> ParseRedis(std::string_view received) {
  const auto pong = TakeLine(received);
  if (!pong) return std::nullopt;
  ProbeReply reply;
  reply.loading = pong->starts_with("-LOADING");
  const auto header = TakeLine(received);
  if (!header) return std::nullopt;
  if (!header->starts_with("$")) return reply;
  size_t length = 0;
  const char* const end = header->data() + header->size();
  if (std::from_chars(header->data() + 1, end, length).ec != std::errc()) return reply;
  if (received.size() < length) return std::nullopt;
  const std::string_view info = received.substr(0, length);
  // A Valkey also tells which Redis it can stand in for; its own version is the true one.
  reply.version = InfoField(info, "valkey_version:");
  if (reply.version.empty()) reply.version = InfoField(info, "redis_version:");
  return reply;
}

std::optional<ProbeReply> ParseMemcached(std::string_view received) {
  constexpr std::string_view kPrefix = "VERSION ";
  const auto line = TakeLine(received);
  if (!line) return std::nullopt;
  ProbeReply reply;
  if (line->starts_with(kPrefix)) reply.version = line->substr(kPrefix.size());
  return reply;
}

}  // namespace

std::string_view ProbeRequest(EngineKind engine) {
  return SpeaksRedis(engine) ? "PING\r\nINFO server\r\n" : "version\r\n";
}

std::optional<ProbeReply> ParseProbeReply(EngineKind engine, std::string_view received) {
  return SpeaksRedis(engine) ? ParseRedis(received) : ParseMemcached(received);
}

std::optional<RedisReply> TakeRedisReply(std::string_view* received) {
  std::string_view rest = *received;
  const auto line = TakeLine(rest);
  if (!line) return std::nullopt;
  RedisReply reply;
  reply.is_error = line->starts_with('-');
  reply.text = line->substr(std::min<size_t>(1, line->size()));
  if (line->starts_with('$')) {
    const auto length = NumberIn<size_t>(reply.text);
    if (rest.size() < length + 2) return std::nullopt;
    reply.text = rest.substr(0, length);
    rest.remove_prefix(length + 2);
  }
  *received = rest;
  return reply;
}

std::optional<ReplicationInfo> ParseReplicationInfo(std::string_view info) {
  ReplicationInfo parsed;
  const std::string role = InfoField(info, "role:");
  if (role.empty()) return std::nullopt;
  parsed.is_master = role == "master";
  if (!parsed.is_master) {
    parsed.master = AddressOf(InfoField(info, "master_host:"), InfoField(info, "master_port:"));
    parsed.link_up = InfoField(info, "master_link_status:") == "up";
    parsed.offset = NumberIn<int64_t>(InfoField(info, "slave_repl_offset:"));
    return parsed;
  }
  parsed.offset = NumberIn<int64_t>(InfoField(info, "master_repl_offset:"));
  const auto count = NumberIn<size_t>(InfoField(info, "connected_slaves:"));
  for (size_t i = 0; i < count; ++i) {
    const std::string line = InfoField(info, "\nslave" + std::to_string(i) + ":");
    parsed.followers.push_back({AddressOf(ListField(line, "ip"), ListField(line, "port")),
                                ListField(line, "state") == "online",
                                NumberIn<int64_t>(ListField(line, "offset"))});
  }
  return parsed;
}

}  // namespace ec::engine
