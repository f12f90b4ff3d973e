// HostFigures and its message, converted.
#pragma once

#include "common/engine_figures.h"
#include "ec/v1/agent.pb.h"

namespace ec {

void ToProto(const HostFigures& figures, v1::HostFigures* out);
HostFigures FromProto(const v1::HostFigures& in);

}  // namespace ec
