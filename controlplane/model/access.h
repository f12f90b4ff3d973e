// What hosts judge connections by (common/access.h), as it follows from the records.
#pragma once

#include <optional>

#include "common/access.h"
#include "controlplane/model/records.h"

namespace ec::model {

// Everybody who may be a source, and all rules. Cache nodes are instances, too, named
// "<cluster>/<node>": what their engines connect to is judged like anything else.
Network AccessOf(const Records& records);

// Whether AccessOf() may differ once the edit has been applied to the records.
bool ChangesAccess(const Records& records, const Edit& edit);

// Of an endpoint of the cluster at that address.
Door DoorOf(const Records& records, const Cluster& cluster, Address address);
// Of one of the group's own: it is as open as its leader's cluster.
Door DoorOf(const Records& records, const Group& group, Address address);

// The door of the endpoint that is at that address; nullopt: none is.
std::optional<Door> FindDoor(const Records& records, Address address);
// The same by the endpoint's number.
std::optional<Door> FindDoor(const Records& records, EndpointId endpoint);

}  // namespace ec::model
