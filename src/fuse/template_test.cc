#include "fuse/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

namespace rhodes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Template Parse(const std::string& text, const std::string& language = "en", DigitStyle digits = DigitStyle::kWestern) {
  TemplateSettings settings{"t", language, digits, text, "rhodes.toml", 10};
  absl::StatusOr<Template> parsed = Template::Parse(settings);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *std::move(parsed);
}

std::string ErrorOf(const std::string& text) {
  const absl::Status status = Template::Parse({"t", "en", DigitStyle::kWestern, text, "rhodes.toml", 10}).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << text;
  return Message(status);
}

using Values = std::map<std::string, FieldValue>;

// Text with the owner of each piece in front of it: "<car>...</>".
std::string Render(const Template& form, const Values& values, const std::vector<std::string>& owners = {},
                   const std::vector<uint8_t>& present = {1, 1, 1, 1}) {
  std::vector<FieldValue> row;
  for (const Template::Field& field : form.fields()) {
    const auto found = values.find(field.path);
    row.push_back(found == values.end() ? FieldValue() : found->second);
  }
  const absl::StatusOr<std::vector<int>> owned = form.Own(owners);
  if (!owned.ok()) return Message(owned.status());
  Template::Scratch scratch;
  RenderedText out;
  if (!form.Render(*owned, row.data(), present.data(), scratch, out)) return "NULL";
  std::string marked;
  size_t at = 0;
  for (const RenderedText::Piece& piece : out.pieces) {
    marked += out.text.substr(at, piece.begin - at);
    marked += fmt::format("<{}>{}</>", owners[static_cast<size_t>(piece.owner)],
                          out.text.substr(piece.begin, piece.end - piece.begin));
    at = piece.end;
  }
  return marked + out.text.substr(at);
}

std::string RenderOne(const std::string& format, const FieldValue& value, const std::string& language = "en",
                      DigitStyle digits = DigitStyle::kWestern) {
  return Render(Parse("{x:" + format + "}", language, digits), {{"x", value}});
}

constexpr int64_t kTime = 1709474709'000000;  // 2024-03-03T14:05:09Z, a Sunday

TEST(TemplateTest, NumbersComeWithTheirDecimalsAndUnits) {
  EXPECT_EQ(RenderOne(".1f km/h", FieldValue::Number(87.25)), "87.2 km/h");  // 87.25 is exact: half to even
  EXPECT_EQ(RenderOne(".0f%", FieldValue::Number(45.6)), "46%");
  EXPECT_EQ(RenderOne(",.2f m", FieldValue::Number(-1234567.891)), "-1,234,567.89 m");
  EXPECT_EQ(RenderOne("d", FieldValue::Integer(9007199254740993)), "9007199254740993");
  EXPECT_EQ(RenderOne(".1f", FieldValue::Number(-0.04)), "0.0");
  EXPECT_EQ(RenderOne("n", FieldValue::Number(0.1)), "0.1");
  EXPECT_EQ(RenderOne("", FieldValue::Number(1e300)), "1e+300");
  EXPECT_EQ(RenderOne(".1f km/h", FieldValue::Number(87.3), "ar"), "87.3 كم/س");
  EXPECT_EQ(RenderOne(",.1f °C", FieldValue::Number(-1023.5), "ar", DigitStyle::kArabicIndic), "-١٬٠٢٣٫٥ °م");
  EXPECT_EQ(RenderOne(".1f", FieldValue::Number(std::nan(""))), "NULL");
}

TEST(TemplateTest, EnglishWordsFollowTheNumber) {
  EXPECT_EQ(RenderOne("d seconds", FieldValue::Integer(0)), "0 seconds");
  EXPECT_EQ(RenderOne("d seconds", FieldValue::Integer(1)), "1 second");
  EXPECT_EQ(RenderOne(".0f second", FieldValue::Number(1.2)), "1 second");
  EXPECT_EQ(RenderOne(".1f second", FieldValue::Number(1)), "1.0 seconds");
  EXPECT_EQ(RenderOne("d dish|dishes", FieldValue::Integer(3)), "3 dishes");
}

