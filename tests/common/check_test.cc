#include "common/check.h"

#include <gtest/gtest.h>

namespace ec {
namespace {

TEST(Check, LetsTrueThingsPassAndEvaluatesThemOnce) {
  int evaluated = 0;
  EC_CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, StopsTheProcessAndNamesTheConditionAndThePlace) {
  EXPECT_DEATH(EC_CHECK(1 + 1 == 3), "check_test.cc:.*broken invariant: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace ec
