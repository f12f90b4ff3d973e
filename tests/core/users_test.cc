// Users and user groups: what may be said, and when it is so everywhere.
#include "controlplane/model/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/digest.h"
#include "controlplane/model/limits.h"
#include "tests/core/group_fixture.h"

namespace ec::core {
namespace {

using ec::testing::Fails;
using ec::testing::IsOk;
using model::UserGroupStatus;
using model::UserStatus;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kPassword[] = "a-password-of-24-letters";

class Users : public GroupTest {
 protected:
  static CreateUser NewUser(const std::string& id,
                            const std::function<void(CreateUser&)>& change = {}) {
    CreateUser request;
    request.id = id;
    request.name = id;
    request.engine = "redis";
    request.access_string = "on ~* +@all";
    request.passwords = {kPassword};
    if (change) change(request);
    return request;
  }
  Status Ask(const UserCommand& command) { return plane.Ask(command); }
  void Add(const std::string& id, const std::function<void(CreateUser&)>& change = {}) {
    ASSERT_THAT(Ask(NewUser(id, change)), IsOk());
  }
  void AddGroup(const std::string& id, const std::vector<std::string>& users) {
    ASSERT_THAT(Ask(CreateUserGroup{id, "redis", users, {}}), IsOk());
    plane.Settle();
    ASSERT_EQ(user_group(id).status, UserGroupStatus::kActive);
  }
  // Group "g" with the user group "ug" of default and alice.
  void MakeWithUsers(int clusters = 2) {
    Add("alice", [](auto& r) { r.access_string = "on ~a* +@all"; });
    AddGroup("ug", {"default", "alice"});
    CreateGroup request = ec::testing::RedisGroup("g", clusters);
    request.transit_encryption = true;
    request.user_groups = {"ug"};
    ASSERT_THAT(plane.Ask(request), IsOk());
    plane.Settle();
    ASSERT_EQ(group().status, model::GroupStatus::kAvailable);
  }

