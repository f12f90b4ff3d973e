// `ecctl event`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using testing::HasSubstr;

TEST(EventList, AsksForWhatTheOptionsSay) {
  FakeService service;
  v1::DescribeEventsRequest seen;
  service.events = [&](const auto& request, auto* response) {
    seen = request;
    *response->add_events() = MakeEvent(1, "demo", "Cache cluster created");
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"event", "list", "--cluster", "demo"});
  EXPECT_EQ(ended.out,
            "TIME                      SERIAL  SOURCE  MESSAGE\n"
            "2023-11-14T22:13:21.000Z  1       demo    Cache cluster created\n");
  EXPECT_EQ(seen.source_identifier(), "demo");
  EXPECT_EQ(seen.source_type(), "cache-cluster");
  EXPECT_FALSE(seen.has_duration());
  service.Ecctl({"event", "list", "--all"});
  EXPECT_EQ(seen.duration(), 14 * 24 * 60);
  service.Ecctl({"event", "list", "--since", "2h"});
  EXPECT_TRUE(seen.has_start_time());
  EXPECT_FALSE(seen.has_source_type());
}

// Streams the events of `story` that come after the one that is asked for, then either stays or
// breaks off.
auto Tell(std::vector<v1::Event> story, bool stays) {
  return [=](const v1::WatchEventsRequest& request, grpc::ServerContext* context,
             grpc::ServerWriter<v1::Event>* writer) {
    for (const v1::Event& event : story) {
      if (event.serial() > request.after_serial()) writer->Write(event);
    }
    while (stays && !context->IsCancelled()) Eventually([&] { return context->IsCancelled(); });
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the control plane stops");
  };
}

TEST(EventWatch, GoesOnWithoutGapOrRepetitionAfterARestart) {
  const std::vector<v1::Event> story = {MakeEvent(5, "demo", "five"), MakeEvent(6, "demo", "six"),
                                        MakeEvent(7, "demo", "seven"),
                                        MakeEvent(8, "demo", "eight")};
  auto first = std::make_unique<FakeService>();
  first->events = [&](const auto&, auto* response) {
    *response->add_events() = MakeEvent(4, "demo", "four");
    return grpc::Status::OK;
  };
  first->watch = Tell({story[0], story[1]}, true);
  Running running(EcctlCommand({"event", "watch", "-o", "json"}), first->environment());
  ASSERT_TRUE(running.PrintsOut("six")) << running.err();
  const int port = first->port();
  first.reset();
  ASSERT_TRUE(running.PrintsErr("is away"));
  FakeService second(port);
  second.watch = Tell(story, true);
  ASSERT_TRUE(running.PrintsOut("eight")) << running.err();
  running.Interrupt();
  const Ended ended = running.Await();
  EXPECT_EQ(ended.exit, 130);
  std::vector<std::string> serials;
  std::istringstream lines(ended.out);
  for (std::string line; std::getline(lines, line);) {
    serials.push_back(nlohmann::json::parse(line)["serial"].get<std::string>());
  }
  EXPECT_THAT(serials, testing::ElementsAre("5", "6", "7", "8"));
}

TEST(EventWatch, MissesNothingEvenIfNothingHadHappenedBeforeTheRestart) {
  auto first = std::make_unique<FakeService>();
  std::atomic<bool> watched = false;
  first->events = [&](const auto&, auto* response) {
    *response->add_events() = MakeEvent(4, "demo", "four");
    return grpc::Status::OK;
  };
  const auto stay = Tell({}, true);
  first->watch = [&](const auto& request, auto* context, auto* writer) {
    watched = true;
    return stay(request, context, writer);
  };
  Running running(EcctlCommand({"event", "watch"}), first->environment());
  ASSERT_TRUE(Eventually([&] { return watched.load(); }));
  const int port = first->port();
  first.reset();
  FakeService second(port);
  second.watch = Tell({MakeEvent(4, "demo", "four"), MakeEvent(5, "demo", "five")}, true);
  ASSERT_TRUE(running.PrintsOut("five"));
  EXPECT_THAT(running.out(), testing::Not(HasSubstr("four")));
}

TEST(EventWatch, BeginsWhereItIsTold) {
  FakeService service;
  service.events = [](const auto&, auto*) { return grpc::Status::OK; };
  service.watch = [](const auto& request, auto*, auto* writer) {
    writer->Write(MakeEvent(request.after_serial() + 1, request.source_identifier(), "next"));
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "enough");
  };
  const Ended ended = service.Ecctl({"event", "watch", "--cluster", "demo", "--after", "41"});
  EXPECT_EQ(ended.out, "2023-11-14T22:14:02.000Z      42  demo  next\n");
  EXPECT_EQ(ended.exit, 1);
}

TEST(EventWatch, DoesNotWaitForAControlPlaneThatWasNeverThere) {
  int port = 0;
  {
    const FakeService gone;
    port = gone.port();
  }
  const Ended ended = Ecctl({"--address", "127.0.0.1:" + std::to_string(port), "event", "watch"});
  EXPECT_EQ(ended.exit, 3);
}

}  // namespace
}  // namespace ec::cli
