// `ecctl group watch`, into a pipe and on a terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// The group of a service that changes while it is watched.
class GroupWatch : public testing::Test {
 protected:
  GroupWatch() { Serve(&service_); }

  void Serve(FakeService* service) {
    service->describe_groups = [this](const auto&, auto* response) {
      const std::scoped_lock lock(mutex_);
      if (!group_) return AwsError("ReplicationGroupNotFoundFault", "gone");
      *response->add_replication_groups() = *group_;
      return grpc::Status::OK;
    };
    service->events = [this](const auto&, auto* response) {
      const std::scoped_lock lock(mutex_);
      for (const v1::Event& event : events_) *response->add_events() = event;
      return grpc::Status::OK;
    };
  }

  void FailOver() {
    const std::scoped_lock lock(mutex_);
    SetPrimary(&*group_, "orders-002");
    group_->mutable_node_groups(0)->mutable_node_group_members(0)->set_in_sync(false);
    events_.push_back(MakeEvent(9, "orders", "Failover completed"));
  }

  void Vanish() {
    const std::scoped_lock lock(mutex_);
    group_.reset();
  }

  std::mutex mutex_;
  std::optional<v1::ReplicationGroup> group_ = MakeGroup("orders", "available");
  std::vector<v1::Event> events_ = {MakeEvent(8, "orders", "an older story")};
  FakeService service_;
};

TEST_F(GroupWatch, PrintsALinePerChangeElsewhere) {
  Running running(EcctlCommand({"group", "watch", "orders"}), service_.environment());
  ASSERT_TRUE(running.PrintsOut("orders-002  replica in sync, available, pid 101\n"));
  FailOver();
  ASSERT_TRUE(running.PrintsOut("orders-002  primary, available, pid 101\n")) << running.out();
  EXPECT_TRUE(running.PrintsOut("orders  Failover completed\n"));
  EXPECT_TRUE(running.PrintsOut("orders-001  replica not in sync, available, pid 100\n"));
  running.Interrupt();
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 130);
  EXPECT_THAT(ended.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ended.out, Not(HasSubstr("an older story")));
  // Nothing is told twice: three lines at first, then two members and an event.
  EXPECT_EQ(std::count(ended.out.begin(), ended.out.end(), '\n'), 6) << ended.out;
}

TEST_F(GroupWatch, PrintsObjectsAsJson) {
  Running running(EcctlCommand({"group", "watch", "orders", "-o", "json"}), service_.environment());
  ASSERT_TRUE(running.PrintsOut("\n"));
  FailOver();
  ASSERT_TRUE(Eventually([&] {
    const std::string out = running.out();
    return std::count(out.begin(), out.end(), '\n') == 3;
  }));
  Vanish();
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("orders is gone\n"));
  std::istringstream lines(ended.out);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(nlohmann::json::parse(line).is_object());
  }
}

TEST_F(GroupWatch, DrawsInPlaceOnATerminal) {
  Running running(EcctlCommand({"group", "watch", "orders", "--no-color"}), service_.environment(),
                  Input::kTerminal);
  ASSERT_TRUE(running.PrintsOut("primary  --> orders-001"));
  FailOver();
  ASSERT_TRUE(running.PrintsOut("primary  --> orders-002"));
  EXPECT_TRUE(running.PrintsOut("Failover completed"));
  running.Interrupt();
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 130);
  // Each drawing goes up exactly as many lines as the one before had.
  const size_t first_end = ended.out.find("\x1b[?7h");
  ASSERT_NE(first_end, std::string::npos);
  const auto height = std::count(ended.out.begin(),
                                 ended.out.begin() + static_cast<std::ptrdiff_t>(first_end), '\n');
  EXPECT_THAT(ended.out.substr(first_end),
              HasSubstr("\x1b[?7h\x1b[" + std::to_string(height) + "F\x1b[J\x1b[?7l"));
}

TEST_F(GroupWatch, GoesOnWhenTheControlPlaneIsBack) {
  auto first = std::make_unique<FakeService>();
  Serve(first.get());
  Running running(EcctlCommand({"group", "watch", "orders"}), first->environment());
  ASSERT_TRUE(running.PrintsOut("orders-002  replica"));
  const int port = first->port();
  first.reset();
  ASSERT_TRUE(running.PrintsErr("the control plane is away"));
  FailOver();
  FakeService second(port);
  Serve(&second);
  EXPECT_TRUE(running.PrintsOut("orders-002  primary"));
  running.Interrupt();
  EXPECT_EQ(running.Await().exit, 130);
}

TEST_F(GroupWatch, RefusesAGroupThatIsNotThere) {
  Vanish();
  const Ended ended = service_.Ecctl({"group", "watch", "orders"});
  EXPECT_EQ(ended.exit, 1);
  EXPECT_THAT(ended.err, HasSubstr("ReplicationGroupNotFoundFault"));
}

}  // namespace
}  // namespace ec::cli
