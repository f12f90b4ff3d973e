#include "common/wire_fault.h"

#include <gtest/gtest.h>

#include <vector>

namespace ec {
namespace {

using std::chrono::milliseconds;

constexpr Ip4 kOwn{0x7f0a0004};    // 127.10.0.4
constexpr Ip4 kNear{0x7f0a0009};   // 127.10.0.9
constexpr Ip4 kOther{0x7f0a1009};  // 127.10.16.9
const Cidr kOtherZone{{0x7f0a1000}, 20};

HostFault Latency(milliseconds delay) {
  return {.id = "fault-1", .kind = FaultKind::kLatency, .delay = delay};
}

WireEffect EffectOn(std::vector<HostFault> faults, Ip4 source, uint64_t endpoint = 7) {
  return EndpointFaults(faults, endpoint, kOwn).On(source);
}

TEST(WireFaultTest, EveryKindHasANameOfItsOwn) {
  for (int i = 0; i <= static_cast<int>(FaultKind::kHostLoss); ++i) {
    const auto kind = static_cast<FaultKind>(i);
    EXPECT_EQ(ParseFaultKind(NameOf(kind)), kind);
  }
  EXPECT_EQ(ParseFaultKind("flood"), std::nullopt);
}

TEST(WireFaultTest, AFaultIsAboutItsEndpointsAndItsSources) {
  HostFault fault = Latency(milliseconds(200));
  EXPECT_EQ(EffectOn({fault}, kNear).delay, milliseconds(200));
  fault.endpoints = {7, 8};
  EXPECT_EQ(EffectOn({fault}, kNear, 8).delay, milliseconds(200));
  EXPECT_EQ(EffectOn({fault}, kNear, 9), WireEffect());
  fault.sources = {kOtherZone};
  EXPECT_EQ(EffectOn({fault}, kNear), WireEffect());
  EXPECT_EQ(EffectOn({fault}, kOther).delay, milliseconds(200));
}

TEST(WireFaultTest, TheServiceItselfIsSpared) {
  EXPECT_EQ(EffectOn({{.id = "f", .kind = FaultKind::kBlackhole}}, kOwn), WireEffect());
}

TEST(WireFaultTest, DelaysAddUpAndTheTightestLimitCounts) {
  const std::vector<HostFault> faults = {
      Latency(milliseconds(20)),
      Latency(milliseconds(5)),
      {.id = "a", .kind = FaultKind::kBandwidth, .bytes = 1000},
      {.id = "b", .kind = FaultKind::kBandwidth, .bytes = 300},
      {.id = "c", .kind = FaultKind::kResetAfter, .bytes = 9},
      {.id = "d", .kind = FaultKind::kResetAfter, .bytes = 10},
  };
  const WireEffect effect = EffectOn(faults, kNear);
  EXPECT_EQ(effect.delay, milliseconds(25));
  EXPECT_EQ(effect.bytes_per_second, 300u);
  EXPECT_EQ(effect.reset_after, 9u);
  EXPECT_FALSE(effect.blackhole || effect.refuse);
}

TEST(WireFaultTest, OnlyWhatActsOnBytesNeedsSomebodyInThePath) {
  for (const FaultKind kind : {FaultKind::kRefuse, FaultKind::kCut, FaultKind::kPartition,
                               FaultKind::kEngineKill, FaultKind::kEnginePause}) {
    EXPECT_FALSE(EffectOn({{.id = "f", .kind = kind, .bytes = 1}}, kNear).acts_on_bytes());
  }
  EXPECT_TRUE(EffectOn({{.id = "f", .kind = FaultKind::kBlackhole}}, kNear).acts_on_bytes());
  EXPECT_TRUE(EffectOn({{.id = "f", .kind = FaultKind::kResetAfter}}, kNear).acts_on_bytes());
}

TEST(WireFaultTest, AListKnowsWhomACutIsAbout) {
  const std::vector<HostFault> faults = {
      {.id = "fault-3", .kind = FaultKind::kCut, .sources = {kOtherZone}}};
  const EndpointFaults of(faults, 7, kOwn);
  EXPECT_TRUE(of.Concerns("fault-3", kOther));
  EXPECT_FALSE(of.Concerns("fault-3", kNear));
  EXPECT_FALSE(of.Concerns("fault-4", kOther));
  EXPECT_TRUE(EndpointFaults({}, 7, kOwn).empty());
}

}  // namespace
}  // namespace ec
