// How much memory a process has.
#pragma once

#include <sys/types.h>

namespace ec::bench {

struct Memory {
  double resident_mib = 0;      // RSS
  double proportional_mib = 0;  // PSS: pages that several processes share count in parts
};

// Throws std::runtime_error when the process is gone.
Memory MemoryOf(pid_t pid);

}  // namespace ec::bench
