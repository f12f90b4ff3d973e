// What can be asked about faults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/time.h"

namespace ec::core {

struct AddFault {
  uint64_t number = 0;  // drawn by whoever asks: one that no fault has ever had
  std::string kind;
  std::string to;                    // exactly one of these three
  std::vector<std::string> between;  // two sides
  std::string host;
  std::optional<Duration> delay;
  std::optional<Duration> jitter;
  std::optional<uint64_t> bytes_per_second;
  std::optional<uint64_t> bytes;
  std::optional<Duration> duration;  // absent: until it is cleared
};

struct ClearFaults {
  std::vector<std::string> ids;  // none: all
};

using FaultCommand = std::variant<AddFault, ClearFaults>;

}  // namespace ec::core
