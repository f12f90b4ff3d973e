// The access rules of a user: Redis's notation, less what AWS does not let its customers say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace ec::model {

struct AccessRules {
  // One rule each, in their order; a selector is one, in its parentheses: "(+@read ~logs:*)".
  std::vector<std::string> rules;
  bool needs_redis7 = false;  // selectors and key permissions (%R~)
  friend bool operator==(const AccessRules&, const AccessRules&) = default;
};

// kInvalidParameterValue for whatever an engine would refuse, for rules about passwords, for
// `reset`, and for rules that grant a command which is kept from customers. No error repeats a
// password.
//
//   string    := rule (blank+ rule)*
//   rule      := "on" | "off" | permission | "(" permission* ")"
//   permission:= ~pattern | %R~pattern | %W~pattern | %RW~pattern | allkeys | resetkeys
//              | &pattern | allchannels | resetchannels
//              | +command | -command | +command|sub | -command|sub | +@category | -@category
//              | allcommands | nocommands
Result<AccessRules> ParseAccessString(std::string_view text);

}  // namespace ec::model
