// ec_bench_steps: single steps of the controller among many clusters, for callgrind to count.
//
//   valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file=DIR/dump
//     ec_bench_steps --clusters 1000 --dir DIR
//
// Building the world is not counted. Every kind of step is repeated a few times and ends in a dump
// of its own, named by the kind. DIR also holds the store.
#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/step_costs.h"
#include "common/check.h"
#include "controlplane/server/controller.h"
#include "controlplane/store/sqlite_store.h"
#include "nodeagent/core/report_log.h"

namespace ec::bench {
namespace {

constexpr const char* kZones[kZoneCount] = {"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"};

class HandClock : public Clock {
 public:
  Now now() const override { return now_; }
  void Pass(Duration time) {
    now_.instant += time;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
  }

 private:
  Now now_ = {Instant(std::chrono::hours(1)),
              std::chrono::sys_days(std::chrono::year{2026} / 1 / 5) + std::chrono::hours(12)};
};

// The real store until it is told to forget: from then on the judgement alone is counted.
class Store : public store::Store {
 public:
  explicit Store(const std::string& dir) : disk_(store::OpenSqliteStore(dir)) {
    EC_CHECK(disk_.ok());
  }
  Result<model::Records> Load() override { return (*disk_)->Load(); }
  Status Commit(const model::Edit& edit) override {
    return forgets_ ? Status() : (*disk_)->Commit(edit);
  }
  void Forget() { forgets_ = true; }

 private:
  const Result<std::unique_ptr<store::Store>> disk_;
  bool forgets_ = false;
};

// One zone's host, which serves whatever its plan says.
struct Host {
  explicit Host(const std::string& name) : log(name, 1) {}
  std::vector<PlanUpdate> inbox;
  HostPlan plan;
  host::ReportLog log;

  void Obey();
};

void Host::Obey() {
  for (const PlanUpdate& update : inbox) {
    log.Acknowledge(update.answers);
    if (!Merge(update, &plan)) continue;
    for (const MemberSpec& spec : update.members) {
      MemberReport report;
      report.id = spec.id;
      report.generation = spec.generation;
      report.launch = spec.generation;
      report.phase = MemberPhase::kServing;
      report.engine_version = "7.0.15";
      log.Put(report);
    }
    for (const EndpointSpec& spec : update.endpoints) {
      EndpointReport report;
      report.id = spec.id;
      report.listening = true;
      log.Put(report);
    }
    for (const MemberId id : update.gone_members) log.DropMember(id);
    for (const EndpointId id : update.gone_endpoints) log.DropEndpoint(id);
  }
  inbox.clear();
}

class World : public server::Outlet {
 public:
  explicit World(store::Store& store) : controller_(Settings(), store, clock_, *this) {
    EC_CHECK(controller_.Start().ok());
    const core::Install install{"us-east-1", "000000000000", *ParseCidr("127.10.0.0/16")};
    Must({core::Command(install)});
    for (const char* const zone : kZones) {
      hosts_.emplace(zone, zone);
      HostHello hello;
      hello.host = zone;
      hello.zone = zone;
      hello.incarnation = 1;
      hello.members_max = 4000;
      hello.engines = {{EngineKind::kRedis, "7.0.15"}};
      Must({hello});
      Must({Report(zone)});
    }
  }

  // Only taken here: obeying it is the host's work, and is not counted.
  void SendPlan(const HostId& host, const PlanUpdate& update) override {
    hosts_.at(host).inbox.push_back(update);
  }

  void Must(std::vector<core::Input> inputs) {
    inputs.push_back(controller_.MakeTick());
    for (const Status& status : controller_.Step(std::move(inputs))) EC_CHECK(status.ok());
  }
  core::Input Report(const std::string& zone) {
    Host& host = hosts_.at(zone);
    host.Obey();
    return core::Reported{host.log.Make(host.plan.revision), 0};
  }
  void ReportAll() { ReportAllBut(""); }
  void ReportAllBut(std::string_view silent) {
    clock_.Pass(std::chrono::milliseconds(500));
    for (const char* const zone : kZones) {
      if (zone != silent) Must({Report(zone)});
    }
  }

