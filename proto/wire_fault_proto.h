// Converts between agent.proto and common/wire_fault.h.
#pragma once

#include "common/wire_fault.h"
#include "ec/v1/agent.pb.h"

namespace ec {

void ToProto(const HostFaults& faults, v1::HostFaults* out);
HostFaults FromProto(const v1::HostFaults& in);

}  // namespace ec
