// I21: no client of VPC B ever reaches an engine of VPC A, whatever the hosts were told and when. A
// model of its own: it knows VPCs and rules from the records, and asks the hosts' gates.
#pragma once

#include <map>
#include <string>

#include "tests/sim/world.h"

namespace ec::sim {

class AccessChecker {
 public:
  explicit AccessChecker(World& world) : world_(world) {}

  // After every event: what is open admits nobody of another VPC, also by an old plan.
  std::string Check();

  // Once nothing is under way: every host judges as the records say. Empty, or who does not.
  std::string Unsettled() const;

 private:
  void LearnOwners();
  std::string CheckHost(const SimHost& host) const;

  World& world_;
  uint64_t revision_ = 0;
  std::map<HostId, uint64_t> conformed_;       // what was last checked of each host
  std::map<EndpointId, model::VpcId> owners_;  // of all endpoints that ever were
};

}  // namespace ec::sim
