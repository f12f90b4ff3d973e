// The part of a draft that is about users and user groups.
#include <utility>

#include "controlplane/core/draft.h"
#include "controlplane/core/draft_rows.h"
#include "controlplane/model/names.h"
#include "controlplane/model/users.h"

namespace ec::core {

const model::User* Draft::FindUser(const model::UserId& id) const {
  if (id == model::kDefaultUser) return &model::DefaultUser();
  return rows::Find(edit_.users, state_.records.users, id);
}

const model::UserGroup* Draft::FindUserGroup(const model::UserGroupId& id) const {
  return rows::Find(edit_.user_groups, state_.records.user_groups, id);
}

std::vector<const model::User*> Draft::Users() const {
  return rows::Rows(edit_.users, state_.records.users);
}

std::vector<const model::UserGroup*> Draft::UserGroups() const {
  return rows::Rows(edit_.user_groups, state_.records.user_groups);
}

void Draft::Put(model::User row) {
  const model::UserId id = row.id;
  edit_.users[id] = std::move(row);
}

void Draft::Put(model::UserGroup row) {
  const model::UserGroupId id = row.id;
  edit_.user_groups[id] = std::move(row);
}

void Draft::DropUser(const model::UserId& id) { edit_.users[id] = std::nullopt; }
void Draft::DropUserGroup(const model::UserGroupId& id) { edit_.user_groups[id] = std::nullopt; }

void Draft::AddUserEvent(const model::UserId& id, std::string message) {
  AddEvent(model::kUserSourceType, id, std::move(message));
}

void Draft::AddUserGroupEvent(const model::UserGroupId& id, std::string message) {
  AddEvent(model::kUserGroupSourceType, id, std::move(message));
}

void Draft::FinishUsers() {
  const auto finish = [&](auto& changes, const auto& present) {
    rows::KeepRevisions(changes, present);  // a row may have been dropped and made anew
    rows::DropUnchanged(changes, present, {});
    rows::Stamp(changes, edit_.revision);
  };
  finish(edit_.users, state_.records.users);
  finish(edit_.user_groups, state_.records.user_groups);
}

}  // namespace ec::core
