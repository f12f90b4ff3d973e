// The rows of users and user groups, and the columns of who may use a cluster or a group.
#pragma once

#include "controlplane/model/records.h"
#include "controlplane/store/columns.h"

namespace ec::store {

// The columns token, previous_token, token_is_optional, token_changed, user_group.
model::AccessControl ReadAccess(Reader& read);
void BindAccess(Writer& write, const model::AccessControl& access);

void ReadUsers(SQLite::Database& db, model::Records* records);
void WriteUsers(Statements& statements, const model::Edit& edit);

}  // namespace ec::store
