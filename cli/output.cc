#include "cli/output.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/check.h"

namespace ec::cli {
namespace {

constexpr std::string_view kWell[] = {"available", "ready", "running", "yes"};
constexpr std::string_view kFailed[] = {
    "failed", "create-failed", "restore-failed", "incompatible-network",
    "silent", "not answering", "stopped",        "no"};

// How many columns the text takes on a terminal: UTF-8 continuation bytes take none.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// The code of a failure that the service did not name.
std::string_view OwnCode(ExitCode exit) {
  switch (exit) {
    case ExitCode::kSuccess:
      return "Success";
    case ExitCode::kRefused:
      return "Failed";
    case ExitCode::kUsage:
      return "Usage";
    case ExitCode::kUnreachable:
      return "Unreachable";
    case ExitCode::kTimedOut:
      return "TimedOut";
    case ExitCode::kInterrupted:
      return "Interrupted";
  }
  return {};
}

}  // namespace

Table::Table(std::vector<std::string> headers) { rows_.push_back(std::move(headers)); }

void Table::Add(std::vector<std::string> cells) {
  EC_CHECK(cells.size() == rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string Table::Text(bool color) const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    // Blanks are owed until another cell follows, so that no line ends in them.
    size_t owed = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool colored = color && i == status_column_ && &row != &rows_.front();
      if (!row[i].empty()) {
        text.append(owed, ' ');
        text += colored ? Colored(row[i]) : row[i];
        owed = 0;
      }
      owed += widths[i] - WidthOf(row[i]) + 2;
    }
    text += '\n';
  }
  return text;
}

std::string Colored(std::string_view status) {
  const auto is = [&](const auto& words) {
    return std::find(std::begin(words), std::end(words), status) != std::end(words);
  };
  const int color = is(kWell) ? 32 : is(kFailed) ? 31 : 33;
  return fmt::format("\x1b[{}m{}\x1b[0m", color, status);
}

WallTime ToWallTime(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::seconds(time.seconds()) +
                  std::chrono::milliseconds(time.nanos() / 1'000'000));
}

std::string FormatTime(const google::protobuf::Timestamp& time) {
  return ToString(ToWallTime(time));
}

std::string ToJson(const google::protobuf::Message& message, bool one_line) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !one_line;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  // A service of another version may send a time that JSON has no form for.
  if (!status.ok()) return nlohmann::json{{"unprintable", std::string(status.message())}}.dump();
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

void PrintLine(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

bool PrintLineNow(std::string_view text) {
  PrintLine(text);
  return std::fflush(stdout) == 0;
}

void PrintError(const Outcome& outcome, bool json) {
  if (outcome.message.empty() && outcome.code.empty()) return;
  std::string line;
  if (json) {
    const std::string code =
        outcome.code.empty() ? std::string(OwnCode(outcome.exit)) : outcome.code;
    const nlohmann::ordered_json error = {
        {"error", {{"code", code}, {"message", outcome.message}}}};
    // Bytes that are not UTF-8 are replaced, since the service's texts may quote what it was given.
    line = error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  } else {
    line = outcome.code.empty() ? fmt::format("ecctl: {}", outcome.message)
                                : fmt::format("ecctl: {}: {}", outcome.code, outcome.message);
    std::replace(line.begin(), line.end(), '\n', ' ');
  }
  fmt::print(stderr, "{}\n", line);
}

void PrintNote(std::string_view text) { fmt::print(stderr, "{}\n", text); }

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { Erase(); }

void Progress::Erase() {
  if (!alive_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  alive_ = false;
}

void Progress::Line(std::string_view text) {
  Erase();
  fmt::print(stderr, "{}\n", text);
  std::fflush(stderr);
}

void Progress::Live(std::string_view text) {
  if (!terminal_) return;
  // A line that the terminal breaks could not be overwritten.
  winsize window = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 3) {
    text = text.substr(0, window.ws_col - 3u);
  }
  constexpr char kFrames[] = {'|', '/', '-', '\\'};
  fmt::print(stderr, "\r\x1b[K{} {}", kFrames[frame_++ % std::size(kFrames)], text);
  std::fflush(stderr);
  alive_ = true;
}

}  // namespace ec::cli
