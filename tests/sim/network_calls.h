// Random calls about the network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/sim/random.h"
#include "tests/sim/world.h"

namespace ec::sim {

class NetworkCalls {
 public:
  NetworkCalls(Random& dice, World& world) : dice_(dice), world_(world) {}

  core::Command Some();

  // For a new cluster: nothing (the default VPC), or a subnet group that is there, and sometimes
  // groups of that VPC.
  void Place(core::CreateCluster* request);
  // Groups of the cluster's VPC; sometimes of another one, which is refused.
  std::vector<std::string> SomeGroups(const model::VpcId& vpc);

 private:
  std::string NewId(const std::string& prefix);
  template <typename Row>
  std::optional<std::string> SomeId(const std::map<std::string, Row>& rows);
  core::Permission SomePermission();
  core::NetworkCommand Create();
  core::NetworkCommand Remove();
  core::NetworkCommand ChangeRules();

  Random& dice_;
  World& world_;
  int next_ = 1;
};

}  // namespace ec::sim
