// The network's rows. These throw SQLite::Exception, as rows.h does.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "controlplane/model/records.h"
#include "controlplane/store/rows.h"

namespace ec::store {

void ReadNetwork(SQLite::Database& database, model::Records* records);
void WriteNetwork(Statements& statements, const model::Edit& edit);

}  // namespace ec::store
