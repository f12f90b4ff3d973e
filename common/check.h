// EC_CHECK: an invariant of our own that must hold, in release builds too. A process that finds it
// broken stops at once; what it had acknowledged is on disk, and a restart goes on from there.
#pragma once

#define EC_CHECK(condition)                              \
  do {                                                   \
    if (!(condition)) [[unlikely]]                       \
      ::ec::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)

namespace ec {

// Prints the failed condition to standard error and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace ec
