// Times, paths, encodings, and telling formats apart.
#include "source/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "source/encoding.h"
#include "source/path_facts.h"
#include "source/row_builder.h"
#include "source/time.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kLeapNoon = 1709208000000000;  // 2024-02-29T12:00:00Z

TEST(Time, ParseTime_ReadsWhatSourcesWrite) {
  for (const char* text :
       {"2024-02-29T12:00:00Z", "2024-02-29 12:00", "2024-02-29T14:00:00+02:00", "2024-02-29T12:00:00.000000Z",
        "2024/02/29 12:00:00 UTC", "20240229T12:00:00", "Thu, 29 Feb 2024 13:00:00 +0100", "29 Feb 2024 12:00 GMT",
        "Thu, 29 Feb 24 07:00:00 EST", "Thu Feb 29 12:00:00 +0000 2024", "Thu Feb 29 2024 12:00:00 GMT+0000",
        "Thu Feb 29 12:00:00 2024", "Thu, 29 Feb 2024 13:00:00 +0100 (CET)", "29-Feb-2024 12:00:00", "1709208000",
        "1709208000000", "1709208000.0", "February 29, 2024 12:00"}) {
    EXPECT_EQ(ParseTime(text), kLeapNoon) << text;
  }
  EXPECT_EQ(ParseTime("2024-02-29T12:00:00.123456789Z"), kLeapNoon + 123456);
  EXPECT_EQ(ParseTime("2024-02-29"), kLeapNoon - int64_t{12} * 3600 * 1000000);
  EXPECT_EQ(ParseTime("20240229"), kLeapNoon - int64_t{12} * 3600 * 1000000);
  EXPECT_EQ(ParseTime("1969-12-31T23:59:59Z"), -1000000);
}

TEST(Time, ParseTime_RefusesWhatItWouldHaveToGuess) {
  for (const char* text :
       {"", "yesterday", "03/04/2024", "2023-02-29", "2024-13-01", "2024-02-29T25:00:00Z", "12.5", "May",
        "2024-02-29T12:00:00 nowhere", "Thu, 29 Feb 2024 12:00:00 +0100 +0200", "99999999999999999999999"}) {
    EXPECT_FALSE(ParseTime(text).has_value()) << text;
  }
}

TEST(PathFacts, PackageAndLanguage) {
  EXPECT_EQ(PackageOfPath("/d/packages/gzip/usr/share/man/man1/gzip.1.gz"), "gzip");
  EXPECT_EQ(PackageOfPath("/usr/share/doc/gzip/changelog.gz"), "gzip");
  EXPECT_EQ(PackageOfPath("/usr/share/man/man1/ls.1.gz"), "");
  EXPECT_EQ(LanguageOfManPath("/usr/share/man/man1/ls.1.gz"), "en");
  EXPECT_EQ(LanguageOfManPath("/usr/share/man/pt_BR/man1/ls.1.gz"), "pt-BR");
  EXPECT_EQ(LanguageOfManPath("/home/me/ls.1"), "");
  EXPECT_EQ(LanguageOfPath("/lists/x_Translation-de.xz"), "de");
  EXPECT_EQ(LanguageOfPath("/doc/install.es.txt.gz"), "es");
  EXPECT_EQ(LanguageOfPath("/doc/html/ar-MA/index.html"), "ar-MA");
  EXPECT_EQ(LanguageOfPath("/doc/changelog.gz"), "");
  EXPECT_EQ(LanguageTag("de_DE.UTF-8@euro"), "de-DE");
  EXPECT_EQ(LanguageTag("not a language"), "");
}

TEST(Encoding, FindInvalidUtf8_NamesTheByte) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "é";
  EXPECT_EQ(FindInvalidUtf8(text), std::string::npos);
  for (const size_t at : {size_t{0}, size_t{4096}, size_t{4097}, size_t{9998}}) {
    std::string broken = text;
    broken[at / 2 * 2] = '\xFF';
    EXPECT_EQ(FindInvalidUtf8(broken), at / 2 * 2);
  }
  EXPECT_EQ(FindInvalidUtf8("ab\xC3"), 2U);
}

TEST(Encoding, DecodeText_Utf16ByItsMark) { EXPECT_EQ(DecodeText(std::string("\xFF\xFEh\0i\0", 6)).text, "hi"); }

std::string Detected(std::string_view path, std::string_view head) {
  const absl::StatusOr<const Format*> format = DetectFormat(path, head);
  return format.ok() ? std::string((*format)->name()) : Message(format.status());
}

