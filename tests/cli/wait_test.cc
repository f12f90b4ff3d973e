// --wait, against a service that walks through statuses.
#include "cli/wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// A service whose cluster takes the next status at each look, and has an event with each.
class WaitTest : public testing::Test {
 protected:
  WaitTest() {
    service_.create = [this](const auto&, auto* response) {
      begun_ = true;
      *response->mutable_cache_cluster() = MakeCluster("demo", "creating");
      return grpc::Status::OK;
    };
    service_.remove = [this](const auto&, auto* response) {
      begun_ = true;
      *response->mutable_cache_cluster() = MakeCluster("demo", "deleting");
      return grpc::Status::OK;
    };
    service_.describe = [this](const auto&, auto* response) {
      const std::string status = statuses_[std::min(looks_, statuses_.size() - 1)];
      ++looks_;
      if (status == "gone") {
        return AwsError("CacheClusterNotFound", "CacheCluster not found: demo");
      }
      *response->add_cache_clusters() = MakeCluster("demo", status);
      return grpc::Status::OK;
    };
    service_.events = [this](const auto&, auto* response) {
      *response->add_events() = MakeEvent(7, "demo", "an older story");
      if (begun_) *response->add_events() = MakeEvent(8, "demo", last_event_);
      return grpc::Status::OK;
    };
  }

  FakeService service_;
  std::vector<std::string> statuses_;
  std::string last_event_ = "Cache cluster created";
  size_t looks_ = 0;
  bool begun_ = false;
};

TEST_F(WaitTest, TellsStatusesAndEventsOnceAndEndsWhenAvailable) {
  statuses_ = {"creating", "creating", "available"};
  const Ended ended = service_.Ecctl({"cluster", "create", "demo", "--wait"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(ended.err,
            "2023-11-14T22:13:28.000Z  Cache cluster created\n"
            "demo is creating\n"
            "demo is available\n");
  EXPECT_THAT(ended.out, HasSubstr("demo     available"));
}

TEST_F(WaitTest, PrintsTheClusterAsItIsAtTheEndAsJson) {
  statuses_ = {"creating", "available"};
  const Ended ended = service_.Ecctl({"cluster", "create", "demo", "--wait", "-o", "json"});
  EXPECT_EQ(nlohmann::json::parse(ended.out)["cache_cluster"]["cache_cluster_status"], "available");
}

TEST_F(WaitTest, FailsWithTheReasonWhenTheClusterFails) {
  last_event_ = "Failed to create: address in use";
  for (const char* status : {"create-failed", "failed", "incompatible-network", "restore-failed"}) {
    statuses_ = {"creating", status};
    looks_ = 0;
    begun_ = false;
    const Ended ended = service_.Ecctl({"cluster", "create", "demo", "--wait"});
    EXPECT_EQ(ended.exit, 1) << status;
    EXPECT_THAT(ended.err,
                HasSubstr(std::string("ecctl: creation of demo failed: the cluster is ") + status +
                          ": Failed to create: address in use\n"));
  }
}

TEST_F(WaitTest, FailsWhenSomebodyDeletesTheCluster) {
  statuses_ = {"creating", "deleting", "gone"};
  const Ended ended = service_.Ecctl({"cluster", "create", "demo", "--wait"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("the cluster is gone"));
}

TEST_F(WaitTest, ForADeletionEndsWhenTheClusterIsGone) {
  last_event_ = "Cache cluster deleted";
  statuses_ = {"deleting", "deleting", "gone"};
  const Ended ended = service_.Ecctl({"cluster", "delete", "demo", "--yes", "--wait"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("Cache cluster deleted\n"));
  EXPECT_EQ(ended.out, "Cache cluster demo has been deleted.\n");
}

TEST_F(WaitTest, EndsWithTheTimeout) {
  statuses_ = {"creating"};
  const Ended ended = service_.Ecctl({"cluster", "create", "demo", "--wait", "--timeout", "150ms"});
  EXPECT_EQ(ended.exit, 4);
  EXPECT_THAT(ended.err, HasSubstr("demo is still creating after"));
  EXPECT_THAT(ended.err, HasSubstr("the creation of demo goes on"));
}

TEST_F(WaitTest, IsStoppedByCtrlCWhileTheOperationGoesOn) {
  statuses_ = {"creating"};
  Running running(EcctlCommand({"cluster", "create", "demo", "--wait"}), service_.environment());
  ASSERT_TRUE(running.PrintsErr("demo is creating"));
  running.Interrupt();
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 130);
  EXPECT_THAT(ended.err, HasSubstr("stopped waiting; the creation of demo goes on"));
}

TEST_F(WaitTest, OutlivesARestartOfTheControlPlane) {
  auto first = std::make_unique<FakeService>();
  first->create = service_.create;
  first->describe = Describing({MakeCluster("demo", "creating")});
  first->events = service_.events;
  Running running(EcctlCommand({"cluster", "create", "demo", "--wait"}), first->environment());
  ASSERT_TRUE(running.PrintsErr("demo is creating"));
  const int port = first->port();
  first.reset();
  ASSERT_TRUE(running.PrintsErr("does not answer; waiting for it to come back"));
  FakeService second(port);
  second.describe = Describing({MakeCluster("demo", "available")});
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("demo is available"));
}

TEST_F(WaitTest, HasNoSpinnerOutsideATerminal) {
  statuses_ = {"creating", "available"};
  const Ended ended = service_.Ecctl({"cluster", "create", "demo", "--wait"});
  EXPECT_THAT(ended.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ended.err, Not(HasSubstr("\r")));
}

TEST_F(WaitTest, HasALiveLineOnATerminalThatIsGoneAtTheEnd) {
  statuses_ = {"creating", "creating", "creating", "available"};
  Running running(EcctlCommand({"cluster", "create", "demo", "--wait"}), service_.environment(),
                  Input::kTerminal);
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 0);
  EXPECT_THAT(ended.out, HasSubstr("\r\x1b[K| demo is creating ("));
  EXPECT_THAT(ended.out, HasSubstr("\r\x1b[Kdemo is available\r\n"));
}

}  // namespace
}  // namespace ec::cli