// The categories of the Unicode Common Locale Data Repository for Arabic.
TEST(TemplateTest, ArabicWordsHaveFiveForms) {
  const auto seconds = [](int64_t n) { return RenderOne("d seconds", FieldValue::Integer(n), "ar"); };
  EXPECT_EQ(seconds(0), "0 ثانية");
  EXPECT_EQ(seconds(1), "ثانية واحدة");
  EXPECT_EQ(seconds(2), "ثانيتان");
  EXPECT_EQ(seconds(3), "3 ثوانٍ");
  EXPECT_EQ(seconds(10), "10 ثوانٍ");
  const auto days = [](double n) { return RenderOne(".0f days", FieldValue::Number(n), "ar"); };
  EXPECT_EQ(days(11), "11 يومًا");
  EXPECT_EQ(days(99), "99 يومًا");
  EXPECT_EQ(days(100), "100 يوم");
  EXPECT_EQ(days(102), "102 يوم");
  EXPECT_EQ(days(103), "103 أيام");
  EXPECT_EQ(days(111), "111 يومًا");
  EXPECT_EQ(RenderOne(".1f days", FieldValue::Number(1), "ar"), "1.0 يوم");
  EXPECT_EQ(RenderOne("d days", FieldValue::Integer(11), "ar", DigitStyle::kArabicIndic), "١١ يومًا");
}

