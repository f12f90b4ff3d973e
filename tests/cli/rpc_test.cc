// `ecctl rpc`: any call, by the descriptors.
#include "cli/rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Rpc, KnowsEveryMethodOfEveryService) {
  const std::vector<std::string> names = RpcMethodNames();
  EXPECT_THAT(names, Contains("ElastiCache/CreateCacheCluster"));
  EXPECT_THAT(names, Contains("Emulator/WatchEvents"));
  EXPECT_THAT(names, Contains("NodeAgent/Connect"));
  const Ended ended = Ecctl({"rpc", "--list"});
  EXPECT_EQ(ended.exit, 0);
  EXPECT_EQ(std::count(ended.out.begin(), ended.out.end(), '\n'),
            static_cast<std::ptrdiff_t>(names.size()));
}

TEST(Rpc, TakesTheMethodsNameInThreeForms) {
  FakeService service;
  service.describe = [](const auto& request, auto* response) {
    *response->add_cache_clusters() = MakeCluster(request.cache_cluster_id(), "available");
    return grpc::Status::OK;
  };
  for (const char* method : {"DescribeCacheClusters", "ElastiCache/DescribeCacheClusters",
                             "ec.v1.ElastiCache/DescribeCacheClusters"}) {
    const Ended ended = service.Ecctl({"rpc", method, "{\"cache_cluster_id\": \"demo\"}"});
    ASSERT_EQ(ended.exit, 0) << ended.err;
    EXPECT_EQ(nlohmann::json::parse(ended.out)["cache_clusters"][0]["cache_cluster_id"], "demo");
  }
}

TEST(Rpc, TakesJsonFromStandardInputAndNamesInBothCases) {
  FakeService service;
  std::string seen;
  service.describe = [&](const auto& request, auto*) {
    seen = request.ShortDebugString();
    return grpc::Status::OK;
  };
  EXPECT_EQ(
      service.Ecctl({"rpc", "DescribeCacheClusters", "-"}, "{\"cacheClusterId\": \"x\"}\n").exit,
      0);
  EXPECT_EQ(seen, "cache_cluster_id: \"x\"");
  EXPECT_EQ(service.Ecctl({"rpc", "DescribeCacheClusters"}).exit, 0);
  EXPECT_EQ(seen, "");
}

TEST(Rpc, PrintsAStreamAsOneObjectPerLine) {
  FakeService service;
  service.watch = [](const auto& request, auto*, auto* writer) {
    for (uint64_t i = 1; i <= 3; ++i)
      writer->Write(MakeEvent(request.after_serial() + i, "a", "b"));
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"rpc", "WatchEvents", "{\"after_serial\": 10}"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  std::istringstream lines(ended.out);
  std::vector<std::string> serials;
  for (std::string line; std::getline(lines, line);) {
    serials.push_back(nlohmann::json::parse(line)["serial"].get<std::string>());
  }
  EXPECT_THAT(serials, testing::ElementsAre("11", "12", "13"));
}

TEST(Rpc, ReportsTheServicesErrors) {
  FakeService service;
  service.describe = Describing({});
  const Ended ended =
      service.Ecctl({"rpc", "DescribeCacheClusters", "{\"cache_cluster_id\": \"nope\"}"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "ecctl: CacheClusterNotFound: CacheCluster not found: nope\n");
}

TEST(Rpc, RefusesWhatIsNoCallOrNoRequest) {
  FakeService service;
  const Ended unknown = service.Ecctl({"rpc", "CreateCacheClutser"});
  EXPECT_EQ(unknown.exit, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'CreateCacheCluster'?"));
  const Ended missing = service.Ecctl({"rpc"});
  EXPECT_EQ(missing.exit, 2);
  EXPECT_THAT(missing.err, HasSubstr("METHOD is missing"));
  for (const char* json : {"{", "[]", "{\"no_such_field\": 1}", "{\"cache_cluster_id\": {}}"}) {
    const Ended bad = service.Ecctl({"rpc", "DescribeCacheClusters", json});
    EXPECT_EQ(bad.exit, 2) << json;
    EXPECT_THAT(bad.err, HasSubstr("is not a DescribeCacheClustersRequest")) << json;
  }
  const Ended stream = service.Ecctl({"rpc", "NodeAgent/Connect"});
  EXPECT_EQ(stream.exit, 2);
  EXPECT_THAT(stream.err, HasSubstr("stream of requests"));
}

}  // namespace
}  // namespace ec::cli
