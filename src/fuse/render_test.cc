#include "fuse/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RenderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Database::Options options;
    options.threads = 2;
    database_ = *Database::Open(options);
    Add("drive", "Speed {v:.1f km/h}[ near {place}].");
    Add("event",
        "[The dish was out for {dish.s:d seconds}.][@car  The car drove[ {car.v:.0f km/h}] at {car.t:clock}.][ Posts: "
        "{posts.n:d}.]");
    Add("plain", "{x}");
    Add("when", "{x:time(s)}");
    const absl::Status status = RegisterRender(*database_, templates_);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Add(const std::string& name, const std::string& text) {
    templates_.push_back({name, "en", DigitStyle::kWestern, text, "rhodes.toml", 10});
  }
  // The only value of the query as text, or the error.
  std::string Ask(const std::string& sql) {
    absl::StatusOr<QueryResult> result = database_->Query("SELECT CAST((" + sql + ") AS VARCHAR)");
    if (!result.ok()) return Message(result.status());
    const absl::StatusOr<bool> any = result->Next();
    if (!any.ok()) return Message(any.status());
    return result->IsNull(0, 0) ? "NULL" : std::string(result->String(0, 0));
  }

  std::vector<TemplateSettings> templates_;
  std::unique_ptr<Database> database_;
};

TEST_F(RenderTest, FillsATemplateFromAStruct) {
  EXPECT_EQ(Ask("render('drive', {'v': 12.34, 'place': 'Aden'}).text"), "Speed 12.3 km/h near Aden.");
  EXPECT_EQ(Ask("render('drive', {'v': 5, 'place': NULL}).text"), "Speed 5.0 km/h.");
  EXPECT_EQ(Ask("render('drive', {'v': NULL, 'place': 'Aden'})"), "NULL");
  EXPECT_EQ(Ask("render('drive', {'v': 1, 'place': 'x'})"),
            "{'text': Speed 1.0 km/h near x., 'parents': [], 'spans': NULL}");
}

TEST_F(RenderTest, TellsWhichSpanIsFromWhichRecord) {
  const std::string dish = "'dish': {'id': 'd1', 's': 4}, ";
  const std::string car = "'car': {'id': 'c1', 'v': 50.2, 't': TIMESTAMP '2024-03-03 14:05:09'}, ";
  EXPECT_EQ(Ask("render('event', {" + dish + car + "'posts': {'id': ['p1', 'p2', 'p1'], 'n': 2}})"),
            "{'text': 'The dish was out for 4 seconds. The car drove 50 km/h at 14:05. Posts: 2.', 'parents': [d1, c1, "
            "p1, p2], "
            "'spans': [{'begin': 0, 'end': 31, 'parent': 0}, {'begin': 31, 'end': 63, 'parent': 1}, "
            "{'begin': 63, 'end': 73, 'parent': 2}, {'begin': 63, 'end': 73, 'parent': 3}]}");
}

// A vector of structs may have constants, dictionaries and NULL structs in it.
TEST_F(RenderTest, ReadsEveryFormOfVector) {
  EXPECT_EQ(Ask("SELECT string_agg(render('drive', {'v': v, 'place': 'Aden'}).text, '' ORDER BY v) FROM "
                "(VALUES (1), (2), (NULL)) t(v)"),
            "Speed 1.0 km/h near Aden.Speed 2.0 km/h near Aden.");
  EXPECT_EQ(Ask("SELECT string_agg(r.text, '|' ORDER BY i) FROM (SELECT i, render('drive', {'v': i, 'place': p}) AS r "
                "FROM range(4) a(i) LEFT JOIN (VALUES (1, 'x'), (3, 'y')) b(k, p) ON k = i)"),
            "Speed 0.0 km/h.|Speed 1.0 km/h near x.|Speed 2.0 km/h.|Speed 3.0 km/h near y.");
  EXPECT_EQ(
      Ask("SELECT string_agg(r.text, '|' ORDER BY i) FROM (SELECT i, render('event', {'dish': {'id': 'd', 's': i},"
          " 'car': CASE WHEN i = 1 THEN {'id': 'c', 'v': NULL::INT, 't': DATE '2024-01-01'} END, "
          "'posts': {'n': NULL}}) AS r FROM range(3) a(i))"),
      "The dish was out for 0 seconds.|The dish was out for 1 second. The car drove at 00:00.|"
      "The dish was out for 2 seconds.");
  // More rows than a chunk, filtered to a dictionary.
  EXPECT_EQ(Ask("SELECT count(DISTINCT r.text) FROM (SELECT render('plain', {'x': i}) AS r FROM range(100000) t(i) "
                "WHERE i % 3 = 0)"),
            "33334");
}

