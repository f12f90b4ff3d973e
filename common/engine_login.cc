#include "common/engine_login.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "common/process.h"
#include "common/restricted_commands.h"

namespace ec {
namespace {

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string EngineLogin::Greeting() const {
  return secret.empty() ? "" : fmt::format("AUTH {} {}\r\n", kAdminUser, secret);
}

std::string EngineLogin::Name(std::string_view command) const {
  const std::string lower = Lower(command);
  const bool is_hidden = std::ranges::find(kRestrictedCommands, lower) != kRestrictedCommands.end();
  return is_hidden ? prefix + lower : std::string(command);
}

// Names and ids hold no blanks: "<name> <id>", after the three lines of the engine's own.
std::string ToText(const EngineLogin& login) {
  std::string text = fmt::format("{}\n{}\n{}\n", login.secret, login.prefix, login.version);
  for (const auto& [name, id] : login.users) text += fmt::format("{} {}\n", name, id);
  return text;
}

std::optional<EngineLogin> ParseEngineLogin(std::string_view text) {
  const std::vector<std::string_view> lines = LinesOf(text);
  if (lines.size() < 3 || lines[0].empty()) return std::nullopt;
  EngineLogin login;
  login.secret = lines[0];
  login.prefix = lines[1];
  const char* const end = lines[2].data() + lines[2].size();
  const auto [stop, error] = std::from_chars(lines[2].data(), end, login.version);
  if (error != std::errc() || stop != end) return std::nullopt;
  for (size_t i = 3; i < lines.size(); ++i) {
    const size_t blank = lines[i].find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    login.users.emplace(lines[i].substr(0, blank), lines[i].substr(blank + 1));
  }
  return login;
}

std::string LoginPathBeside(const std::string& socket_path) {
  const size_t slash = socket_path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : socket_path.substr(0, slash);
  return fmt::format("{}/{}", directory, kLoginName);
}

EngineLogin LoginBeside(const std::string& socket_path) {
  const auto text = ReadFile(LoginPathBeside(socket_path));
  if (!text) return {};
  return ParseEngineLogin(*text).value_or(EngineLogin{});
}

}  // namespace ec
