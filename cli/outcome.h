// How a command ended: success, or an exit code with one line that says why.
#pragma once

#include <string>
#include <utility>

#include "cli/exit_code.h"

namespace ec::cli {

struct [[nodiscard]] Outcome {
  ExitCode exit = ExitCode::kSuccess;
  // The service's own error code, such as "CacheClusterNotFound"; empty when the failure is ours.
  std::string code;
  // Printed as the error; empty when the command has said enough already.
  std::string message;

  bool ok() const { return exit == ExitCode::kSuccess; }
};

inline Outcome Refused(std::string message) { return {ExitCode::kRefused, {}, std::move(message)}; }
inline Outcome UsageError(std::string message) {
  return {ExitCode::kUsage, {}, std::move(message)};
}
inline Outcome Unreachable(std::string message) {
  return {ExitCode::kUnreachable, {}, std::move(message)};
}
inline Outcome TimedOut(std::string message) {
  return {ExitCode::kTimedOut, {}, std::move(message)};
}
inline Outcome Interrupted(std::string message) {
  return {ExitCode::kInterrupted, {}, std::move(message)};
}

// Leaves the calling function with the outcome of `expr` unless it succeeded.
#define EC_RETURN_UNLESS_OK(expr)                                                    \
  do {                                                                               \
    if (::ec::cli::Outcome ec_outcome = (expr); !ec_outcome.ok()) return ec_outcome; \
  } while (false)

}  // namespace ec::cli
