#include "source/gps_time.h"

#include <gtest/gtest.h>

namespace rhodes {
namespace {

TEST(GpsTime, CountsFromItsEpochLessTheLeapSecondsSince) {
  EXPECT_EQ(UnixOfGpsNanoseconds(0), 315964800000000);
  // 2017-01-01T00:00:00Z, and the second before it, which was the leap second.
  EXPECT_EQ(UnixOfGpsNanoseconds(1167264018'000000000), 1483228800000000);
  EXPECT_EQ(UnixOfGpsNanoseconds(1167264016'000000000), 1483228799000000);
  EXPECT_EQ(UnixOfGpsNanoseconds(1400857366'040671410), 1716822148040671);
  EXPECT_EQ(UnixOfGpsNanoseconds(-1), 315964799999999);
}

TEST(GpsTime, DaysOfTheYearEndWithTheYear) {
  EXPECT_EQ(StartOfDayOfYear(2007, 64), 1173052800000000);  // 5 March
  EXPECT_EQ(StartOfDayOfYear(2024, 366), 1735603200000000);
  EXPECT_EQ(StartOfDayOfYear(2025, 366), std::nullopt);
  EXPECT_EQ(StartOfDayOfYear(2025, 0), std::nullopt);
}

TEST(GpsTime, OrbitTimesGoByDayOfTheYearOrByMonth) {
  const std::optional<Instant> by_day = ParseOrbitTime("2007-064T10:34:41.4264");
  ASSERT_TRUE(by_day);
  EXPECT_EQ(by_day->time, 1173090881426400);
  EXPECT_EQ(by_day->precision, TimePrecision::kMicrosecond);
  EXPECT_EQ(ParseOrbitTime("2007-03-05T10:34:41.4264")->time, by_day->time);
  EXPECT_EQ(ParseOrbitTime("2007-064T10:34:41.4264Z")->time, by_day->time);
  EXPECT_EQ(ParseOrbitTime("2007-064")->precision, TimePrecision::kDay);
  EXPECT_FALSE(ParseOrbitTime("2007-366T00:00:00"));
  EXPECT_FALSE(ParseOrbitTime("2007-02-30T00:00:00"));
  EXPECT_FALSE(ParseOrbitTime("2007-064T25:00:00"));
  EXPECT_FALSE(ParseOrbitTime("2007-064 noon"));
}

}  // namespace
}  // namespace rhodes
