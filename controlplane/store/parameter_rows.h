// The rows of cache parameter groups.
#pragma once

#include "controlplane/model/records.h"
#include "controlplane/store/columns.h"

namespace ec::store {

void ReadParameterGroups(SQLite::Database& db, model::Records* records);
void WriteParameterGroups(Statements& statements, const model::Edit& edit);

}  // namespace ec::store
