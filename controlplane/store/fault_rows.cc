#include "controlplane/store/fault_rows.h"

#include <string>
#include <utility>

#include "controlplane/store/columns.h"

namespace ec::store {

void ReadFaults(SQLite::Database& db, model::Records* records) {
  SQLite::Statement rows(db,
                         "SELECT number, kind, target, side, other_side, host, delay_us, "
                         "jitter_us, bytes, created, expires FROM wire_fault ORDER BY number");
  while (rows.executeStep()) {
    Reader read(rows);
    model::WireFault fault;
    fault.number = read.UInt64();
    const std::string kind = read.Text();
    const auto parsed = ParseFaultKind(kind);
    if (!parsed) Malformed("kind of fault", kind);
    fault.kind = *parsed;
    fault.target = read.Text();
    fault.side = read.Text();
    fault.other_side = read.Text();
    fault.host = read.Text();
    fault.delay = Duration(read.Int64());
    fault.jitter = Duration(read.Int64());
    fault.bytes = read.UInt64();
    fault.created = TimeOf(read.Text());
    if (!read.SkipNull()) fault.expires = TimeOf(read.Text());
    records->faults.emplace(fault.number, std::move(fault));
  }
}

void WriteFaults(Statements& statements, const model::Edit& edit) {
  Writer drop(statements, "DELETE FROM wire_fault WHERE number = ?");
  Writer put(statements, "INSERT INTO wire_fault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [number, fault] : edit.faults) {
    if (!fault) {
      (drop << number).Run();
      continue;
    }
    (put << number << NameOf(fault->kind) << fault->target << fault->side << fault->other_side
         << fault->host << static_cast<int64_t>(fault->delay.count())
         << static_cast<int64_t>(fault->jitter.count()) << fault->bytes << fault->created
         << fault->expires)
        .Run();
  }
}

}  // namespace ec::store
