// The ways to an engine that are measured beside each other: straight to it, through emucache's
// endpoints by each carry, through HAProxy.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/load.h"
#include "bench/run.h"
#include "tests/integration/installation.h"

namespace ec::bench {

struct Path {
  std::string name;
  Target redis;
  Target memcached;
};

inline constexpr const char* kDirect = "direct";
std::string CarryName(const std::string& carry);  // "emucache, relay"
std::string HaproxyName(int threads);

// Engines, proxies and installations, all running until the end. A way that is not there stands in
// the report as missing.
class Paths {
 public:
  Paths(const Options& options, Report* report);
  const std::vector<Path>& all() const { return paths_; }
  bool Has(const std::string& name) const;

 private:
  void StartEngines();
  void StartInstallation(const std::string& carry);
  void StartHaproxy(const std::string& program, int threads);

  ScratchDirectory scratch_;
  std::vector<integration::Child> children_;
  std::vector<std::unique_ptr<integration::Installation>> installations_;
  std::vector<Path> paths_;
};

}  // namespace ec::bench
