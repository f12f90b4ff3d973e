// What a step that may fail gives back. No exceptions are thrown by our own code: an expected
// failure is a value, a broken invariant is EC_CHECK (check.h).
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/check.h"

namespace ec {

// kOk, and then one row of fault.def each.
enum class Fault {
  kOk = 0,
#define EC_FAULT(name, wire, http, grpc) name,
#include "common/fault.def"
#undef EC_FAULT
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // success
  Status(Fault fault, std::string message) : fault_(fault), message_(std::move(message)) {}

  bool ok() const { return fault_ == Fault::kOk; }
  Fault fault() const { return fault_; }
  // In the user's words: what was wrong, and with which value. Empty on success.
  const std::string& message() const { return message_; }

  friend bool operator==(const Status&, const Status&) = default;

 private:
  Fault fault_ = Fault::kOk;
  std::string message_;
};

// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: a conversion
  Result(Status status) : status_(std::move(status)) { EC_CHECK(!status_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  // REQUIRES: ok()
  T& value() {
    EC_CHECK(ok());
    return *value_;
  }
  const T& value() const {
    EC_CHECK(ok());
    return *value_;
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

// Leaves the calling function with the status of `expr` unless it succeeded.
#define EC_RETURN_IF_ERROR(expr)                                            \
  do {                                                                      \
    if (::ec::Status ec_status = (expr); !ec_status.ok()) return ec_status; \
  } while (false)

}  // namespace ec
