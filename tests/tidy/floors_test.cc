#include "tests/tidy/floors.h"

#include <gmock/gmock.h>

#include <string>

namespace ec::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What the rule says of one #include in a file.
std::string Verdict(const std::string& file, const std::string& included) {
  const Findings findings = CheckIncludes(Split(file, "// x\n#include \"" + included + "\"\n"));
  if (findings.empty()) return "";
  EXPECT_EQ(findings[0].line, 2);
  EXPECT_THAT(findings[0].what, HasSubstr("\"" + included + "\""));
  return findings[0].what;
}

TEST(Includes, GoDownOnOnesOwnSide) {
  const std::pair<std::string, std::string> rows[] = {
      {"common/log.cc", "common/log.h"},
      {"controlplane/model/state.cc", "common/check.h"},
      {"controlplane/core/draft.cc", "controlplane/core/draft.h"},
      {"controlplane/core/draft.cc", "controlplane/model/state.h"},
      {"controlplane/store/sqlite_store.cc", "controlplane/core/machine.h"},
      {"controlplane/server/controller.h", "controlplane/store/store.h"},
      {"controlplane/server/api_service.h", "ec/v1/elasticache.grpc.pb.h"},
      {"controlplane/server/agent_hub.cc", "proto/host_plan_proto.h"},
      {"controlplane/main.cc", "controlplane/server/api_service.h"},
      {"controlplane/main.cc", "controlplane/vpc_slice.h"},
      {"controlplane/main.cc", "controlplane/gateway/http_server.h"},
      {"nodeagent/engine/driver.h", "nodeagent/core/host_machine.h"},
      {"nodeagent/agent/agent.cc", "nodeagent/endpoint/endpoint_server.h"},
      {"nodeagent/main.cc", "nodeagent/agent/agent.h"},
      {"proto/host_plan_proto.cc", "ec/v1/agent.pb.h"},
      {"controlplane/gateway/actions.cc", "ec/v1/options.pb.h"},
      {"cli/main.cc", "common/address.h"},
      {"tests/sim/world.h", "nodeagent/core/host_machine.h"},
      {"tests/sim/world.cc", "tests/sim/world.h"},
      {"bench/bench.cc", "controlplane/store/store.h"},
  };
  for (const auto& [file, included] : rows) EXPECT_EQ(Verdict(file, included), "") << file;
}

TEST(Includes, NeverGoUpOrAcrossOrToAStranger) {
  const struct {
    std::string file, included, why;
  } rows[] = {
      {"common/log.cc", "controlplane/model/names.h", "must not know of controlplane/model"},
      {"common/log.cc", "proto/host_plan_proto.h", "must not know of proto"},
      {"controlplane/model/state.h", "controlplane/core/draft.h", "higher floor"},
      {"controlplane/model/state.h", "ec/v1/agent.pb.h", "must not know of proto"},
      {"controlplane/core/machine.cc", "controlplane/store/store.h", "higher floor"},
      {"controlplane/core/machine.cc", "controlplane/server/controller.h", "higher floor"},
      {"controlplane/core/machine.cc", "proto/host_plan_proto.h", "must not know of proto"},
      {"controlplane/core/plans.cc", "nodeagent/core/report_log.h", "must not know of nodeagent"},
      {"controlplane/store/rows.cc", "ec/v1/agent.pb.h", "must not know of proto"},
      {"controlplane/server/events.cc", "controlplane/gateway/actions.h",
       "must not know of controlplane/gateway"},
      {"controlplane/server/events.cc", "controlplane/vpc_slice.h", "higher floor"},
      {"nodeagent/core/report_log.h", "controlplane/model/state.h", "must not know of"},
      {"nodeagent/core/report_log.h", "ec/v1/agent.pb.h", "must not know of proto"},
      {"nodeagent/engine/driver.h", "nodeagent/endpoint/relay.h", "same floor"},
      {"nodeagent/endpoint/relay.cc", "nodeagent/engine/driver.h", "same floor"},
      {"nodeagent/engine/driver.h", "nodeagent/agent/agent.h", "higher floor"},
      {"nodeagent/main.cc", "controlplane/gateway/http_server.h",
       "must not know of controlplane/gateway"},
      {"controlplane/gateway/actions.cc", "controlplane/server/api_service.h",
       "must not know of controlplane"},
      {"cli/main.cc", "controlplane/model/names.h", "must not know of controlplane/model"},
      {"cli/main.cc", "controlplane/gateway/actions.h", "must not know of controlplane/gateway"},
      {"cli/main.cc", "tests/sim/random.h", "must not know of its tests"},
      {"common/log.cc", "log.h", "from the repository root"},
      {"tests/sim/world.cc", "world.h", "from the repository root"},
      {"tests/sim/world.cc", "../common/log.h", "from the repository root"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Verdict(row.file, row.included), HasSubstr(row.why)) << row.file;
  }
}

TEST(Includes, AreNotSeenInCommentsStringsOrAngles) {
  for (const std::string text :
       {"// #include \"controlplane/core/draft.h\"\n", "#include <grpcpp/grpcpp.h>\n",
        "f(R\"(\n#include \"controlplane/core/draft.h\"\n)\");\n",
        "/*\n#include \"controlplane/core/draft.h\"\n*/\n"}) {
    EXPECT_THAT(CheckIncludes(Split("common/log.cc", text)), IsEmpty()) << text;
  }
}

TEST(Includes, NeedAFloorForEveryFolderOfTheProduct) {
  EXPECT_THAT(
      CheckIncludes(Split("controlplane/attic/a.cc", "")),
      ElementsAre(Finding{"controlplane/attic/a.cc", 0,
                          "a folder without a floor: give it one in tests/tidy/floors.cc"}));
}

TEST(Pure, AreTheModelAndBothCores) {
  EXPECT_TRUE(IsPure("controlplane/core/draft.cc"));
  EXPECT_TRUE(IsPure("controlplane/model/state.h"));
  EXPECT_TRUE(IsPure("nodeagent/core/host_machine.cc"));
  EXPECT_FALSE(IsPure("controlplane/store/rows.cc"));
  EXPECT_FALSE(IsPure("common/clock.cc"));
  EXPECT_FALSE(IsPure("tests/core/draft_test.cc"));
}

}  // namespace
}  // namespace ec::tidy
