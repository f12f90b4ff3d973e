// What a client notices of a backup: the latency of its writes while one runs, beside BGSAVE on a
// bare Redis with the same data in the same run.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "bench/run.h"
#include "tests/integration/clients.h"
#include "tests/integration/installation.h"

namespace ec::bench {
namespace {

using integration::Installation;
using integration::RedisClient;

constexpr char kZone[] = "us-east-1a";
constexpr int kValueBytes = 1024;

void Check(const std::string& reply, const std::string& wanted) {
  if (reply != wanted) throw std::runtime_error(fmt::format("'{}' was answered", reply));
}

// `mib` of values that do not compress to less.
void Fill(const v1::Endpoint& endpoint, int mib) {
  RedisClient redis(endpoint, std::chrono::minutes(5));
  for (int i = 0; i < mib; ++i) {
    Check(redis.Do({"EVAL",
                    "for i = 1, 1024 do redis.call('SET', ARGV[1] .. ':' .. i, "
                    "string.rep(ARGV[1] .. i, 1024):sub(1, 1024)) end "
                    "return redis.status_reply('FILLED')",
                    "0", fmt::format("key{}", i)}),
          "FILLED");
    CheckInterrupted();
  }
}

// One write after the other, as long as `under_way` holds, and for a second at least; their
// latencies in milliseconds.
std::vector<double> WriteWhile(const v1::Endpoint& endpoint, int mib,
                               const std::function<bool()>& under_way) {
  RedisClient redis(endpoint, std::chrono::minutes(5));
  const std::string value(kValueBytes, 'w');
  std::vector<double> latencies;
  const Stopwatch whole;
  Stopwatch look;
  for (int i = 0;; ++i) {
    if (look.milliseconds() > 20) {
      CheckInterrupted();
      if (!under_way() && whole.milliseconds() > 200) return latencies;
      look.Restart();
    }
    const Stopwatch one;
    Check(redis.Do({"SET", fmt::format("key{}:{}", i % mib, 1 + i % 1024), value}), "OK");
    latencies.push_back(one.milliseconds());
  }
}

class BareRedis {
 public:
  BareRedis() : port_(FreePort()) {
    process_ = integration::Child(Must("redis-server"),
                                  {"--port", std::to_string(port_), "--bind", "127.0.0.1", "--save",
                                   "", "--dir", scratch_.path()},
                                  scratch_.path() + "/log");
    endpoint_.set_address("127.0.0.1");
    endpoint_.set_port(port_);
    const bool up = integration::WaitUntil([&] { return RedisClient(endpoint_).connected(); });
    if (!up) throw std::runtime_error("the bare redis-server did not come up");
  }
  const v1::Endpoint& endpoint() const { return endpoint_; }
  bool IsSaving() const {
    return RedisClient(endpoint_).Do({"INFO", "persistence"}).find("rdb_bgsave_in_progress:1") !=
           std::string::npos;
  }

 private:
  const uint16_t port_;
  ScratchDirectory scratch_;
  integration::Child process_;
  v1::Endpoint endpoint_;
};

std::string StatusOf(Installation& installation, const std::string& name) {
  v1::DescribeSnapshotsRequest request;
  request.set_snapshot_name(name);
  v1::DescribeSnapshotsResponse response;
  grpc::ClientContext context;
  const auto status = installation.elasticache().DescribeSnapshots(&context, request, &response);
  return status.ok() && response.snapshots_size() == 1 ? response.snapshots(0).snapshot_status()
                                                       : "";
}

void Take(Installation& installation, const std::string& name) {
  v1::CreateSnapshotRequest request;
  request.set_snapshot_name(name);
  request.set_cache_cluster_id("data");
  v1::CreateSnapshotResponse response;
  grpc::ClientContext context;
  const auto status = installation.elasticache().CreateSnapshot(&context, request, &response);
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

v1::Endpoint CreateData(Installation& installation) {
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id("data");
  request.set_engine("redis");
  request.set_cache_node_type("cache.m5.large");
  if (!installation.Create(request).ok() || !installation.WaitForStatus("data", "available")) {
    throw std::runtime_error("the cluster did not become available");
  }
  return installation.Describe("data")->cache_nodes(0).endpoint();
}

}  // namespace

void RunBackup(const Options& options, Report* report) {
  const int mib = options.Size(1024, 2);
  const int rounds = options.Size(3, 1);
  integration::InstallationOptions settings;
  settings.zones = {kZone};
  settings.log_level = "info";
  Installation installation(settings);
  std::string why;
  if (!installation.StartControlPlane(&why)) throw std::runtime_error(why);
  installation.StartAgent(kZone);
  if (!installation.WaitForHosts()) throw std::runtime_error("the agent did not register");
  const v1::Endpoint ours = CreateData(installation);
  const BareRedis bare;
  Fill(ours, mib);
  Fill(bare.endpoint(), mib);
  std::vector<double> bare_p99, our_p99, bare_s, our_s, ratio;
  for (int round = 0; round < rounds; ++round) {  // by turns, so that both meet the same machine
    Stopwatch watch;
    RedisClient(bare.endpoint()).Do({"BGSAVE"});
    std::vector<double> latencies =
        WriteWhile(bare.endpoint(), mib, [&] { return bare.IsSaving(); });
    bare_s.push_back(watch.seconds());
    bare_p99.push_back(Percentile(latencies, 0.99));
    watch.Restart();
    const std::string name = fmt::format("round-{}", round);
    Take(installation, name);
    latencies = WriteWhile(ours, mib, [&] { return StatusOf(installation, name) == "creating"; });
    our_s.push_back(watch.seconds());
    our_p99.push_back(Percentile(latencies, 0.99));
    if (StatusOf(installation, name) != "available") throw std::runtime_error("a backup failed");
    ratio.push_back(our_p99.back() / bare_p99.back());
  }
  const std::string data = fmt::format("{} MiB", mib);
  report->Add("write latency p99 during BGSAVE of a bare Redis, " + data, "ms", bare_p99);
  report->Add("write latency p99 during a backup, " + data, "ms", our_p99);
  report->Add("the second over the first", "", ratio, AtMost(2));
  report->Add("BGSAVE of a bare Redis, " + data, "s", bare_s);
  report->Add("a backup until it is available, " + data, "s", our_s);
  report->AddNote(
      "A backup is BGSAVE, and then fsync, redis-check-rdb, SHA-256 and rename, at the lowest "
      "priority. Its client writes all the while.");
}

}  // namespace ec::bench
