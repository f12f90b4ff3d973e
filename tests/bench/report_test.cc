// What is said of measured numbers.
#include "bench/report.h"

#include <gtest/gtest.h>

#include "bench/render.h"
#include "bench/samples.h"

namespace ec::bench {
namespace {

TEST(Samples, GivesTheMedianAndTheQuartiles) {
  const Summary summary = Summarize({5, 1, 4, 2, 3});
  EXPECT_DOUBLE_EQ(summary.median, 3);
  EXPECT_DOUBLE_EQ(summary.low, 2);
  EXPECT_DOUBLE_EQ(summary.high, 4);
  EXPECT_DOUBLE_EQ(Percentile({1, 2}, 0.5), 1.5);
  EXPECT_DOUBLE_EQ(Percentile({7}, 0.99), 7);
}

TEST(Samples, TakesTheGeometricMean) { EXPECT_DOUBLE_EQ(GeometricMean({0.5, 2, 8}), 2); }

TEST(Samples, ShowsThreeDigits) {
  EXPECT_EQ(Pretty(0), "0");
  EXPECT_EQ(Pretty(0.012345), "0.0123");
  EXPECT_EQ(Pretty(0.9749), "0.975");
  EXPECT_EQ(Pretty(3.14159), "3.14");
  EXPECT_EQ(Pretty(10), "10");
  EXPECT_EQ(Pretty(99.96), "100");
  EXPECT_EQ(Pretty(12345.6), "12,300");
  EXPECT_EQ(Pretty(1234567), "1,230,000");
  EXPECT_EQ(Pretty(-1234.5), "-1,230");
}

TEST(Report, JudgesTheMedianByItsGoal) {
  Report report("suite", "title");
  report.Add("fast enough", "ms", {50, 60, 900}, AtMost(60));
  report.Add("too slow", "ms", {50, 61, 70}, AtMost(60));
  report.Add("much enough", "x", {0.97}, AtLeast(0.97));
  report.Add("too little", "x", {0.96}, AtLeast(0.97));
  report.Add("no goal", "x", {1});
  const nlohmann::json rows = report.ToJson()["rows"];
  EXPECT_EQ(rows[0]["met"], true);
  EXPECT_EQ(rows[1]["met"], false);
  EXPECT_EQ(rows[2]["met"], true);
  EXPECT_EQ(rows[3]["met"], false);
  EXPECT_FALSE(rows[4].contains("met"));
}

TEST(Report, SaysWhatIsMissing) {
  Report report("suite", "title");
  report.AddMissing("haproxy", "not installed");
  EXPECT_EQ(report.missing(), 1u);
  EXPECT_EQ(report.ToJson()["rows"][0]["missing"], "not installed");
}

TEST(Render, DrawsABarForEveryValue) {
  Report report("suite", "title");
  report.AddChart("a < b", "ms", {"one", "two"}, {"x", "y"}, {{1, 2}, {3, 4}});
  const std::string svg = RenderSvg(report.ToJson()["charts"][0]);
  size_t bars = 0;
  for (size_t at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) {
    ++bars;
  }
  EXPECT_EQ(bars, 1u + 2u + 4u);  // the ground, the legend, the bars
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
}

}  // namespace
}  // namespace ec::bench
