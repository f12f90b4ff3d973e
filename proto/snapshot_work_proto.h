// Converts between agent.proto and common/snapshot_work.h.
#pragma once

#include "common/snapshot_work.h"
#include "ec/v1/agent.pb.h"

namespace ec {

void ToProto(const HostTasks& tasks, v1::HostTasks* out);
HostTasks FromProto(const v1::HostTasks& in);
void ToProto(const TaskReport& report, v1::TaskReport* out);
TaskReport FromProto(const v1::TaskReport& in);
void ToProto(const Seed& seed, v1::Seed* out);
Seed FromProto(const v1::Seed& in);

}  // namespace ec
