#include "nodeagent/agent/plan_file.h"

#include <cerrno>
#include <cstring>

#include "common/log.h"
#include "common/process.h"
#include "proto/host_plan_proto.h"

namespace ec::agent {
namespace {

std::string PathOf(const std::string& dir) { return dir + "/plan.pb"; }

}  // namespace

HostPlan ReadPlanFile(const std::string& dir) {
  HostPlan plan;
  const auto bytes = ReadFile(PathOf(dir));
  v1::PlanUpdate message;
  if (!bytes || !message.ParseFromString(*bytes)) return plan;
  Result<PlanUpdate> update = FromProto(message);
  if (!update.ok() || !Merge(*update, &plan)) return {};
  return plan;
}

void WritePlanFile(const std::string& dir, const HostPlan& plan) {
  v1::PlanUpdate message;
  ToProto(plan, &message);
  if (!ReplaceFile(PathOf(dir), message.SerializeAsString(), false)) {
    LogWarning("plan not remembered", {{"why", std::strerror(errno)}});
  }
}

}  // namespace ec::agent
