// Between rows and records. These throw SQLite::Exception; sqlite_store.cc is the border.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <string>
#include <string_view>

#include "controlplane/model/records.h"

namespace ec::store {

// The statements of one connection. Each is prepared at its first use and kept: preparing costs
// several times what running does.
class Statements {
 public:
  // `database` must outlive this.
  explicit Statements(SQLite::Database& database) : database_(database) {}
  // Ready to be bound and run, whatever became of its last run.
  SQLite::Statement& Get(std::string_view sql);

 private:
  SQLite::Database& database_;
  std::map<std::string, SQLite::Statement, std::less<>> prepared_;
};

// Everything, with the parts of Records that follow from others filled in.
model::Records ReadRecords(SQLite::Database& database);

// Writes the edit's rows; inside the caller's transaction.
void WriteEdit(Statements& statements, const model::Edit& edit);

// Puts the catalogue of node types in. A type that is no longer in it stays, as clusters may use
// it.
void SeedNodeTypes(SQLite::Database& database);

}  // namespace ec::store
