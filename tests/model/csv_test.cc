#include "controlplane/model/csv.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace ec::model {
namespace {

using Rows = std::vector<std::vector<std::string>>;

TEST(Csv, GivesTheRowsAfterTheHeader) {
  EXPECT_EQ(ParseCsv("a,b\n1,2\n3,4\n"), (Rows{{"1", "2"}, {"3", "4"}}));
}

TEST(Csv, NeedsNoNewlineAtTheEnd) { EXPECT_EQ(ParseCsv("a,b\n1,2"), (Rows{{"1", "2"}})); }

TEST(Csv, HasNoRowsWithoutAHeader) {
  EXPECT_EQ(ParseCsv(""), Rows());
  EXPECT_EQ(ParseCsv("a,b"), Rows());
  EXPECT_EQ(ParseCsv("a,b\n"), Rows());
}

TEST(Csv, KeepsEmptyCellsAndSkipsEmptyLines) {
  EXPECT_EQ(ParseCsv("a,b,c\n,,\n\n1,,3\n"), (Rows{{"", "", ""}, {"1", "", "3"}}));
}

TEST(Csv, TakesCommasInsideQuotes) {
  EXPECT_EQ(ParseCsv("a,b\n\"1,2\",x\n\"yes,no\",\"\"\n"), (Rows{{"1,2", "x"}, {"yes,no", ""}}));
}

}  // namespace
}  // namespace ec::model
