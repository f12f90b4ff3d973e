// EC2's filters.
#include "controlplane/server/filters.h"

#include <gtest/gtest.h>

namespace ec::server {
namespace {

void Add(Filters* filters, const std::string& name, const std::vector<std::string>& values) {
  v1::Filter* filter = filters->Add();
  filter->set_name(name);
  for (const std::string& value : values) filter->add_values(value);
}

TEST(FitsPattern, KnowsStarsQuestionMarksAndBackslashes) {
  EXPECT_TRUE(FitsPattern("", ""));
  EXPECT_TRUE(FitsPattern("*", ""));
  EXPECT_TRUE(FitsPattern("vpc-*", "vpc-0123"));
  EXPECT_TRUE(FitsPattern("*-a*c", "subnet-abc-abc"));
  EXPECT_TRUE(FitsPattern("us-east-1?", "us-east-1a"));
  EXPECT_TRUE(FitsPattern("a\\*b", "a*b"));
  EXPECT_FALSE(FitsPattern("a\\*b", "axb"));
  EXPECT_FALSE(FitsPattern("us-east-1?", "us-east-1"));
  EXPECT_FALSE(FitsPattern("vpc", "vpc-1"));
  EXPECT_FALSE(FitsPattern("", "a"));
}

TEST(Filters, AllMustMatchAndOneOfEachsValues) {
  Attributes attributes = {{"vpc-id", "vpc-1"}, {"state", "available"}};
  AddTagAttributes({{"Name", "shop"}, {"team", "web"}}, &attributes);
  Filters filters;
  EXPECT_TRUE(Matches(filters, attributes));
  Add(&filters, "vpc-id", {"vpc-9", "vpc-?"});
  Add(&filters, "tag:Name", {"sh*"});
  Add(&filters, "tag-key", {"team"});
  EXPECT_TRUE(CheckFilters(filters, {"vpc-id", "state"}).ok());
  EXPECT_TRUE(Matches(filters, attributes));
  Add(&filters, "state", {"pending"});
  EXPECT_FALSE(Matches(filters, attributes));
}

TEST(Filters, AnUnknownOneOrOneWithoutValuesIsRefused) {
  Filters filters;
  Add(&filters, "colour", {"red"});
  Status status = CheckFilters(filters, {"vpc-id"});
  EXPECT_EQ(status.fault(), Fault::kInvalidParameterValue);
  EXPECT_EQ(status.message(), "The filter 'colour' is invalid");
  filters.Clear();
  Add(&filters, "vpc-id", {});
  EXPECT_FALSE(CheckFilters(filters, {"vpc-id"}).ok());
}

}  // namespace
}  // namespace ec::server
