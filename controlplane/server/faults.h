// Calls about faults that people put in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "common/status.h"
#include "ec/v1/emulator.pb.h"

namespace ec::server {

class ControllerLoop;

// Draws numbers for faults. Any thread.
class FaultNumbers {
 public:
  // One that was not drawn before.
  uint64_t Draw(uint64_t at_least) {
    const std::lock_guard lock(mutex_);
    last_ = std::max(last_ + 1, at_least);
    return last_;
  }

 private:
  std::mutex mutex_;
  uint64_t last_ = 0;  // guarded by mutex_
};

Status AddFault(ControllerLoop& loop, FaultNumbers& numbers, const v1::AddFaultRequest& request,
                v1::AddFaultResponse* response);
Status DescribeFaults(ControllerLoop& loop, const v1::DescribeFaultsRequest& request,
                      v1::DescribeFaultsResponse* response);
Status ClearFaults(ControllerLoop& loop, const v1::ClearFaultsRequest& request,
                   v1::ClearFaultsResponse* response);

}  // namespace ec::server
