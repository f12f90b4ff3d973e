// The gateway's way to the API where both are one process: calls that only look, and that never
// wait, are made right here, on the gateway's own thread. gRPC's way within the process costs them
// ten times what they do.
#pragma once

#include <memory>

#include "controlplane/gateway/api.h"
#include "controlplane/server/api_service.h"

namespace ec {

// All else goes to `others`. The service must live as long as it is called.
std::unique_ptr<gateway::Api> MakeDirectApi(server::ElastiCacheService& elasticache,
                                            std::unique_ptr<gateway::Api> others);

}  // namespace ec
