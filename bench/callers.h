// Callers of the gRPC API, several at a time, and how long their calls took.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ec/v1/elasticache.grpc.pb.h"

namespace ec::bench {

struct CallTimes {
  double seconds = 0;                // from the first call to the last answer
  std::vector<double> milliseconds;  // of each call
  double per_second() const { return static_cast<double>(milliseconds.size()) / seconds; }
};

// Makes call number 0 .. count - 1, `at_once` of them at a time, each caller on a connection of
// its own. Throws std::runtime_error when a call fails.
using Call = std::function<grpc::Status(v1::ElastiCache::Stub&, int number)>;
CallTimes MakeCalls(const std::string& address, int count, int at_once, const Call& call);

grpc::Status CreateRedis(v1::ElastiCache::Stub& stub, const std::string& id);

}  // namespace ec::bench
