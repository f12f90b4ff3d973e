// Has engines close the connections that they were handed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/time.h"

namespace ec::endpoint {

struct ClientKill {
  std::string engine_socket;  // the path of a Redis's own unix socket
  Address address;            // all clients that have connected to it there
};

// What came of it: how many connections were closed, or that it is not known.
struct ClientsKilled {
  bool done = false;  // also if the engine is dead, and its connections with it
  uint64_t count = 0;
};

// Says so to all engines at once, on their own sockets (CLIENT KILL LADDR), and waits until all
// have answered, but not longer than `deadline`. An engine that hangs is not done then. It has the
// command all the same, and obeys it, if it ever goes on, before it serves another event of those
// clients; whoever cannot wait for that ends the engine.
std::vector<ClientsKilled> KillClients(const std::vector<ClientKill>& kills, Duration deadline);

}  // namespace ec::endpoint
