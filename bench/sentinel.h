// The peer of a replication group: a master with two replicas, watched by three Sentinels.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/run.h"
#include "ec/v1/elasticache.pb.h"
#include "tests/integration/installation.h"

namespace ec::bench {

class SentinelGroup {
 public:
  // With 100 ms, Sentinel was seen to change the master by itself while two cores were busy.
  // Throws std::runtime_error when it does not come up.
  SentinelGroup();

  // Where the master is, as the Sentinels say; what a client of Sentinel asks before it connects.
  std::optional<v1::Endpoint> Master() const;
  // Both replicas are online at the master, and the Sentinels agree on who that is.
  bool AwaitWhole();
  integration::Child& MasterProcess();
  // Puts what has ended, or stands still, back as a replica of the master of now.
  void Repair();
  static std::vector<std::string> Settings();

 private:
  struct Server {
    v1::Endpoint endpoint;
    integration::Child process;
  };
  void StartServer(size_t index, const std::optional<v1::Endpoint>& master);
  void StartSentinel(size_t index);
  bool IsWhole() const;

  ScratchDirectory scratch_;
  std::vector<Server> servers_;
  std::vector<Server> sentinels_;
};

}  // namespace ec::bench
