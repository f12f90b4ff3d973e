// --wait: watches a cluster or a group until an operation has ended, and tells how it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// A status in which a cluster or group stays until somebody does something about it.
bool IsFailedStatus(const std::string& status);

struct Wait {
  std::string id;
  std::string operation;         // "creation", for messages
  bool until_gone = false;       // else until the goal is reached
  uint64_t after_serial = 0;     // events up to this one belong to the past
  std::string noun = "cluster";  // what `id` is: also "group"
};

// What one look has found.
struct Seen {
  std::string status;                // "creating"
  bool done = false;                 // the goal is reached
  bool given_up = false;             // it will not be, though nothing has failed
  std::vector<std::string> sources;  // whose events are told, besides those of `Wait::id`
};

// Success when the goal is reached. Refused when a status has failed, the operation was given up,
// or the cluster or group is gone though it should not be: with the last event as the reason.
// Ctrl-C ends the waiting, not the operation. A control plane that is away for a while is waited
// for as well.
Outcome WaitFor(Context& context, const Wait& wait, const std::function<Outcome(Seen*)>& look);

// Until the cluster is available; then `*cluster` is how it is now.
Outcome WaitForCluster(Context& context, const Wait& wait, v1::CacheCluster* cluster);

// Whether what was asked for has come about. It is asked of a group that may still be on its way.
using GroupGoal = std::function<bool(const v1::ReplicationGroup&)>;
// Until the group has reached the goal; then `*group` is how it is now. Given up: the group is
// available again without having reached it, unless `patient`.
struct GroupWait {
  Wait wait;
  GroupGoal reached;
  bool patient = false;
};
Outcome WaitForGroup(Context& context, const GroupWait& wait, v1::ReplicationGroup* group);

}  // namespace ec::cli
