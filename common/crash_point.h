// Places at which a test may have the process die, as by kill -9: EC_CRASH_AT=<site> in its
// environment.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace ec {

inline void CrashPoint(const char* site) {
  static const char* const wanted = std::getenv("EC_CRASH_AT");
  if (wanted != nullptr && std::strcmp(wanted, site) == 0) kill(getpid(), SIGKILL);
}

}  // namespace ec
