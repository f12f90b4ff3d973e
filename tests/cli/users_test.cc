// What `ecctl user` and `ecctl user-group` ask for and print, and that no password needs to stand
// on a command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string Text(const google::protobuf::Message& message) { return message.ShortDebugString(); }

v1::User MakeUser(const std::string& id) {
  v1::User user;
  user.set_user_id(id);
  user.set_user_name(id);
  user.set_status("active");
  user.set_engine("redis");
  user.set_minimum_engine_version("6.0");
  user.set_access_string("on ~* +@all");
  user.mutable_authentication()->set_type("password");
  user.mutable_authentication()->set_password_count(1);
  user.add_user_group_ids("ug");
  return user;
}

class Users : public testing::Test {
 protected:
  Users() {
    service_.create_user = [this](const auto& request, auto* response) {
      asked_ = Text(request);
      *response = MakeUser(request.user_id());
      return grpc::Status::OK;
    };
    service_.modify_user = [this](const auto& request, auto* response) {
      asked_ = Text(request);
      *response = MakeUser(request.user_id());
      return grpc::Status::OK;
    };
    service_.remove_user = [this](const auto& request, auto* response) {
      asked_ = Text(request);
      *response = MakeUser(request.user_id());
      return grpc::Status::OK;
    };
    service_.users = [](const auto& request, auto* response) {
      const bool all = !request.has_user_id();
      if (all) *response->add_users() = MakeUser("default");
      *response->add_users() = MakeUser(all ? "shop" : request.user_id());
      return grpc::Status::OK;
    };
    service_.create_user_group = [this](const auto& request, auto* response) {
      asked_ = Text(request);
      response->set_user_group_id(request.user_group_id());
      response->set_status("creating");
      return grpc::Status::OK;
    };
    service_.modify_user_group = [this](const auto& request, auto* response) {
      asked_ = Text(request);
      response->set_user_group_id(request.user_group_id());
      response->set_status("modifying");
      return grpc::Status::OK;
    };
    service_.user_groups = [](const auto&, auto* response) {
      v1::UserGroup* group = response->add_user_groups();
      group->set_user_group_id("ug");
      group->set_status("active");
      group->add_user_ids("default");
      group->add_replication_groups("carts");
      return grpc::Status::OK;
    };
    service_.modify_group = [this](const auto& request, auto* response) {
      asked_ = Text(request);
      response->mutable_replication_group()->set_replication_group_id("carts");
      return grpc::Status::OK;
    };
  }

  FakeService service_;
  std::string asked_;
};

TEST_F(Users, AreCreatedWithAPasswordFromStandardInput) {
  const Ended ended = service_.Ecctl(
      {"user", "create", "shop", "--access", "on ~shop:* +@read", "--password-file", "-"},
      "a-password-of-24-letters\n");
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(asked_,
            "user_id: \"shop\" user_name: \"shop\" engine: \"redis\" "
            "passwords: \"a-password-of-24-letters\" access_string: \"on ~shop:* +@read\"");
  EXPECT_THAT(ended.out, HasSubstr("shop"));
  EXPECT_THAT(ended.out, Not(HasSubstr("a-password")));
}

TEST_F(Users, AFileThatIsNotThereIsAnError) {
  const Ended ended =
      service_.Ecctl({"user", "create", "shop", "--password-file", "/nonexistent/file"});
  EXPECT_NE(ended.exit, 0);
  EXPECT_THAT(ended.err, HasSubstr("cannot open /nonexistent/file"));
  EXPECT_EQ(asked_, "");
}

TEST_F(Users, AreModifiedListedShownAndDeleted) {
  EXPECT_EQ(service_
                .Ecctl({"user", "modify", "shop", "--append-access", "-@write", "--password",
                        "a-password-of-24-letters", "--password", "another-password-of-hers"})
                .exit,
            0);
  EXPECT_EQ(asked_,
            "user_id: \"shop\" append_access_string: \"-@write\" "
            "passwords: \"a-password-of-24-letters\" passwords: \"another-password-of-hers\"");
  EXPECT_THAT(service_.Ecctl({"user", "list"}).out, HasSubstr("shop"));
  EXPECT_THAT(service_.Ecctl({"user", "show", "shop"}).out, HasSubstr("6.0 or later"));
  const json listed = json::parse(service_.Ecctl({"user", "list", "-o", "json"}).out);
  EXPECT_EQ(listed["users"].size(), 2u);
  EXPECT_EQ(service_.Ecctl({"user", "delete", "shop", "--yes"}).exit, 0);
  EXPECT_EQ(asked_, "user_id: \"shop\"");
}

TEST_F(Users, GroupsAreCreatedModifiedAndShown) {
  EXPECT_EQ(service_.Ecctl({"user-group", "create", "ug", "--users", "default,shop"}).exit, 0);
  EXPECT_EQ(asked_,
            "user_group_id: \"ug\" engine: \"redis\" user_ids: \"default\" user_ids: \"shop\"");
  EXPECT_EQ(service_.Ecctl({"user-group", "modify", "ug", "--add", "a,b", "--remove", "shop"}).exit,
            0);
  EXPECT_EQ(asked_,
            "user_group_id: \"ug\" user_ids_to_add: \"a\" user_ids_to_add: \"b\" "
            "user_ids_to_remove: \"shop\"");
  EXPECT_THAT(service_.Ecctl({"user-group", "list"}).out, HasSubstr("carts"));
  EXPECT_THAT(service_.Ecctl({"user-group", "show", "ug"}).out, HasSubstr("default"));
}

TEST_F(Users, ATokenIsRotatedFromAFile) {
  const Ended ended = service_.Ecctl(
      {"group", "modify", "carts", "--auth-token-file", "-", "--auth-token-strategy", "set"},
      "the-second-token-here\n");
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(asked_, HasSubstr("auth_token: \"the-second-token-here\""));
  EXPECT_THAT(asked_, HasSubstr("auth_token_update_strategy: \"SET\""));
}

}  // namespace
}  // namespace ec::cli
