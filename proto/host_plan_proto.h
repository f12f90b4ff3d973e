// Converts between agent.proto and common/host_plan.h.
#pragma once

#include "common/host_plan.h"
#include "common/status.h"
#include "ec/v1/agent.pb.h"

namespace ec {

void ToProto(const HostHello& hello, v1::HostHello* out);
void ToProto(const HostReport& report, v1::HostReport* out);
void ToProto(const PlanUpdate& update, v1::PlanUpdate* out);
// A remembered plan is stored as an update that carries everything.
void ToProto(const HostPlan& plan, v1::PlanUpdate* out);

// kInvalidParameterValue when the message names an engine that is not known here.
Result<HostHello> FromProto(const v1::HostHello& in);
HostReport FromProto(const v1::HostReport& in);
Result<PlanUpdate> FromProto(const v1::PlanUpdate& in);

}  // namespace ec
