// One member's part of lifecycle.h: what its host says of it, and the status that follows.
#pragma once

#include <optional>
#include <string>

#include "controlplane/core/draft.h"
#include "controlplane/core/settings.h"

namespace ec::core {

// Looks at one member and changes its row where its host's reports ask for it.
void AdvanceMember(Draft& draft, const Settings& settings, MemberId id);

// Whether the host has said that it has a plan of this revision or a later one. A silent host has
// nothing to say and is not waited for.
bool HasPlan(const Draft& draft, const Settings& settings, const HostId& host, uint64_t revision);

// What the host says of an endpoint, if that is still worth something: nullptr when the host is
// silent or its plan is older than `since`.
const EndpointReport* EndpointSeen(const Draft& draft, const Settings& settings, const HostId& host,
                                   EndpointId id, uint64_t since);

}  // namespace ec::core