TEST(TemplateTest, TimesAndPlacesAreWrittenOut) {
  const FieldValue time = FieldValue::Time(kTime + 999'999);
  EXPECT_EQ(RenderOne("time", time), "3 March 2024, 14:05 UTC");
  EXPECT_EQ(RenderOne("time(s)", time, "ar"), "3 مارس 2024، 14:05:09 بالتوقيت العالمي");
  EXPECT_EQ(RenderOne("date", time, "ar", DigitStyle::kArabicIndic), "٣ مارس ٢٠٢٤");
  EXPECT_EQ(RenderOne("clock(s)", time), "14:05:09");
  EXPECT_EQ(RenderOne("iso", time, "ar", DigitStyle::kArabicIndic), "2024-03-03T14:05:09Z");
  EXPECT_EQ(RenderOne("weekday", time), "Sunday");
  EXPECT_EQ(RenderOne("time(s)", FieldValue::Time(-1)), "31 December 1969, 23:59:59 UTC");
  const Values place = {{"p.latitude", FieldValue::Number(-33.86881)}, {"p.longitude", FieldValue::Number(151.2093)}};
  EXPECT_EQ(Render(Parse("{p:coordinates}"), place), "33.8688° S, 151.2093° E");
  EXPECT_EQ(Render(Parse("{p:coordinates(1)}", "ar"), place), "33.9° جنوبًا، 151.2° شرقًا");
}

TEST(TemplateTest, PartsVanishWithTheirFields) {
  const Template form = Parse("Speed {v:.0f km/h}[ at {t:clock}[ in {city}]].");
  const FieldValue v = FieldValue::Number(50);
  const FieldValue t = FieldValue::Time(kTime);
  EXPECT_EQ(Render(form, {{"v", v}, {"t", t}, {"city", FieldValue::Text("Aden")}}), "Speed 50 km/h at 14:05 in Aden.");
  EXPECT_EQ(Render(form, {{"v", v}, {"t", t}}), "Speed 50 km/h at 14:05.");
  EXPECT_EQ(Render(form, {{"v", v}, {"city", FieldValue::Text("Aden")}}), "Speed 50 km/h.");
  EXPECT_EQ(Render(form, {{"t", t}}), "NULL");
}

TEST(TemplateTest, EachPieceKnowsItsMember) {
  const Values values = {
      {"dish.s", FieldValue::Integer(4)}, {"car.v", FieldValue::Number(9)}, {"place", FieldValue::Text("Aden")}};
  const std::vector<std::string> owners = {"dish", "car"};
  EXPECT_EQ(Render(Parse("Near {place}: [the dish, {dish.s:d s}]; [the car, {car.v:d km/h}]."), values, owners),
            "Near Aden: <dish>the dish, 4 s</>; <car>the car, 9 km/h</>.");
  EXPECT_EQ(Render(Parse("Dish {dish.s:d s} and car {car.v:d km/h}."), values, owners),
            "Dish <dish>4 s</> and car <car>9 km/h</>.");
  EXPECT_EQ(Render(Parse("Lost for {dish.s:d s}[ near {place}]."), values, owners), "<dish>Lost for 4 s near Aden.</>");
  EXPECT_EQ(Render(Parse("[@car It, {car.v:d km/h}, saw {dish.s:d s} of it.]"), values, owners),
            "<car>It, 9 km/h, saw </><dish>4 s</><car> of it.</>");
  EXPECT_EQ(Render(Parse("[@car A car.][ Gone {dish.s:d s}.]"), values, owners, {1, 0}), "<dish> Gone 4 s.</>");
  // What a part that vanished had added to the piece before it is taken off again.
  EXPECT_EQ(Render(Parse("[@car A[ b {dish.t}] c]"), values, owners), "<car>A c</>");
  EXPECT_EQ(Render(Parse("[@car A[ b {car.t}] c]"), values, owners), "<car>A c</>");
  EXPECT_THAT(Render(Parse("[@cra x]"), values, owners),
              AllOf(HasSubstr("rhodes.toml:10"), HasSubstr("did you mean \"car\"?")));
  EXPECT_EQ(Render(Parse("all {v}"), {{"v", FieldValue::Text("x")}}, {""}), "<>all x</>");
}

TEST(TemplateTest, SignsAreEscapedAndLinesJoined) {
  EXPECT_EQ(Render(Parse("\\{a\\} \\[b\\] \\\\ c\\\n d\\ne\n"), {}), "{a} [b] \\ c d\ne");
}

TEST(TemplateTest, WhatIsNoTemplateIsNamedWithItsLine) {
  EXPECT_THAT(ErrorOf("one\ntwo {x"), AllOf(HasSubstr("template \"t\" (rhodes.toml:11)"), HasSubstr("{ without }")));
  EXPECT_THAT(ErrorOf("a } b"), HasSubstr("} without {"));
  EXPECT_THAT(ErrorOf("a ] b"), HasSubstr("] without ["));
  EXPECT_THAT(ErrorOf("a\n[b"), AllOf(HasSubstr("rhodes.toml:11"), HasSubstr("has no ]")));
  EXPECT_THAT(ErrorOf("a \\q"), HasSubstr("backslash"));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("not the name of a field"));
  EXPECT_THAT(ErrorOf("{x:.2}"), HasSubstr("the format \".2\" is none of"));
  EXPECT_THAT(ErrorOf("{x:.2f kmh}"), HasSubstr("did you mean \"km/h\"?"));
  EXPECT_THAT(ErrorOf("{x:d a|b|c}"), HasSubstr("2 forms"));
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "[a]";
  EXPECT_THAT(ErrorOf(many), HasSubstr("more than 4096"));
  EXPECT_THAT(ErrorOf(std::string(40, '[')), HasSubstr("32 deep"));
  EXPECT_THAT(ErrorOf("[@ x]"), HasSubstr("name of a member"));
  EXPECT_THAT(Message(Template::Parse({"t", "fr", DigitStyle::kWestern, "", "", 1}).status()), HasSubstr("\"fr\""));
}

class ReadBackTest : public ::testing::TestWithParam<std::pair<const char*, DigitStyle>> {};

