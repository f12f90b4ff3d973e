// Between columns and values. These throw SQLite::Exception, as rows.h does.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/address.h"
#include "common/engine_kind.h"
#include "common/time.h"
#include "controlplane/store/rows.h"

namespace ec::store {

// What is read back was written by us: anything else was changed by hand, and is refused.
[[noreturn]] inline void Malformed(const std::string& what, const std::string& value) {
  throw SQLite::Exception("malformed " + what + " '" + value + "'");
}

inline WallTime TimeOf(const std::string& text) {
  const auto time = ParseWallTime(text);
  if (!time) Malformed("time", text);
  return *time;
}

inline Ip4 IpOf(const std::string& text) {
  const auto ip = ParseIp4(text);
  if (!ip) Malformed("address", text);
  return *ip;
}

inline Cidr CidrOf(const std::string& text) {
  const auto cidr = ParseCidr(text);
  if (!cidr) Malformed("CIDR", text);
  return *cidr;
}

inline EngineKind EngineOf(const std::string& text) {
  const auto engine = ParseEngine(text);
  if (!engine) Malformed("engine", text);
  return *engine;
}

// Reads a row's columns from left to right.
class Reader {
 public:
  explicit Reader(SQLite::Statement& statement) : statement_(statement) {}
  std::string Text() { return statement_.getColumn(column_++).getString(); }
  int64_t Int64() { return statement_.getColumn(column_++).getInt64(); }
  uint64_t UInt64() { return static_cast<uint64_t>(Int64()); }
  int Int() { return statement_.getColumn(column_++).getInt(); }
  bool Bool() { return Int() != 0; }
  double Double() { return statement_.getColumn(column_++).getDouble(); }
  bool SkipNull() {  // true, and past it, when the column is NULL
    if (!statement_.getColumn(column_).isNull()) return false;
    ++column_;
    return true;
  }
  void Skip(int columns) { column_ += columns; }

 private:
  SQLite::Statement& statement_;
  int column_ = 0;
};

// Binds a statement's parameters from left to right, and runs it. One at a time for each text.
class Writer {
 public:
  Writer(Statements& statements, std::string_view sql) : statement_(statements.Get(sql)) {}
  Writer& operator<<(const std::string& value) {
    statement_.bind(++index_, value);
    return *this;
  }
  Writer& operator<<(std::string_view value) { return *this << std::string(value); }
  Writer& operator<<(const char* value) { return *this << std::string(value); }
  Writer& operator<<(int64_t value) {
    statement_.bind(++index_, value);
    return *this;
  }
  Writer& operator<<(uint64_t value) { return *this << static_cast<int64_t>(value); }
  Writer& operator<<(int value) { return *this << static_cast<int64_t>(value); }
  Writer& operator<<(uint16_t value) { return *this << static_cast<int64_t>(value); }
  Writer& operator<<(uint32_t value) { return *this << static_cast<int64_t>(value); }
  Writer& operator<<(bool value) { return *this << static_cast<int64_t>(value); }
  Writer& operator<<(double value) {
    statement_.bind(++index_, value);
    return *this;
  }
  Writer& operator<<(WallTime value) { return *this << ToString(value); }
  Writer& Null() {
    statement_.bind(++index_);
    return *this;
  }
  template <typename T>
  Writer& operator<<(const std::optional<T>& value) {
    return value ? *this << *value : Null();
  }
  int Run() {
    const int changed = statement_.exec();
    statement_.reset();
    index_ = 0;
    return changed;
  }

 private:
  SQLite::Statement& statement_;
  int index_ = 0;
};

}  // namespace ec::store
