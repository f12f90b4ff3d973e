// What must never be, whatever the faults, and what must come to be once they end. Apart from the
// code that it watches: it knows the records, the processes, and what clients were told.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/sim/access_checker.h"
#include "tests/sim/group_checker.h"
#include "tests/sim/world.h"

namespace ec::sim {

// What clients were told, kept by whoever makes the calls.
struct Promise {
  std::string node_type;
  EngineKind engine = EngineKind::kRedis;
  std::map<std::string, std::string> tags;
  bool deleted = false;  // the deletion was accepted; the cluster may be on its way out or gone
};

class Checker {
 public:
  explicit Checker(World& world) : world_(world) {}

  // Accepted changes, by cluster id.
  std::map<model::ClusterId, Promise> promises;

  // A sentence about the first thing that is wrong; empty when nothing is.
  std::string Check();

  // Empty once everything that must come to be has come to be; else what is still missing.
  std::string Unsettled() const;

 private:
  std::string CheckChange();  // of the records
  std::string CheckRecords();
  std::string CheckPromises() const;
  std::string CheckProcesses() const;
  std::string CheckEvents();
  std::string CheckRecovery(const model::Event& event);
  std::string CheckDiscovery();

  World& world_;
  uint64_t revision_ = 0;
  uint64_t last_event_ = 0;
  std::set<MemberId> dropped_;  // members that were and are no more
  std::set<MemberId> members_;
  std::map<MemberId, uint64_t> generations_;
  // (cluster created at, discovery version) -> the nodes that version stands for.
  std::map<std::pair<std::string, uint64_t>, std::string> discoveries_;
  std::map<model::ClusterId, uint64_t> discovery_versions_;
  std::map<model::ClusterId, std::set<std::string>> under_way_;  // nodes that are recovering
  GroupChecker groups_{world_};
  AccessChecker access_{world_};
};

}  // namespace ec::sim
