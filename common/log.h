// One line per happening: time, level, message, then key=value fields. spdlog does the writing.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace ec {

struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)) {}

  std::string_view key;
  std::string value;
};

using LogFields = std::initializer_list<LogField>;

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Writes to `file`, or to standard error if it is empty. A file is turned over at 10 MiB and two
// older ones are kept. Call once, before the first line; false and a reason if it cannot be opened.
bool StartLog(LogLevel level, const std::string& file, std::string* why);

// "debug", "info", "warning" or "error".
bool ParseLogLevel(std::string_view text, LogLevel* level);

void LogDebug(std::string_view message, LogFields fields = {});
void LogInfo(std::string_view message, LogFields fields = {});
void LogWarning(std::string_view message, LogFields fields = {});
void LogError(std::string_view message, LogFields fields = {});

}  // namespace ec
