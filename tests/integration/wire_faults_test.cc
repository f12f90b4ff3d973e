// Faults that people put in, with real engines, clients and replication links. Times are only ever
// bounded from below.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "common/process.h"
#include "tests/integration/clients.h"
#include "tests/integration/groups.h"
#include "tests/integration/installation.h"
#include "tests/integration/writer.h"

namespace ec::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class WireFaultsTest : public InstallationTest {
 protected:
  Groups groups() { return Groups(installation()); }

  v1::AddFaultRequest Fault(const std::string& kind) {
    v1::AddFaultRequest request;
    request.set_kind(kind);
    return request;
  }
  v1::AddFaultRequest To(const std::string& kind, const std::string& target) {
    v1::AddFaultRequest request = Fault(kind);
    request.set_to(target);
    return request;
  }
  v1::AddFaultRequest Between(const std::string& kind, const std::string& one,
                              const std::string& other) {
    v1::AddFaultRequest request = Fault(kind);
    request.add_between(one);
    request.add_between(other);
    return request;
  }
  std::string Add(const v1::AddFaultRequest& request) {
    grpc::ClientContext context;
    v1::AddFaultResponse response;
    const grpc::Status status = installation().emulator().AddFault(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.fault().fault_id();
  }
  void Clear() {
    grpc::ClientContext context;
    v1::ClearFaultsResponse response;
    EXPECT_TRUE(installation().emulator().ClearFaults(&context, {}, &response).ok());
  }
  size_t FaultCount() {
    grpc::ClientContext context;
    v1::DescribeFaultsResponse response;
    EXPECT_TRUE(installation().emulator().DescribeFaults(&context, {}, &response).ok());
    return static_cast<size_t>(response.faults_size());
  }

  std::string ZoneOf(const std::string& cluster) {
    return installation().Describe(cluster)->preferred_availability_zone();
  }
  // A line of INFO at a member's own endpoint.
  std::string Info(const std::string& cluster, const std::string& name) {
    std::istringstream lines(RedisClient(groups().Own(cluster)).Do({"INFO", "replication"}));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(name + ":")) continue;
      return line.substr(name.size() + 1, line.find('\r') - name.size() - 1);
    }
    return {};
  }
  bool AwaitLink(const std::string& replica) {
    return WaitUntil([&] { return Info(replica, "master_link_status") == "up"; });
  }
  bool Answers(const v1::Endpoint& endpoint, milliseconds patience = seconds(10)) {
    return RedisClient(endpoint, patience).Do({"PING"}) == "PONG";
  }
  // Whether a connection goes through this endpoint's relay now.
  bool IsRelayed(const v1::Endpoint& endpoint) {
    grpc::ClientContext context;
    v1::DescribeEndpointsResponse response;
    EXPECT_TRUE(installation().emulator().DescribeEndpoints(&context, {}, &response).ok());
    return std::ranges::any_of(response.endpoints(), [&](const auto& one) {
      return one.endpoint().address() == endpoint.address() &&
             one.endpoint().port() == endpoint.port() && one.connections_open() > 0;
    });
  }
  // The state of a process, as /proc has it: T is stopped.
  static char StateOf(const ProcessId& process) {
    std::ifstream file("/proc/" + std::to_string(process.pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const size_t end = text.rfind(')');
    return end == std::string::npos ? '?' : text[end + 2];
  }
};

TEST_F(WireFaultsTest, LatencyBetweenZonesMakesAReplicaLag) {
  ASSERT_TRUE(groups().MustCreate("orders", 2));
  const std::string leader = groups().Leader("orders");
  const std::string replica = groups().Replicas("orders").front();
  v1::AddFaultRequest fault = Between("latency", ZoneOf(leader), ZoneOf(replica));
  fault.set_latency_ms(200);
  Add(fault);
  RedisClient writer(groups().Primary("orders"));
  RedisClient reader(groups().Own(replica));
  // The link is cut and comes back through the relay; from then on it is late.
  ASSERT_TRUE(WaitUntil([&] {
    if (!AwaitLink(replica)) return false;
    const std::string value = std::to_string(Clock::now().time_since_epoch().count());
    const auto begin = Clock::now();
    if (writer.Do({"SET", "k", value}) != "OK") return false;
    const bool lags = Info(leader, "master_repl_offset") != Info(replica, "slave_repl_offset");
    const bool came = WaitUntil([&] { return reader.Do({"GET", "k"}) == value; }, seconds(5));
    return came && lags && Clock::now() - begin >= milliseconds(200);
  })) << Info(replica, "master_link_status");
  Clear();
  EXPECT_EQ(writer.Do({"SET", "k", "last"}), "OK");
  EXPECT_EQ(writer.Do({"WAIT", "1", "10000"}), "1");
  EXPECT_EQ(reader.Do({"GET", "k"}), "last");
  EXPECT_EQ(groups().Leader("orders"), leader);
  EXPECT_TRUE(groups().AwaitWhole("orders", 2));
}

TEST_F(WireFaultsTest, APartitionedReplicaLagsAndTheLeaderStays) {
  ASSERT_TRUE(groups().MustCreate("orders", 2));
  const std::string leader = groups().Leader("orders");
  const std::string replica = groups().Replicas("orders").front();
  RedisClient writer(groups().Primary("orders"));
  ASSERT_EQ(writer.Do({"SET", "k", "before"}), "OK");
  ASSERT_EQ(writer.Do({"WAIT", "1", "5000"}), "1");
  Add(Between("partition", ZoneOf(leader), ZoneOf(replica)));
  ASSERT_TRUE(WaitUntil([&] {
    return writer.Do({"INCR", "tries"}) != "" && writer.Do({"WAIT", "1", "1000"}) == "0";
  }));
  EXPECT_EQ(writer.Do({"SET", "k", "after"}), "OK");
  EXPECT_EQ(RedisClient(groups().Own(replica)).Do({"GET", "k"}), "before");
  EXPECT_EQ(writer.Do({"WAIT", "1", "1000"}), "0");
  EXPECT_EQ(groups().Leader("orders"), leader);
  Clear();
  EXPECT_EQ(writer.Do({"WAIT", "1", "15000"}), "1");
  EXPECT_EQ(RedisClient(groups().Own(replica)).Do({"GET", "k"}), "after");
  EXPECT_TRUE(groups().AwaitWhole("orders", 2));
  EXPECT_EQ(groups().Leader("orders"), leader);
}

TEST_F(WireFaultsTest, ABlackHoleHangsClientsSurvivesItsAgentAndEndsAtOnce) {
  installation().MustCreate("red", "redis");
  const v1::Endpoint endpoint = groups().Own("red");
  const auto engine = installation().EngineOf("red", "0001");
  const std::string zone = ZoneOf("red");
  ASSERT_TRUE(Answers(endpoint));
  Add(To("blackhole", "red"));
  const auto hangs = [&] { return !Answers(endpoint, milliseconds(100)); };
  ASSERT_TRUE(WaitUntil(hangs));
  RedisClient patient(endpoint, seconds(20));
  ASSERT_TRUE(patient.connected()) << "it is not refused";
  installation().agent(zone).Kill9();
  installation().StartAgent(zone);
  ASSERT_TRUE(installation().WaitForHosts());
  EXPECT_TRUE(hangs()) << "an agent that starts again remembers";
  EXPECT_EQ(installation().StatusOf("red"), "available");
  Clear();
  EXPECT_TRUE(WaitUntil([&] { return Answers(endpoint); }));
  EXPECT_EQ(installation().EngineOf("red", "0001")->pid, engine->pid)
      << "nobody takes an engine for dead that only clients do not reach";
}

TEST_F(WireFaultsTest, AConnectionThatIsRelayedGoesOnAfterABlackHole) {
  installation().MustCreate("red", "redis");
  v1::AddFaultRequest late = To("latency", "red");
  late.set_latency_ms(1);
  Add(late);
  // A connection from before the latency would be the engine's own.
  std::optional<RedisClient> client;
  ASSERT_TRUE(WaitUntil([&] {
    client.emplace(groups().Own("red"), seconds(30));
    return client->Do({"SET", "k", "v"}) == "OK" && IsRelayed(groups().Own("red"));
  }));
  v1::AddFaultRequest hole = To("blackhole", "red");
  hole.set_duration_ms(3000);
  const auto begin = Clock::now();
  Add(hole);
  ASSERT_TRUE(WaitUntil([&] { return !Answers(groups().Own("red"), milliseconds(50)); }));
  EXPECT_EQ(client->Do({"GET", "k"}), "v");
  EXPECT_GE(Clock::now() - begin, milliseconds(2900)) << "it ends by itself, and not before";
  EXPECT_TRUE(WaitUntil([&] { return FaultCount() == 1; }));
}

TEST_F(WireFaultsTest, AnEngineThatIsPausedGoesOn) {
  installation().MustCreate("red", "redis");
  const auto engine = installation().EngineOf("red", "0001");
  RedisClient client(groups().Own("red"));
  ASSERT_EQ(client.Do({"SET", "k", "v"}), "OK");
  Add(To("engine-pause", "red"));
  ASSERT_TRUE(WaitUntil([&] { return StateOf(*engine) == 'T'; }));
  Clear();
  EXPECT_EQ(client.Do({"GET", "k"}), "v");
  EXPECT_EQ(installation().EngineOf("red", "0001")->pid, engine->pid);
}

TEST_F(WireFaultsTest, AKilledLeaderIsReplaced) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  const std::string leader = groups().Leader("orders");
  Writer writer(groups().Primary("orders"));
  ASSERT_TRUE(writer.WritesAgain());
  Add(To("engine-kill", "orders/primary"));
  EXPECT_TRUE(groups().AwaitOtherLeader("orders", leader));
  EXPECT_TRUE(writer.WritesAgain());
  EXPECT_TRUE(groups().AwaitWhole("orders", 3)) << groups().Describe("orders").DebugString();
}