TEST(Registry, DetectFormat_ByContentAndName) {
  EXPECT_EQ(Detected("/a/x", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"), "jsonl");
  EXPECT_EQ(Detected("/a/x.jsonl.gz", "{\"text\":\n"), "jsonl");
  EXPECT_EQ(Detected("/a/x.csv", "a,b\n1,2\n"), "csv");
  EXPECT_EQ(Detected("/a/table", "a\tb\n1\t2\n3\t4\n5\t6\n7\t8\n"), "tsv");
  EXPECT_EQ(Detected("/a/prose.txt", "One, two, three\nFour, five, six\n"), "text");
  EXPECT_EQ(Detected("/a/x.parquet", "PAR1\x15\x04"), "parquet");
  EXPECT_EQ(Detected("/a/Packages", "Package: a\nVersion: 1\n"), "debian-packages");
  EXPECT_EQ(Detected("/a/changelog.gz", "a (1-1) unstable; urgency=low\n\n  * x\n"), "debian-changelog");
  EXPECT_EQ(Detected("/a/changelog.gz", "Version 1.2\n * more\n"), "text");
  EXPECT_EQ(Detected("/a/ls.1.gz", ".\\\" made by hand\n.TH LS 1\n"), "man");
  EXPECT_EQ(Detected("/a/ls.1", ".so man1/dir.1\n"), "man");
  EXPECT_EQ(Detected("/a/x", "\n<!DOCTYPE html>\n<html>"), "html");
  EXPECT_EQ(Detected("/a/x.htm", "<p>text"), "html");
  EXPECT_THAT(Detected("/a/x", std::string_view("ab\0cd", 5)), HasSubstr("binary"));
  EXPECT_THAT(Detected("/a/x", "%PDF-1.4\n"), HasSubstr("binary: a PDF"));
  EXPECT_EQ(Detected("/a/x.json", "{\n \"a\": 1\n}\n"), "json");
  EXPECT_EQ(Detected("/a/x.json", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"), "jsonl");
  EXPECT_EQ(Detected("/a/x.json", "{\"text\":\"a\"}\n"), "json");
  EXPECT_EQ(Detected("/a/x.json", "null"), "json");
  EXPECT_EQ(Detected("/a/x.geojson.zst", "{\"type\":"), "json");
  EXPECT_EQ(Detected("/a/x", "[\n  {\"a\": 1}\n]\n"), "json");
  EXPECT_EQ(Detected("/a/x", "{\"data\": [{\"text\": \"a\"}, "), "json");
  EXPECT_EQ(Detected("/a/x", "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n"), "json");
  EXPECT_EQ(Detected("/a/x", "[1] A list of references\n"), "text");
}

TEST(Registry, FindFormat_NamesTheNearest) {
  EXPECT_THAT(Message(FindFormat("jsnol").status()), HasSubstr("did you mean jsonl?"));
  EXPECT_THAT(Message(FindFormat("sqlite3").status()), HasSubstr("known are auto, jsonl"));
  EXPECT_EQ(ExitCodeOf(FindFormat("x").status()), ExitCode::kUsage);
}

TEST(RowBuilder, ParseNumber_TakesNumbersAndLeavesNames) {
  EXPECT_EQ(ParseNumber("-12"), -12.0);
  EXPECT_EQ(ParseNumber("0"), 0.0);
  EXPECT_EQ(ParseNumber(".20262E-3"), 0.20262e-3);
  for (const char* text : {"", "-", "007", "+1", "0x1F", "1_0", "nan", "inf", "1 2", "1e999", "."}) {
    EXPECT_FALSE(ParseNumber(text).has_value()) << text;
  }
}

TEST(Measure, ParseMeasure_NumbersWithUnits) {
  const auto check = [](std::string_view text, DecimalMark mark, double number, std::string_view unit) {
    const std::optional<Measure> measure = ParseMeasure(text, mark);
    ASSERT_TRUE(measure.has_value()) << text;
    EXPECT_EQ(measure->number, number) << text;
    EXPECT_EQ(measure->unit, unit) << text;
  };
  check("87,5 km/h", DecimalMark::kEither, 87.5, "km/h");
  check("-3", DecimalMark::kEither, -3, "");
  check("\u22123.25 V", DecimalMark::kEither, -3.25, "V");
  check("+21,4\u00B0C", DecimalMark::kEither, 21.4, "degC");
  check("21.4 \u2103", DecimalMark::kPoint, 21.4, "degC");
  check("12\u00A0%", DecimalMark::kEither, 12, "%");
  check("0,125", DecimalMark::kEither, 0.125, "");
  check("1,234 m", DecimalMark::kComma, 1.234, "m");
  check("1.234 m", DecimalMark::kEither, 1.234, "m");
  check("1.5E-3 A", DecimalMark::kEither, 0.0015, "A");
  check("3 \u00B5s", DecimalMark::kEither, 3, "us");
  for (const char* text : {"", "km/h", "1,234", "1.234,5", "1,234.5", "1 234", "12:30", "1.2.3", "NaN", "inf", "1e999",
                           "5 of 6", "-", "1.", "12 km/h (about)"}) {
    EXPECT_FALSE(ParseMeasure(text, DecimalMark::kEither).has_value()) << text;
  }
  EXPECT_FALSE(ParseMeasure("1.234", DecimalMark::kComma).has_value());
  EXPECT_FALSE(ParseMeasure("1,5", DecimalMark::kPoint).has_value());
}

class RowBuilderTest : public ::testing::Test {
 protected:
  Record Build(const std::vector<std::pair<const char*, const char*>>& strings,
               const std::vector<std::pair<const char*, double>>& numbers = {}) {
    const RoleTable roles(options_.columns, options_.time_zone);
    RowBuilder builder(roles);
    builder.set_keeps_bare_rows(true);
    std::deque<std::string> digits;
    for (const auto& [name, value] : strings) builder.AddString(name, value);
    for (const auto& [name, value] : numbers)
      builder.AddNumber(name, value, digits.emplace_back(fmt::format("{}", value)));
    Record record;
    std::string reason;
    EXPECT_TRUE(builder.Finish(options_, record, reason)) << reason;
    return record;
  }
  ReadOptions options_;
};

TEST_F(RowBuilderTest, Finish_ADateThatDoesNotExistStaysAField) {
  const Record record = Build({{"time", "2023-02-30"}, {"text", "a"}});
  EXPECT_FALSE(record.time.has_value());
  EXPECT_EQ(record.time_precision, TimePrecision::kNone);
  EXPECT_EQ(record.fields, (std::vector<std::pair<std::string, std::string>>{{"time", "2023-02-30"}}));
}

TEST_F(RowBuilderTest, Finish_TheNextNameServesWhereTheFirstIsNoTime) {
  const Record record = Build({{"time", "12:00:00"}, {"date", "2024-02-29"}});
  EXPECT_EQ(record.time, kLeapNoon - int64_t{12} * 3600 * 1000000);
  EXPECT_EQ(record.time_precision, TimePrecision::kDay);
  EXPECT_EQ(record.fields, (std::vector<std::pair<std::string, std::string>>{{"time", "12:00:00"}}));
}

TEST_F(RowBuilderTest, Finish_CoordinatesOutOfRangeAreNone) {
  const Record far = Build({}, {{"lat", 100}, {"lon", 13.4}});
  EXPECT_FALSE(far.latitude.has_value());
  EXPECT_FALSE(far.longitude.has_value());
  EXPECT_TRUE(far.channels.empty());
  EXPECT_EQ(far.fields, (std::vector<std::pair<std::string, std::string>>{{"lat", "100"}, {"lon", "13.4"}}));
  EXPECT_FALSE(Build({}, {{"lat", 54.3}, {"lon", -181}}).latitude.has_value());
  EXPECT_FALSE(Build({{"lat", "NaN"}, {"lon", "13.4"}}).longitude.has_value());
  EXPECT_FALSE(Build({}, {{"lat", 54.3}}).latitude.has_value());
  const Record east = Build({}, {{"lat", 54.3}, {"lon", 350}});
  EXPECT_EQ(east.longitude, -10.0);
  EXPECT_EQ(Build({{"latitude", " 54.3"}, {"longitude", "180"}}).longitude, 180.0);
}

TEST_F(RowBuilderTest, Finish_NotFiniteIsNoChannel) {
  const Record record = Build({{"text", "a"}}, {{"n", std::nan("")}, {"i", INFINITY}, {"x", 1}});
  EXPECT_EQ(record.channels, (std::vector<std::pair<std::string, double>>{{"x", 1.0}}));
  EXPECT_EQ(record.fields, (std::vector<std::pair<std::string, std::string>>{{"i", "inf"}, {"n", "nan"}}));
}

TEST_F(RowBuilderTest, Finish_Places) {
  EXPECT_EQ(Build({{"text", "a"}, {"location_name", "pier"}}).fields,
            (std::vector<std::pair<std::string, std::string>>{{"place", "pier"}}));
  options_.columns.place = "city";
  EXPECT_EQ(Build({{"text", "a"}, {"city", "Ulm"}, {"place", "2nd"}}).fields,
            (std::vector<std::pair<std::string, std::string>>{{"place", "Ulm"}, {"place_2", "2nd"}}));
}

TEST_F(RowBuilderTest, Finish_ATimeThatASpreadsheetRoundedIsNone) {
  const RoleTable roles(options_.columns);
  RowBuilder builder(roles);
  builder.AddNumber("time", 1.51336e12, "1.51336E+12");
  Record record;
  std::string reason;
  EXPECT_TRUE(builder.Finish(options_, record, reason));
  EXPECT_FALSE(record.time.has_value());
  builder.Begin();
  builder.AddNumber("time", 1.709208000123456e18, "1.709208000123456e+18");
  Record exact;
  EXPECT_TRUE(builder.Finish(options_, exact, reason));
  EXPECT_EQ(exact.time, kLeapNoon + 123456);
}

}  // namespace
}  // namespace rhodes
