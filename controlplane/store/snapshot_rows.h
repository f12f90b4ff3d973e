// Between the rows of snapshots and their records; as rows.h, which is the only one to use it.
#pragma once

#include "controlplane/store/rows.h"

namespace ec::store {

void ReadSnapshots(SQLite::Database& database, model::Records* records);
void WriteSnapshots(Statements& statements, const model::Edit& edit);

}  // namespace ec::store
