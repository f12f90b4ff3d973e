// Asks engines how they are, many at a time, without ever waiting for one of them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "common/address.h"
#include "common/time.h"
#include "nodeagent/core/host_machine.h"

namespace ec::engine {

struct ProbeResult {
  host::EngineProbed::Outcome outcome = host::EngineProbed::Outcome::kMissed;
  std::string version;
};

// Everything happens on the thread that runs `io`.
class Prober {
 public:
  using Done = std::function<void(const ProbeResult&)>;

  explicit Prober(boost::asio::io_context& io) : io_(io) {}

  // Over the engine's own socket. Done is called once, within the deadline; never from in here.
  void ProbeEngine(EngineKind engine, const std::string& socket_path, Duration deadline, Done done);

  // As a client would: over TCP. It comes from the endpoint's own address, which always gets in.
  // With `authority` (PEM) it speaks TLS, and wants a certificate of that one for this address.
  void ProbeEndpoint(EngineKind engine, const Address& address, const std::string& authority,
                     Duration deadline, Done done);

 private:
  boost::asio::io_context& io_;
};

}  // namespace ec::engine