TEST_F(WireFaultsTest, ALostHostsLeaderIsReplacedAndComesBackAsAFollower) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  const std::string leader = groups().Leader("orders");
  const std::string zone = ZoneOf(leader);
  Writer writer(groups().Primary("orders"));
  ASSERT_TRUE(writer.WritesAgain());
  v1::AddFaultRequest loss = Fault("host-loss");
  loss.set_host_id(zone);
  Add(loss);
  EXPECT_TRUE(groups().AwaitOtherLeader("orders", leader));
  EXPECT_TRUE(writer.WritesAgain());
  EXPECT_FALSE(Answers(groups().Own(leader), milliseconds(500)));
  Clear();
  EXPECT_TRUE(groups().AwaitWhole("orders", 3)) << groups().Describe("orders").DebugString();
  EXPECT_TRUE(installation().agent(zone).running());
}

TEST_F(WireFaultsTest, AZoneApartFromTheControlPlaneIsTakenForDeadAndComesBack) {
  ASSERT_TRUE(groups().MustCreate("orders", 3));
  const std::string leader = groups().Leader("orders");
  const std::string zone = ZoneOf(leader);
  Writer writer(groups().Primary("orders"));
  ASSERT_TRUE(writer.WritesAgain());
  Add(Between("partition", zone, "control-plane"));
  EXPECT_TRUE(groups().AwaitOtherLeader("orders", leader));
  EXPECT_TRUE(writer.WritesAgain());
  Clear();
  EXPECT_TRUE(groups().AwaitWhole("orders", 3)) << groups().Describe("orders").DebugString();
  EXPECT_TRUE(writer.WritesAgain());
  EXPECT_TRUE(installation().agent(zone).running()) << "its agent was never ended";
}

TEST_F(WireFaultsTest, WhatCannotBeIsRefusedInTheUsersWords) {
  grpc::ClientContext context;
  v1::AddFaultResponse response;
  const grpc::Status status =
      installation().emulator().AddFault(&context, To("blackhole", "nothing"), &response);
  EXPECT_EQ(CodeOf(status), "InvalidParameterValue");
  EXPECT_THAT(status.error_message(), HasSubstr("'nothing'"));
  grpc::ClientContext another;
  v1::ClearFaultsRequest clear;
  clear.add_fault_ids("fault-99");
  v1::ClearFaultsResponse cleared;
  EXPECT_EQ(CodeOf(installation().emulator().ClearFaults(&another, clear, &cleared)),
            "FaultNotFound");
}

}  // namespace
}  // namespace ec::integration
