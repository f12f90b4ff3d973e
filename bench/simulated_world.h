// A control plane without an agent, and hosts that are simulated: thousands of clusters that cost
// the machine nothing but their records.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/callers.h"
#include "bench/load.h"
#include "bench/memory.h"
#include "bench/simulated_host.h"
#include "tests/integration/installation.h"

namespace ec::bench {

// Every call throws std::runtime_error when it cannot do what it says.
class SimulatedWorld {
 public:
  SimulatedWorld();

  void Start();
  void Stop();

  // Creates clusters until there are so many, all available. REQUIRES: there are not more.
  void Fill(int count);
  // Deletes the newest clusters until so many are left.
  void Shrink(int count);
  CallTimes Create(int count, int at_once);
  // One cluster by its id, or with `pages` 100 of them with their nodes.
  CallTimes Describe(int count, int at_once, bool pages);
  // Creation goes on behind the calls: reports are taken, events written. Waits for its end, of the
  // clusters from this number on.
  void Settle(int first);

  Memory memory();
  double processor_ms();  // that the control plane has used so far
  std::string control_plane_dir() const { return installation_.control_plane_dir(); }
  Target http() const;  // the gateway

  static std::string NameOf(int number);  // of a cluster

 private:
  integration::Installation installation_;
  std::vector<std::unique_ptr<SimulatedHost>> hosts_;
  uint64_t incarnation_ = 0;
  int clusters_ = 0;
};

}  // namespace ec::bench
