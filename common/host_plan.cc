#include "common/host_plan.h"

namespace ec {

bool Merge(const PlanUpdate& update, HostPlan* plan) {
  if (update.revision < plan->revision) return false;
  if (update.base > plan->revision) return false;
  if (update.base == 0) {
    plan->members.clear();
    plan->endpoints.clear();
  }
  // First what has left: an endpoint may have gone to another host and come back since `base`.
  for (const MemberId id : update.gone_members) plan->members.erase(id);
  for (const EndpointId id : update.gone_endpoints) plan->endpoints.erase(id);
  for (const MemberSpec& member : update.members) plan->members[member.id] = member;
  for (const EndpointSpec& endpoint : update.endpoints) plan->endpoints[endpoint.id] = endpoint;
  if (update.network || update.base == 0) plan->network = update.network;
  if (update.faults || update.base == 0) plan->faults = update.faults;
  if (update.tasks || update.base == 0) plan->tasks = update.tasks;
  plan->revision = update.revision;
  return true;
}

}  // namespace ec
