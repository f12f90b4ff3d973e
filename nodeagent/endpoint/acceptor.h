// Takes connections off the listening sockets, on one thread: listen -> judge -> carry.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/unique_fd.h"
#include "nodeagent/endpoint/carrier.h"
#include "nodeagent/endpoint/endpoint.h"
#include "nodeagent/endpoint/listener.h"

namespace ec::endpoint {

class Acceptor {
 public:
  // Beyond `connections_max` at the agent, connections are reset. `carrier` outlives the acceptor.
  Acceptor(size_t connections_max, Carrier* carrier);
  ~Acceptor();  // closes all listening sockets
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Begins to accept for `endpoint`. Returns what the other calls know the socket by; nullopt, with
  // errno set, if the system watches no more sockets. Of a listener in a VPC's network namespace,
  // `vpc` says what its clients' addresses mean. Any thread, as the following.
  std::optional<int> Add(Listening listener, std::shared_ptr<Endpoint> endpoint,
                         const std::optional<VpcBlocks>& vpc = std::nullopt);

  // From now on, what arrives at this listener is for `endpoint`.
  void Replace(int listener, std::shared_ptr<Endpoint> endpoint);

  // Leaves the attempts unanswered of those who are not admitted: see DropAllBut().
  bool DropOthers(int listener, const VpcSources& sources);
  // How many attempts were left unanswered.
  Dropped DroppedBy(int listener) const;

  // Stops listening. Nothing is accepted there any more when this returns.
  void Remove(int listener);

 private:
  struct Entry {
    Listening listener;
    std::shared_ptr<Endpoint> endpoint;
    std::optional<VpcBlocks> vpc;
  };

  void Run();
  // False: the machine or this process has no room for a connection at the moment.
  bool AcceptFrom(int listener);
  void Take(Accepted accepted, const Entry& entry);

  const size_t connections_max_;
  Carrier* const carrier_;
  UniqueFd epoll_;
  UniqueFd stop_;  // an eventfd, readable when the thread is to end
  mutable std::mutex mutex_;
  std::map<int, Entry> entries_;  // by the listener's descriptor; guarded by mutex_
  std::thread thread_;
};

}  // namespace ec::endpoint