  const model::User& user(const std::string& id) { return plane.records().users.at(id); }
  const model::UserGroup& user_group(const std::string& id) {
    return plane.records().user_groups.at(id);
  }
  // What the cluster's engine is told of the user; empty when it knows none.
  std::vector<std::string> RulesAt(const std::string& cluster, const std::string& name) {
    for (const EngineUser& one : SpecOf(cluster).access->users) {
      if (one.name == name) return one.rules;
    }
    return {};
  }
  void ExpectUserRefused(const UserCommand& command, Fault fault, const std::string& text) {
    ExpectRefused(command, fault, HasSubstr(text));
  }
};

TEST_F(Users, AreKeptInLowerCaseWithHashesOfTheirPasswordsOnly) {
  Add("Alice", [](auto& r) {
    r.name = "ALICE";
    r.engine = "REDIS";
    r.passwords = {kPassword, "another-password-of-hers"};
  });
  EXPECT_EQ(user("alice").name, "ALICE");
  EXPECT_EQ(user("alice").engine, "redis");
  EXPECT_EQ(user("alice").status, UserStatus::kActive);
  EXPECT_THAT(user("alice").passwords,
              ElementsAre(Sha256Hex(kPassword), Sha256Hex("another-password-of-hers")));
  ExpectUserRefused(NewUser("ALICE"), Fault::kUserAlreadyExists, "User alice already exists.");
  ExpectUserRefused(NewUser("default"), Fault::kUserAlreadyExists, "default");
}

TEST_F(Users, AreRefusedForWhatIsWrongWithThem) {
  const Fault value = Fault::kInvalidParameterValue;
  const Fault combination = Fault::kInvalidParameterCombination;
  const struct {
    std::function<void(CreateUser&)> change;
    Fault fault;
    const char* text;
  } cases[] = {
      {[](auto& r) { r.id = "1st"; }, value, "UserId"},
      {[](auto& r) { r.id = ""; }, value, "UserId"},
      {[](auto& r) { r.id = "a.b"; }, value, "UserId"},
      {[](auto& r) { r.id = std::string(41, 'a'); }, value, "UserId"},
      {[](auto& r) { r.name = ""; }, value, "UserName"},
      {[](auto& r) { r.name = "two words"; }, value, "UserName"},
      {[](auto& r) { r.name = "__emucache_admin"; }, value, "service's own"},
      {[](auto& r) { r.engine = "memcached"; }, value, "Engine"},
      {[](auto& r) { r.access_string = "on +config"; }, value, "not available to customers"},
      {[](auto& r) { r.passwords = {"too-short"}; }, value,
       "Passwords length must be between 16-128 characters."},
      {[](auto& r) { r.passwords = {std::string(129, 'a')}; }, value, "between 16-128"},
      {[](auto& r) {
         r.passwords = {kPassword, kPassword, kPassword};
       },
       value, "at most 2"},
      {[](auto& r) { r.passwords.clear(); }, value,
       "No password was provided. If you want to create/update the user without password, please "
       "use the NoPasswordRequired flag."},
      {[](auto& r) { r.no_password_required = true; }, combination, "exclude each other"},
      {[](auto& r) {
         r.mode = AuthenticationMode{"magic", {}};
       },
       value,
       "Input Authentication type: magic is not in the allowed list: "
       "[password,no-password-required,iam]"},
      {[](auto& r) {
         r.mode = AuthenticationMode{"iam", {}};
       },
       combination, "Password field is not allowed with authentication type: iam"},
      {[](auto& r) {
         r.passwords.clear();
         r.mode = AuthenticationMode{"iam", {}};
       },
       value, "iam is not emulated"},
      {[](auto& r) {
         r.mode = AuthenticationMode{"password", {kPassword}};
       },
       combination, "Passwords provided via multiple arguments. Use only one argument"},
      {[](auto& r) {
         r.passwords.clear();
         r.mode = AuthenticationMode{"password", {}};
       },
       combination, "A user with Authentication Mode: password, must have at least one password"},
      {[](auto& r) {
         r.no_password_required = true;
         r.mode = AuthenticationMode{"password", {}};
       },
       combination,
       "No password required flag is true but provided authentication type is password"},
  };
  for (const auto& one : cases) ExpectUserRefused(NewUser("bob", one.change), one.fault, one.text);
}

TEST_F(Users, AreLetInWithoutPasswordWhenThatIsSaid) {
  Add("a", [](auto& r) {
    r.passwords.clear();
    r.no_password_required = true;
  });
  Add("b", [](auto& r) {
    r.passwords.clear();
    r.mode = AuthenticationMode{"no-password-required", {}};
  });
  for (const char* id : {"a", "b"}) {
    EXPECT_TRUE(user(id).no_password);
    EXPECT_THAT(user(id).passwords, IsEmpty());
  }
}

TEST_F(Users, AreAtMostAThousand) {
  for (size_t i = 0; i < model::kUsersMax; ++i) Add("u" + std::to_string(i));
  ExpectUserRefused(NewUser("one-more"), Fault::kUserQuotaExceeded, "1000");
}

TEST_F(Users, TheDefaultOneIsTheServices) {
  EXPECT_EQ(model::DefaultUser().access_string, "on ~* +@all");
  ExpectUserRefused(ModifyUser{.id = "default", .access_string = "off -@all"},
                    Fault::kInvalidParameterValue, "default");
  ExpectUserRefused(DeleteUser{"default"}, Fault::kInvalidParameterValue, "default");
}

TEST_F(Users, AModificationIsRefusedForWhatIsWrongWithIt) {
  Add("alice");
  ExpectUserRefused(ModifyUser{.id = "bob", .access_string = "on"}, Fault::kUserNotFound,
                    "User not found: bob");
  ExpectUserRefused(ModifyUser{.id = "alice"}, Fault::kInvalidParameterCombination,
                    "No modifications were requested");
  ExpectUserRefused(
      ModifyUser{.id = "alice", .access_string = "on", .append_access_string = "+get"},
      Fault::kInvalidParameterCombination, "exclude each other");
  ExpectUserRefused(ModifyUser{.id = "alice", .append_access_string = ">smuggled-password"},
                    Fault::kInvalidParameterValue, "Passwords are set by");
  ExpectUserRefused(ModifyUser{.id = "alice", .append_access_string = "~b"},
                    Fault::kInvalidParameterValue, "after all keys");
  ASSERT_THAT(Ask(ModifyUser{.id = "alice", .engine = "valkey"}), IsOk());
  plane.Settle();
  ExpectUserRefused(ModifyUser{.id = "alice", .engine = "redis"},
                    Fault::kInvalidParameterCombination, "cannot be changed from valkey to redis");
}

TEST_F(Users, AppendedRulesFollowThePresentOnes) {
  Add("alice", [](auto& r) { r.access_string = "on ~a* +get"; });
  ASSERT_THAT(Ask(ModifyUser{.id = "alice", .append_access_string = "+set"}), IsOk());
  EXPECT_EQ(user("alice").access_string, "on ~a* +get +set");
}

TEST_F(Users, GroupsNeedOneDefaultAndNoTwoOfOneName) {
  Add("alice");
  Add("alice-too", [](auto& r) { r.name = "alice"; });
  Add("own-default", [](auto& r) { r.name = "default"; });
  const auto group = [](std::vector<std::string> users, const std::string& engine = "redis") {
    return CreateUserGroup{"ug", engine, std::move(users), {}};
  };
  ExpectUserRefused(group({}), Fault::kDefaultUserRequired, "default");
  ExpectUserRefused(group({"alice"}), Fault::kDefaultUserRequired, "default");
  ExpectUserRefused(group({"default", "nobody"}), Fault::kUserNotFound, "User not found: nobody");
  ExpectUserRefused(group({"default", "alice", "alice-too"}), Fault::kDuplicateUserName, "alice");
  ExpectUserRefused(group({"default", "own-default"}), Fault::kDuplicateUserName, "default");
  ExpectUserRefused(group({"default"}, "memcached"), Fault::kInvalidParameterValue, "Engine");
  ASSERT_THAT(Ask(group({"own-default", "Alice", "alice"})), IsOk());
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kCreating);
  plane.Settle();
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kActive);
  EXPECT_THAT(user_group("ug").users, ElementsAre("alice", "own-default"));
  ExpectUserRefused(group({"default"}), Fault::kUserGroupAlreadyExists, "ug");
}

