// The service ec.v1.Identity: who everybody is here.
#pragma once

#include "common/clock.h"
#include "ec/v1/identity.grpc.pb.h"

namespace ec::server {

class ControllerLoop;

class IdentityService : public v1::Identity::Service {
 public:
  IdentityService(ControllerLoop& loop, const Clock& clock) : loop_(loop), clock_(clock) {}

  grpc::Status GetCallerIdentity(grpc::ServerContext* context,
                                 const v1::GetCallerIdentityRequest* request,
                                 v1::GetCallerIdentityResponse* response) override;

 private:
  ControllerLoop& loop_;
  const Clock& clock_;
};

}  // namespace ec::server
