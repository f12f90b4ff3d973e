// A command that is refused must leave nothing behind.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "tests/support/control_plane.h"
#include "tests/support/matchers.h"

namespace ec::testing {

// Asks for it, and expects this refusal, an empty edit and unchanged records.
inline void ExpectRefused(ControlPlane& plane, const core::Command& command, Fault fault,
                          const ::testing::Matcher<const std::string&>& message) {
  const model::Records before = plane.records();
  EXPECT_THAT(plane.Ask(command), Fails(fault, message));
  EXPECT_TRUE(plane.decision.edit.empty());
  EXPECT_TRUE(plane.records() == before);
}

}  // namespace ec::testing
