// The API's calls, by their descriptors.
#pragma once

#include <string>
#include <vector>

namespace ec::cli {

// "ElastiCache/CreateCacheCluster"..., in the order of the protos.
std::vector<std::string> RpcMethodNames();

}  // namespace ec::cli
