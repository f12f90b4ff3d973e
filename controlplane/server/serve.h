// What every call of every service shares: the check of its required members, its log line and its
// status.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <string_view>

#include "common/clock.h"
#include "common/status.h"
#include "controlplane/server/grpc_status.h"

namespace ec::server {

// Members marked (required) in the proto must be there and not be empty, and those marked
// (not_emulated) must not ask for anything.
Status CheckMembers(const google::protobuf::Message& request);

// Names of the things a call is about are in its own log line's message; secrets are not logged
// because requests are not.
void LogCall(std::string_view name, const Status& status, Duration took);

template <typename Request, typename Handler>
grpc::Status Serve(const Clock& clock, std::string_view domain, std::string_view name,
                   const Request& request, Handler handler) {
  const Instant begin = clock.now().instant;
  Status status = CheckMembers(request);
  if (status.ok()) status = handler();
  LogCall(name, status, clock.now().instant - begin);
  return ToGrpc(status, domain);
}

}  // namespace ec::server
