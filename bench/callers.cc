#include "bench/callers.h"

#include <grpcpp/create_channel.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "bench/run.h"

namespace ec::bench {
namespace {

std::unique_ptr<v1::ElastiCache::Stub> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return v1::ElastiCache::NewStub(channel);
}

}  // namespace

CallTimes MakeCalls(const std::string& address, int count, int at_once, const Call& call) {
  CheckInterrupted();
  std::vector<std::unique_ptr<v1::ElastiCache::Stub>> stubs;
  for (int i = 0; i < at_once; ++i) stubs.push_back(Connect(address));
  CallTimes times;
  std::string failure;
  std::mutex mutex;  // guards the two
  std::atomic<int> next = 0;
  const Stopwatch watch;
  std::vector<std::thread> callers;
  for (const auto& stub : stubs) {
    callers.emplace_back([&] {
      std::vector<double> own;
      for (int number; (number = next++) < count;) {
        const Stopwatch one;
        const grpc::Status status = call(*stub, number);
        own.push_back(one.milliseconds());
        if (status.ok()) continue;
        const std::lock_guard lock(mutex);
        failure = status.error_message();
        return;
      }
      const std::lock_guard lock(mutex);
      times.milliseconds.insert(times.milliseconds.end(), own.begin(), own.end());
    });
  }
  for (std::thread& caller : callers) caller.join();
  times.seconds = watch.seconds();
  if (!failure.empty()) throw std::runtime_error("a call failed: " + failure);
  return times;
}

grpc::Status CreateRedis(v1::ElastiCache::Stub& stub, const std::string& id) {
  v1::CreateCacheClusterRequest request;
  request.set_cache_cluster_id(id);
  request.set_engine("redis");
  request.set_cache_node_type("cache.t3.micro");
  request.set_num_cache_nodes(1);
  grpc::ClientContext context;
  v1::CreateCacheClusterResponse response;
  return stub.CreateCacheCluster(&context, request, &response);
}

}  // namespace ec::bench
