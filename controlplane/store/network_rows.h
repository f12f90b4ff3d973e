// The network's rows. These throw SQLite::Exception, as rows.h does.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "controlplane/model/records.h"
#include "controlplane/store/rows.h"

namespace ec::store {

void ReadNetwork(SQLite::Database& database, model::Records* records);
// First what goes, then what comes: an address, a name or a slice may pass from one row to another
// in one edit. Clusters refer to VPCs: those that go are gone before.
void DropNetwork(Statements& statements, const model::Edit& edit);
void WriteNetwork(Statements& statements, const model::Edit& edit);

}  // namespace ec::store