TEST_F(Users, GroupsHaveAtMostAHundredUsersAndAreAtMostAHundred) {
  std::vector<std::string> users = {"default"};
  for (size_t i = 0; i < model::kUsersPerGroupMax; ++i) {
    users.push_back("u" + std::to_string(i));
    Add(users.back());
  }
  ExpectUserRefused(CreateUserGroup{"ug", "redis", users, {}}, Fault::kInvalidParameterValue,
                    "at most 100");
  users.pop_back();
  for (size_t i = 0; i < model::kUserGroupsMax; ++i) {
    ASSERT_THAT(Ask(CreateUserGroup{"ug" + std::to_string(i), "redis", users, {}}), IsOk());
  }
  ExpectUserRefused(CreateUserGroup{"one-more", "redis", users, {}}, Fault::kUserGroupQuotaExceeded,
                    "100");
}

TEST_F(Users, AGroupIsModifiedByAddingAndRemoving) {
  Add("alice");
  Add("bob");
  Add("own-default", [](auto& r) { r.name = "default"; });
  AddGroup("ug", {"default", "alice"});
  ExpectUserRefused(ModifyUserGroup{"nope", {"bob"}, {}, {}}, Fault::kUserGroupNotFound, "nope");
  ExpectUserRefused(ModifyUserGroup{"ug", {}, {}, {}}, Fault::kInvalidParameterCombination,
                    "No modifications were requested");
  ExpectUserRefused(ModifyUserGroup{"ug", {"alice"}, {}, {}}, Fault::kInvalidParameterCombination,
                    "already");
  ExpectUserRefused(ModifyUserGroup{"ug", {}, {"bob"}, {}}, Fault::kInvalidParameterCombination,
                    "not a member");
  ExpectUserRefused(ModifyUserGroup{"ug", {"bob"}, {"bob"}, {}},
                    Fault::kInvalidParameterCombination, "bob");
  ExpectUserRefused(ModifyUserGroup{"ug", {}, {"default"}, {}}, Fault::kDefaultUserRequired, "");
  ASSERT_THAT(Ask(ModifyUserGroup{"ug", {"bob", "own-default"}, {"default"}, {}}), IsOk());
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kModifying);
  EXPECT_THAT(user_group("ug").users, ElementsAre("alice", "default"));
  EXPECT_THAT(user_group("ug").adding, ElementsAre("bob", "own-default"));
  EXPECT_THAT(user_group("ug").removing, ElementsAre("default"));
  ExpectUserRefused(ModifyUserGroup{"ug", {}, {"bob"}, {}}, Fault::kInvalidUserGroupState,
                    "modifying");
  ExpectUserRefused(DeleteUserGroup{"ug"}, Fault::kInvalidUserGroupState, "modifying");
  plane.Settle();
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kActive);
  EXPECT_THAT(user_group("ug").users, ElementsAre("alice", "bob", "own-default"));
  EXPECT_THAT(user_group("ug").adding, IsEmpty());
}

