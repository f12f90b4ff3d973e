// TCP connections to endpoints.
#pragma once

#include "common/address.h"
#include "common/unique_fd.h"

namespace ec {

// A non-blocking connection that is being made, or has been, and comes from that address; empty,
// with errno set, if it was refused at once. Sends small packets at once.
UniqueFd ConnectTcp(Address to, Ip4 from);

}  // namespace ec
