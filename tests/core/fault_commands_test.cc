// Faults that people put in: what may be asked for, what hosts are told of them, and their end.
#include "controlplane/core/fault_commands.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "controlplane/core/plans.h"
#include "controlplane/model/faults.h"
#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"
#include "tests/support/refusals.h"

namespace ec::core {
namespace {

using namespace ec::testing;  // NOLINT: the test's own vocabulary
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class FaultCommandsTest : public ::testing::Test {
 protected:
  FaultCommandsTest() { plane.AddHosts(3, 3); }

  AddFault To(const std::string& kind, const std::string& target) {
    AddFault add;
    add.number = plane.records().installation.next_id;
    add.kind = kind;
    add.to = target;
    return add;
  }
  AddFault Between(const std::string& kind, const std::string& one, const std::string& other) {
    AddFault add = To(kind, "");
    add.between = {one, other};
    return add;
  }
  AddFault On(const std::string& kind, const std::string& host) {
    AddFault add = To(kind, "");
    add.host = host;
    return add;
  }
  AddFault Latency(AddFault add, milliseconds delay) {
    add.delay = delay;
    return add;
  }
  Status Ask(const FaultCommand& command) { return plane.Ask(command); }
  void ExpectRefused(const AddFault& add, Fault fault, const std::string& text) {
    ec::testing::ExpectRefused(plane, FaultCommand(add), fault, HasSubstr(text));
  }
  void Make(const CreateGroup& group) {
    ASSERT_THAT(plane.Ask(group), IsOk());
    plane.Settle();
  }
  void Make(const CreateCluster& cluster) {
    ASSERT_THAT(plane.Ask(cluster), IsOk());
    plane.Settle();
  }
  std::vector<HostFault> At(const HostId& host) const {
    const SharedFaults faults = PlanSince(plane.state, host, 0).faults;
    return faults ? faults->faults : std::vector<HostFault>();
  }
  const model::Member& Member(const std::string& cluster) { return plane.node(cluster, "0001"); }

  ControlPlane plane;
};

// --- what hosts are told ----------------------------------------------------------------------

TEST_F(FaultCommandsTest, AnEndpointsFaultGoesToItsHostAlone) {
  Make(Redis("red"));
  const model::Member node = Member("red");
  AddFault add = Latency(To("latency", "red"), milliseconds(200));
  add.jitter = milliseconds(20);
  ASSERT_THAT(Ask(add), IsOk());
  for (const auto& [id, host] : plane.hosts()) {
    EXPECT_THAT(At(id), SizeIs(id == node.host ? 1 : 0));
  }
  const std::vector<HostFault> faults = At(node.host);
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].id, "fault-" + std::to_string(add.number));
  EXPECT_EQ(faults[0].kind, FaultKind::kLatency);
  EXPECT_EQ(faults[0].delay, milliseconds(200));
  EXPECT_EQ(faults[0].jitter, milliseconds(20));
  EXPECT_THAT(faults[0].endpoints, ElementsAre(node.id));
  EXPECT_THAT(faults[0].sources, IsEmpty());
}

TEST_F(FaultCommandsTest, ATargetCanBeNamedInManyWays) {
  Make(RedisGroup("carts", 3));
  Make(Memcached("pages", 2));
  const model::Group& group = plane.group("carts");
  const auto endpoints = [&](const std::string& target) {
    std::vector<EndpointId> ids;
    const auto found = model::FindFaultTarget(plane.records(), target);
    if (!found) return ids;
    for (const model::FaultTarget::On& part : found->parts) ids.push_back(part.endpoint);
    return ids;
  };
  EXPECT_THAT(endpoints("carts"), SizeIs(5));
  EXPECT_THAT(endpoints("carts/primary"), ElementsAre(group.primary.id));
  EXPECT_THAT(endpoints("carts/reader"), ElementsAre(group.reader.id));
  EXPECT_THAT(endpoints("carts-002"), ElementsAre(Member("carts-002").id));
  EXPECT_THAT(endpoints("carts-002/0001"), ElementsAre(Member("carts-002").id));
  EXPECT_THAT(endpoints("pages"), SizeIs(3));
  EXPECT_THAT(endpoints("pages/0002"), ElementsAre(plane.node("pages", "0002").id));
  EXPECT_THAT(endpoints("pages/configuration"),
              ElementsAre(plane.cluster("pages").configuration->id));
  EXPECT_THAT(endpoints(ToString(group.reader.address)), ElementsAre(group.reader.id));
  EXPECT_THAT(endpoints(ToString(group.reader.address.ip)), ElementsAre(group.reader.id));
  for (const char* wrong : {"nothing", "carts/", "carts/leader", "pages/0003", "127.10.0.4:1",
                            "127.10.99.4", "", "/", "127.10.0.4:x", "carts/primary/x"}) {
    EXPECT_THAT(endpoints(wrong), IsEmpty()) << wrong;
  }
}