TEST_F(RenderTest, TakesEveryTypeOfNumberTimeAndText) {
  EXPECT_EQ(Ask("render('plain', {'x': 170141183460469231731687303715884105727})"
                ".text"),
            "1.7014118346046923e+38");
  EXPECT_EQ(Ask("render('plain', {'x': -12345678901234567890.5::DECIMAL(38, 1)}).text"), "-1.234567890123457e+19");
  EXPECT_EQ(Ask("render('plain', {'x': -1.25}).text"), "-1.25");
  EXPECT_EQ(Ask("render('plain', {'x': (-7)::HUGEINT}).text"), "-7");
  EXPECT_EQ(Ask("render('plain', {'x': 18446744073709551615::UBIGINT}).text"), "1.8446744073709552e+19");
  EXPECT_EQ(Ask("render('plain', {'x': 0.1::FLOAT}).text"), "0.10000000149011612");
  EXPECT_EQ(Ask("render('plain', {'x': true}).text"), "yes");
  EXPECT_EQ(Ask("render('plain', {'x': 'NaN'::DOUBLE})"), "NULL");
  EXPECT_EQ(Ask("render('when', {'x': TIMESTAMP_S '2024-03-03 14:05:09'}).text"), "3 March 2024, 14:05:09 UTC");
  EXPECT_EQ(Ask("render('when', {'x': TIMESTAMP_NS '1969-12-31 23:59:59.999999999'}).text"),
            "31 December 1969, 23:59:59 UTC");
  EXPECT_EQ(Ask("render('when', {'x': TIMESTAMPTZ '2024-03-03 14:05:09+02'}).text"), "3 March 2024, 12:05:09 UTC");
  EXPECT_EQ(Ask("render('when', {'x': 'infinity'::TIMESTAMP})"), "NULL");
  EXPECT_EQ(Ask("render('when', {'x': 'infinity'::DATE})"), "NULL");
}

TEST_F(RenderTest, WhatDoesNotFitIsNamed) {
  EXPECT_THAT(
      Ask("render('drive', {'wheel': 1, 'place': ''})"),
      AllOf(HasSubstr("template \"drive\" (rhodes.toml:10)"), HasSubstr("no field \"v\""), HasSubstr("wheel, place")));
  EXPECT_THAT(Ask("render('drive', {'v': 1, 'plase': ''})"), HasSubstr("did you mean \"plase\"?"));
  EXPECT_THAT(Ask("render('drive', {'v': 'fast', 'place': ''})"), HasSubstr("\"v\" is formatted as a number"));
  EXPECT_THAT(Ask("render('when', {'x': 'now'})"), HasSubstr("neither TIMESTAMP nor DATE"));
  EXPECT_THAT(Ask("render('plain', {'x': [1]})"), HasSubstr("neither text, number"));
  EXPECT_THAT(Ask("render('dive', {'v': 1})"), HasSubstr("no template \"dive\"; did you mean \"drive\"?"));
  EXPECT_THAT(Ask("render('drive', 1)"), HasSubstr("second argument is a struct"));
  EXPECT_THAT(Ask("SELECT render(n, {'v': 1}) FROM (VALUES ('drive')) t(n)"), HasSubstr("as a literal"));
}

TEST_F(RenderTest, JoinsPartsAndKeepsTheirSpans) {
  EXPECT_EQ(Ask("join_parts([{'text': 'a', 'parent': 'p'}, {'text': NULL, 'parent': 'q'}, {'text': '', 'parent': 'r'}, "
                "{'text': 'bc', 'parent': 's'}, {'text': 'd', 'parent': 'p'}], ', ')"),
            "{'text': 'a, bc, d', 'parents': [p, s], 'spans': [{'begin': 0, 'end': 1, 'parent': 0}, "
            "{'begin': 3, 'end': 5, 'parent': 1}, {'begin': 7, 'end': 8, 'parent': 0}]}");
  EXPECT_EQ(
      Ask("join_parts([part('Said.', 'p'), render('event', {'dish': {'id': 'd', 's': 3}, 'car': {'id': 'p', "
          "'v': 1, 't': DATE '2024-01-01'}, 'posts': {'n': NULL}}), part(NULL, 'x')], ' ')"),
      "{'text': 'Said. The dish was out for 3 seconds. The car drove 1 km/h at 00:00.', 'parents': [p, d], 'spans': "
      "[{'begin': 0, 'end': 5, 'parent': 0}, {'begin': 6, 'end': 37, 'parent': 1}, {'begin': 37, 'end': 68, "
      "'parent': 0}]}");
  EXPECT_EQ(Ask("join_parts([part(NULL, 'x')], ' ')"), "NULL");
  EXPECT_EQ(Ask("join_parts([part('x', 'y')], NULL)"), "{'text': x, 'parents': [y], 'spans': NULL}");
  EXPECT_EQ(Ask("SELECT string_agg(join_parts(l, '-').text, '|' ORDER BY g) FROM (SELECT i % 3 AS g, "
                "list(part(CAST(i AS VARCHAR), 'p' || i) ORDER BY i) AS l FROM range(7) t(i) GROUP BY g)"),
            "0-3-6|1-4|2-5");
  EXPECT_THAT(Ask("join_parts(['a'], ' ')"), HasSubstr("list of structs"));
}

}  // namespace
}  // namespace rhodes
