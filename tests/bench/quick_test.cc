// Every suite runs through, with tiny sizes. What comes out is looked at; how fast it was is not.
#include <gtest/gtest.h>

#include <filesystem>

#include "bench/run.h"
#include "common/process.h"

namespace ec::bench {
namespace {

namespace fs = std::filesystem;

class QuickTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::string Read(const std::string& name) {
    return ReadFile(scratch_.path() + "/" + name).value_or("");
  }
  ScratchDirectory scratch_;
};

TEST_P(QuickTest, RunsThrough) {
  const std::string suite = GetParam();
  const std::string errors = scratch_.path() + "/errors";
  const Finished run = RunProgram(
      {OwnProgram("ec_bench"), suite, "--quick", "--out", scratch_.path() + "/out"}, errors);
  ASSERT_EQ(run.status, 0) << Read("errors");

  const nlohmann::json result = nlohmann::json::parse(Read("out/" + suite + ".json"));
  EXPECT_EQ(result["suite"], suite);
  ASSERT_FALSE(result["rows"].empty());
  const std::string page = Read("out/README.md");
  for (const nlohmann::json& row : result["rows"]) {
    const std::string name = row["name"];
    EXPECT_NE(page.find("| " + name + " |"), std::string::npos) << name;
    if (row.contains("missing")) {  // only what has to be installed or built first
      const std::string why = row["missing"];
      EXPECT_TRUE(why.find("./dev setup --bench") != std::string::npos ||
                  why.find("-DEC_BENCH=ON") != std::string::npos ||
                  why.find("has no --carry") != std::string::npos)
          << name << ": " << why;
      continue;
    }
    EXPECT_GT(row["median"].get<double>(), 0) << name;
  }
  for (size_t i = 1; i <= result["charts"].size(); ++i) {
    const std::string svg = Read("out/" + suite + "-" + std::to_string(i) + ".svg");
    EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n")) << svg;
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, QuickTest,
                         ::testing::Values("data-path", "setup-rate", "lifecycle", "control-plane",
                                           "gateway", "footprint", "backup", "first-minute",
                                           "micro"),
                         [](const auto& suite) {
                           std::string name = suite.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace ec::bench
