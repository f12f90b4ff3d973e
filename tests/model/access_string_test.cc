// Access strings: what a user may be allowed, and what is refused before an engine sees it.
#include "controlplane/model/access_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/restricted_commands.h"

namespace ec::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> RulesOf(std::string_view text) {
  const Result<AccessRules> rules = ParseAccessString(text);
  EXPECT_TRUE(rules.ok()) << text << ": " << rules.status().message();
  return rules.ok() ? rules->rules : std::vector<std::string>();
}

std::string RefusalOf(const std::string& text) {
  const Result<AccessRules> rules = ParseAccessString(text);
  EXPECT_FALSE(rules.ok()) << text;
  if (rules.ok()) return "";
  EXPECT_EQ(rules.status().fault(), Fault::kInvalidParameterValue) << text;
  EXPECT_THAT(rules.status().message(), HasSubstr("Invalid value for AccessString: '"));
  return rules.status().message();
}

TEST(AccessString, IsAListOfRulesInTheirOrder) {
  EXPECT_THAT(RulesOf("on ~* +@all"), ElementsAre("on", "~*", "+@all"));
  EXPECT_THAT(RulesOf("  off\t-@all\n"), ElementsAre("off", "-@all"));
  EXPECT_THAT(RulesOf("on ~app::* &news:* -@all +@read +hset -hdel +client|getname"),
              ElementsAre("on", "~app::*", "&news:*", "-@all", "+@read", "+hset", "-hdel",
                          "+client|getname"));
  EXPECT_THAT(RulesOf("ON AllKeys AllChannels +@READ +GET"),
              ElementsAre("ON", "AllKeys", "AllChannels", "+@READ", "+GET"));
  EXPECT_THAT(RulesOf("on resetkeys resetchannels nocommands +select|0"),
              ElementsAre("on", "resetkeys", "resetchannels", "nocommands", "+select|0"));
}

TEST(AccessString, HasSelectorsAndKeyPermissionsWhichNeedRedis7) {
  EXPECT_THAT(RulesOf("on %R~a* %w~b* %RW~c (+@read ~d*) ( +set ~e )"),
              ElementsAre("on", "%R~a*", "%w~b*", "%RW~c", "(+@read ~d*)", "( +set ~e )"));
  EXPECT_TRUE(ParseAccessString("on (~a)")->needs_redis7);
  EXPECT_TRUE(ParseAccessString("on %R~a")->needs_redis7);
  EXPECT_FALSE(ParseAccessString("on ~a +@all &b")->needs_redis7);
}

TEST(AccessString, SetsNoPassword) {
  for (const std::string rule :
       {">sixteen-characters", "<sixteen-characters", "#0123456789abcdef", "!0123456789abcdef"}) {
    EXPECT_THAT(RefusalOf("on ~* +@all " + rule), Not(HasSubstr(rule))) << "it repeats a password";
  }
  for (const char* rule : {"nopass", "NoPass", "resetpass", "RESETPASS"}) {
    EXPECT_THAT(RefusalOf("on ~* +@all " + std::string(rule)), HasSubstr("Passwords are set by"));
  }
  RefusalOf("on (nopass)");
  RefusalOf("on (>sixteen-characters)");
}

TEST(AccessString, ThrowsNothingAway) {
  for (const char* rule : {"reset", "RESET", "clearselectors", "sanitize-payload"}) {
    RefusalOf("on ~* +@all " + std::string(rule));
  }
}

TEST(AccessString, GrantsNoRestrictedCommand) {
  std::vector<std::string> commands(kRestrictedCommands.begin(), kRestrictedCommands.end());
  commands.insert(commands.end(), kRestrictedLinkCommands.begin(), kRestrictedLinkCommands.end());
  commands.insert(commands.end(), kRestrictedSubcommands.begin(), kRestrictedSubcommands.end());
  for (const std::string& command : commands) {
    EXPECT_THAT(RefusalOf("on ~* +" + command), HasSubstr("not available to customers"));
    EXPECT_THAT(RefusalOf("on ~* (~* +" + command + ")"), HasSubstr("not available to customers"));
    RulesOf("on ~* +@all -" + command);
  }
  RefusalOf("on +CONFIG");
  RefusalOf("on +config|get");
  RulesOf("on ~* +acl|whoami +cluster|slots +acl +cluster");
}

TEST(AccessString, SaysOnlyWhatEnginesUnderstand) {
  for (const char* rule : {"bogus",
                           "+",
                           "-",
                           "+@",
                           "+@bogus",
                           "-@bogus",
                           "+bogus",
                           "-bogus",
                           "+config|bogus",
                           "-acl|bogus",
                           "-select|0",
                           "+acl|cat|x",
                           "+client|",
                           "%~a",
                           "%X~a",
                           "%Ra",
                           "%",
                           "(on)",
                           "(~a",
                           "(~a (~b))",
                           "(~\"a b\")",
                           "(~a' +@all ~b')",
                           "(bogus)",
                           "~* ~a",
                           "allkeys ~a",
                           "%RW~* ~a",
                           "&* &a",
                           "allchannels &a",
                           "(~* ~a)"}) {
    RefusalOf("on " + std::string(rule));
  }
  RulesOf("on %R~* ~a");
  RulesOf("on ~* resetkeys ~a");
}

TEST(AccessString, IsShortAndPrintable) {
  RefusalOf("");
  RefusalOf(" \t");
  RefusalOf(std::string("on ~a\x01", 6));
  RefusalOf(std::string("on ~a\0b", 7));
  RefusalOf("on ~" + std::string(5000, 'a'));
  RulesOf("on ~" + std::string(4000, 'a'));
  RulesOf("on ~\xc3\xa9*");
}

}  // namespace
}  // namespace ec::model
