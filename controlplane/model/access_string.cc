#include "controlplane/model/access_string.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "common/restricted_commands.h"
#include "controlplane/model/csv.h"
#include "controlplane/model/names.h"

namespace ec::model {

extern const std::string_view kRedisCommandsCsv;  // data/redis_commands.csv

namespace {

// [AWS docs]: none; a bound of ours, so that a plan stays a small thing.
constexpr size_t kLengthMax = 4096;

constexpr std::array<std::string_view, 22> kCategories = {
    "all",    "keyspace", "read",        "write",      "set",         "sortedset", "list",  "hash",
    "string", "bitmap",   "hyperloglog", "geo",        "stream",      "pubsub",    "admin", "fast",
    "slow",   "blocking", "dangerous",   "connection", "transaction", "scripting"};

using Subcommands = std::set<std::string, std::less<>>;
using Commands = std::map<std::string, Subcommands, std::less<>>;

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = text.find_first_not_of(" \t\r\n", at)) != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

const Commands& AllCommands() {
  static const Commands commands = [] {
    Commands all;
    for (const auto& row : ParseCsv(kRedisCommandsCsv)) {
      Subcommands& subcommands = all[row[0]];
      for (const std::string& word : WordsOf(row[1])) subcommands.insert(word);
    }
    return all;
  }();
  return commands;
}

Status Refuse(std::string_view rule, std::string_view why) {
  return {Fault::kInvalidParameterValue,
          fmt::format("Invalid value for AccessString: '{}'. {}", rule, why)};
}

// Rules about passwords, and those that throw away what stands before them. A password is not
// repeated, as errors are logged.
Status CheckAllowed(std::string_view rule, const std::string& lower) {
  constexpr std::string_view kPasswords =
      "Passwords are set by Passwords, NoPasswordRequired and AuthenticationMode.";
  if (std::string_view("><#!").find(rule.front()) != std::string_view::npos) {
    return Refuse(rule.substr(0, 1), kPasswords);
  }
  if (lower == "nopass" || lower == "resetpass") return Refuse(rule, kPasswords);
  if (lower == "reset" || lower == "clearselectors" || lower == "sanitize-payload" ||
      lower == "skip-sanitize-payload") {
    return Refuse(rule, "The rule is not offered.");
  }
  return {};
}

bool IsRestricted(std::string_view command, std::string_view full) {
  const auto is_among = [](const auto& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  return is_among(kRestrictedCommands, command) || is_among(kRestrictedLinkCommands, command) ||
         is_among(kRestrictedSubcommands, full);
}

// +command, -command, with or without a subcommand; of a command that has none, +select|0 is its
// first argument.
Status CheckCommand(std::string_view rule, const std::string& lower) {
  const bool grants = lower.front() == '+';
  const std::string full = lower.substr(1);
  const size_t bar = full.find('|');
  const std::string command = full.substr(0, bar);
  const auto found = AllCommands().find(command);
  if (found == AllCommands().end()) return Refuse(rule, "There is no such command.");
  if (bar != std::string::npos) {
    const std::string sub = full.substr(bar + 1);
    const Subcommands& known = found->second;
    const bool is_argument = known.empty() && grants && !sub.empty();
    if (sub.find('|') != std::string::npos || (!is_argument && !known.contains(sub))) {
      return Refuse(rule, "There is no such subcommand.");
    }
  }
  if (grants && IsRestricted(command, full)) {
    return Refuse(rule, "The command is not available to customers.");
  }
  return {};
}

// One set of permissions: a user's, or a selector's.
class Permissions {
 public:
  // True when it was one.
  Result<bool> Take(std::string_view rule, const std::string& lower) {
    if (lower == "allcommands" || lower == "nocommands") return true;
    if (lower == "allkeys" || lower == "resetkeys") {
      all_keys_ = lower == "allkeys";
      return true;
    }
    if (lower == "allchannels" || lower == "resetchannels") {
      all_channels_ = lower == "allchannels";
      return true;
    }
    if (lower.starts_with("+@") || lower.starts_with("-@")) {
      const bool known =
          std::ranges::find(kCategories, std::string_view(lower).substr(2)) != kCategories.end();
      if (!known) return Refuse(rule, "There is no such category of commands.");
      return true;
    }
    if (lower.front() == '+' || lower.front() == '-') {
      if (Status status = CheckCommand(rule, lower); !status.ok()) return status;
      return true;
    }
    if (rule.front() == '&') return TakeChannel(rule);
    if (rule.front() == '~' || rule.front() == '%') return TakeKeys(rule, lower);
    return false;
  }

  bool needs_redis7() const { return needs_redis7_; }

 private:
  Result<bool> TakeChannel(std::string_view rule) {
    if (all_channels_) {
      return Refuse(rule, "A pattern after all channels has no effect: say resetchannels first.");
    }
    all_channels_ = rule == "&*";
    return true;
  }

  // ~pattern, or %R~pattern, %W~pattern, %RW~pattern.
  Result<bool> TakeKeys(std::string_view rule, const std::string& lower) {
    bool whole = true;
    std::string_view pattern = rule.substr(1);
    if (rule.front() == '%') {
      const size_t tilde = lower.find('~');
      const std::string kinds = lower.substr(1, tilde == std::string::npos ? tilde : tilde - 1);
      const bool is_known = kinds == "r" || kinds == "w" || kinds == "rw" || kinds == "wr";
      if (tilde == std::string::npos || !is_known) {
        return Refuse(rule, "Key permissions are %R~, %W~ and %RW~.");
      }
      needs_redis7_ = true;
      whole = kinds.size() == 2;
      pattern = rule.substr(tilde + 1);
    }
    if (all_keys_) {
      return Refuse(rule, "A pattern after all keys has no effect: say resetkeys first.");
    }
    all_keys_ = whole && pattern == "*";
    return true;
  }

  bool all_keys_ = false;
  bool all_channels_ = false;
  bool needs_redis7_ = false;
};

// The words of a selector, from the one that opens it to the one that closes it, as one rule.
Result<std::string> TakeSelector(const std::vector<std::string>& words, size_t* at) {
  std::string selector = words[*at];
  while (!selector.ends_with(')')) {
    if (++*at == words.size()) return Refuse(selector, "Its parenthesis is not closed.");
    selector += " " + words[*at];
  }
  return selector;
}

Status CheckSelector(const std::string& selector) {
  const std::string_view inside = std::string_view(selector).substr(1, selector.size() - 2);
  // Engines read a selector as they read a line: quotes would hide from them what stands behind.
  if (inside.find_first_of("()\"'\\") != std::string_view::npos) {
    return Refuse(selector, "A selector contains no parentheses, quotes or backslashes.");
  }
  Permissions permissions;
  for (const std::string& rule : WordsOf(inside)) {
    const std::string lower = Lower(rule);
    EC_RETURN_IF_ERROR(CheckAllowed(rule, lower));
    const Result<bool> taken = permissions.Take(rule, lower);
    if (!taken.ok()) return taken.status();
    if (!*taken) return Refuse(rule, "A selector has keys, channels and commands only.");
  }
  return {};
}

}  // namespace

Result<AccessRules> ParseAccessString(std::string_view text) {
  if (text.size() > kLengthMax) {
    return Refuse("...", fmt::format("It has at most {} characters.", kLengthMax));
  }
  const bool is_printable = std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t' || c == '\n' || c == '\r';
  });
  if (!is_printable) return Refuse("...", "It contains a control character.");
  const std::vector<std::string> words = WordsOf(text);
  if (words.empty()) return Refuse("", "It must contain a rule.");
  AccessRules rules;
  Permissions root;
  for (size_t at = 0; at < words.size(); ++at) {
    if (words[at].front() == '(') {
      Result<std::string> selector = TakeSelector(words, &at);
      if (!selector.ok()) return selector.status();
      EC_RETURN_IF_ERROR(CheckSelector(*selector));
      rules.needs_redis7 = true;
      rules.rules.push_back(*selector);
      continue;
    }
    const std::string& rule = words[at];
    const std::string lower = Lower(rule);
    EC_RETURN_IF_ERROR(CheckAllowed(rule, lower));
    if (lower != "on" && lower != "off") {
      const Result<bool> taken = root.Take(rule, lower);
      if (!taken.ok()) return taken.status();
      if (!*taken) return Refuse(rule, "There is no such rule.");
    }
    rules.rules.push_back(rule);
  }
  rules.needs_redis7 = rules.needs_redis7 || root.needs_redis7();
  return rules;
}

}  // namespace ec::model