TEST_F(FaultCommandsTest, BetweenZonesEachSideIsToldOfTheOther) {
  ASSERT_THAT(Ask(Latency(Between("latency", "us-east-1a", "us-east-1b"), milliseconds(5))),
              IsOk());
  const Cidr a = plane.records().zones.at("us-east-1a").subnet;
  const Cidr b = plane.records().zones.at("us-east-1b").subnet;
  ASSERT_THAT(At("host-0"), SizeIs(1));
  EXPECT_THAT(At("host-0")[0].sources, ElementsAre(b));
  EXPECT_THAT(At("host-0")[0].endpoints, IsEmpty());
  ASSERT_THAT(At("host-1"), SizeIs(1));
  EXPECT_THAT(At("host-1")[0].sources, ElementsAre(a));
  EXPECT_THAT(At("host-2"), IsEmpty());
}

TEST_F(FaultCommandsTest, AZonesSubnetsInOtherVpcsAreOfTheZoneToo) {
  ASSERT_THAT(plane.Ask(NetworkCommand(CreateVpc{"vpc-1", "sg-1", "10.0.0.0/16", {}})), IsOk());
  ASSERT_THAT(
      plane.Ask(NetworkCommand(CreateSubnet{"subnet-1", "vpc-1", "10.0.1.0/24", "us-east-1b", {}})),
      IsOk());
  const Cidr slice = plane.records().vpcs.at("vpc-1").slice;
  EXPECT_THAT(model::SlicesOf(plane.records(), "us-east-1b"),
              UnorderedElementsAre(plane.records().zones.at("us-east-1b").subnet,
                                   Cidr{{slice.network.bits | 0x100}, 24}));
}

TEST_F(FaultCommandsTest, APartitionOfZonesIsABlackHoleBothWays) {
  ASSERT_THAT(Ask(Between("partition", "us-east-1c", "us-east-1a")), IsOk());
  ASSERT_THAT(At("host-0"), SizeIs(1));
  EXPECT_EQ(At("host-0")[0].kind, FaultKind::kBlackhole);
  EXPECT_EQ(At("host-2")[0].kind, FaultKind::kBlackhole);
  EXPECT_FALSE(model::IsCutOff(plane.records(), "host-0"));
}

TEST_F(FaultCommandsTest, APartitionFromTheControlPlaneCutsHostsOff) {
  ASSERT_THAT(Ask(Between("partition", "control-plane", "us-east-1b")), IsOk());
  EXPECT_TRUE(model::IsCutOff(plane.records(), "host-1"));
  EXPECT_FALSE(model::IsCutOff(plane.records(), "host-0"));
  EXPECT_EQ(At("host-1")[0].kind, FaultKind::kPartition);
  ASSERT_THAT(Ask(ClearFaults{}), IsOk());
  ASSERT_THAT(Ask(Between("partition", "host-2", "control-plane")), IsOk());
  EXPECT_TRUE(model::IsCutOff(plane.records(), "host-2"));
  EXPECT_FALSE(model::IsCutOff(plane.records(), "host-1"));
}

TEST_F(FaultCommandsTest, APrimaryEndpointsFaultMovesWithIt) {
  CreateGroup create = RedisGroup("carts", 2);
  create.automatic_failover = true;
  Make(create);
  ASSERT_THAT(Ask(To("refuse", "carts/primary")), IsOk());
  const HostId before = plane.group("carts").primary.host;
  EXPECT_THAT(At(before), SizeIs(1));
  plane.host(before).Kill(plane.group("carts").leader);
  plane.Settle();
  const HostId after = plane.group("carts").primary.host;
  ASSERT_NE(after, before);
  EXPECT_THAT(At(before), IsEmpty());
  EXPECT_THAT(At(after), SizeIs(1));
}

TEST_F(FaultCommandsTest, AnEnginesFaultIsAboutWhoLeadsNow) {
  Make(RedisGroup("carts", 2));
  const model::Member leader = plane.records().members.at(plane.group("carts").leader);
  ASSERT_THAT(Ask(To("engine-pause", "carts/primary")), IsOk());
  EXPECT_EQ(plane.records().faults.begin()->second.target, leader.cluster + "/0001");
  EXPECT_THAT(At(leader.host)[0].members, ElementsAre(leader.id));
  ASSERT_THAT(Ask(On("engine-kill", leader.host)), IsOk());
  EXPECT_THAT(At(leader.host)[1].members, Contains(leader.id));
  ExpectRefused(To("engine-kill", "carts/reader"), Fault::kInvalidParameterValue, "no engine");
}

