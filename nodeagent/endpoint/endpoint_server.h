// Stable addresses in front of changing engines: accept, judge the peer, carry the connection.
//
// How an admitted connection is carried (carrier.h) is one decision behind the endpoint.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/host_plan.h"
#include "common/time.h"
#include "common/wire_fault.h"
#include "nodeagent/endpoint/listener.h"

namespace ec::endpoint {

struct Settings {
  // A connection that finds no engine (it is just being started again) waits this long for one,
  // and is then reset.
  Duration hold_max = std::chrono::seconds(3);
  // Connections at the agent, of all endpoints together; further ones are reset. Those that engines
  // were handed are not among them.
  size_t connections_max = 20'000;
  // Threads that copy bytes; 0: two where the machine has at least two cores.
  int threads = 0;
  // How connections are to be carried: at endpoints without a discovery list (kHandOver or kRelay),
  // and at members' own ones with such a list (kFirstBytes or kRelay). All others are relayed, and
  // so are those to engines that take no sockets.
  Carry carry = Carry::kHandOver;
  // What becomes of those who may not connect. Up to 1,000 sources may be admitted to an endpoint
  // for kDrop, and the system has to allow it; else it is as kReset.
  Deny deny = Deny::kReset;
  Carry memcached_carry = Carry::kFirstBytes;
  // Not empty: every endpoint is served in its VPC's network namespace as well, which is named so
  // and after the VPC (common/netns.h), at its address in the VPC and at the one that it has on
  // this machine. Connections from there are relayed.
  std::string netns;
};

class EndpointServer {
 public:
  // `engine_socket` gives the path of a member's unix socket, `passing_socket` that of the one
  // where its engine takes clients' sockets, if it does; without it everything is relayed. They are
  // called on the server's threads, and must not wait for a thread that is in Conform().
  EndpointServer(Settings settings, std::function<std::string(MemberId)> engine_socket,
                 std::function<std::string(MemberId)> passing_socket = nullptr);
  ~EndpointServer();  // closes everything
  EndpointServer(const EndpointServer&) = delete;
  EndpointServer& operator=(const EndpointServer&) = delete;

  // Makes the endpoints exactly these, and says how each of them is. Unchanged ones keep their
  // connections, and so do those of which only the discovery list changes, which then applies to
  // the next command that asks for it. One whose address or target changes, and one that is no
  // longer there, drops them: when this returns, none of their bytes moves any more (for engines
  // that hang see client_kill.h; it waits for them for half a second at most). One that loses its
  // target drops those that had got through to it; one that gets a target, having had none, lets
  // through those that it holds. One that spreads over other addresses than before drops those that
  // were carried to addresses it no longer has. Tries again to open what could not be opened
  // before. Any thread. REQUIRES: no id comes twice; a target or addresses to spread over, not both
  //
  // From now on they judge their clients by `network`; connections of those who may not connect any
  // more are closed, and the others are left alone. Engines that were handed such connections close
  // them at their next turn.
  //
  // The faults act from now on as well (none: there are none). What they do to bytes is acted out
  // by the relay: connections of theirs that were handed over are closed like those above, and come
  // back through it; relayed ones go on, without a cut both when a fault begins and when it ends. A
  // cut (kCut) is done when its id is first seen.
  std::vector<EndpointReport> Conform(const std::vector<EndpointSpec>& endpoints,
                                      const SharedNetwork& network,
                                      const SharedFaults& faults = {});

  // Asks engines again that have not yet closed what they were told to, and looks whether endpoints
  // are to be opened (anew) in network namespaces. Now and then. Any thread.
  void Sweep();

  // The same, without changing anything, with the present counts. Any thread.
  std::vector<EndpointReport> Report() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ec::endpoint
