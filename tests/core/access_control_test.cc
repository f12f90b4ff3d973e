// Tokens and user groups of replication groups: AuthToken, its rotation, and the way from one to
// the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/digest.h"
#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using ec::testing::IsOk;
using model::AccessChange;
using model::GroupStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kFirst[] = "the-first-token-of-all";
constexpr char kSecond[] = "the-second-token-here";
constexpr Fault kCombination = Fault::kInvalidParameterCombination;
constexpr Fault kValue = Fault::kInvalidParameterValue;

class AccessControlTest : public GroupTest {
 protected:
  AccessControlTest() {
    EXPECT_THAT(plane.Ask(UserCommand(CreateUserGroup{"ug", "redis", {"default"}, {}})), IsOk());
    EXPECT_THAT(plane.Ask(UserCommand(CreateUserGroup{"other", "redis", {"default"}, {}})), IsOk());
    plane.Settle();
  }
  static CreateGroup Encrypted(int clusters = 2) {
    CreateGroup request = ec::testing::RedisGroup("g", clusters);
    request.transit_encryption = true;
    return request;
  }
  void MakeEncrypted(const std::string& token = "", const std::string& user_group = "") {
    CreateGroup request = Encrypted();
    if (!token.empty()) request.auth_token = token;
    if (!user_group.empty()) request.user_groups = {user_group};
    ASSERT_THAT(plane.Ask(request), IsOk());
    plane.Settle();
    ASSERT_EQ(group().status, GroupStatus::kAvailable);
  }
  Status Token(const std::string& token, const std::string& strategy) {
    return plane.Ask(Change([&](auto& r) {
      r.auth_token = token;
      if (!strategy.empty()) r.auth_token_strategy = strategy;
    }));
  }
  // The rules of who does not name itself.
  std::vector<std::string> DefaultAt(const std::string& cluster) {
    for (const EngineUser& user : SpecOf(cluster).access->users) {
      if (user.name == "default") return user.rules;
    }
    return {};
  }
  static std::vector<std::string> Let(const std::vector<std::string>& tokens) {
    std::vector<std::string> rules = {"on"};
    if (tokens.empty()) rules.push_back("nopass");
    for (const std::string& token : tokens) rules.push_back("#" + Sha256Hex(token));
    for (const char* rule : {"~*", "&*", "+@all"}) rules.push_back(rule);
    return rules;
  }
};

TEST_F(AccessControlTest, NeedsEncryptionInTransit) {
  CreateGroup request = ec::testing::RedisGroup("g", 1);
  request.auth_token = kFirst;
  ExpectRefused(request, kCombination, HasSubstr("encryption in transit"));
  request.auth_token.reset();
  request.user_groups = {"ug"};
  ExpectRefused(request, kCombination,
                "User group based access control requires encryption-in-transit to be enabled on "
                "the replication group.");
  Make(1, false);
  ExpectRefused(Change([](auto& r) { r.auth_token = kFirst; }), kCombination,
                HasSubstr("encryption in transit"));
  ExpectRefused(Change([](auto& r) { r.add_user_groups = {"ug"}; }), kCombination,
                HasSubstr("encryption-in-transit"));
}

TEST_F(AccessControlTest, ATokenHasAsManyCharactersAndOnlyThose) {
  for (const char* bad : {"", "fifteen-letters", "has a blank in the middle",
                          "has/a/slash/in/the/middle", "has@an@at@in@the@middle"}) {
    CreateGroup request = Encrypted();
    request.auth_token = bad;
    ExpectRefused(request, kValue, HasSubstr("Invalid value for AuthToken"));
    if (*bad != '\0') ExpectRefused(request, kValue, Not(HasSubstr(bad)));
  }
  CreateGroup request = Encrypted();
  request.auth_token = std::string(129, 'a');
  ExpectRefused(request, kValue, HasSubstr("16 to 128"));
  MakeEncrypted("!&#$^<>-0123456789");
  ExpectRefused(Change([](auto& r) { r.auth_token = "per%cent%per%cent"; }), kValue,
                HasSubstr("AuthToken"));
  EXPECT_THAT(Token("more_is*allowed+later=", "ROTATE"), IsOk());
}

TEST_F(AccessControlTest, OnlyItsHashIsKeptAndToldToEveryEngine) {
  MakeEncrypted(kFirst);
  EXPECT_EQ(group().access.token, Sha256Hex(kFirst));
  EXPECT_TRUE(group().access.token_changed.has_value());
  EXPECT_EQ(DefaultAt("g-001"), Let({kFirst}));
  EXPECT_EQ(DefaultAt("g-002"), Let({kFirst}));
}

TEST_F(AccessControlTest, WithoutTokenEverybodyIsLetIn) {
  Make(2, true);
  EXPECT_EQ(DefaultAt("g-001"), Let({}));
  MakeMaster("alone");
  EXPECT_EQ(DefaultAt("alone"), Let({}));
}

