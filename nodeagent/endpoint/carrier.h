// How an admitted connection gets to its engine: decided here, and seen nowhere else.
//
//   hand-over    The engine gets the client's socket (passer.h), and the agent is out of the way.
//   first bytes  The same once the client has sent something, unless that asks for the nodes of the
//                cluster (waiting_room.h).
//   relay        The agent copies bytes (relay.h), and can answer in the engine's place. To an
//   engine
//                that speaks TLS it copies them as they are: the engine is passed one end of a
//                pair.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <vector>

#include "common/unique_fd.h"
#include "nodeagent/endpoint/endpoint.h"
#include "nodeagent/endpoint/endpoint_server.h"
#include "nodeagent/endpoint/open_connections.h"
#include "nodeagent/endpoint/passer.h"
#include "nodeagent/endpoint/relay.h"
#include "nodeagent/endpoint/waiting_room.h"

namespace ec::endpoint {

// How the connections of an endpoint are to be carried. Pure.
Carry CarryFor(const Settings& settings, const EndpointSpec& spec);

class Carrier {
 public:
  // `engine_path` gives the path of an engine's own socket, `passing_path` that of the one where it
  // takes clients' sockets.
  Carrier(const Settings& settings, EnginePath engine_path, EnginePath passing_path);

  // Carries a client's connection until it ends. One thread at a time.
  void Take(Client client, std::shared_ptr<Endpoint> endpoint);

  // Ends those connections of these endpoints that Take() was called for before, or that an earlier
  // agent handed over for them, and that their endpoint does not keep; returns when none of their
  // bytes moves any more, but see KillClients() for engines that hang. Those that wait look for an
  // engine at once. Memcached has no such command: a connection that was handed to it ends with it,
  // so only an endpoint that never has another target may be handed over. Any thread.
  void Cut(const std::vector<std::shared_ptr<Endpoint>>& endpoints);

  // Ends those connections that were handed over for these endpoints, and whose clients may not
  // connect any more or have come under a fault: their engine is told, and shuts them down when it
  // comes to that. Whether there was none: else it is worth to ask again a little later.
  bool Revoke(const std::vector<std::shared_ptr<Endpoint>>& endpoints);

  // The connections that are at the agent now. Any thread.
  size_t open() const;

 private:
  void Relay(Client client, std::shared_ptr<Endpoint> endpoint);
  // Where the relayed connections come from, unless no fault makes it matter.
  std::set<OpenConnection> Relayed(const std::vector<std::shared_ptr<Endpoint>>& endpoints);
  void CutHandedOver(const std::vector<std::shared_ptr<Endpoint>>& endpoints);

  const EnginePath engine_path_;
  Passer passer_;
  std::vector<std::unique_ptr<ec::endpoint::Relay>> relays_;
  WaitingRoom waiting_room_;  // after what it uses
};

}  // namespace ec::endpoint
