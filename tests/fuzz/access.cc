// The bytes are a user's access string. What passes says the same when it is read again, is one
// line of the engine's configuration, and grants nothing that is kept from customers: behind the
// last grant of the root, and of each selector, all of that is denied.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "common/check.h"
#include "common/restricted_commands.h"
#include "controlplane/model/access_string.h"
#include "nodeagent/engine/acl.h"
#include "tests/fuzz/targets.h"

namespace ec::fuzz {
namespace {

using Words = std::vector<std::string>;

bool IsGrant(const std::string& word) { return word.starts_with('+') || word == "allcommands"; }

void CheckDenials(const Words& words) {
  const auto behind_grants = std::find_if(words.rbegin(), words.rend(), IsGrant).base();
  const auto check = [&](std::string_view command) {
    EC_CHECK(std::find(behind_grants, words.end(), fmt::format("-{}", command)) != words.end());
  };
  for (const std::string_view command : kRestrictedCommands) check(command);
  for (const std::string_view command : kRestrictedLinkCommands) check(command);
  for (const std::string_view command : kRestrictedSubcommands) check(command);
}

Words InParentheses(const std::string& selector) {
  std::istringstream stream(selector.substr(1, selector.size() - 2));
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

void Access(std::string_view bytes) {
  const auto parsed = model::ParseAccessString(bytes);
  if (!parsed.ok()) return;
  const auto again = model::ParseAccessString(fmt::format("{}", fmt::join(parsed->rules, " ")));
  EC_CHECK(again.ok() && *again == *parsed);

  const EngineUser user{"somebody", "u-1", parsed->rules};
  Words root;
  for (const std::string& rule : engine::AclOf(user).rules) {
    const bool is_selector = rule.starts_with('(');
    EC_CHECK(!is_selector || rule.ends_with(')'));
    if (is_selector) {
      CheckDenials(InParentheses(rule));
    } else {
      root.push_back(rule);
    }
  }
  CheckDenials(root);

  const auto lines = [](const EngineAccess& access) {
    const std::string text = engine::AclConfiguration(access);
    return std::ranges::count(text, '\n');
  };
  EC_CHECK(lines({"admin", "replication", {user}, 1}) ==
           lines({"admin", "replication", {}, 1}) + 1);
}

}  // namespace ec::fuzz
