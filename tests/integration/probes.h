// Tries to get at engines from where nobody may.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/address.h"

namespace ec::integration {

// An address that is in no VPC: none ever gets the slice 127.255.0.0/16.
inline constexpr Ip4 kOutside{0x7fff0009};

// Where the process listens on TCP. Empty when there is no such process.
std::vector<Address> TcpListenersOf(pid_t pid);

// Connects from there and speaks to both engines; whatever was answered. Empty: nothing was.
std::string AnswerTo(Ip4 from, Address listener);

// Whether a connection from there is neither made nor refused within 0.3 s.
bool IsLeftWaiting(Ip4 from, Address listener);

}  // namespace ec::integration
