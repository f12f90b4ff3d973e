#include "controlplane/model/windows.h"

#include <gmock/gmock.h>

#include <chrono>
#include <set>
#include <string>

#include "tests/sim/random.h"
#include "tests/support/matchers.h"

namespace ec::model {
namespace {

using ec::testing::Fails;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kDay = 24 * 60;
constexpr int kWeek = 7 * kDay;

WeeklyWindow Weekly(const std::string& text) { return *ParseMaintenanceWindow(text); }
DailyWindow Daily(const std::string& text) { return *ParseSnapshotWindow(text); }

TEST(MaintenanceWindow, IsReadAsDayAndTimeOfTheWeek) {
  const struct {
    std::string text;
    int begin, length;
  } rows[] = {
      {"sun:00:00-sun:01:00", 0, 60},
      {"mon:05:30-mon:06:30", kDay + 330, 60},
      {"sat:23:00-sun:00:00", 7 * kDay - 60, 60},
      {"sat:23:30-sun:01:30", 7 * kDay - 30, 120},
      {"tue:12:00-wed:12:00", 2 * kDay + 720, kDay},
      {"fri:22:15-sat:00:00", 5 * kDay + 1335, 105},
  };
  for (const auto& row : rows) {
    const Result<WeeklyWindow> window = ParseMaintenanceWindow(row.text);
    ASSERT_TRUE(window.ok()) << row.text;
    EXPECT_EQ(*window, (WeeklyWindow{row.begin, row.length})) << row.text;
    EXPECT_EQ(ToString(*window), row.text);
  }
}

// Terraform sends "Sun:08:00-Sun:09:00" and expects it back in lower case.
TEST(MaintenanceWindow, IsReadInAnyLetterCaseAndWrittenInLowerCase) {
  EXPECT_EQ(ToString(Weekly("Sun:08:00-SUN:09:00")), "sun:08:00-sun:09:00");
}

TEST(MaintenanceWindow, LastsAnHourToADay) {
  EXPECT_TRUE(ParseMaintenanceWindow("mon:05:00-mon:06:00").ok());
  EXPECT_TRUE(ParseMaintenanceWindow("mon:05:00-tue:05:00").ok());
  for (const std::string text : {"mon:05:00-mon:05:59", "mon:05:00-mon:05:00"}) {
    EXPECT_THAT(ParseMaintenanceWindow(text),
                Fails(Fault::kInvalidParameterValue, HasSubstr("at least 60 minutes")));
  }
  for (const std::string text :
       {"mon:05:00-tue:05:01", "mon:05:00-sun:05:00", "mon:05:00-mon:04:00"}) {
    EXPECT_THAT(ParseMaintenanceWindow(text),
                Fails(Fault::kInvalidParameterValue, HasSubstr("at most 24 hours")));
  }
}

TEST(MaintenanceWindow, IsRefusedWhenMalformedWithItsNameAndValue) {
  for (const std::string text :
       {"", "sun", "05:00-06:00", "sun:05:00", "sun:05:00-", "-sun:05:00", "sun:5:00-sun:6:00",
        "sun:05:00-sun:24:00", "sun:05:60-sun:07:00", "sonntag:05:00-sun:06:00",
        "sun:05:00-sun:06:00 ", "sun:05:00--sun:06:00", "sun-05:00-sun-06:00",
        "abc:05:00-abc:06:00", "sun:0a:00-sun:06:00", "sun:05.00-sun:06.00"}) {
    EXPECT_THAT(ParseMaintenanceWindow(text),
                Fails(Fault::kInvalidParameterValue,
                      AllOf(HasSubstr("PreferredMaintenanceWindow"), HasSubstr("'" + text + "'"))))
        << text;
  }
}

TEST(SnapshotWindow, IsReadAsTimeOfTheDay) {
  const struct {
    std::string text;
    int begin, length;
  } rows[] = {{"05:00-06:00", 300, 60},
              {"00:00-23:59", 0, 1439},
              {"23:30-00:30", 1410, 60},
              {"23:00-00:00", 1380, 60}};
  for (const auto& row : rows) {
    const Result<DailyWindow> window = ParseSnapshotWindow(row.text);
    ASSERT_TRUE(window.ok()) << row.text;
    EXPECT_EQ(*window, (DailyWindow{row.begin, row.length})) << row.text;
    EXPECT_EQ(ToString(*window), row.text);
  }
}

TEST(SnapshotWindow, IsRefusedWhenMalformedOrTooShort) {
  for (const std::string text : {"", "05:00", "5:00-6:00", "sun:05:00-sun:06:00", "05:00-24:00",
                                 "05:00-05:59", "05:00-05:00", "05:00-06:00-", "05:00-06:00 "}) {
    EXPECT_THAT(ParseSnapshotWindow(text),
                Fails(Fault::kInvalidParameterValue,
                      AllOf(HasSubstr("SnapshotWindow"), HasSubstr("'" + text + "'"))))
        << text;
  }
}

TEST(Overlap, IsSeenOnEveryDayAndAcrossMidnightAndTheWeeksEnd) {
  const struct {
    std::string weekly, daily;
    bool overlap;
  } rows[] = {
      {"sun:05:00-sun:06:00", "05:00-06:00", true},
      {"wed:05:00-wed:06:00", "05:30-06:30", true},
      {"wed:05:00-wed:06:00", "06:00-07:00", false},  // one begins where the other ends
      {"wed:05:00-wed:06:00", "04:00-05:00", false},
      {"wed:05:00-wed:06:00", "05:59-06:59", true},
      {"wed:23:30-thu:00:30", "23:00-00:00", true},
      {"wed:23:30-thu:00:30", "00:00-01:00", true},
      {"wed:23:30-thu:00:30", "00:30-01:30", false},
      {"wed:00:15-wed:01:15", "23:30-00:30", true},  // began on the day before
      {"sun:00:15-sun:01:15", "23:30-00:30", true},  // began in the week before
      {"sat:23:30-sun:00:30", "00:00-01:00", true},  // ends in the week after
      {"sat:23:30-sun:00:30", "00:30-23:30", false},
      {"mon:05:00-tue:05:00", "12:00-13:00", true},
      {"fri:10:00-fri:11:00", "00:00-23:59", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Overlap(Weekly(row.weekly), Daily(row.daily)), row.overlap)
        << row.weekly << " " << row.daily;
  }
}

TEST(Overlap, AgreesWithALookAtEveryMinute) {
  sim::Random dice(1);
  for (int i = 0; i < 2000; ++i) {
    const WeeklyWindow weekly{static_cast<int>(dice.Between(0, kWeek - 1)),
                              static_cast<int>(dice.Between(60, kDay))};
    const DailyWindow daily{static_cast<int>(dice.Between(0, kDay - 1)),
                            static_cast<int>(dice.Between(60, kDay - 1))};
    bool overlap = false;
    for (int minute = weekly.begin; minute < weekly.begin + weekly.length; ++minute) {
      overlap |= (minute - daily.begin + 2 * kDay) % kDay < daily.length;
    }
    EXPECT_EQ(Overlap(weekly, daily), overlap) << ToString(weekly) << " " << ToString(daily);
  }
}

// The hours in which AWS picks windows: region, first and last minute (UTC).
const struct {
  std::string region, begin, end;
} kBlocks[] = {
    {"us-east-1", "03:00", "11:00"},      {"us-east-2", "04:00", "12:00"},
    {"us-west-1", "06:00", "14:00"},      {"us-west-2", "06:00", "14:00"},
    {"us-gov-west-1", "06:00", "14:00"},  {"sa-east-1", "01:00", "09:00"},
    {"eu-west-1", "22:00", "06:00"},      {"eu-west-2", "23:00", "07:00"},
    {"eu-central-1", "23:00", "07:00"},   {"eu-west-3", "23:59", "07:29"},
    {"eu-south-1", "21:00", "05:00"},     {"af-south-1", "13:00", "21:00"},
    {"me-south-1", "13:00", "21:00"},     {"me-central-1", "13:00", "21:00"},
    {"ap-east-1", "13:00", "21:00"},      {"ap-northeast-1", "13:00", "21:00"},
    {"ap-northeast-2", "12:00", "20:00"}, {"ap-northeast-3", "12:00", "20:00"},
    {"ap-southeast-1", "14:00", "22:00"}, {"ap-southeast-2", "12:00", "20:00"},
    {"ap-southeast-3", "14:00", "22:00"}, {"cn-north-1", "14:00", "22:00"},
    {"cn-northwest-1", "14:00", "22:00"}, {"ap-south-1", "17:30", "01:30"},
};

// Whether an hour that begins at this minute of the day lies in the block.
bool IsInside(int minute, const std::string& begin, const std::string& end) {
  const DailyWindow block = Daily(begin + "-" + end);
  const int offset = (minute - block.begin + kDay) % kDay;
  return offset + 60 <= block.length;
}

TEST(DefaultWindows, LieInsideTheRegionsHoursAndApart) {
  for (const auto& block : kBlocks) {
    for (int i = 0; i < 300; ++i) {
      const std::string seed = "cluster-" + std::to_string(i);
      const WeeklyWindow weekly = DefaultMaintenanceWindow(block.region, seed, std::nullopt);
      EXPECT_EQ(weekly.length, 60);
      EXPECT_TRUE(weekly.begin >= 0 && weekly.begin < kWeek);
      EXPECT_TRUE(IsInside(weekly.begin % kDay, block.begin, block.end))
          << block.region << " " << ToString(weekly);
      const DailyWindow daily = DefaultSnapshotWindow(block.region, seed, weekly);
      EXPECT_EQ(daily.length, 60);
      EXPECT_TRUE(daily.begin >= 0 && daily.begin < kDay);
      EXPECT_TRUE(IsInside(daily.begin, block.begin, block.end))
          << block.region << " " << ToString(daily);
      EXPECT_FALSE(Overlap(weekly, daily)) << ToString(weekly) << " " << ToString(daily);
    }
  }
}

TEST(DefaultWindows, AreSpreadOverTheDaysAndHoursAndAlwaysTheSame) {
  std::set<int> weekdays, begins;
  for (int i = 0; i < 300; ++i) {
    const std::string seed = "cluster-" + std::to_string(i);
    const WeeklyWindow window = DefaultMaintenanceWindow("us-east-1", seed, std::nullopt);
    EXPECT_EQ(window, DefaultMaintenanceWindow("us-east-1", seed, std::nullopt));
    weekdays.insert(window.begin / kDay);
    begins.insert(window.begin % kDay);
  }
  EXPECT_EQ(weekdays.size(), 7u);
  EXPECT_GT(begins.size(), 10u);
}

TEST(DefaultWindows, KeepAwayFromTheOneThatWasChosen) {
  for (int i = 0; i < 300; ++i) {
    const std::string seed = "cluster-" + std::to_string(i);
    const DailyWindow daily = Daily("04:00-09:00");
    EXPECT_FALSE(Overlap(DefaultMaintenanceWindow("us-east-1", seed, daily), daily));
    const WeeklyWindow weekly = Weekly("tue:03:00-tue:09:30");
    EXPECT_FALSE(Overlap(weekly, DefaultSnapshotWindow("us-east-1", seed, weekly)));
  }
}

TEST(DefaultWindows, OfAnUnknownRegionAreThoseOfTheFirst) {
  EXPECT_EQ(DefaultMaintenanceWindow("mars-north-1", "x", std::nullopt),
            DefaultMaintenanceWindow("us-east-1", "x", std::nullopt));
}

// 2014-10-01 is a Wednesday.
constexpr WallTime kWednesday = std::chrono::sys_days(std::chrono::year{2014} / 10 / 1);

TEST(NextOpening, IsThisWeekOrTheNext) {
  const struct {
    std::string window;
    WallTime after, opening;
  } rows[] = {
      {"wed:05:00-wed:06:00", kWednesday, kWednesday + hours(5)},
      {"wed:05:00-wed:06:00", kWednesday + hours(4), kWednesday + hours(5)},
      // Later than, and not at: a window that has just opened opens again in a week.
      {"wed:05:00-wed:06:00", kWednesday + hours(5), kWednesday + days(7) + hours(5)},
      {"wed:05:00-wed:06:00", kWednesday + hours(5) + minutes(30), kWednesday + days(7) + hours(5)},
      {"tue:23:00-wed:00:00", kWednesday, kWednesday + days(6) + hours(23)},
      {"sat:23:30-sun:00:30", kWednesday, kWednesday + days(3) + hours(23) + minutes(30)},
      {"sun:00:00-sun:01:00", kWednesday, kWednesday + days(4)},
      {"sun:00:00-sun:01:00", kWednesday + days(4) - minutes(1), kWednesday + days(4)},
      {"sun:00:00-sun:01:00", kWednesday + days(4), kWednesday + days(11)},
      {"sat:23:30-sun:00:30", kWednesday + days(4),
       kWednesday + days(10) + hours(23) + minutes(30)},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ec::ToString(NextOpening(Weekly(row.window), row.after)), ec::ToString(row.opening))
        << row.window << " after " << ec::ToString(row.after);
  }
}

TEST(NextOpening, IsAlwaysAheadAndAtMostAWeek) {
  sim::Random dice(2);
  for (int i = 0; i < 2000; ++i) {
    const WeeklyWindow window{static_cast<int>(dice.Between(0, kWeek - 1)), 60};
    const WallTime after = kWednesday + std::chrono::milliseconds(dice.Between(0, 100'000'000'000));
    const WallTime opening = NextOpening(window, after);
    EXPECT_GT(opening, after);
    EXPECT_LE(opening, after + days(7));
    const auto day = std::chrono::floor<days>(opening);
    const auto weekday = static_cast<int>(std::chrono::weekday(day).c_encoding());
    EXPECT_EQ(weekday * kDay + (opening - day) / minutes(1), window.begin);
  }
}

}  // namespace
}  // namespace ec::model
