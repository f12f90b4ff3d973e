#include "controlplane/store/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "common/log.h"
#include "common/unique_fd.h"
#include "controlplane/store/rows.h"
#include "controlplane/store/schema.h"

namespace ec::store {
namespace {

using SQLite::Database;

Status Unavailable(std::string message) { return {Fault::kUnavailable, std::move(message)}; }

// A file opened as descriptor 0, 1 or 2 would be written to by anything that prints.
Status CheckStandardStreams() {
  for (const int fd : {0, 1, 2}) {
    if (fcntl(fd, F_GETFD) < 0) {
      return Unavailable(
          fmt::format("File descriptor {} is closed: start the control plane with "
                      "standard input, output and error open.",
                      fd));
    }
  }
  return {};
}

Result<UniqueFd> TakeLock(const std::string& dir) {
  const std::string path = dir + "/emucache.lock";
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) {
    return Unavailable(fmt::format("Cannot open {}: {}.", path, std::strerror(errno)));
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) < 0) {
    return Unavailable(fmt::format("Another control plane is running on {}.", dir));
  }
  return fd;
}

int PragmaInt(Database& db, const char* name) {
  return db.execAndGet(std::string("PRAGMA ") + name).getInt();
}

// Sets a pragma and makes sure that it holds: some are refused without a word.
void SetPragma(Database& db, const std::string& name, const std::string& value,
               const std::string& read_back) {
  db.exec("PRAGMA " + name + " = " + value);
  const std::string now = db.execAndGet("PRAGMA " + name).getString();
  if (now != read_back) {
    throw SQLite::Exception(fmt::format("PRAGMA {} is {} instead of {}", name, now, read_back));
  }
}

void Configure(Database& db) {
  SetPragma(db, "journal_mode", "WAL", "wal");
  SetPragma(db, "synchronous", "FULL", "2");
  SetPragma(db, "foreign_keys", "ON", "1");
  SetPragma(db, "trusted_schema", "OFF", "0");
  SetPragma(db, "cell_size_check", "ON", "1");
  SetPragma(db, "temp_store", "MEMORY", "2");
  SetPragma(db, "wal_autocheckpoint", "1000", "1000");
  SetPragma(db, "journal_size_limit", "67108864", "67108864");
  db.exec("PRAGMA mmap_size = 0");
  sqlite3* handle = db.getHandle();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1 << 20);
  sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 100'000);
}

// Throws when the file is not a sound database.
void CheckSoundness(Database& db) {
  const std::string verdict = db.execAndGet("PRAGMA quick_check(1)").getString();
  if (verdict != "ok") throw SQLite::Exception(verdict);
  SQLite::Statement violations(db, "PRAGMA foreign_key_check");
  if (violations.executeStep()) {
    throw SQLite::Exception("a row of table " + violations.getColumn(0).getString() +
                            " points to nothing");
  }
}

// A database of an earlier version is copied before anything in it changes.
void Migrate(Database& db, const std::string& path) {
  const int version = PragmaInt(db, "user_version");
  if (version == kSchemaVersion) return;
  if (version > 0) {
    const std::string backup = fmt::format("{}.v{}.backup", path, version);
    SQLite::Statement copy(db, "VACUUM INTO ?");
    copy.bind(1, backup);
    copy.exec();
    chmod(backup.c_str(), 0600);
  }
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  for (int from = version; from < kSchemaVersion; ++from) {
    db.exec(std::string(MigrationFrom(from)));
  }
  db.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  db.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  transaction.commit();
}

class SqliteStore : public Store {
 public:
  SqliteStore(UniqueFd lock, std::unique_ptr<Database> database)
      : lock_(std::move(lock)), database_(std::move(database)), statements_(*database_) {}

  Result<model::Records> Load() override {
    try {
      return ReadRecords(*database_);
    } catch (const std::exception& error) {
      return Unavailable(
          fmt::format("The database cannot be read: {}. It was left as it is.", error.what()));
    }
  }

  Status Commit(const model::Edit& edit) override {
    bool committing = false;
    try {
      SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
      WriteEdit(statements_, edit);
      committing = true;
      transaction.commit();
      return {};
    } catch (const SQLite::Exception& error) {
      return Judge(edit.revision, committing, error);
    }
  }

 private:
  // After an error the transaction is rolled back or, if it was in the middle of its commit,
  // perhaps there all the same: what the file says decides. A disk that failed to sync is not asked
  // again.
  Status Judge(uint64_t revision, bool committing, const SQLite::Exception& error) {
    LogError(
        "commit failed",
        {{"revision", revision}, {"error", error.what()}, {"code", error.getExtendedErrorCode()}});
    const int code = error.getExtendedErrorCode();
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
      return {Fault::kOutcomeUnknown, "The disk failed to keep what was written."};
    }
    try {
      const auto present = static_cast<uint64_t>(
          database_->execAndGet("SELECT revision FROM installation").getInt64());
      if (present == revision && committing) return {};
      if (present + 1 != revision) {
        return {Fault::kOutcomeUnknown, "Another program has changed the database."};
      }
    } catch (const SQLite::Exception&) {
      return {Fault::kOutcomeUnknown, "The database cannot be read any more."};
    }
    if (error.getErrorCode() == SQLITE_FULL) {
      return Unavailable("The disk of the control plane is full. Nothing was changed.");
    }
    return Unavailable(
        fmt::format("The database could not be written ({}). Nothing was changed.", error.what()));
  }

  const UniqueFd lock_;
  const std::unique_ptr<Database> database_;
  Statements statements_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& dir) {
  EC_RETURN_IF_ERROR(CheckStandardStreams());
  Result<UniqueFd> lock = TakeLock(dir);
  if (!lock.ok()) return lock.status();
  const std::string path = dir + "/emucache.db";
  try {
    auto db = std::make_unique<Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX, 5000);
    const int version = PragmaInt(*db, "user_version");
    const int application = PragmaInt(*db, "application_id");
    const bool is_new = version == 0 && application == 0 &&
                        db->execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
    if (!is_new && application != kApplicationId) {
      return Unavailable(fmt::format("{} is not a database of emucache.", path));
    }
    if (version > kSchemaVersion) {
      return Unavailable(
          fmt::format("{} has schema version {}, which is newer than this program's {}. Use the "
                      "newer program, or another directory.",
                      path, version, kSchemaVersion));
    }
    chmod(path.c_str(), 0600);
    Configure(*db);
    CheckSoundness(*db);
    Migrate(*db, path);
    SQLite::Transaction transaction(*db, SQLite::TransactionBehavior::IMMEDIATE);
    SeedNodeTypes(*db);
    transaction.commit();
    return std::unique_ptr<Store>(new SqliteStore(std::move(*lock), std::move(db)));
  } catch (const std::exception& error) {
    return Unavailable(
        fmt::format("The database {} is damaged or cannot be used: {}. It was left as it is: move "
                    "it away or restore a copy, and start again.",
                    path, error.what()));
  }
}

}  // namespace ec::store