TEST_F(Users, ADeletedUserLeavesItsGroupsFirst) {
  MakeWithUsers();
  ASSERT_THAT(Ask(DeleteUser{"alice"}), IsOk());
  EXPECT_EQ(user("alice").status, UserStatus::kDeleting);
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kModifying);
  ExpectUserRefused(DeleteUser{"alice"}, Fault::kInvalidUserState, "deleting");
  plane.Settle();
  EXPECT_FALSE(plane.records().users.contains("alice"));
  EXPECT_THAT(user_group("ug").users, ElementsAre("default"));
  EXPECT_THAT(RulesAt("g-001", "alice"), IsEmpty());
}

TEST_F(Users, TheDefaultUserOfAGroupIsNotDeleted) {
  Add("own-default", [](auto& r) { r.name = "default"; });
  AddGroup("ug", {"own-default"});
  ExpectUserRefused(DeleteUser{"own-default"}, Fault::kDefaultUserAssociated, "ug");
}

TEST_F(Users, AUserGroupInUseIsNotDeleted) {
  MakeWithUsers();
  ExpectUserRefused(DeleteUserGroup{"ug"}, Fault::kInvalidUserGroupState, "g");
  ModifyGroup leave = Change([](auto& r) { r.remove_user_groups = {"ug"}; });
  ASSERT_THAT(plane.Ask(leave), IsOk());
  plane.Settle();
  ASSERT_THAT(Ask(DeleteUserGroup{"ug"}), IsOk());
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kDeleting);
  plane.Settle();
  EXPECT_FALSE(plane.records().user_groups.contains("ug"));
}

TEST_F(Users, EveryEngineOfTheGroupIsToldOfThem) {
  MakeWithUsers();
  for (const char* cluster : {"g-001", "g-002"}) {
    EXPECT_THAT(RulesAt(cluster, "alice"),
                ElementsAre("#" + Sha256Hex(kPassword), "on", "~a*", "+@all"));
    EXPECT_THAT(RulesAt(cluster, "default"), ElementsAre("nopass", "on", "~*", "+@all"));
  }
  ASSERT_THAT(Ask(ModifyUser{.id = "alice", .access_string = "on ~b* +get"}), IsOk());
  EXPECT_EQ(user("alice").status, UserStatus::kModifying);
  plane.Settle();
  EXPECT_EQ(user("alice").status, UserStatus::kActive);
  for (const char* cluster : {"g-001", "g-002"}) {
    EXPECT_THAT(RulesAt(cluster, "alice"), Contains("~b*"));
  }
}

