// Replication groups of an installation, as its API shows them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/integration/installation.h"

namespace ec::integration {

class Groups {
 public:
  explicit Groups(Installation& installation) : installation_(installation) {}

  grpc::Status Create(const std::string& id, int clusters, bool automatic_failover = true);
  // Waits until it is whole, too; an expectation fails otherwise.
  bool MustCreate(const std::string& id, int clusters, bool automatic_failover = true);
  v1::ReplicationGroup Describe(const std::string& id);  // empty when it is not there
  std::string Leader(const std::string& id);             // the cluster that leads; may be empty
  std::vector<std::string> Replicas(const std::string& id);
  v1::Endpoint Primary(const std::string& id);
  v1::Endpoint Reader(const std::string& id);
  v1::Endpoint Own(const std::string& cluster);
  grpc::Status SwitchOver(const std::string& id);

  // Available, with every replica in sync.
  bool IsWhole(const std::string& id, int clusters);
  bool AwaitWhole(const std::string& id, int clusters);
  bool AwaitOtherLeader(const std::string& id, const std::string& than);

  // False when there is no such engine.
  bool SignalEngine(const std::string& cluster, int signal);

 private:
  v1::ElastiCache::Stub& api() { return installation_.elasticache(); }

  Installation& installation_;
};

}  // namespace ec::integration