// A control plane that was asked for it at that moment ended itself.
TEST_F(FaultCommandsTest, AGroupThatIsGoingHasNoLeaderForOne) {
  Make(RedisGroup("carts", 2));
  plane.state.records.members.erase(plane.group("carts").leader);
  ExpectRefused(To("engine-kill", "carts/primary"), Fault::kInvalidParameterValue, "no engine");
}

TEST_F(FaultCommandsTest, APlanCarriesThemOnlyWhenTheyAreNews) {
  Make(Redis("red"));
  ASSERT_THAT(Ask(To("blackhole", "red")), IsOk());
  const HostId host = Member("red").host;
  const uint64_t revision = plane.records().revision;
  EXPECT_TRUE(PlanSince(plane.state, host, revision - 1).faults);
  EXPECT_FALSE(PlanSince(plane.state, host, revision).faults);
  Make(Redis("blue"));  // not their business
  EXPECT_FALSE(PlanSince(plane.state, host, revision).faults);
  ASSERT_THAT(Ask(ClearFaults{}), IsOk());
  const PlanUpdate update = PlanSince(plane.state, host, revision);
  ASSERT_TRUE(update.faults) << "a host has to hear of the last one's end";
  EXPECT_THAT(update.faults->faults, IsEmpty());
  EXPECT_THAT(HostsTouched(plane.state, plane.decision.edit), Contains(host));
}

TEST_F(FaultCommandsTest, TheyAreThereAfterARestart) {
  Make(Redis("red"));
  ASSERT_THAT(Ask(To("blackhole", "red")), IsOk());
  const std::vector<HostFault> before = At(Member("red").host);
  plane.Restart();
  EXPECT_EQ(At(Member("red").host), before);
}

// --- their end --------------------------------------------------------------------------------