TEST_F(Users, AChangeLastsUntilEveryEngineKnows) {
  MakeWithUsers();
  HostOf("g-002").deaf.insert(node("g-002").id);
  ASSERT_THAT(Ask(ModifyUser{.id = "alice", .access_string = "on ~b* +get"}), IsOk());
  ASSERT_THAT(Ask(ModifyUserGroup{"ug", {}, {"alice"}, {}}), IsOk());
  plane.Settle();
  EXPECT_EQ(user("alice").status, UserStatus::kModifying);
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kModifying);
  HostOf("g-002").deaf.clear();
  plane.Settle();
  EXPECT_EQ(user("alice").status, UserStatus::kActive);
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kActive);
}

TEST_F(Users, AChangeThatAnEngineNeverHearsOfEndsWithAnEvent) {
  MakeWithUsers();
  HostOf("g-002").deaf.insert(node("g-002").id);
  ASSERT_THAT(Ask(ModifyUser{.id = "alice", .access_string = "on ~b* +get"}), IsOk());
  plane.Settle();
  plane.ForgetEvents();
  plane.Pass(plane.settings.operation_max);
  EXPECT_EQ(user("alice").status, UserStatus::kActive);
  EXPECT_THAT(plane.NewEvents(), Contains(HasSubstr("could not be applied to every node")));
}

TEST_F(Users, AChangeWaitsForNoEngineThatDoesNotServe) {
  MakeWithUsers();
  Silence("g-002");
  ASSERT_THAT(Ask(ModifyUser{.id = "alice", .access_string = "on ~b* +get"}), IsOk());
  plane.Settle();
  EXPECT_EQ(user("alice").status, UserStatus::kActive);
}

TEST_F(Users, AChangeGoesOnAfterARestartOfTheControlPlane) {
  MakeWithUsers();
  ASSERT_THAT(Ask(DeleteUser{"alice"}), IsOk());
  plane.Restart();
  plane.Settle();
  EXPECT_FALSE(plane.records().users.contains("alice"));
  EXPECT_EQ(user_group("ug").status, UserGroupStatus::kActive);
}

TEST_F(Users, WhatNeedsRedis7IsNotForOlderGroups) {
  Add("selective", [](auto& r) { r.access_string = "on ~a* +get (~b* +set)"; });
  AddGroup("seven", {"default", "selective"});
  AddGroup("six", {"default"});
  CreateGroup request = ec::testing::RedisGroup("g", 1);
  request.transit_encryption = true;
  request.engine_version = "6.2";
  request.user_groups = {"seven"};
  ExpectRefused(request, Fault::kInvalidParameterCombination, HasSubstr("7.0 or later"));
  request.user_groups = {"six"};
  ASSERT_THAT(plane.Ask(request), IsOk());
  plane.Settle();
  ExpectUserRefused(ModifyUserGroup{"six", {"selective"}, {}, {}},
                    Fault::kInvalidParameterCombination, "7.0 or later");
  request.id = "old";
  request.engine_version = "5.0.6";
  ExpectRefused(request, Fault::kInvalidParameterCombination, HasSubstr("6.0 or later"));
}

TEST_F(Users, HaveTagsUnlessTheyAreChanging) {
  MakeWithUsers();
  const std::string arn = "arn:aws:elasticache:us-east-1:000000000000:user:alice";
  ASSERT_THAT(plane.Ask(AddTags{arn, {{"team", "carts"}}}), IsOk());
  EXPECT_EQ(user("alice").tags.at("team"), "carts");
  ASSERT_THAT(Ask(ModifyUser{.id = "alice", .access_string = "on"}), IsOk());
  ExpectRefused(AddTags{arn, {{"team", "x"}}}, Fault::kUserNotFound,
                HasSubstr("is not available for tagging"));
  plane.Settle();
  ASSERT_THAT(plane.Ask(RemoveTags{arn, {"team"}}), IsOk());
  ASSERT_THAT(
      plane.Ask(AddTags{"arn:aws:elasticache:us-east-1:000000000000:usergroup:ug", {{"a", "b"}}}),
      IsOk());
  ExpectRefused(AddTags{arn + "x", {{"a", "b"}}}, Fault::kUserNotFound, HasSubstr("alicex"));
}

}  // namespace
}  // namespace ec::core
