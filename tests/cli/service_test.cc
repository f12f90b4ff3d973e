// `ecctl version`, `reset`, `host list` and `status --address`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

void AnswerVersion(FakeService& service) {
  service.version = [](const auto&, auto* response) {
    response->set_version("0.1.0");
    response->set_api_version("2015-02-02");
    response->set_region("us-east-1");
    response->set_account_id("000000000000");
    return grpc::Status::OK;
  };
}

void AnswerHosts(FakeService& service, const std::string& status) {
  service.hosts = [status](const auto&, auto* response) {
    v1::Host* host = response->add_hosts();
    host->set_host_id("h1");
    host->set_availability_zone("us-east-1a");
    host->set_status(status);
    host->set_members(2);
    host->set_members_max(100);
    (*host->mutable_engines())["redis"] = "7.0.15";
    (*host->mutable_engines())["memcached"] = "1.6.18";
    return grpc::Status::OK;
  };
}

TEST(Version, NamesBothSides) {
  FakeService service;
  AnswerVersion(service);
  EXPECT_EQ(service.Ecctl({"version"}).out,
            "client  0.1.0\nserver  0.1.0 (API 2015-02-02, schema "
            "0) at " +
                service.address() + "\n");
  EXPECT_EQ(service.Ecctl({"--version"}).out, service.Ecctl({"version"}).out);
  const auto answer = nlohmann::json::parse(service.Ecctl({"version", "-o", "json"}).out);
  EXPECT_EQ(answer["client"]["version"], "0.1.0");
  EXPECT_EQ(answer["server"]["api_version"], "2015-02-02");
}

TEST(Version, OfTheClientIsPrintedWithoutAServerToo) {
  const TempDir dir;
  const Ended ended = Ecctl({"--dir", dir.path(), "version"});
  EXPECT_EQ(ended.exit, 0);
  EXPECT_THAT(ended.out, StartsWith("client  0.1.0\nserver  not reached"));
  EXPECT_TRUE(nlohmann::json::parse(Ecctl({"--dir", dir.path(), "version", "-ojson"}).out)["server"]
                  .is_null());
}

TEST(Reset, NeedsYesWithoutATerminal) {
  FakeService service;
  int resets = 0;
  service.reset = [&](const auto&, auto*) {
    ++resets;
    return grpc::Status::OK;
  };
  EXPECT_EQ(service.Ecctl({"reset"}).exit, 2);
  EXPECT_EQ(resets, 0);
  EXPECT_EQ(service.Ecctl({"reset", "--yes"}).exit, 0);
  EXPECT_EQ(resets, 1);
}

TEST(HostList, ShowsCapacityAndEngines) {
  FakeService service;
  AnswerHosts(service, "ready");
  EXPECT_EQ(service.Ecctl({"host", "list"}).out,
            "HOST  ZONE        STATUS  MEMBERS  ENGINES                         PID  REGISTERED\n"
            "h1    us-east-1a  ready   2/100    memcached 1.6.18, redis 7.0.15  -    -\n");
  EXPECT_THAT(service.Ecctl({"host", "list", "-o", "json"}).out,
              HasSubstr("\"availability_zone\": \"us-east-1a\""));
}

TEST(StatusOfAnAddress, IsUpWhenItsHostsAreReady) {
  FakeService service;
  AnswerVersion(service);
  AnswerHosts(service, "ready");
  const Ended up = Ecctl({"--address", service.address(), "status", "-o", "json"});
  EXPECT_EQ(up.exit, 0) << up.err;
  const auto answer = nlohmann::json::parse(up.out);
  EXPECT_EQ(answer["control_plane"]["status"], "running");
  EXPECT_EQ(answer["hosts"][0]["members"], 2);
  EXPECT_TRUE(answer["dir"].is_null());
  AnswerHosts(service, "silent");
  EXPECT_EQ(Ecctl({"--address", service.address(), "status"}).exit, 3);
}

}  // namespace
}  // namespace ec::cli