// For any values, what is rendered is read back to the precision that the text states.
TEST_P(ReadBackTest, GivesTheNumbersThatWereRendered) {
  const auto [language, digits] = GetParam();
  const Template form = Parse(
      "{name}: {v:.1f km/h}, {n:d satellites}, {big:,.3f kWh}, {share:.0f%}[ at {t:time(s)}][ on {d:date}]"
      "[ near {p:coordinates(5)}][ ({raw:n})][ {c:clock}].[ For {s:.0f seconds}.]",
      language, digits);
  std::mt19937_64 random(7);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  const auto whole = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int round = 0; round < 3000; ++round) {
    Values values = {{"name", FieldValue::Text("device 7, ward b")},
                     {"v", FieldValue::Number(uniform(-300, 300))},
                     {"n", FieldValue::Integer(round < 300 ? round : whole(-5, 1'000'000))},
                     {"big", FieldValue::Number(std::exp(uniform(-10, 30)) * (round % 2 == 0 ? 1 : -1))},
                     {"share", FieldValue::Number(uniform(0, 100))}};
    const auto maybe = [&](const char* path, FieldValue value) {
      if (whole(0, 3) > 0) values[path] = value;
    };
    const int64_t time = whole(-2'000'000'000, 9'000'000'000) * 1'000'000 + whole(0, 999'999);
    maybe("t", FieldValue::Time(time));
    maybe("d", FieldValue::Time(time));
    maybe("c", FieldValue::Time(time));
    maybe("p.latitude", FieldValue::Number(uniform(-90, 90)));
    maybe("p.longitude", FieldValue::Number(uniform(-180, 180)));
    maybe("raw", FieldValue::Number(std::exp(uniform(-40, 40))));
    maybe("s", FieldValue::Number(static_cast<double>(whole(0, 130)) + 0.25));
    const std::string text = Render(form, values);
    const absl::StatusOr<std::vector<std::pair<std::string, StatedValue>>> stated = ParseRendered(form, text);
    ASSERT_TRUE(stated.ok()) << text << stated.status();
    size_t expected = 0;
    for (const auto& [path, value] : values) {
      const bool half = path.starts_with("p.") && !(values.contains("p.latitude") && values.contains("p.longitude"));
      if (half) continue;
      ++expected;
      const auto found =
          std::find_if(stated->begin(), stated->end(), [&](const auto& entry) { return entry.first == path; });
      ASSERT_NE(found, stated->end()) << path << " in " << text;
      const StatedValue& got = found->second;
      const int64_t floored = time - ((time % 1'000'000) + 1'000'000) % 1'000'000;
      const int64_t of_day = ((floored / 1'000'000 % 86400) + 86400) % 86400;
      if (path == "name") {
        EXPECT_EQ(got.text, "device 7, ward b");
      }
      if (path == "v") {
        EXPECT_NEAR(got.number, value.number, 0.05 + 1e-9) << text;
      }
      if (path == "n") {
        EXPECT_EQ(got.number, static_cast<double>(value.integer)) << text;
      }
      if (path == "big") {
        EXPECT_NEAR(got.number, value.number, 0.0005 + 1e-15 * std::abs(value.number)) << text;
      }
      if (path == "share" || path == "s") {
        EXPECT_NEAR(got.number, value.number, 0.5) << text;
      }
      if (path == "raw") {
        EXPECT_EQ(got.number, value.number) << text;
      }
      if (path.starts_with("p.")) {
        EXPECT_NEAR(got.number, value.number, 0.000005 + 1e-12) << text;
      }
      if (path == "t") {
        EXPECT_EQ(got.time, floored) << text;
      }
      if (path == "d") {
        EXPECT_EQ(got.time, floored - of_day * 1'000'000) << text;
      }
      if (path == "c") {
        EXPECT_EQ(got.time, of_day / 60 * 60 * 1'000'000) << text;
      }
    }
    EXPECT_EQ(stated->size(), expected) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Languages, ReadBackTest,
                         ::testing::Values(std::pair("en", DigitStyle::kWestern), std::pair("ar", DigitStyle::kWestern),
                                           std::pair("ar", DigitStyle::kArabicIndic)));

TEST(TemplateTest, ATextOfAnotherTemplateIsRefused) {
  const Template form = Parse("Speed {v:.1f km/h}.");
  EXPECT_THAT(Message(ParseRendered(form, "Speed 5 km/h.").status()), HasSubstr("stops fitting at byte 6"));
  EXPECT_FALSE(ParseRendered(form, "Speed 5.1 km/h. And more").ok());
  EXPECT_FALSE(ParseRendered(Parse("{n:d seconds}"), "1 seconds").ok());
}

// Many ways to read it, all of them wrong in the end: each place is tried once.
TEST(TemplateTest, AnAmbiguousTextIsReadInBoundedTime) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "[{a} {b}]";
  EXPECT_FALSE(ParseRendered(Parse(text + "!"), std::string(2000, ' ')).ok());
}

}  // namespace
}  // namespace rhodes
