// How tests look at a Status or a Result, and how it is printed when a test fails.
#pragma once

#include <gmock/gmock.h>

#include <ostream>
#include <string>

#include "common/fault.h"
#include "common/status.h"

namespace ec {

inline void PrintTo(const Status& status, std::ostream* out) {
  if (status.ok()) {
    *out << "OK";
  } else {
    *out << InfoOf(status.fault()).wire_code << ": " << status.message();
  }
}

}  // namespace ec

namespace ec::testing {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const Result<T>& result) {
  return result.status();
}

// A Status, or a Result, that is a success.
MATCHER(IsOk, "is OK") {
  if (!arg.ok()) *result_listener << ::testing::PrintToString(StatusOf(arg));
  return arg.ok();
}

// A Status, or a Result, with this fault and a message that matches.
MATCHER_P2(Fails, fault, message,
           std::string("fails with ") + std::string(InfoOf(fault).wire_code)) {
  if (!arg.ok()) *result_listener << ::testing::PrintToString(StatusOf(arg));
  return StatusOf(arg).fault() == fault &&
         ::testing::Matches(::testing::Matcher<const std::string&>(message))(
             StatusOf(arg).message());
}

}  // namespace ec::testing
