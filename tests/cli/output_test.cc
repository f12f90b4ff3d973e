#include "cli/output.h"

#include <gtest/gtest.h>

#include "ec/v1/elasticache.pb.h"

namespace ec::cli {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtLineEnds) {
  Table table({"NAME", "STATUS", "NOTE"});
  table.Add({"a", "available", ""});
  table.Add({"longer-name", "creating", "x"});
  EXPECT_EQ(table.Text(false),
            "NAME         STATUS     NOTE\n"
            "a            available\n"
            "longer-name  creating   x\n");
}

TEST(Table, MeasuresCharactersAndNotBytes) {
  Table table({"A", "B"});
  table.Add({"é", "x"});
  table.Add({"yy", "x"});
  EXPECT_EQ(table.Text(false), "A   B\né   x\nyy  x\n");
}

TEST(Table, ColoursOnlyTheStatusColumnAndKeepsTheWidths) {
  Table table({"STATUS", "B"});
  table.ColorStatusColumn(0);
  table.Add({"available", "x"});
  table.Add({"failed", "x"});
  EXPECT_EQ(table.Text(true),
            "STATUS     B\n"
            "\x1b[32mavailable\x1b[0m  x\n"
            "\x1b[31mfailed\x1b[0m     x\n");
}

TEST(Json, HasTheFieldNamesOfTheProto) {
  v1::CacheCluster cluster;
  cluster.set_cache_cluster_id("demo");
  cluster.set_arn("arn:x");
  cluster.set_num_cache_nodes(0);
  const std::string json = ToJson(cluster, true);
  EXPECT_NE(json.find("\"cache_cluster_id\":\"demo\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"arn\":\"arn:x\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"num_cache_nodes\":0"), std::string::npos) << json;
}

TEST(Json, ShowsEmptyListsAndHidesWhatWasNotSent) {
  const std::string json = ToJson(v1::DescribeCacheClustersResponse(), true);
  EXPECT_EQ(json, "{\"cache_clusters\":[]}");
}

}  // namespace
}  // namespace ec::cli