  static core::Command Create(int number) {
    core::CreateCluster request;
    request.id = fmt::format("cluster-{:06}", number);
    request.engine = "redis";
    request.node_type = "cache.t3.micro";
    return request;
  }
  static core::Command Delete(int number) {
    return core::DeleteCluster{fmt::format("cluster-{:06}", number), {}};
  }

  void Fill(int count) {
    std::vector<core::Input> batch;
    for (int i = 0; i < count; ++i) {
      batch.push_back(Create(i));
      if (batch.size() < 64 && i + 1 < count) continue;
      Must(std::exchange(batch, {}));
      ReportAll();
    }
    for (int i = 0; i < 4; ++i) ReportAll();
    for (const auto& [id, cluster] : controller_.state().records.clusters) {
      EC_CHECK(cluster.status == model::ClusterStatus::kAvailable);
    }
  }

 private:
  static core::Settings Settings() {
    core::Settings settings;
    settings.region_nodes_max = 100'000;
    return settings;
  }

  HandClock clock_;
  std::map<std::string, Host> hosts_;
  server::Controller controller_;
};

template <typename Step>
void Count(const char* name, const Step& step) {
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  step();
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
}

void Run(int clusters, const std::string& dir) {
  Store store(dir);
  World world(store);
  world.Fill(clusters);
  int next = clusters;
  Count(kCreateWithCommit, [&] {
    for (int i = 0; i < kStepRepeats; ++i) world.Must({World::Create(next++)});
  });
  for (int i = 0; i < 4; ++i) world.ReportAll();
  const auto remove = [&](int first) {
    for (int i = 0; i < kStepRepeats; ++i) {
      world.Must({World::Delete(first + i * (clusters / kStepRepeats))});
    }
  };
  const auto count_reports = [&](const char* kind) {
    std::vector<core::Input> news;
    for (const char* const zone : kZones) news.push_back(world.Report(zone));
    Count(kind, [&] {
      for (const core::Input& report : news) world.Must({report});
    });
  };
  remove(1);
  count_reports(kGoneWithCommit);
  for (int i = 0; i < 4; ++i) world.ReportAll();
  store.Forget();
  Count(kTick, [&] {
    for (int i = 0; i < kStepRepeats; ++i) world.Must({});
  });
  std::vector<core::Input> quiet;
  for (int i = 0; i < kStepRepeats; ++i) quiet.push_back(world.Report(kZones[0]));
  Count(kQuietReport, [&] {
    for (const core::Input& report : quiet) world.Must({report});
  });
  Count(kCreate, [&] {
    for (int i = 0; i < kStepRepeats; ++i) world.Must({World::Create(next++)});
  });
  count_reports(kServingReport);
  for (int i = 0; i < 4; ++i) world.ReportAll();
  Count(kDelete, [&] { remove(0); });
  for (int i = 0; i < 4; ++i) world.ReportAll();
  for (int i = 0; i < 12; ++i) world.ReportAllBut(kZones[0]);  // six seconds: it is silent
  Count(kSilentTick, [&] {
    for (int i = 0; i < kStepRepeats; ++i) world.Must({});
  });
}

}  // namespace
}  // namespace ec::bench

int main(int argc, char** argv) {
  CLI::App app{"Single steps of the controller, for callgrind to count."};
  int clusters = 0;
  std::string dir;
  app.add_option("--clusters", clusters, "Clusters recorded")
      ->required()
      ->check(CLI::Range(2 * ec::bench::kStepRepeats, 15'000));
  app.add_option("--dir", dir, "Directory for the store")->required();
  CLI11_PARSE(app, argc, argv);
  ec::bench::Run(clusters, dir);
}
