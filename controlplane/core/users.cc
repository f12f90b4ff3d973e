#include "controlplane/core/users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/digest.h"
#include "controlplane/core/validate.h"
#include "controlplane/model/access_string.h"
#include "controlplane/model/engine_versions.h"
#include "controlplane/model/limits.h"
#include "controlplane/model/names.h"
#include "controlplane/model/users.h"

namespace ec::core {
namespace {

using model::User;
using model::UserGroup;
using model::UserGroupStatus;
using model::UserId;
using model::UserStatus;

Status BadValueText(std::string message) {
  return {Fault::kInvalidParameterValue, std::move(message)};
}

// How a user proves who it is.
struct Authentication {
  std::vector<std::string> hashes;
  bool no_password = false;
};

// What a request says of it, in either of AWS's two ways.
struct Wish {
  const std::vector<std::string>& passwords;
  const std::optional<bool>& no_password_required;
  const std::optional<AuthenticationMode>& mode;

  bool empty() const {
    return passwords.empty() && !no_password_required.value_or(false) && !mode.has_value();
  }
};

Status CheckPasswords(const std::vector<std::string>& passwords) {
  if (passwords.size() > model::kPasswordsMax) {
    return BadValueText(fmt::format("A user has at most {} passwords.", model::kPasswordsMax));
  }
  for (const std::string& password : passwords) {
    if (password.size() >= model::kPasswordLengthMin &&
        password.size() <= model::kPasswordLengthMax) {
      continue;
    }
    return BadValueText("Passwords length must be between 16-128 characters.");  // [unverified]
  }
  return {};
}

// The type that AuthenticationMode names. All texts but the last one are [unverified].
Status CheckMode(const Wish& wish) {
  if (!wish.mode) return {};
  const std::string& type = wish.mode->type;
  if (type != "password" && type != "no-password-required" && type != "iam") {
    return BadValueText(
        fmt::format("Input Authentication type: {} is not in the allowed list: "
                    "[password,no-password-required,iam]",
                    type));
  }
  if (!wish.mode->passwords.empty() && !wish.passwords.empty()) {
    return BadCombination("Passwords provided via multiple arguments. Use only one argument");
  }
  const bool has_password = !wish.mode->passwords.empty() || !wish.passwords.empty();
  if (type != "password" && has_password) {
    return BadCombination(
        fmt::format("Password field is not allowed with authentication type: {}", type));
  }
  if (type != "no-password-required" && wish.no_password_required.value_or(false)) {
    return BadCombination(fmt::format(
        "No password required flag is true but provided authentication type is {}", type));
  }
  if (type == "password" && !has_password) {
    return BadCombination(
        "A user with Authentication Mode: password, must have at least one password");
  }
  if (type == "iam") {  // ours
    return BadValueText(
        "Authentication type iam is not emulated: there is no identity service here whose tokens "
        "an engine could check.");
  }
  return {};
}

Result<Authentication> AuthenticationOf(const Wish& wish) {
  EC_RETURN_IF_ERROR(CheckMode(wish));
  std::vector<std::string> passwords = wish.passwords;
  if (wish.mode && !wish.mode->passwords.empty()) passwords = wish.mode->passwords;
  Authentication authentication;
  authentication.no_password = wish.no_password_required.value_or(false) ||
                               (wish.mode && wish.mode->type == "no-password-required");
  if (authentication.no_password && !passwords.empty()) {
    return BadCombination("Passwords and NoPasswordRequired exclude each other.");
  }
  if (!authentication.no_password && passwords.empty()) {
    return BadValueText(  // [unverified]
        "No password was provided. If you want to create/update the user without password, please "
        "use the NoPasswordRequired flag.");
  }
  EC_RETURN_IF_ERROR(CheckPasswords(passwords));
  for (const std::string& password : passwords) {
    const std::string hash = Sha256Hex(password);
    if (std::ranges::find(authentication.hashes, hash) == authentication.hashes.end()) {
      authentication.hashes.push_back(hash);
    }
  }
  return authentication;
}

// A name stands in the engines' files and replies as one word.
Status CheckUserName(const std::string& name) {
  const bool is_word = std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
  if (name.empty() || name.size() > model::kUserNameLengthMax || !is_word) {
    return BadValue("UserName", name,
                    fmt::format("It must have 1 to {} printable ASCII characters without blanks.",
                                model::kUserNameLengthMax));
  }
  if (!name.starts_with(model::kReservedUserPrefix)) return {};
  return BadValue("UserName", name, "Names that begin so are the service's own.");
}

Status CheckOwn(const User& user) {
  if (user.id != model::kDefaultUser) return {};
  return BadValue("UserId", user.id, "The user default can be neither modified nor deleted.");
}

Status CheckActive(const User& user) {
  if (user.status == UserStatus::kActive) return {};
  return {Fault::kInvalidUserState,
          fmt::format("User {} is not in active state: it is {}.", user.id, NameOf(user.status))};
}

std::vector<const UserGroup*> GroupsOf(const Draft& draft, const UserId& id) {
  std::vector<const UserGroup*> groups;
  for (const UserGroup* group : draft.UserGroups()) {
    if (group->users.contains(id) || group->adding.contains(id)) groups.push_back(group);
  }
  return groups;
}

// Whether the user's engines can do what its new access string says.
Status CheckVersions(const Draft& draft, const User& user) {
  const std::string minimum = model::MinimumEngineVersion(user);
  for (const UserGroup* group : GroupsOf(draft, user.id)) {
    EC_RETURN_IF_ERROR(CheckVersionOfGroups(draft, group->id, minimum));
  }
  return {};
}

Status ChangeAccessString(const ModifyUser& request, User* user) {
  if (request.access_string && request.append_access_string) {
    return BadCombination("AccessString and AppendAccessString exclude each other.");
  }
  std::string text = user->access_string;
  if (request.access_string) text = *request.access_string;
  if (request.append_access_string) text += " " + *request.append_access_string;
  const Result<model::AccessRules> rules = model::ParseAccessString(text);
  if (!rules.ok()) return rules.status();
  user->access_string = text;
  return {};
}

Status ChangeEngine(const std::optional<std::string>& asked, std::string* engine) {
  if (!asked) return {};
  const Result<std::string> wanted = ParseUserEngine(*asked);
  if (!wanted.ok()) return wanted.status();
  if (*engine == "valkey" && *wanted == "redis") {
    return BadCombination("The engine cannot be changed from valkey to redis.");
  }
  *engine = *wanted;
  return {};
}

}  // namespace

Status Obey(Draft& draft, const UserCommand& command) {
  return std::visit(
      [&](const auto& request) -> Status {
        if constexpr (requires { Create(draft, request); }) {
          return Create(draft, request);
        } else if constexpr (requires { Modify(draft, request); }) {
          return Modify(draft, request);
        } else {
          return Delete(draft, request);
        }
      },
      command);
}

Result<std::string> ParseUserEngine(std::string_view text) {
  const std::string engine = model::Lower(text);
  if (engine == "redis" || engine == "valkey") return engine;
  return BadValue("Engine", text, "Users are of redis and valkey.");
}

Result<const User*> FindExistingUser(const Draft& draft, const std::string& text) {
  const Result<std::string> id = model::ParseUserId(text, "UserId");
  if (!id.ok()) return id.status();
  if (const User* user = draft.FindUser(*id)) return user;
  return Status(Fault::kUserNotFound, fmt::format("User not found: {}", *id));
}

std::string MinimumVersionOf(const Draft& draft, const std::set<UserId>& users) {
  std::string minimum = "6.0";
  for (const UserId& id : users) {
    const std::string own = model::MinimumEngineVersion(*draft.FindUser(id));
    if (model::CompareVersions(own, minimum) > 0) minimum = own;
  }
  return minimum;
}

Status Create(Draft& draft, const CreateUser& request) {
  const Result<std::string> id = model::ParseUserId(request.id, "UserId");
  if (!id.ok()) return id.status();
  EC_RETURN_IF_ERROR(CheckUserName(request.name));
  const Result<std::string> engine = ParseUserEngine(request.engine);
  if (!engine.ok()) return engine.status();
  const Result<model::AccessRules> rules = model::ParseAccessString(request.access_string);
  if (!rules.ok()) return rules.status();
  Result<Authentication> authentication =
      AuthenticationOf({request.passwords, request.no_password_required, request.mode});
  if (!authentication.ok()) return authentication.status();
  if (draft.FindUser(*id) != nullptr) {
    return {Fault::kUserAlreadyExists, fmt::format("User {} already exists.", *id)};
  }
  if (draft.Users().size() >= model::kUsersMax) {
    return {Fault::kUserQuotaExceeded,
            fmt::format("There can be at most {} users.", model::kUsersMax)};
  }
  Result<std::map<std::string, std::string>> tags = MergeTags({}, request.tags);
  if (!tags.ok()) return tags.status();
  User user;
  user.id = *id;
  user.name = request.name;
  user.engine = *engine;
  user.access_string = request.access_string;
  user.passwords = std::move(authentication->hashes);
  user.no_password = authentication->no_password;
  user.tags = *tags;
  draft.Put(std::move(user));
  return {};
}

Status Modify(Draft& draft, const ModifyUser& request) {
  const Result<const User*> found = FindExistingUser(draft, request.id);
  if (!found.ok()) return found.status();
  EC_RETURN_IF_ERROR(CheckOwn(**found));
  const Wish wish{request.passwords, request.no_password_required, request.mode};
  if (wish.empty() && !request.access_string && !request.append_access_string && !request.engine) {
    return BadCombination("No modifications were requested");  // [AWS], of other resources
  }
  EC_RETURN_IF_ERROR(CheckActive(**found));
  User user = **found;
  EC_RETURN_IF_ERROR(ChangeEngine(request.engine, &user.engine));
  EC_RETURN_IF_ERROR(ChangeAccessString(request, &user));
  EC_RETURN_IF_ERROR(CheckVersions(draft, user));
  if (!wish.empty()) {
    Result<Authentication> authentication = AuthenticationOf(wish);
    if (!authentication.ok()) return authentication.status();
    user.passwords = std::move(authentication->hashes);
    user.no_password = authentication->no_password;
  }
  user.status = UserStatus::kModifying;
  const UserId id = user.id;
  draft.Put(std::move(user));
  for (const UserGroup* group : GroupsOf(draft, id)) TellEngines(draft, group->id);
  return {};
}

Status Delete(Draft& draft, const DeleteUser& request) {
  const Result<const User*> found = FindExistingUser(draft, request.id);
  if (!found.ok()) return found.status();
  EC_RETURN_IF_ERROR(CheckOwn(**found));
  EC_RETURN_IF_ERROR(CheckActive(**found));
  User user = **found;
  std::vector<UserGroup> groups;
  for (const UserGroup* group : GroupsOf(draft, user.id)) groups.push_back(*group);
  if (user.name == model::kDefaultUser && !groups.empty()) {
    return {Fault::kDefaultUserAssociated,
            fmt::format("User {} is the default user of user group {}.", user.id, groups[0].id)};
  }
  for (UserGroup& group : groups) {
    group.removing.insert(user.id);
    if (group.status == UserGroupStatus::kActive) group.status = UserGroupStatus::kModifying;
    const std::string id = group.id;
    draft.Put(std::move(group));
    TellEngines(draft, id);
  }
  user.status = UserStatus::kDeleting;
  draft.Put(std::move(user));
  return {};
}

}  // namespace ec::core
