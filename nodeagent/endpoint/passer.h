// Passes clients' sockets to engines that have a network card (nodeagent/netcard).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/host_plan.h"
#include "common/unique_fd.h"
#include "nodeagent/endpoint/endpoint.h"

namespace ec::endpoint {

// All connections from one address to one endpoint.
struct Revocation {
  Ip4 client;
  Address endpoint;
  friend bool operator==(const Revocation&, const Revocation&) = default;
};

using EnginePath = std::function<std::string(MemberId)>;

// Any thread; nothing waits.
class Passer {
 public:
  enum class Outcome {
    kPassed,  // the engine has it, or will, unless it dies
    kFull,    // as many wait for the engine as may: see AwaitRoom()
    kAbsent,  // no engine takes sockets there
  };

  // `passing_path` gives the path of an engine's passing socket; empty: it has none.
  explicit Passer(EnginePath passing_path) : passing_path_(std::move(passing_path)) {}

  // With kPassed, the caller has to close its own descriptor soon: the client sees the end of the
  // connection when the last one is closed.
  Outcome Pass(MemberId target, int client);

  // The same for whom the endpoint leads a client from there to; kAbsent when that is nobody. An
  // endpoint that leads elsewhere after this has returned knows of the connection as one of its
  // former target, and one whose rules have changed finds it among the open ones.
  Outcome PassFor(const Endpoint& endpoint, int client, Ip4 ip);

  // Has the engine shut down those of these connections that it was passed before.
  void Revoke(MemberId target, const std::vector<Revocation>& revocations);

  // Has `epoll` report an event without data once the engine has taken a socket.
  void AwaitRoom(MemberId target, int epoll);

  // The member is not a target any more.
  void Forget(MemberId target);

 private:
  // One datagram, with a client's socket unless that is -1.
  Outcome Send(MemberId target, std::string_view bytes, int client);

  const EnginePath passing_path_;
  std::mutex mutex_;
  std::map<MemberId, UniqueFd> sockets_;  // connected to the engines'; guarded by mutex_
};

}  // namespace ec::endpoint
