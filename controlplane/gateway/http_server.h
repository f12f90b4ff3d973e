// The HTTP/1.1 port: listens, reads requests within limits, and writes what the gateway answers.
//
// A client that is slow, or says nothing, costs a socket and a few kilobytes until its time is
// over; no thread ever waits for one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "controlplane/gateway/api.h"
#include "controlplane/gateway/gateway.h"

namespace ec::gateway {

struct HttpLimits {
  uint32_t header_bytes_max = 16 << 10;
  uint64_t body_bytes_max = 1 << 20;
  int connections_max = 4096;
  std::chrono::seconds idle{60};   // between requests, and for a request's headers
  std::chrono::seconds body{15};   // for its body
  std::chrono::seconds write{30};  // for an answer to be taken
  // Of what a refused client goes on sending: so much is taken off it, so that it gets its answer.
  uint64_t drained_bytes_max = 8 << 20;
  std::chrono::seconds drain{5};
};

class HttpServer {
 public:
  // Listens on address:port; port 0 is any free one. kUnavailable: the address cannot be had.
  static Result<std::unique_ptr<HttpServer>> Listen(const std::string& address, uint16_t port,
                                                    HttpLimits limits = {});
  virtual ~HttpServer() = default;

  virtual uint16_t port() const = 0;

  // Serves until Stop(). `api` must live until then, and give its last answer before it ends.
  virtual void Start(GatewaySettings settings, std::unique_ptr<Api> api, const Clock& clock) = 0;

  // Takes no more requests, waits for the API's answers, and closes everything. What the API leads
  // to must have been shut down before.
  virtual void Stop() = 0;
};

}  // namespace ec::gateway
