// What hosts judge connections by (common/access.h), as it follows from the records.
#pragma once

#include "common/access.h"
#include "controlplane/model/records.h"

namespace ec::model {

// Everybody who may be a source, and all rules. Cache nodes are instances, too, named
// "<cluster>/<node>": what their engines connect to is judged like anything else.
Network AccessOf(const Records& records);

// Whether AccessOf() may differ once the edit has been applied to the records.
bool ChangesAccess(const Records& records, const Edit& edit);

// Of an endpoint at that address which belongs to the cluster, or to the group that it is in.
Door DoorOf(const Records& records, const Cluster& cluster, Address address);

}  // namespace ec::model
