// What a client sees of the faults on its path; the test plays the engine. Times are only ever
// bounded from below.
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "nodeagent/endpoint/endpoint_server.h"
#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Ending = Socket::Ending;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr MemberId kMember = 7;

HostFault Fault(const std::string& id, FaultKind kind) { return {.id = id, .kind = kind}; }

class FaultsTest : public testing::Test {
 protected:
  FaultsTest()
      : path_(EngineSocket(directory_, kMember)),
        engine_(std::make_unique<FakeEngine>(path_)),
        server_(Settings{}, [this](MemberId) { return path_; }) {
    Put({});
  }

  void Put(std::vector<HostFault> faults, MemberId target = kMember) {
    target_ = target;
    Conform(SharedFaults(HostFaults{++revision_, std::move(faults)}));
  }
  void Conform(const SharedFaults& faults) {
    server_.Conform({Spec(kMember, address_, target_)}, OpenNetwork(), faults);
  }
  void Establish() {
    client_ = Connect(address_);
    behind_ = engine_->Accept();
    ASSERT_TRUE(client_ && behind_);
    ASSERT_TRUE(Exchange());
  }
  // A question and its answer.
  bool Exchange() {
    return client_.Send("?") && behind_.Receive(1) == "?" && behind_.Send("!") &&
           client_.Receive(1) == "!";
  }
  // Whether nothing comes at the socket for a while.
  static bool IsQuiet(const Socket& socket, milliseconds time = milliseconds(100)) {
    pollfd poller{.fd = socket.fd(), .events = POLLIN | POLLRDHUP, .revents = 0};
    return poll(&poller, 1, static_cast<int>(time.count())) == 0;
  }
  EndpointCounts counts() const { return ReportOf(server_, kMember).counts; }

  TempDir directory_;
  const std::string path_;
  const Address address_ = FreshAddress();
  std::unique_ptr<FakeEngine> engine_;
  EndpointServer server_;
  uint64_t revision_ = 0;
  MemberId target_ = kMember;
  Socket client_;
  Socket behind_;
};

TEST_F(FaultsTest, LatencyMakesEachDirectionLateAndBeginsAndEndsWithoutACut) {
  Establish();
  HostFault fault = Fault("fault-1", FaultKind::kLatency);
  fault.delay = milliseconds(60);
  Put({fault});
  const auto begin = Clock::now();
  EXPECT_TRUE(Exchange());
  EXPECT_GE(Clock::now() - begin, milliseconds(120));
  Put({});
  EXPECT_TRUE(Exchange());
  EXPECT_EQ(counts().cut, 0u);
}

TEST_F(FaultsTest, WhatIsUnderWayArrivesAtOnceWhenALatencyEnds) {
  Establish();
  HostFault fault = Fault("fault-1", FaultKind::kLatency);
  fault.delay = std::chrono::hours(1);
  Put({fault});
  ASSERT_TRUE(client_.Send("late"));
  EXPECT_TRUE(IsQuiet(behind_));
  Put({});
  EXPECT_EQ(behind_.Receive(4), "late");
}

