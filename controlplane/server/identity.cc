#include "controlplane/server/identity.h"

#include <fmt/format.h>

#include "controlplane/server/controller_loop.h"
#include "controlplane/server/serve.h"

namespace ec::server {
namespace {

constexpr std::string_view kStsDomain = "sts.amazonaws.com";

}  // namespace

grpc::Status IdentityService::GetCallerIdentity(grpc::ServerContext*,
                                                const v1::GetCallerIdentityRequest* request,
                                                v1::GetCallerIdentityResponse* response) {
  return Serve(clock_, kStsDomain, "GetCallerIdentity", *request, [&] {
    return loop_.Read([&](const model::State& state) -> Status {
      const std::string& account = state.records.installation.account;
      response->set_user_id(account);
      response->set_account(account);
      response->set_arn(fmt::format("arn:aws:iam::{}:root", account));
      return {};
    });
  });
}

}  // namespace ec::server
