// The faults' rows. These throw SQLite::Exception, as rows.h does.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include "controlplane/model/records.h"
#include "controlplane/store/rows.h"

namespace ec::store {

void ReadFaults(SQLite::Database& database, model::Records* records);
void WriteFaults(Statements& statements, const model::Edit& edit);

}  // namespace ec::store