TEST_F(FaultsTest, ManyBytesComeThroughALatePathWholeAndInOrder) {
  HostFault fault = Fault("fault-1", FaultKind::kLatency);
  fault.delay = milliseconds(5);
  fault.jitter = milliseconds(5);
  Put({fault});
  Establish();
  std::string bytes(300'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  ASSERT_TRUE(behind_.Send(bytes));
  EXPECT_EQ(client_.Receive(bytes.size()), bytes);
  behind_.Close();
  EXPECT_EQ(client_.AwaitEnding(), Ending::kEnd);
}

TEST_F(FaultsTest, BandwidthMakesManyBytesTakeTheirTime) {
  HostFault fault = Fault("fault-1", FaultKind::kBandwidth);
  fault.bytes = 100'000;
  Put({fault});
  Establish();
  const auto begin = Clock::now();
  ASSERT_TRUE(behind_.Send(std::string(20'000, 'x')));
  EXPECT_EQ(client_.Receive(20'000).size(), 20'000u);
  EXPECT_GE(Clock::now() - begin, milliseconds(199));
}

TEST_F(FaultsTest, InABlackHoleNothingMovesAndNobodyIsTold) {
  Establish();
  Put({Fault("fault-1", FaultKind::kBlackhole)});
  ASSERT_TRUE(client_.Send("?"));
  ASSERT_TRUE(behind_.Send("news"));
  Socket late = Connect(address_);
  ASSERT_TRUE(late && late.Send("hello"));
  EXPECT_TRUE(IsQuiet(client_));
  EXPECT_TRUE(IsQuiet(behind_, milliseconds(0)) && IsQuiet(late, milliseconds(0)));
  EXPECT_FALSE(engine_->HasArrival());
  Put({});
  EXPECT_EQ(behind_.Receive(1), "?");
  EXPECT_EQ(client_.Receive(4), "news");
  EXPECT_EQ(engine_->Accept().Receive(5), "hello");
  EXPECT_EQ(counts().cut, 0u);
}

TEST_F(FaultsTest, OneInABlackHoleLearnsOfAnEnginesEndAfterwards) {
  Establish();
  Put({Fault("fault-1", FaultKind::kBlackhole)});
  behind_.Close();
  EXPECT_TRUE(IsQuiet(client_));
  Put({});
  EXPECT_EQ(client_.AwaitEnding(), Ending::kEnd);
}

TEST_F(FaultsTest, OneInABlackHoleIsNotCutBeforeItsEnd) {
  Establish();
  Put({Fault("fault-1", FaultKind::kBlackhole)});
  Put({Fault("fault-1", FaultKind::kBlackhole)}, kMember + 1);  // the endpoint leads elsewhere
  EXPECT_EQ(behind_.AwaitEnding(), Ending::kEnd) << "the old engine is let go at once";
  EXPECT_TRUE(IsQuiet(client_));
  Put({}, kMember + 1);
  EXPECT_EQ(client_.AwaitEnding(), Ending::kReset);
}

TEST_F(FaultsTest, AClientThatLeavesABlackHoleIsForgotten) {
  Establish();
  Put({Fault("fault-1", FaultKind::kBlackhole)});
  client_.Close();
  EXPECT_TRUE(Eventually([&] { return counts().open == 0; }));
}

TEST_F(FaultsTest, RefusedAreOnlyThoseThatCome) {
  Establish();
  Put({Fault("fault-1", FaultKind::kRefuse)});
  EXPECT_EQ(Connect(address_).AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(Exchange());
  EXPECT_TRUE(Eventually([&] { return counts().refused == 1u; }));
  EXPECT_TRUE(Eventually([&] { return counts().refused_by_fault == 1u; }));
  Put({});
  client_ = Connect(address_);
  behind_ = engine_->Accept();
  EXPECT_TRUE(Exchange());
}

TEST_F(FaultsTest, AConnectionIsResetOnceItHasCarriedSoMuch) {
  HostFault fault = Fault("fault-1", FaultKind::kResetAfter);
  fault.bytes = 5;
  Put({fault});
  Establish();  // two of them
  ASSERT_TRUE(behind_.Send("abcdef"));
  EXPECT_EQ(client_.Receive(3), "abc");
  EXPECT_EQ(client_.AwaitEnding(), Ending::kReset);
  EXPECT_TRUE(Eventually([&] { return counts().cut == 1; }));
}

TEST_F(FaultsTest, ACutIsDoneOnce) {
  Establish();
  const SharedFaults cut(HostFaults{100, {Fault("fault-1", FaultKind::kCut)}});
  Conform(cut);
  EXPECT_EQ(client_.AwaitEnding(), Ending::kReset);
  Establish();
  Conform(cut);
  Put({Fault("fault-1", FaultKind::kCut), Fault("fault-2", FaultKind::kRefuse)});
  EXPECT_TRUE(Exchange());
  EXPECT_TRUE(Eventually([&] { return counts().cut == 1u; }));
}

TEST_F(FaultsTest, FaultsOfOtherSourcesAndEndpointsAreNoneOfItsBusiness) {
  Establish();
  HostFault elsewhere = Fault("fault-1", FaultKind::kBlackhole);
  elsewhere.endpoints = {kMember + 1};
  HostFault others = Fault("fault-2", FaultKind::kBlackhole);
  others.sources = {Cidr{{0x0a000000}, 8}};
  Put({elsewhere, others});
  EXPECT_TRUE(Exchange());
  // The agent's own probes come from the endpoint's address.
  Put({Fault("fault-3", FaultKind::kRefuse)});
  client_ = Connect(address_, address_.ip);
  behind_ = engine_->Accept();
  EXPECT_TRUE(Exchange());
}

}  // namespace
}  // namespace ec::endpoint
