// What `ecctl fault` asks for and prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

v1::WireFault MakeFault() {
  v1::WireFault fault;
  fault.set_fault_id("fault-7");
  fault.set_kind("latency");
  fault.add_between("us-east-1a");
  fault.add_between("us-east-1b");
  fault.set_latency_ms(200);
  fault.mutable_created()->set_seconds(1'700'000'000);
  fault.set_description("latency of 200 ms between us-east-1a and us-east-1b");
  return fault;
}

class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    service_.add_fault = [this](const auto& request, auto* response) {
      seen_ = request;
      *response->mutable_fault() = MakeFault();
      return grpc::Status::OK;
    };
    service_.faults = [](const auto&, auto* response) {
      *response->add_faults() = MakeFault();
      return grpc::Status::OK;
    };
  }
  // What is asked for by these words behind `fault add`.
  std::string Asked(std::vector<std::string> words) {
    words.insert(words.begin(), {"fault", "add"});
    const Ended ended = service_.Ecctl(words);
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return seen_.ShortDebugString();
  }
  std::string Refusal(std::vector<std::string> words) {
    words.insert(words.begin(), {"fault", "add"});
    const Ended ended = service_.Ecctl(words);
    EXPECT_EQ(ended.exit, 2);
    return ended.err;
  }

  FakeService service_;
  v1::AddFaultRequest seen_;
};

TEST_F(FaultTest, EveryKindIsAskedForInItsOwnWords) {
  EXPECT_EQ(Asked({"latency", "200ms", "--between", "us-east-1a", "us-east-1b", "--for", "30s",
                   "--jitter", "20ms"}),
            "kind: \"latency\" between: \"us-east-1a\" between: \"us-east-1b\" latency_ms: 200 "
            "jitter_ms: 20 duration_ms: 30000");
  EXPECT_EQ(Asked({"latency", "--between", "a", "b", "1s"}),
            "kind: \"latency\" between: \"a\" between: \"b\" latency_ms: 1000");
  EXPECT_EQ(Asked({"bandwidth", "64k", "--to", "pages/0002"}),
            "kind: \"bandwidth\" to: \"pages/0002\" bytes_per_second: 65536");
  EXPECT_EQ(Asked({"blackhole", "--to", "orders", "--for", "10"}),
            "kind: \"blackhole\" to: \"orders\" duration_ms: 10000");
  EXPECT_EQ(Asked({"refuse", "--host", "us-east-1a"}), "kind: \"refuse\" host_id: \"us-east-1a\"");
  EXPECT_EQ(Asked({"reset-after", "500", "--to", "127.1.0.4:6379"}),
            "kind: \"reset-after\" to: \"127.1.0.4:6379\" after_bytes: 500");
  EXPECT_EQ(Asked({"cut", "--to", "orders/primary"}), "kind: \"cut\" to: \"orders/primary\"");
  EXPECT_EQ(Asked({"partition", "--between", "us-east-1a", "control-plane"}),
            "kind: \"partition\" between: \"us-east-1a\" between: \"control-plane\"");
  EXPECT_EQ(Asked({"engine-kill", "--to", "orders/primary"}),
            "kind: \"engine-kill\" to: \"orders/primary\"");
  EXPECT_EQ(Asked({"engine-pause", "--host", "h"}), "kind: \"engine-pause\" host_id: \"h\"");
  EXPECT_EQ(Asked({"host-loss", "--host", "h"}), "kind: \"host-loss\" host_id: \"h\"");
}

TEST_F(FaultTest, WhatIsWrongIsSaid) {
  EXPECT_THAT(Refusal({"flood", "--to", "x"}), HasSubstr("'flood' is not a command"));
  EXPECT_THAT(Refusal({"latency", "--to", "x"}), HasSubstr("delay"));
  EXPECT_THAT(Refusal({"latency", "soon", "--to", "x"}), HasSubstr("'soon' is not a latency"));
  EXPECT_THAT(Refusal({"bandwidth", "64q", "--to", "x"}), HasSubstr("'64q'"));
  EXPECT_THAT(Refusal({"blackhole"}), HasSubstr("needs a place"));
  EXPECT_THAT(Refusal({"blackhole", "--to", "x", "--host", "y"}), HasSubstr("--to"));
  EXPECT_THAT(Refusal({"cut", "--to", "x", "--for", "3s"}), HasSubstr("--for"));
  EXPECT_THAT(Refusal({"partition", "--between", "a"}), HasSubstr("--between"));
  EXPECT_THAT(Refusal({"host-loss", "--to", "x"}), HasSubstr("--to"));
}

TEST_F(FaultTest, WhatBeginsIsTold) {
  const Ended ended = service_.Ecctl({"fault", "add", "blackhole", "--to", "x"});
  EXPECT_EQ(ended.out,
            "fault-7: latency of 200 ms between us-east-1a and us-east-1b, until cleared\n");
  const Ended as_json = service_.Ecctl({"fault", "add", "blackhole", "--to", "x", "-o", "json"});
  EXPECT_EQ(json::parse(as_json.out)["fault_id"], "fault-7");
}

TEST_F(FaultTest, AreListed) {
  const Ended ended = service_.Ecctl({"fault", "list"});
  EXPECT_THAT(ended.out, HasSubstr("fault-7  latency  latency of 200 ms between"));
  EXPECT_THAT(ended.out, HasSubstr("until cleared"));
  const Ended as_json = service_.Ecctl({"fault", "list", "-o", "json"});
  EXPECT_EQ(json::parse(as_json.out)["faults"][0]["latency_ms"], 200);
}

TEST_F(FaultTest, AreClearedByTheirIdsOrAllTogether) {
  std::vector<std::string> ids = {"?"};
  service_.clear_faults = [&](const auto& request, auto* response) {
    ids.assign(request.fault_ids().begin(), request.fault_ids().end());
    for (const std::string& id : ids) response->add_fault_ids(id);
    return grpc::Status::OK;
  };
  const Ended ended = service_.Ecctl({"fault", "clear", "fault-7", "fault-9"});
  EXPECT_EQ(ended.out, "Cleared fault-7, fault-9.\n");
  EXPECT_THAT(ids, ElementsAre("fault-7", "fault-9"));
  EXPECT_EQ(service_.Ecctl({"fault", "clear", "--all"}).out, "There was no fault to clear.\n");
  EXPECT_TRUE(ids.empty());
  EXPECT_EQ(service_.Ecctl({"fault", "clear"}).exit, 2);
  EXPECT_EQ(service_.Ecctl({"fault", "clear", "fault-7", "--all"}).exit, 2);
}

TEST_F(FaultTest, AreCompleted) {
  service_.hosts = [](const auto&, auto* response) {
    v1::Host* host = response->add_hosts();
    host->set_host_id("host-0");
    host->set_availability_zone("us-east-1a");
    return grpc::Status::OK;
  };
  const auto complete = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    return service_.Ecctl(words).out;
  };
  EXPECT_THAT(complete({"fault", "add", "bl"}), HasSubstr("blackhole"));
  EXPECT_EQ(complete({"fault", "add", "partition", "--between", ""}),
            "us-east-1a\nhost-0\ncontrol-plane\n");
  EXPECT_EQ(complete({"fault", "add", "partition", "--between", "us-east-1a", "con"}),
            "control-plane\n");
  EXPECT_THAT(complete({"fault", "clear", ""}), HasSubstr("fault-7\tlatency of 200 ms"));
}

}  // namespace
}  // namespace ec::cli
