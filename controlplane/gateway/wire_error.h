// What a client of AWS's protocols is told when it does not get what it asked for.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

namespace ec::gateway {

struct WireError {
  std::string code;  // AWS's, such as "CacheClusterNotFound"; clients decide by it alone
  int http_status = 400;
  std::string message;

  // Whose fault it is, in AWS's words.
  bool is_senders() const { return http_status < 500; }
  friend bool operator==(const WireError&, const WireError&) = default;
};

// InvalidParameterValue, 400.
WireError BadParameter(std::string message);

// An API call's status. AWS's code is in its details; a status without any is a failure of ours.
// REQUIRES: !status.ok()
WireError ErrorOf(const grpc::Status& status);

}  // namespace ec::gateway
