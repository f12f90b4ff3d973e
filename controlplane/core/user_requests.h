// What can be asked about users and user groups. Fields are AWS's request members. Passwords are
// themselves here, and nowhere else: what is kept of them are their hashes.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ec::core {

struct AuthenticationMode {
  std::string type;  // password, no-password-required, iam
  std::vector<std::string> passwords;
};

struct CreateUser {
  std::string id;
  std::string name;
  std::string engine;
  std::vector<std::string> passwords;
  std::string access_string;
  std::optional<bool> no_password_required;
  std::vector<std::pair<std::string, std::string>> tags;
  std::optional<AuthenticationMode> mode;
};

struct ModifyUser {
  std::string id;
  std::optional<std::string> access_string;
  std::optional<std::string> append_access_string;
  std::vector<std::string> passwords;
  std::optional<bool> no_password_required;
  std::optional<AuthenticationMode> mode;
  std::optional<std::string> engine;
};

struct DeleteUser {
  std::string id;
};

struct CreateUserGroup {
  std::string id;
  std::string engine;
  std::vector<std::string> users;
  std::vector<std::pair<std::string, std::string>> tags;
};

struct ModifyUserGroup {
  std::string id;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::optional<std::string> engine;
};

struct DeleteUserGroup {
  std::string id;
};

using UserCommand = std::variant<CreateUser, ModifyUser, DeleteUser, CreateUserGroup,
                                 ModifyUserGroup, DeleteUserGroup>;

}  // namespace ec::core
