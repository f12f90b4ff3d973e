#include "cli/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ec::cli {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Duration, IsReadWithAndWithoutUnit) {
  EXPECT_EQ(ParseDuration("30"), Duration(seconds(30)));
  EXPECT_EQ(ParseDuration("1.5s"), Duration(milliseconds(1500)));
  EXPECT_EQ(ParseDuration("500ms"), Duration(milliseconds(500)));
  EXPECT_EQ(ParseDuration("2m"), Duration(minutes(2)));
  EXPECT_EQ(ParseDuration("1h"), Duration(hours(1)));
  EXPECT_EQ(ParseDuration("7d"), Duration(hours(7 * 24)));
}

TEST(Duration, OfNoSenseIsRefused) {
  for (const char* text : {"", "s", "-1", "1x", "1 s", "nan", "inf", "1e5", "99999999d"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(Duration, IsWrittenInTheUnitThatFits) {
  EXPECT_EQ(FormatDuration(milliseconds(350)), "350 ms");
  EXPECT_EQ(FormatDuration(milliseconds(1840)), "1.8 s");
  EXPECT_EQ(FormatDuration(seconds(95)), "95 s");
}

TEST(Age, HasOneUnitAndIsNeverNegative) {
  EXPECT_EQ(FormatAge(seconds(-5)), "0s");
  EXPECT_EQ(FormatAge(seconds(119)), "119s");
  EXPECT_EQ(FormatAge(minutes(5)), "5m");
  EXPECT_EQ(FormatAge(hours(3)), "3h");
  EXPECT_EQ(FormatAge(hours(24 * 4)), "4d");
}

TEST(Span, IsRoundedToTwoUnits) {
  EXPECT_EQ(FormatSpan(seconds(45)), "45s");
  EXPECT_EQ(FormatSpan(seconds(299)), "5m");
  EXPECT_EQ(FormatSpan(minutes(200)), "3h 20m");
  EXPECT_EQ(FormatSpan(hours(36 * 24) - seconds(40)), "36d");
  EXPECT_EQ(FormatSpan(hours(35 * 24 + 4)), "35d 4h");
}

TEST(List, IsSplitAtCommasWithoutEmptyParts) {
  EXPECT_THAT(SplitList("a,b,,c,"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitList(""), IsEmpty());
}

TEST(ShellQuote, LeavesPlainWordsAndQuotesTheRest) {
  EXPECT_EQ(ShellQuote("/tmp/x-1.y"), "/tmp/x-1.y");
  EXPECT_EQ(ShellQuote("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(ShellQuote(""), "''");
}

TEST(ClosestWord, ForgivesASlipButDoesNotGuess) {
  const std::vector<std::string> words = {"cluster", "connect", "completion"};
  EXPECT_EQ(ClosestWord("clutser", words), "cluster");
  EXPECT_EQ(ClosestWord("conect", words), "connect");
  EXPECT_EQ(ClosestWord("frobnicate", words), std::nullopt);
}

TEST(LastLine, SkipsBlankEnds) {
  EXPECT_EQ(LastLine("one\ntwo\n\n  \n"), "two");
  EXPECT_EQ(LastLine("one"), "one");
  EXPECT_EQ(LastLine(" \n"), "");
}

}  // namespace
}  // namespace ec::cli
