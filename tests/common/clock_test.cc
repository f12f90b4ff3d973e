#include "common/clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace ec {
namespace {

TEST(SystemClock, NeverGoesBackAndKnowsTheYear) {
  const SystemClock clock;
  Now last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Now now = clock.now();
    EXPECT_GE(now.instant, last.instant);
    last = now;
  }
  EXPECT_GT(last.instant, Instant());
  EXPECT_GT(last.wall, std::chrono::sys_days(std::chrono::year{2020} / 1 / 1));
}

}  // namespace
}  // namespace ec
