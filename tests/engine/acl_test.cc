// What engines are told of users, and how agents log in.
#include "nodeagent/engine/acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/restricted_commands.h"

namespace ec::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

EngineAccess Access(std::vector<EngineUser> users) {
  return {"admin", "replication", std::move(users), 7};
}

std::vector<std::string> Denials() {
  std::vector<std::string> all;
  for (const std::string_view name : kRestrictedCommands) all.push_back("-" + std::string(name));
  for (const std::string_view name : kRestrictedLinkCommands)
    all.push_back("-" + std::string(name));
  for (const std::string_view name : kRestrictedSubcommands) all.push_back("-" + std::string(name));
  return all;
}

TEST(Acl, TheDenialsStandBehindEverythingAndInsideEverySelector) {
  const AclUser user = AclOf(EngineUser{"a", "a", {"on", "+@all", "(~* +@all)", "()"}});
  std::vector<std::string> expected = {"reset", "on", "+@all", "(~* +@all", "("};
  for (const std::string& denial : Denials()) {
    expected[3] += " " + denial;
    expected[4] += (expected[4].size() > 1 ? " " : "") + denial;
    expected.push_back(denial);
  }
  expected[3] += ")";
  expected[4] += ")";
  EXPECT_EQ(user.rules, expected);
}

TEST(Acl, TheAgentAndTheFollowersHaveUsersOfTheirOwn) {
  const std::vector<AclUser> users = AclOf(Access({{"default", "default", {"on"}}}));
  ASSERT_EQ(users.size(), 3u);
  EXPECT_EQ(users[0].name, kAdminUser);
  EXPECT_THAT(users[0].rules, Contains("+@all"));
  EXPECT_EQ(users[1].name, kReplicationUser);
  EXPECT_THAT(users[1].rules, Not(Contains("+@all")));
  EXPECT_THAT(users[1].rules, Contains("+psync"));
}

TEST(Acl, WithoutADefaultUserNobodyIsLetInUnasked) {
  const std::vector<AclUser> users = AclOf(Access({{"alice", "alice", {"on"}}}));
  ASSERT_EQ(users.size(), 4u);
  EXPECT_EQ(users[2].name, "default");
  EXPECT_THAT(users[2].rules, ElementsAre("reset", "off"));
}

TEST(Acl, APatternCannotBecomeADirective) {
  const std::string conf =
      AclConfiguration(Access({{"a", "a", {"on", "~\"\nrename-command GET x\n", "~\\", "~#a b"}}}));
  EXPECT_THAT(conf, HasSubstr("\"~\\\"\\x0arename-command GET x\\x0a\""));
  EXPECT_THAT(conf, HasSubstr("\"~#a b\""));
}

TEST(Acl, WhoIsGoneOrSomebodyElseLosesItsConnections) {
  EngineLogin before{"admin", "p-", 6, {}};
  before.users = {{"default", "default"}, {"alice", "alice"}, {"bob", "bob"}, {"carol", "carol"}};
  const std::vector<std::string> commands = AclCommands(
      before,
      Access({{"default", "own", {"on"}}, {"alice", "alice", {"on"}}, {"bob", "other", {"on"}}}));
  EXPECT_THAT(commands, Contains("p-config SET masteruser __emucache_replication"));
  EXPECT_THAT(commands, Contains("ACL DELUSER \"carol\""));
  EXPECT_THAT(commands, Contains("CLIENT KILL USER \"bob\""));
  EXPECT_THAT(commands, Contains("CLIENT KILL USER \"default\""));
  EXPECT_THAT(commands, Not(Contains("CLIENT KILL USER \"alice\"")));
  EXPECT_THAT(commands, Not(Contains("ACL DELUSER \"default\"")));
}

TEST(EngineLogin, IsReadAsItWasWritten) {
  EngineLogin login{"secret", "ec-1-", 18446744073709551615u, {{"default", "x"}, {"a", "b"}}};
  EXPECT_EQ(ParseEngineLogin(ToText(login)), login);
  login.prefix.clear();
  login.users.clear();
  EXPECT_EQ(ParseEngineLogin(ToText(login)), login);
  for (const char* text :
       {"", "secret", "secret\nprefix\n", "\n\n1\n", "secret\n\nx\n", "secret\n\n1\nnoblank\n"}) {
    EXPECT_EQ(ParseEngineLogin(text), std::nullopt) << text;
  }
}

TEST(EngineLogin, KnowsHiddenCommandsByTheirOtherNames) {
  const EngineLogin login{"secret", "ec-1-", 1, {}};
  EXPECT_EQ(login.Name("BGSAVE"), "ec-1-bgsave");
  EXPECT_EQ(login.Name("config"), "ec-1-config");
  EXPECT_EQ(login.Name("INFO"), "INFO");
  EXPECT_EQ(login.Name("psync"), "psync");
  EXPECT_THAT(login.Greeting(), StartsWith("AUTH __emucache_admin secret"));
  EXPECT_EQ(EngineLogin{}.Name("BGSAVE"), "bgsave");
  EXPECT_THAT(EngineLogin{}.Greeting(), IsEmpty());
}

}  // namespace
}  // namespace ec::engine
