// ec_bench_micro: small pieces that are run often, by Google Benchmark.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "controlplane/core/plans.h"
#include "controlplane/server/convert.h"
#include "nodeagent/core/report_log.h"
#include "nodeagent/endpoint/memcached_framing.h"
#include "proto/host_plan_proto.h"
#include "tests/support/control_plane.h"

namespace ec::bench {
namespace {

// A control plane with so many available Redis clusters on four hosts.
testing::ControlPlane Filled(int clusters) {
  core::Settings settings;
  settings.region_nodes_max = 100'000;
  testing::ControlPlane control_plane(settings);
  for (const char zone : {'a', 'b', 'c', 'd'}) {
    control_plane.AddHost(std::string("host-") + zone, zone, 4000);
  }
  for (int i = 0; i < clusters; ++i) {
    const Status created = control_plane.Ask(testing::Redis(fmt::format("cluster-{:05}", i)));
    if (!created.ok()) throw std::runtime_error(created.message());
  }
  control_plane.Settle();
  return control_plane;
}

void DescribePage(benchmark::State& run) {
  const testing::ControlPlane control_plane = Filled(100);
  for (auto _ : run) {
    v1::DescribeCacheClustersResponse page;
    for (const auto& [id, cluster] : control_plane.records().clusters) {
      server::ToProto(control_plane.state, cluster, true, page.add_cache_clusters());
    }
    benchmark::DoNotOptimize(page.ByteSizeLong());
  }
}
BENCHMARK(DescribePage)->Name("describe: a page of 100 clusters to protobuf");

// What a host is told after one of its thousand clusters has changed.
void PlanOfOneChange(benchmark::State& run) {
  testing::ControlPlane control_plane = Filled(1000);
  const uint64_t before = control_plane.records().revision;
  if (!control_plane.Ask(testing::Redis("one-more")).ok()) throw std::runtime_error("refused");
  const HostId host = control_plane.node("one-more", "0001").host;
  for (auto _ : run) {
    v1::PlanUpdate message;
    ToProto(core::PlanSince(control_plane.state, host, before), &message);
    benchmark::DoNotOptimize(message.ByteSizeLong());
  }
}
BENCHMARK(PlanOfOneChange)->Name("plan: one change to protobuf");

// An agent's report with one change among so many members.
void ReportOfOneChange(benchmark::State& run) {
  host::ReportLog log("host", 1);
  MemberReport member;
  for (int i = 1; i <= run.range(0); ++i) {
    member.id = static_cast<MemberId>(i);
    log.Put(member);
  }
  log.Acknowledge(log.Make(1).sequence);
  for (auto _ : run) {
    ++member.launch;
    log.Put(member);
    const HostReport report = log.Make(1);
    log.Acknowledge(report.sequence);
    benchmark::DoNotOptimize(report.members.size());
  }
}
BENCHMARK(ReportOfOneChange)->Name("report: one change among members")->Arg(10)->Arg(100);

void Framing(benchmark::State& run) {
  const std::string value(static_cast<size_t>(run.range(0)), 'v');
  std::string stream;
  for (int i = 0; i < 16; ++i) {
    stream += fmt::format("set key{} 0 0 {}\r\n{}\r\nget key{}\r\n", i, value.size(), value, i);
  }
  for (auto _ : run) {
    endpoint::MemcachedFraming framing;
    std::string_view rest = stream;
    while (!rest.empty()) rest.remove_prefix(framing.Next(rest).length);
  }
  run.SetBytesProcessed(static_cast<int64_t>(run.iterations()) *
                        static_cast<int64_t>(stream.size()));
}
BENCHMARK(Framing)->Name("framing: 16 sets and gets, bytes of a value")->Arg(64)->Arg(4096);

}  // namespace
}  // namespace ec::bench

BENCHMARK_MAIN();
