#include "source/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/time.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const TimeZone> Zone(std::string_view name) { return TimeZone::Find(name).value(); }

TEST(TimeZone, LocalToUtc_SummerAndWinter) {
  const auto berlin = Zone("Europe/Berlin");
  const TimeZone::Instants summer = berlin->LocalToUtc(*ParseTime("2024-07-01T12:00:00.123456"));
  EXPECT_EQ(summer.kind, TimeZone::kUnique);
  EXPECT_EQ(summer.first, ParseTime("2024-07-01T10:00:00.123456Z"));
  EXPECT_EQ(summer.second, summer.first);
  EXPECT_EQ(berlin->LocalToUtc(*ParseTime("2024-01-01T12:00")).first, ParseTime("2024-01-01T11:00Z"));
  EXPECT_EQ(berlin->OffsetAt(*ParseTime("2024-07-01")), int64_t{7200} * 1000000);
  EXPECT_EQ(Zone("Asia/Riyadh")->LocalToUtc(*ParseTime("2024-01-01T00:00")).first, ParseTime("2023-12-31T21:00Z"));
  EXPECT_EQ(Zone("Asia/Kathmandu")->LocalToUtc(*ParseTime("2024-01-01T05:45")).first, ParseTime("2024-01-01T00:00Z"));
  EXPECT_EQ(Zone("UTC")->LocalToUtc(-1).first, -1);
}

TEST(TimeZone, LocalToUtc_TheHourThatComesTwice) {
  const TimeZone::Instants twice = Zone("Europe/Berlin")->LocalToUtc(*ParseTime("2024-10-27T02:30"));
  EXPECT_EQ(twice.kind, TimeZone::kAmbiguous);
  EXPECT_EQ(twice.first, ParseTime("2024-10-27T00:30Z"));
  EXPECT_EQ(twice.second, ParseTime("2024-10-27T01:30Z"));
  EXPECT_EQ(Zone("Europe/Berlin")->LocalToUtc(*ParseTime("2024-10-27T01:59:59.999")).kind, TimeZone::kUnique);
  EXPECT_EQ(Zone("Europe/Berlin")->LocalToUtc(*ParseTime("2024-10-27T03:00")).kind, TimeZone::kUnique);
  // Half an hour only.
  EXPECT_EQ(Zone("Australia/Lord_Howe")->LocalToUtc(*ParseTime("2024-04-07T01:29")).kind, TimeZone::kUnique);
  EXPECT_EQ(Zone("Australia/Lord_Howe")->LocalToUtc(*ParseTime("2024-04-07T01:31")).kind, TimeZone::kAmbiguous);
}

TEST(TimeZone, LocalToUtc_TheHourThatNeverIs) {
  const TimeZone::Instants skipped = Zone("America/Los_Angeles")->LocalToUtc(*ParseTime("2024-03-10T02:30"));
  EXPECT_EQ(skipped.kind, TimeZone::kSkipped);
  EXPECT_EQ(skipped.first, ParseTime("2024-03-10T10:30Z"));   // as if still standard time
  EXPECT_EQ(skipped.second, ParseTime("2024-03-10T09:30Z"));  // as if summer time already
  EXPECT_EQ(Zone("America/Los_Angeles")->LocalToUtc(*ParseTime("2024-03-10T03:00")).kind, TimeZone::kUnique);
  // Samoa left out a whole day when it changed sides of the date line.
  EXPECT_EQ(Zone("Pacific/Apia")->LocalToUtc(*ParseTime("2011-12-30T12:00")).kind, TimeZone::kSkipped);
}

TEST(TimeZone, Find_RefusesWhatIsNoName) {
  EXPECT_THAT(Message(TimeZone::Find("Europe/Berln").status()), HasSubstr("did you mean Europe/Berlin?"));
  for (const char* name : {"", "CST", "IST", "GMT+3", "europe/berlin", "Nowhere", "Etc/Unknown", "+02:00"}) {
    EXPECT_EQ(ExitCodeOf(TimeZone::Find(name).status()), ExitCode::kUsage) << name;
  }
  EXPECT_TRUE(TimeZone::Find("CET").ok());
  EXPECT_TRUE(TimeZone::Find("Etc/GMT-3").ok());
  EXPECT_EQ(ZoneOrUtc(""), nullptr);
  EXPECT_EQ(ZoneOrUtc("Nowhere"), nullptr);
}

TEST(TimeZone, ParseInstantIn_MovesOnlyTimesThatStateNoZone) {
  const auto berlin = Zone("Europe/Berlin");
  EXPECT_EQ(ParseInstantIn("2024-07-01 12:00", berlin.get())->time, ParseTime("2024-07-01T10:00Z"));
  EXPECT_EQ(ParseInstantIn("2024-07-01 12:00Z", berlin.get())->time, ParseTime("2024-07-01T12:00Z"));
  EXPECT_EQ(ParseInstantIn("Mon, 01 Jul 2024 12:00:00 +0500", berlin.get())->time, ParseTime("2024-07-01T07:00Z"));
  EXPECT_EQ(ParseInstantIn("1709208000", berlin.get())->time, 1709208000000000);
  EXPECT_EQ(ParseInstantIn("2024-07-01 12:00", nullptr)->time, ParseTime("2024-07-01T12:00Z"));
  EXPECT_EQ(ParseInstantIn("2024-07-01", berlin.get())->time, ParseTime("2024-07-01T00:00Z"));
  EXPECT_EQ(ParseInstantIn("2024-10-27 02:30", berlin.get()), std::nullopt);
  EXPECT_EQ(ParseInstantIn("2024-03-31 02:30", berlin.get()), std::nullopt);
}

}  // namespace
}  // namespace rhodes
