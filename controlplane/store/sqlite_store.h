// The store on an SQLite file: one connection does everything, in WAL mode with full fsync.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"
#include "controlplane/store/store.h"

namespace ec::store {

// Opens or creates `dir`/emucache.db: takes the directory's lock, checks the file, brings its
// schema up to date and the catalogue of node types with it. The directory must exist.
//
// kUnavailable, with a sentence for the operator: another control plane has the lock; the file is
// damaged, of a newer version, or not ours. It is then left as it is.
Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& dir);

}  // namespace ec::store
