#include "nodeagent/engine/replies.h"

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

}  // namespace ec::engine
