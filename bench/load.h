// Clients that make load: one thread, many connections, epoll.
#pragma once

#include <cstdint>
#include <string>

namespace ec::bench {

struct Target {
  std::string ip;
  uint16_t port = 0;
};

// Waits until connections are accepted there; throws std::runtime_error if none ever is.
void AwaitAccept(const Target& target, const std::string& what);

struct MemcachedLoad {
  Target target;
  int connections = 50;
  int pipeline = 1;     // commands that a connection has under way at a time
  int value_bytes = 0;  // of the one key that is used
  bool set = false;     // else get; the key must be there
  int64_t commands = 0;
};
// Commands answered per second. Every answer's length and beginning is checked. Throws
// std::runtime_error when an answer is wrong, a connection ends, or nothing moves for 10 seconds.
double RunMemcachedLoad(const MemcachedLoad& load);

// Opens `connections` connections to a Redis, `at_once` at a time: connect, PING, PONG, close. Per
// second. Throws as above.
double RunConnections(const Target& target, int connections, int at_once);

}  // namespace ec::bench
