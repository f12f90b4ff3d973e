// What the HTTP port answers: AWS's protocols, the JSON face, health and metrics. Knows requests
// and answers as values; sockets are http_server.h's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "controlplane/gateway/actions.h"
#include "controlplane/gateway/api.h"
#include "controlplane/gateway/headers.h"
#include "controlplane/gateway/json_face.h"
#include "controlplane/gateway/metrics.h"
#include "controlplane/gateway/parameters.h"
#include "controlplane/gateway/replay.h"
#include "controlplane/gateway/signature.h"

namespace ec::gateway {

struct GatewaySettings {
  std::vector<std::string> allowed_hosts;  // besides loopback: see browser_guard.h
  // Present: every request but GET /healthz must be signed by one of these.
  std::optional<Credentials> credentials;
};

// Thread safe.
class Gateway {
 public:
  // `io` runs until the last answer is given; so does what `api` leads to.
  Gateway(GatewaySettings settings, Api& api, boost::asio::io_context& io, const Clock& clock);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Calls `done` once, on any thread, perhaps before it returns.
  void Serve(const HttpRequest& request, AnswerDone done);

  // The answer to what is no request at all, or too large a one.
  static HttpAnswer Unreadable(int status, const std::string& why);

 private:
  struct AwsCall;

  void ServeAws(const HttpRequest& request, const std::optional<Signature>& signature,
                AnswerDone done);
  void ServeJson(const HttpRequest& request, AnswerDone done);
  void ServeHealth(AnswerDone done);
  void CallAction(const std::shared_ptr<AwsCall>& call, const Parameters& parameters);
  void Finish(const std::shared_ptr<AwsCall>& call, const std::optional<WireError>& error,
              const google::protobuf::Message* answer);

  const GatewaySettings settings_;
  Api& api_;
  boost::asio::io_context& io_;
  const Clock& clock_;
  const Actions actions_;
  const JsonMethods json_methods_;
  ReplayCache replay_;
  Metrics metrics_;
};

}  // namespace ec::gateway
