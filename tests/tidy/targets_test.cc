#include "tests/tidy/targets.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace ec::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Targets, NameTheirSources) {
  const BuildFile file{"controlplane", R"(
# not this one: old.cc
ec_library(ec_core
  SOURCES core/draft.cc core/machine.cc  # nor this: core/gone.cc
          ${CMAKE_CURRENT_BINARY_DIR}/data.cc
          ${CMAKE_SOURCE_DIR}/common/extra.cc ${CMAKE_CURRENT_SOURCE_DIR}/main.cc
  LINK ec_model)
add_executable(x ../common/up.cc netcard.c)
)"};
  EXPECT_THAT(SourcesIn(file),
              ElementsAre("common/extra.cc", "common/up.cc", "controlplane/core/draft.cc",
                          "controlplane/core/machine.cc", "controlplane/main.cc",
                          "controlplane/netcard.c"));
}

TEST(Targets, HaveEverySourceFile) {
  const std::vector<BuildFile> files = {{"common", "ec_library(ec_common SOURCES a.cc b.cc)"},
                                        {"", "add_executable(main main.cc)"}};
  EXPECT_THAT(CheckTargets(files, {"common/a.cc", "common/b.cc", "common/a.h", "main.cc"}),
              IsEmpty());
  EXPECT_THAT(CheckTargets(files, {"common/a.cc", "common/c.cc", "cli/b.cc"}),
              ElementsAre(Finding{"common/c.cc", 0, "in no CMake target"},
                          Finding{"cli/b.cc", 0, "in no CMake target"}));
}

}  // namespace
}  // namespace ec::tidy
