// Makes Redis engines lead, follow, pause and prove, and looks at what they are.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "nodeagent/core/replication.h"

namespace ec::engine {

// Many engines at a time, without ever waiting for one of them. Everything happens on the thread
// that runs `io`.
class Replicator {
 public:
  using Done = std::function<void(const host::ReplicationSynced&)>;

  explicit Replicator(boost::asio::io_context& io) : io_(io) {}
  ~Replicator();

  // Does what SyncReplication says, over the engine's own socket. `done` is called once, within a
  // second and never from in here; or never, if the member's next Sync() comes before.
  void Sync(const host::SyncReplication& sync, const std::string& socket_path, Done done);

 private:
  class Session;

  boost::asio::io_context& io_;
  std::map<MemberId, std::weak_ptr<Session>> sessions_;  // some are over
};

}  // namespace ec::engine
