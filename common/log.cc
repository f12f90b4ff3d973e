#include "common/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace ec {
namespace {

constexpr size_t kFileBytesMax = 10 << 20;
constexpr size_t kOldFilesMax = 2;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// A value stays one word on one line: it is quoted as soon as it could be misread.
void AppendValue(const std::string& value, std::string* line) {
  const bool plain = !value.empty() && value.find_first_of(" \"=\\\n\r\t") == std::string::npos;
  if (plain) {
    *line += value;
    return;
  }
  *line += '"';
  for (const char c : value) {
    if (c == '\n') {
      *line += "\\n";
    } else if (c == '\r') {
      *line += "\\r";
    } else {
      if (c == '"' || c == '\\') *line += '\\';
      *line += c;
    }
  }
  *line += '"';
}

void Write(LogLevel level, std::string_view message, LogFields fields) {
  const auto spdlog_level = ToSpdlog(level);
  if (!spdlog::should_log(spdlog_level)) return;
  std::string line(message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    AppendValue(field.value, &line);
  }
  spdlog::log(spdlog_level, "{}", line);
}

}  // namespace

bool StartLog(LogLevel level, const std::string& file, std::string* why) {
  try {
    std::shared_ptr<spdlog::logger> logger;
    if (file.empty()) {
      logger =
          std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    } else {
      logger = std::make_shared<spdlog::logger>(
          "", std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file, kFileBytesMax,
                                                                     kOldFilesMax));
    }
    logger->set_level(ToSpdlog(level));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
    return true;
  } catch (const spdlog::spdlog_ex& error) {
    *why = error.what();
    return false;
  }
}

bool ParseLogLevel(std::string_view text, LogLevel* level) {
  if (text == "debug") {
    *level = LogLevel::kDebug;
  } else if (text == "info") {
    *level = LogLevel::kInfo;
  } else if (text == "warning") {
    *level = LogLevel::kWarning;
  } else if (text == "error") {
    *level = LogLevel::kError;
  } else {
    return false;
  }
  return true;
}

void LogDebug(std::string_view message, LogFields fields) {
  Write(LogLevel::kDebug, message, fields);
}
void LogInfo(std::string_view message, LogFields fields) {
  Write(LogLevel::kInfo, message, fields);
}
void LogWarning(std::string_view message, LogFields fields) {
  Write(LogLevel::kWarning, message, fields);
}
void LogError(std::string_view message, LogFields fields) {
  Write(LogLevel::kError, message, fields);
}

}  // namespace ec
