// Connects to a unix socket whose path may be longer than the 107 bytes that an address holds.
#pragma once

#include <string>

#include "common/unique_fd.h"

namespace ec {

// A connected stream socket, non-blocking and close-on-exec; empty with errno set otherwise.
// EAGAIN: the listener's backlog is full, try again shortly.
UniqueFd ConnectUnix(const std::string& path);

}  // namespace ec
