#include "bench/memory.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace ec::bench {

Memory MemoryOf(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
  Memory memory;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    double kib = 0;
    words >> key >> kib;
    if (key == "Rss:") memory.resident_mib = kib / 1024;
    if (key == "Pss:") memory.proportional_mib = kib / 1024;
  }
  if (memory.resident_mib == 0) throw std::runtime_error(fmt::format("no process {}", pid));
  return memory;
}

}  // namespace ec::bench