TEST_F(AccessControlTest, RotateKeepsBothAndSetLeavesTheNewOne) {
  MakeEncrypted(kFirst);
  ASSERT_THAT(Token(kSecond, ""), IsOk());
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  EXPECT_EQ(group().access.change, AccessChange::kRotatingToken);
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
  EXPECT_EQ(DefaultAt("g-002"), Let({kSecond, kFirst}));
  ASSERT_THAT(Token(kSecond, "SET"), IsOk());
  EXPECT_EQ(group().access.change, AccessChange::kSettingToken);
  plane.Settle();
  EXPECT_EQ(DefaultAt("g-002"), Let({kSecond}));
}

TEST_F(AccessControlTest, RotatedTwiceTheOldestIsGone) {
  MakeEncrypted(kFirst);
  ASSERT_THAT(Token(kSecond, "ROTATE"), IsOk());
  plane.Settle();
  ASSERT_THAT(Token("the-third-one-of-them", "ROTATE"), IsOk());
  plane.Settle();
  EXPECT_EQ(DefaultAt("g-001"), Let({"the-third-one-of-them", kSecond}));
}

TEST_F(AccessControlTest, TheFirstTokenOfAGroupIsOptionalUntilItIsSet) {
  MakeEncrypted();
  ExpectRefused(Change([](auto& r) {
                  r.auth_token = kFirst;
                  r.auth_token_strategy = "SET";
                }),
                kCombination, HasSubstr("only allowed after ROTATE"));
  ASSERT_THAT(Token(kFirst, "ROTATE"), IsOk());
  plane.Settle();
  EXPECT_EQ(DefaultAt("g-001"), Let({}));
  ASSERT_THAT(Token(kFirst, "SET"), IsOk());
  plane.Settle();
  EXPECT_EQ(DefaultAt("g-001"), Let({kFirst}));
}

TEST_F(AccessControlTest, TokenAndStrategyGoTogether) {
  MakeEncrypted(kFirst);
  ExpectRefused(Change([](auto& r) { r.auth_token_strategy = "SET"; }), kCombination,
                HasSubstr("AuthToken"));
  ExpectRefused(Change([](auto& r) { r.auth_token_strategy = "DELETE"; }), kCombination,
                HasSubstr("DELETE is only allowed"));
  ExpectRefused(Change([](auto& r) {
                  r.auth_token = kSecond;
                  r.auth_token_strategy = "REPLACE";
                }),
                kValue, HasSubstr("SET, ROTATE or DELETE"));
  ExpectRefused(Change([](auto& r) {
                  r.auth_token = kSecond;
                  r.auth_token_strategy = "DELETE";
                  r.add_user_groups = {"ug"};
                }),
                kCombination, HasSubstr("must not be given"));
}

TEST_F(AccessControlTest, AUserGroupTakesTheTokensPlaceAndBack) {
  MakeEncrypted(kFirst);
  ExpectRefused(Change([](auto& r) { r.add_user_groups = {"ug"}; }), kCombination,
                HasSubstr("DELETE removes the token"));
  ASSERT_THAT(plane.Ask(Change([](auto& r) {
    r.add_user_groups = {"ug"};
    r.auth_token_strategy = "DELETE";
  })),
              IsOk());
  EXPECT_EQ(group().access.change, AccessChange::kUserGroups);
  plane.Settle();
  EXPECT_EQ(group().access.token, "");
  EXPECT_FALSE(group().access.token_changed.has_value());
  EXPECT_EQ(group().access.user_group, "ug");
  EXPECT_EQ(group().access.change, AccessChange::kNone);
  ExpectRefused(Change([](auto& r) { r.auth_token = kSecond; }), kCombination,
                HasSubstr("exclude each other"));
  ASSERT_THAT(plane.Ask(Change([](auto& r) {
    r.remove_all_user_groups = true;
    r.auth_token = kSecond;
    r.auth_token_strategy = "SET";
  })),
              IsOk());
  plane.Settle();
  EXPECT_EQ(DefaultAt("g-001"), Let({kSecond}));
  EXPECT_EQ(group().access.user_group, "");
}

TEST_F(AccessControlTest, UserGroupsAreSwappedInOneCall) {
  MakeEncrypted("", "ug");
  ExpectRefused(Change([](auto& r) { r.add_user_groups = {"other"}; }), kCombination,
                HasSubstr("one user group"));
  ASSERT_THAT(plane.Ask(Change([](auto& r) {
    r.add_user_groups = {"other"};
    r.remove_user_groups = {"ug"};
  })),
              IsOk());
  EXPECT_EQ(group().access.former_user_group, "ug");
  plane.Settle();
  EXPECT_EQ(group().access.user_group, "other");
  EXPECT_EQ(group().access.former_user_group, "");
}

