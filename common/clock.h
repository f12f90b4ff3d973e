// The only place where the program reads the time.
#pragma once

#include "common/time.h"

namespace ec {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

// The machine's own clocks.
class SystemClock : public Clock {
 public:
  Now now() const override;
};

}  // namespace ec