TEST_F(FaultCommandsTest, OneIsOverWhenItsTimeIs) {
  AddFault add = Between("blackhole", "us-east-1a", "us-east-1b");
  add.duration = seconds(10);
  ASSERT_THAT(Ask(add), IsOk());
  EXPECT_EQ(NextFaultEnd(plane.state, plane.now), plane.now.instant + seconds(10));
  EXPECT_LE(NextDeadline(plane.state, plane.settings, plane.now), plane.now.instant + seconds(10));
  plane.ForgetEvents();
  plane.Pass(milliseconds(9'999));
  EXPECT_THAT(plane.records().faults, SizeIs(1));
  plane.Pass(milliseconds(1));
  EXPECT_THAT(plane.records().faults, IsEmpty());
  EXPECT_THAT(At("host-0"), IsEmpty());
  EXPECT_THAT(plane.NewEvents(),
              ElementsAre("Fault fault-" + std::to_string(add.number) + " has ended"));
  EXPECT_EQ(NextFaultEnd(plane.state, plane.now), std::nullopt);
}

TEST_F(FaultCommandsTest, ACutOrAKillIsSoonForgotten) {
  Make(Redis("red"));
  ASSERT_THAT(Ask(To("cut", "red")), IsOk());
  plane.ForgetEvents();
  plane.Pass(seconds(5));
  EXPECT_THAT(plane.records().faults, IsEmpty());
  EXPECT_THAT(plane.NewEvents(), IsEmpty());
}

TEST_F(FaultCommandsTest, OneEndsWithWhatItIsAbout) {
  Make(Redis("red"));
  ASSERT_THAT(Ask(To("blackhole", "red")), IsOk());
  ASSERT_THAT(plane.Ask(DeleteCluster{"red", {}}), IsOk());
  plane.Settle();
  plane.Tick();
  EXPECT_THAT(plane.records().faults, IsEmpty());
}

TEST_F(FaultCommandsTest, AreClearedByIdOrAllAtOnce) {
  const AddFault first = Between("blackhole", "us-east-1a", "us-east-1b");
  ASSERT_THAT(Ask(first), IsOk());
  const AddFault second = Between("refuse", "us-east-1a", "us-east-1b");
  ASSERT_THAT(Ask(second), IsOk());
  const std::string id = "fault-" + std::to_string(first.number);
  ec::testing::ExpectRefused(plane, FaultCommand(ClearFaults{{id, "fault-99"}}),
                             Fault::kWireFaultNotFound, HasSubstr("fault-99"));
  ASSERT_THAT(Ask(ClearFaults{{id}}), IsOk());
  EXPECT_THAT(plane.records().faults, SizeIs(1));
  ASSERT_THAT(Ask(ClearFaults{}), IsOk());
  EXPECT_THAT(plane.records().faults, IsEmpty());
  ASSERT_THAT(Ask(ClearFaults{}), IsOk());
}

TEST_F(FaultCommandsTest, AResetEndsThemToo) {
  ASSERT_THAT(Ask(Between("blackhole", "us-east-1a", "us-east-1b")), IsOk());
  ASSERT_THAT(plane.Ask(Reset{}), IsOk());
  EXPECT_THAT(plane.records().faults, IsEmpty());
}

TEST_F(FaultCommandsTest, TheEventsOfATargetTellOfIt) {
  Make(Redis("red"));
  plane.ForgetEvents();
  AddFault add = Latency(To("latency", "RED"), milliseconds(200));
  add.duration = milliseconds(1500);
  ASSERT_THAT(Ask(add), IsOk());
  const model::Event& event = plane.records().events.rbegin()->second;
  EXPECT_EQ(event.source_type, "cache-cluster");
  EXPECT_EQ(event.source_id, "red");
  EXPECT_EQ(event.message, "Fault fault-" + std::to_string(add.number) +
                               " begins: latency of 200 ms at red, for 1.5 s");
}

// --- refusals ---------------------------------------------------------------------------------

TEST_F(FaultCommandsTest, WhatDoesNotFitTogetherIsRefused) {
  Make(Redis("red"));
  using enum Fault;
  ExpectRefused(To("flood", "red"), kInvalidParameterValue, "flood");
  ExpectRefused(To("latency", "red"), kMissingParameter, "LatencyMs");
  ExpectRefused(To("bandwidth", "red"), kMissingParameter, "BytesPerSecond");
  ExpectRefused(To("reset-after", "red"), kMissingParameter, "AfterBytes");
  ExpectRefused(Latency(To("refuse", "red"), milliseconds(1)), kInvalidParameterCombination,
                "LatencyMs");
  ExpectRefused(To("partition", "red"), kInvalidParameterCombination, "Between");
  ExpectRefused(To("host-loss", "red"), kInvalidParameterCombination, "HostId");
  ExpectRefused(Between("engine-kill", "us-east-1a", "us-east-1b"), kInvalidParameterCombination,
                "To or HostId");
  ExpectRefused(Between("blackhole", "us-east-1a", "control-plane"), kInvalidParameterCombination,
                "partition");
  ExpectRefused(To("blackhole", ""), kInvalidParameterCombination, "exactly one");
  AddFault both = To("blackhole", "red");
  both.host = "host-0";
  ExpectRefused(both, kInvalidParameterCombination, "exactly one");
  AddFault one_side = To("blackhole", "");
  one_side.between = {"us-east-1a"};
  ExpectRefused(one_side, kInvalidParameterCombination, "two sides");
  AddFault lasting_cut = To("cut", "red");
  lasting_cut.duration = seconds(1);
  ExpectRefused(lasting_cut, kInvalidParameterCombination, "DurationMs");
}

TEST_F(FaultCommandsTest, ValuesThatMeanNothingAreRefused) {
  Make(Redis("red"));
  using enum Fault;
  ExpectRefused(To("blackhole", "blue"), kInvalidParameterValue, "blue");
  ExpectRefused(On("blackhole", "host-9"), kInvalidParameterValue, "host-0, host-1, host-2");
  ExpectRefused(Between("blackhole", "us-east-1a", "us-east-1z"), kInvalidParameterValue,
                "us-east-1a, us-east-1b, us-east-1c");
  ExpectRefused(Between("partition", "mars", "control-plane"), kInvalidParameterValue, "mars");
  ExpectRefused(Latency(To("latency", "red"), milliseconds(0)), kInvalidParameterValue, "0 ms");
  ExpectRefused(Latency(To("latency", "red"), milliseconds(60'001)), kInvalidParameterValue,
                "60001 ms");
  AddFault jittery = Latency(To("latency", "red"), milliseconds(5));
  jittery.jitter = milliseconds(6);
  ExpectRefused(jittery, kInvalidParameterValue, "6 ms");
  AddFault slow = To("bandwidth", "red");
  slow.bytes_per_second = 0;
  ExpectRefused(slow, kInvalidParameterValue, "at least 1");
  AddFault short_lived = To("blackhole", "red");
  short_lived.duration = Duration(0);
  ExpectRefused(short_lived, kInvalidParameterValue, "DurationMs");
  short_lived.duration = std::chrono::hours(24 * 31);
  ExpectRefused(short_lived, kInvalidParameterValue, "30 days");
}

}  // namespace
}  // namespace ec::core
