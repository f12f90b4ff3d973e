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
inline constexpr const char* kDefault = "emucache, default";
std::string RelayName(int threads);  // all connections relayed
std::string HaproxyName(int threads);

// Engines, proxies and installations, all running until the end. A way that is not there stands in
// the report as missing.
class Paths {
 public:
  explicit Paths(Report* report);
  const std::vector<Path>& all() const { return paths_; }
  bool Has(const std::string& name) const;

 private:
  void StartInstallation(const std::string& name, std::vector<std::string> agent_flags);
  void StartEngines();
  void StartRedis(const std::string& configuration, uint16_t port);
  void StartMemcached(const std::vector<std::string>& arguments, uint16_t port);
  void StartHaproxy(const std::string& program, int threads);

  ScratchDirectory scratch_;
  std::vector<integration::Child> children_;
  std::vector<std::unique_ptr<integration::Installation>> installations_;
  std::vector<Path> paths_;
};

}  // namespace ec::bench
