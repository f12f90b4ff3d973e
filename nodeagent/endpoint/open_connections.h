// The machine's TCP connections, as the kernel knows them.
#pragma once

#include <vector>

#include "common/address.h"

namespace ec::endpoint {

struct OpenConnection {
  Address local;
  Address peer;
  friend auto operator<=>(const OpenConnection&, const OpenConnection&) = default;
};

// Those that stand, or whose client has sent its end: one entry for either side that is on this
// machine. Empty if the kernel does not tell.
std::vector<OpenConnection> OpenConnections();

}  // namespace ec::endpoint
