// A client of HTTP that makes load: one thread, many connections that are kept, epoll.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/load.h"

namespace ec::bench {

struct HttpLoad {
  Target target;
  std::vector<std::string> requests;  // whole ones, sent in turn; every answer must be a 200
  int connections = 8;                // each is kept, and made anew where the server closes it
  int64_t count = 0;
  // 0: each connection sends its next request when it has its answer. Otherwise requests are sent
  // at this rate whatever becomes of them, and wait here for a connection that is free.
  double per_second = 0;
};

struct HttpTimes {
  double seconds = 0;                // from the first request to the last answer
  uint64_t bytes = 0;                // of all answers, with their headers
  std::vector<double> milliseconds;  // of each request, since it was due
  double per_second() const { return static_cast<double>(milliseconds.size()) / seconds; }
};

// Throws std::runtime_error when an answer is wrong, a connection ends, or nothing moves for 10
// seconds.
HttpTimes RunHttpLoad(const HttpLoad& load);

// One request's answer, without its headers. Throws as above.
std::string AskHttp(const Target& target, const std::string& request);

// A GET that keeps the connection; `headers` are whole lines.
std::string GetRequest(const std::string& path, const std::string& headers = "");

}  // namespace ec::bench
