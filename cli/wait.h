// --wait: watches a cluster until an operation has ended, and tells how it goes.
#pragma once

#include <cstdint>
#include <string>

#include "cli/context.h"
#include "ec/v1/elasticache.pb.h"

namespace ec::cli {

// A status in which a cluster stays until somebody does something about it.
bool IsFailedStatus(const std::string& status);

struct Wait {
  std::string cluster_id;
  std::string operation;      // "creation", for messages
  bool until_gone = false;    // else until it is available
  uint64_t after_serial = 0;  // events up to this one belong to the past
};

// Success when the cluster has got there; then `*cluster` is how it is now. Refused when it has
// failed, or is gone though it should not be, with the last event as the reason. Ctrl-C ends the
// waiting, not the operation. A control plane that is away for a while is waited for as well.
Outcome WaitForCluster(Context& context, const Wait& wait, v1::CacheCluster* cluster);

}  // namespace ec::cli
