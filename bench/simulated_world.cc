#include "bench/simulated_world.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/process.h"

namespace ec::bench {
namespace {

using integration::InstallationOptions;
using integration::WaitUntil;

constexpr const char* kZones[] = {"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"};
// A zone's subnet holds 4,091 addresses.
constexpr int kMembersMax = 4000;
constexpr int kDeletersAtOnce = 16;
constexpr int kCreatorsAtOnce = 64;

InstallationOptions Settings() {
  InstallationOptions options;
  options.zones = {};
  options.control_plane_flags = {"--region-nodes-max", "100000"};
  options.log_level = "info";
  return options;
}

}  // namespace

std::string SimulatedWorld::NameOf(int number) { return fmt::format("cluster-{:05}", number); }

SimulatedWorld::SimulatedWorld() : installation_(Settings()) { Start(); }

void SimulatedWorld::Start() {
  std::string why;
  if (!installation_.StartControlPlane(&why)) throw std::runtime_error(why);
  ++incarnation_;
  for (const char* const zone : kZones) {
    hosts_.push_back(
        std::make_unique<SimulatedHost>(installation_.address(), zone, kMembersMax, incarnation_));
  }
  const bool ready = WaitUntil([this] {
    grpc::ClientContext context;
    v1::DescribeHostsResponse response;
    (void)installation_.emulator().DescribeHosts(&context, {}, &response);
    return std::ranges::count(response.hosts(), "ready", &v1::Host::status) ==
           static_cast<long>(std::size(kZones));
  });
  if (!ready) throw std::runtime_error("the simulated hosts did not register");
}

void SimulatedWorld::Stop() {
  hosts_.clear();
  installation_.control_plane().Signal(SIGTERM);
  if (installation_.control_plane().Wait() != 0) {
    throw std::runtime_error("the control plane did not stop");
  }
}

void SimulatedWorld::Fill(int count) {
  const int first = clusters_;
  Create(count - clusters_, kCreatorsAtOnce);
  Settle(first);
}

void SimulatedWorld::Shrink(int count) {
  const int first = count;
  MakeCalls(installation_.address(), clusters_ - count, kDeletersAtOnce,
            [first](v1::ElastiCache::Stub& stub, int number) {
              v1::DeleteCacheClusterRequest request;
              request.set_cache_cluster_id(NameOf(first + number));
              grpc::ClientContext context;
              v1::DeleteCacheClusterResponse response;
              return stub.DeleteCacheCluster(&context, request, &response);
            });
  for (; clusters_ > count; --clusters_) {
    if (!installation_.WaitUntilGone(NameOf(clusters_ - 1))) {
      throw std::runtime_error("a cluster did not go");
    }
  }
}

CallTimes SimulatedWorld::Create(int count, int at_once) {
  const int first = clusters_;
  clusters_ += count;
  return MakeCalls(installation_.address(), count, at_once,
                   [first](v1::ElastiCache::Stub& stub, int number) {
                     return CreateRedis(stub, NameOf(first + number));
                   });
}

CallTimes SimulatedWorld::Describe(int count, int at_once, bool pages) {
  const int among = clusters_;
  return MakeCalls(installation_.address(), count, at_once,
                   [=](v1::ElastiCache::Stub& stub, int number) {
                     v1::DescribeCacheClustersRequest request;
                     request.set_show_cache_node_info(true);
                     const std::string name = NameOf(static_cast<int>(7919LL * number % among));
                     if (pages) {
                       request.set_marker(name);
                     } else {
                       request.set_cache_cluster_id(name);
                     }
                     grpc::ClientContext context;
                     v1::DescribeCacheClustersResponse response;
                     return stub.DescribeCacheClusters(&context, request, &response);
                   });
}

void SimulatedWorld::Settle(int first) {
  for (int i = first; i < clusters_; ++i) {
    if (!installation_.WaitForStatus(NameOf(i), "available")) {
      throw std::runtime_error("a cluster did not become available");
    }
  }
}

Memory SimulatedWorld::memory() { return MemoryOf(installation_.control_plane().pid()); }

double SimulatedWorld::processor_ms() {
  clockid_t clock = 0;
  timespec used = {};
  if (clock_getcpuclockid(installation_.control_plane().pid(), &clock) != 0 ||
      clock_gettime(clock, &used) != 0) {
    throw std::runtime_error("the control plane is gone");
  }
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

Target SimulatedWorld::http() const {
  const auto ready = ReadFile(control_plane_dir() + "/controlplane.json");
  if (!ready) throw std::runtime_error("the control plane is gone");
  const std::string address = nlohmann::json::parse(*ready).at("http_address");
  const size_t colon = address.rfind(':');
  Target target{address.substr(0, colon)};
  std::from_chars(address.data() + colon + 1, address.data() + address.size(), target.port);
  return target;
}

}  // namespace ec::bench