TEST_F(AccessControlTest, UserGroupsAreRefusedThatAreNotThere) {
  CreateGroup request = Encrypted();
  request.user_groups = {"nope"};
  ExpectRefused(request, Fault::kUserGroupNotFound, HasSubstr("nope"));
  request.user_groups = {"ug", "other"};
  ExpectRefused(request, kCombination, HasSubstr("one user group"));
  request.user_groups = {"ug"};
  request.auth_token = kFirst;
  ExpectRefused(request, kCombination, HasSubstr("exclude each other"));
  MakeEncrypted();
  ExpectRefused(Change([](auto& r) { r.add_user_groups = {"nope"}; }), Fault::kUserGroupNotFound,
                HasSubstr("nope"));
  ExpectRefused(Change([](auto& r) { r.remove_user_groups = {"ug"}; }), kCombination,
                HasSubstr("not associated"));
  EXPECT_THAT(plane.Ask(UserCommand(CreateUserGroup{"new", "redis", {"default"}, {}})), IsOk());
  ExpectRefused(Change([](auto& r) { r.add_user_groups = {"new"}; }), Fault::kInvalidUserGroupState,
                HasSubstr("creating"));
}

TEST_F(AccessControlTest, AChangeLastsUntilEveryEngineKnows) {
  MakeEncrypted(kFirst);
  HostOf("g-002").deaf.insert(node("g-002").id);
  ASSERT_THAT(Token(kSecond, "ROTATE"), IsOk());
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  plane.Restart();
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kModifying);
  HostOf("g-002").deaf.clear();
  plane.Settle();
  EXPECT_EQ(group().status, GroupStatus::kAvailable);
}

TEST_F(AccessControlTest, NewReplicasAndNewLeadersKnowTheSame) {
  MakeEncrypted(kFirst);
  ASSERT_THAT(plane.Ask(IncreaseReplicas{"g", 2, {}, true}), IsOk());
  plane.Settle();
  EXPECT_EQ(DefaultAt("g-003"), Let({kFirst}));
  ASSERT_THAT(plane.Ask(Switchover{"g", std::nullopt}), IsOk());
  plane.Settle();
  EXPECT_NE(leader(), "g-001");
  for (const char* cluster : {"g-001", "g-002", "g-003"}) {
    EXPECT_EQ(DefaultAt(cluster), Let({kFirst})) << cluster;
  }
}

TEST_F(AccessControlTest, APromotedReplicaKeepsTheTokenAndCanChangeIt) {
  MakeEncrypted(kFirst);
  ASSERT_THAT(plane.Ask(Promote{"g-002", false}), IsOk());
  plane.Settle();
  EXPECT_TRUE(plane.cluster("g-002").group.empty());
  EXPECT_TRUE(plane.cluster("g-002").transit_encryption);
  EXPECT_EQ(DefaultAt("g-002"), Let({kFirst}));
  ModifyCluster rotate;
  rotate.id = "g-002";
  rotate.auth_token = kSecond;
  ASSERT_THAT(plane.Ask(rotate), IsOk());
  plane.Settle();
  EXPECT_EQ(DefaultAt("g-002"), Let({kSecond, kFirst}));
  EXPECT_EQ(DefaultAt("g-001"), Let({kFirst}));
  rotate.id = "g-001";
  ExpectRefused(rotate, kCombination, HasSubstr("replication group g"));
}

TEST_F(AccessControlTest, AGroupFormedAroundAClusterHasItsToken) {
  MakeEncrypted(kFirst);
  ASSERT_THAT(plane.Ask(DeleteGroup{"g", true, {}}), IsOk());
  plane.Settle();
  ASSERT_TRUE(plane.has_cluster("g-001"));
  EXPECT_EQ(DefaultAt("g-001"), Let({kFirst}));
  CreateGroup around;
  around.id = "h";
  around.description = "h";
  around.primary_cluster = "g-001";
  ASSERT_THAT(plane.Ask(around), IsOk());
  plane.Settle();
  EXPECT_TRUE(group("h").transit_encryption);
  EXPECT_EQ(group("h").access.token, Sha256Hex(kFirst));
  EXPECT_EQ(DefaultAt("g-001"), Let({kFirst}));
}

TEST_F(AccessControlTest, MemcachedKnowsNoUsers) {
  ASSERT_THAT(plane.Ask(ec::testing::Memcached("m")), IsOk());
  plane.Settle();
  EXPECT_FALSE(SpecOf("m").access.has_value());
}

TEST_F(AccessControlTest, SecretsAreDrawnOnce) {
  const auto drawn = plane.records().installation.secrets;
  ASSERT_TRUE(drawn.has_value());
  ASSERT_THAT(plane.Ask(Prepare{true, std::nullopt, model::EngineSecrets{"x", "y"}}), IsOk());
  EXPECT_TRUE(plane.records().installation.secrets == drawn);
}

}  // namespace
}  // namespace ec::core
