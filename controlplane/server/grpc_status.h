// Our faults as gRPC's: the code from the fault table, the message as it is, and AWS's error code
// in the status details, where clients' rich-error helpers look for it.
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "common/status.h"

namespace ec::server {

// Whose error codes they are.
inline constexpr std::string_view kElastiCacheDomain = "elasticache.amazonaws.com";
inline constexpr std::string_view kEc2Domain = "ec2.amazonaws.com";

grpc::Status ToGrpc(const Status& status, std::string_view domain = kElastiCacheDomain);

}  // namespace ec::server
