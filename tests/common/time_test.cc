#include "common/time.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace ec {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_days;
using std::chrono::year;

// The rows that can be written and read.
const struct {
  WallTime time;
  std::string text;
} kRows[] = {
    {WallTime(), "1970-01-01T00:00:00.000Z"},
    {WallTime(milliseconds(1)), "1970-01-01T00:00:00.001Z"},
    {sys_days(year{2014} / 12 / 21) + milliseconds(79183794), "2014-12-21T21:59:43.794Z"},
    {sys_days(year{2016} / 2 / 29) + milliseconds(86399999), "2016-02-29T23:59:59.999Z"},
    {sys_days(year{2000} / 1 / 1), "2000-01-01T00:00:00.000Z"},
    {sys_days(year{1969} / 12 / 31) + milliseconds(86399999), "1969-12-31T23:59:59.999Z"},
    {sys_days(year{9999} / 12 / 31), "9999-12-31T00:00:00.000Z"},
};

TEST(WallTime, IsWrittenAsAwsWritesIt) {
  for (const auto& row : kRows) EXPECT_EQ(ToString(row.time), row.text);
}

TEST(WallTime, IsReadBackAsItWasWritten) {
  for (const auto& row : kRows) EXPECT_EQ(ParseWallTime(row.text), row.time) << row.text;
}

TEST(WallTime, IsReadFromNothingElse) {
  for (const std::string text :
       {"", "2014-12-21", "2014-12-21T21:59:43Z", "2014-12-21T21:59:43.794",
        "2014-12-21 21:59:43.794Z", "2014-13-21T21:59:43.794Z", "2014-02-29T21:59:43.794Z",
        "2014-12-00T21:59:43.794Z", "2014-12-21T24:59:43.794Z", "2014-12-21T21:60:43.794Z",
        "2014-12-21T21:59:60.794Z", "2014-12-21T21:59:43.79aZ", "2014-12-21T21:59:43.-94Z",
        "-014-12-21T21:59:43.794Z", "2014-1 -21T21:59:43.794Z", "2014-12-21T21:59:43.794Z ",
        "2014-12-21t21:59:43.794z"}) {
    EXPECT_EQ(ParseWallTime(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ec
