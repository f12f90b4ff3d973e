// Memory of the control plane and of an agent, idle and with many clusters.
#include <fmt/format.h>

#include <stdexcept>

#include "bench/callers.h"
#include "bench/memory.h"
#include "bench/run.h"
#include "tests/integration/installation.h"

namespace ec::bench {
namespace {

void Tell(const std::string& when, integration::Installation& installation, Report* report) {
  const auto one = [&](const std::string& who, pid_t pid) {
    const Memory memory = MemoryOf(pid);
    report->Add(fmt::format("{}, {}: resident (RSS)", who, when), "MiB", {memory.resident_mib});
    report->Add(fmt::format("{}, {}: proportional (PSS)", who, when), "MiB",
                {memory.proportional_mib});
  };
  one("control plane", installation.control_plane().pid());
  one("agent", installation.agent("us-east-1a").pid());
}

}  // namespace

void RunFootprint(const Options& options, Report* report) {
  integration::InstallationOptions settings;
  settings.zones = {"us-east-1a"};
  settings.log_level = "info";
  integration::Installation installation(settings);
  std::string why;
  if (!installation.StartControlPlane(&why)) throw std::runtime_error(why);
  installation.StartAgent("us-east-1a");
  if (!installation.WaitForHosts()) throw std::runtime_error("the agent did not register");
  Tell("idle", installation, report);
  const int count = options.Size(100, 2);
  MakeCalls(installation.address(), count, 10, [](v1::ElastiCache::Stub& stub, int number) {
    return CreateRedis(stub, fmt::format("c{}", number));
  });
  for (int i = 0; i < count; ++i) {
    if (!installation.WaitForStatus(fmt::format("c{}", i), "available")) {
      throw std::runtime_error("a cluster did not become available");
    }
  }
  Tell(fmt::format("{} Redis clusters", count), installation, report);
}

}  // namespace ec::bench
