// Between rows and records. These throw SQLite::Exception; sqlite_store.cc is the border.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "controlplane/model/records.h"

namespace ec::store {

// Everything, with the parts of Records that follow from others filled in.
model::Records ReadRecords(SQLite::Database& database);

// Writes the edit's rows; inside the caller's transaction.
void WriteEdit(SQLite::Database& database, const model::Edit& edit);

// Puts the catalogue of node types in. A type that is no longer in it stays, as clusters may use
// it.
void SeedNodeTypes(SQLite::Database& database);

}  // namespace ec::store
