// The calls about the emulator's clock.
#pragma once

#include <functional>

#include "common/clock.h"
#include "common/status.h"
#include "ec/v1/emulator.pb.h"

namespace ec::server {

class ControllerLoop;

// What the emulator's clock shows.
WallTime EmulatedTime(ControllerLoop& loop, const Clock& clock);

Status DescribeClock(ControllerLoop& loop, const Clock& clock,
                     const v1::DescribeClockRequest& request, v1::DescribeClockResponse* response);
Status SetClock(ControllerLoop& loop, const Clock& clock, const v1::SetClockRequest& request,
                v1::SetClockResponse* response);

// Goes from one thing that is scheduled to the next, and waits at each until it is done. `write` is
// false when the caller has gone: then it ends where it is.
Status AdvanceClock(ControllerLoop& loop, const Clock& clock,
                    const v1::AdvanceClockRequest& request,
                    const std::function<bool(const v1::AdvanceClockResponse&)>& write,
                    const std::function<bool()>& cancelled);

}  // namespace ec::server
