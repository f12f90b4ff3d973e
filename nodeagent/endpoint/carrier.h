// How an admitted connection gets to its engine: decided here, and seen nowhere else.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "common/unique_fd.h"
#include "nodeagent/endpoint/endpoint.h"
#include "nodeagent/endpoint/endpoint_server.h"
#include "nodeagent/endpoint/relay.h"

namespace ec::endpoint {

enum class Carriage {
  kRelay,  // bytes are copied between the client's socket and the engine's
};

// Pure.
Carriage CarriageFor(const Endpoint& endpoint);

class Carrier {
 public:
  Carrier(const Settings& settings, EnginePath engine_path);

  // Carries a client's connection until it ends. One thread at a time.
  void Carry(UniqueFd client, std::shared_ptr<Endpoint> endpoint);

  // Resets those connections of these endpoints that Carry() was called for before and that their
  // endpoint does not keep, and returns when none of their bytes moves any more. The held ones look
  // for an engine at once. Any thread.
  void Cut(const std::vector<std::shared_ptr<Endpoint>>& endpoints);

  // The connections that are carried or held now. Any thread.
  size_t open() const;

 private:
  std::vector<std::unique_ptr<Relay>> relays_;
};

}  // namespace ec::endpoint
