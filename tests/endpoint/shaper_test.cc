#include "nodeagent/endpoint/shaper.h"

#include <gtest/gtest.h>

#include <string>

#include "nodeagent/endpoint/faulty_wire.h"

namespace ec::endpoint {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Direction = FaultyWire::Direction;

constexpr Instant kNow{std::chrono::hours(1)};
constexpr size_t kAll = 1 << 30;

WireEffect Late(milliseconds delay, milliseconds jitter = milliseconds(0)) {
  return {.delay = delay, .jitter = jitter};
}
WireEffect Slow(uint64_t bytes_per_second) { return {.bytes_per_second = bytes_per_second}; }

TEST(ShaperTest, BytesArriveWhenTheDelayIsOver) {
  Shaper shaper;
  shaper.Put(kNow, "hello", Late(milliseconds(200)), 0);
  EXPECT_EQ(shaper.next(), kNow + milliseconds(200));
  EXPECT_EQ(shaper.Take(kNow + milliseconds(199), kAll), "");
  EXPECT_EQ(shaper.Take(kNow + milliseconds(200), 2), "he");
  EXPECT_EQ(shaper.Take(kNow + milliseconds(200), kAll), "llo");
  EXPECT_TRUE(shaper.empty());
  EXPECT_EQ(shaper.next(), Instant::max());
}

TEST(ShaperTest, JitterStaysWithinItsBoundsAndReordersNothing) {
  for (uint64_t draw = 0; draw < 100'000; draw += 777) {
    Shaper shaper;
    shaper.Put(kNow, "x", Late(milliseconds(50), milliseconds(20)), draw);
    EXPECT_GE(shaper.next(), kNow + milliseconds(30));
    EXPECT_LE(shaper.next(), kNow + milliseconds(70));
  }
  Shaper shaper;
  const WireEffect effect = Late(milliseconds(50), milliseconds(50));
  shaper.Put(kNow, "late", effect, 99'999);
  const Instant first = shaper.next();
  shaper.Put(kNow, "early", effect, 0);
  EXPECT_EQ(shaper.next(), first);
  EXPECT_EQ(shaper.Take(first, kAll), "lateearly");
}

TEST(ShaperTest, ASlowPathLetsSoManyBytesPassInASecond) {
  Shaper shaper;
  shaper.Put(kNow, std::string(1000, 'x'), Slow(1000), 0);
  size_t arrived = 0;
  for (int second = 0; second <= 1000; second += 100) {
    arrived += shaper.Take(kNow + milliseconds(second), kAll).size();
    EXPECT_LE(arrived, static_cast<size_t>(second));
    EXPECT_GE(arrived + 20, static_cast<size_t>(second));
  }
  EXPECT_EQ(arrived, 1000u);
  // It does not save up what it has not used.
  shaper.Put(kNow + seconds(10), std::string(100, 'x'), Slow(1000), 0);
  EXPECT_EQ(shaper.Take(kNow + seconds(10), kAll), "");
  EXPECT_EQ(shaper.Take(kNow + seconds(10) + milliseconds(100), kAll).size(), 100u);
}

TEST(ShaperTest, EvenTheSlowestPathMovesByteByByte) {
  Shaper shaper;
  shaper.Put(kNow, "abc", Slow(1), 0);
  EXPECT_EQ(shaper.Take(kNow + seconds(1), kAll), "a");
  EXPECT_EQ(shaper.Take(kNow + seconds(3), kAll), "bc");
}

TEST(ShaperTest, WhatItHoldsIsBounded) {
  Shaper shaper;
  for (int i = 0; i < 100; ++i) {
    const size_t room = shaper.room(Late(seconds(1)));
    if (room == 0) break;
    shaper.Put(kNow, std::string(std::min<size_t>(room, 65536), 'x'), Late(seconds(1)), 0);
  }
  EXPECT_EQ(shaper.room(Late(seconds(1))), 0u);
  const std::string arrived = shaper.Take(kNow + seconds(1), kAll);
  EXPECT_LE(arrived.size(), 1024u * 1024u);
  EXPECT_EQ(shaper.room(Late(seconds(1))), arrived.size());
  EXPECT_LE(shaper.room(Slow(10)), 4096u);
}

TEST(FaultyWireTest, ABlackHoleKeepsWhatIsUnderWay) {
  FaultyWire wire(Late(milliseconds(10)), 1);
  wire.Put(Direction::kIn, kNow, "lost?");
  wire.Change({.delay = milliseconds(10), .blackhole = true}, kNow);
  EXPECT_FALSE(wire.HasArrived(Direction::kIn, kNow + seconds(10)));
  EXPECT_EQ(wire.next(Direction::kIn), Instant::max());
  wire.Change({}, kNow + seconds(20));
  EXPECT_TRUE(wire.HasArrived(Direction::kIn, kNow + seconds(20)));
  EXPECT_FALSE(wire.is_over());
  EXPECT_EQ(wire.Take(Direction::kIn, kNow + seconds(20), kAll), "lost?");
  EXPECT_TRUE(wire.is_over());
}

TEST(FaultyWireTest, WhatIsLateArrivesAtOnceWhenTheFaultEnds) {
  FaultyWire wire(Late(seconds(30)), 1);
  wire.Put(Direction::kOut, kNow, "bytes");
  wire.Change({}, kNow + seconds(1));
  EXPECT_EQ(wire.Take(Direction::kOut, kNow + seconds(1), kAll), "bytes");
}

TEST(FaultyWireTest, CountsBothDirectionsUntilItIsWornOut) {
  FaultyWire wire({.reset_after = 10}, 1);
  wire.Put(Direction::kIn, kNow, "1234");
  EXPECT_EQ(wire.Take(Direction::kIn, kNow, kAll), "1234");
  EXPECT_FALSE(wire.is_worn_out());
  wire.Put(Direction::kOut, kNow, "12345678");
  EXPECT_EQ(wire.Take(Direction::kOut, kNow, kAll), "123456");
  EXPECT_TRUE(wire.is_worn_out());
  EXPECT_FALSE(wire.HasArrived(Direction::kOut, kNow));
}

}  // namespace
}  // namespace ec::endpoint
