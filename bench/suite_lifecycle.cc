// From the call to "Cache cluster created" and to "Cache cluster deleted", with real engines.
#include <fmt/format.h>

#include <stdexcept>

#include "bench/callers.h"
#include "bench/run.h"
#include "tests/integration/installation.h"

namespace ec::bench {
namespace {

using integration::Installation;
using integration::InstallationOptions;

// The installation's events from the beginning, one after another.
class Events {
 public:
  explicit Events(Installation& installation) {
    v1::WatchEventsRequest request;
    request.set_after_serial(0);
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(15));
    stream_ = installation.emulator().WatchEvents(&context_, request);
  }
  ~Events() {
    context_.TryCancel();
    stream_->Finish();
  }

  // Waits for so many events with this message.
  void Await(const std::string& message, int count) {
    v1::Event event;
    while (count > 0 && stream_->Read(&event)) {
      if (event.message() == message) --count;
    }
    if (count > 0) throw std::runtime_error("the events ended before: " + message);
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::Event>> stream_;
};

std::string Name(int number) { return fmt::format("c{}", number); }

void MustBeOk(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

struct Times {
  std::vector<double> created;  // milliseconds of each round
  std::vector<double> deleted;
};

class Lifecycle {
 public:
  Lifecycle() : installation_(Settings()) {
    std::string why;
    if (!installation_.StartControlPlane(&why)) throw std::runtime_error(why);
    for (const char* const zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
      installation_.StartAgent(zone);
    }
    if (!installation_.WaitForHosts()) throw std::runtime_error("the agents did not register");
    events_ = std::make_unique<Events>(installation_);
  }

  Times Redis(int rounds) {
    return Repeat(rounds, [this] { MustBeOk(installation_.Create("one", "redis")); });
  }
  Times Memcached(int rounds) {
    return Repeat(rounds,
                  [this] { MustBeOk(installation_.Create("one", "memcached", 10, "cross-az")); });
  }
  // Many Redis clusters at once, called for by ten callers; all of them there, all of them gone.
  void Many(int clusters, Times* times) {
    Stopwatch watch;
    MakeCalls(installation_.address(), clusters, 10, [](v1::ElastiCache::Stub& stub, int number) {
      return CreateRedis(stub, Name(number));
    });
    events_->Await("Cache cluster created", clusters);
    times->created.push_back(watch.milliseconds());
    watch.Restart();
    MakeCalls(installation_.address(), clusters, 10, [](v1::ElastiCache::Stub& stub, int number) {
      v1::DeleteCacheClusterRequest request;
      request.set_cache_cluster_id(Name(number));
      grpc::ClientContext context;
      v1::DeleteCacheClusterResponse response;
      return stub.DeleteCacheCluster(&context, request, &response);
    });
    events_->Await("Cache cluster deleted", clusters);
    times->deleted.push_back(watch.milliseconds());
  }

 private:
  static InstallationOptions Settings() {
    InstallationOptions options;
    options.log_level = "info";
    return options;
  }

  Times Repeat(int rounds, const std::function<void()>& create) {
    Times times;
    for (int round = 0; round < rounds; ++round) {
      Stopwatch watch;
      create();
      events_->Await("Cache cluster created", 1);
      times.created.push_back(watch.milliseconds());
      watch.Restart();
      MustBeOk(installation_.Delete("one"));
      events_->Await("Cache cluster deleted", 1);
      times.deleted.push_back(watch.milliseconds());
    }
    return times;
  }

  Installation installation_;
  std::unique_ptr<Events> events_;
};

// Of each round: how much longer one of many takes than one of few.
std::vector<double> PerCluster(const std::vector<double>& of_many, int many,
                               const std::vector<double>& of_few, int few) {
  std::vector<double> ratios;
  for (size_t i = 0; i < of_many.size(); ++i) {
    ratios.push_back((of_many[i] / many) / (of_few[i] / few));
  }
  return ratios;
}

}  // namespace

void RunLifecycle(const Options& options, Report* report) {
  Lifecycle lifecycle;
  const Times redis = lifecycle.Redis(options.Size(21, 1));
  report->Add("one Redis cluster: create to available", "ms", redis.created, AtMost(60));
  report->Add("one Redis cluster: delete to gone", "ms", redis.deleted, AtMost(60));
  const Times memcached = lifecycle.Memcached(options.Size(11, 1));
  report->Add("ten-node Memcached: create to available", "ms", memcached.created, AtMost(200));
  report->Add("ten-node Memcached: delete to gone", "ms", memcached.deleted, AtMost(200));
  const int few = options.Size(25, 2);
  const int many = options.Size(100, 4);
  Times some, all;
  for (int round = 0; round < options.Size(9, 1); ++round) {
    lifecycle.Many(few, &some);
    lifecycle.Many(many, &all);
  }
  const auto tell = [&](const std::string& what, const std::vector<double>& of_few,
                        const std::vector<double>& of_many) {
    report->Add(fmt::format("{} Redis clusters at once: {}", few, what), "ms", of_few);
    report->Add(fmt::format("{} Redis clusters at once: {}", many, what), "ms", of_many);
    // Linear: one of many takes no longer than one of few, but for noise.
    report->Add(fmt::format("{}: time per cluster, {} at once to {} at once", what, many, few), "x",
                PerCluster(of_many, many, of_few, few), AtMost(1.2));
  };
  tell("create to available", some.created, all.created);
  tell("delete to gone", some.deleted, all.deleted);
  report->AddNote(
      "From the gRPC call to the event, three hosts, real engines. A quarter as many clusters at "
      "once stands for linearity.");
}

}  // namespace ec::bench
