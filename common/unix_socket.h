// Connects to a unix socket whose path may be longer than the 107 bytes that an address holds.
#pragma once

#include <sys/socket.h>

#include <string>

#include "common/unique_fd.h"

namespace ec {

// A connected socket of this type, non-blocking and close-on-exec; empty with errno set otherwise.
// EAGAIN: the listener's backlog is full, try again shortly.
UniqueFd ConnectUnix(const std::string& path, int type = SOCK_STREAM);

}  // namespace ec
