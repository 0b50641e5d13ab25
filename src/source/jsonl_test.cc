#include "source/jsonl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "source/testing.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(Jsonl, Parse_MapsTheUsualNamesAndKeepsTheRest) {
  const std::string line =
      R"({"id": 158, "body": "Dish went up", "created_at": "2024-02-29T12:00:00+01:00", "user": "ana", "lang": "pt_BR",)"
      R"( "lat": 48.5, "lng": -11.25, "speed": 12.5, "tags": ["a", "b"], "ok": true, "none": null, "title": "Up"})";
  ReadOptions options;
  options.source = "posts";
  const ParsedBlock parsed = Read(JsonlFormat(), line + "\n", options);
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_THAT(parsed.rejects, IsEmpty());
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.text, "Dish went up");
  EXPECT_EQ(record.time, 1709204400000000);
  EXPECT_EQ(record.author, "ana");
  EXPECT_EQ(record.language, "pt-BR");
  EXPECT_EQ(record.latitude, 48.5);
  EXPECT_EQ(record.longitude, -11.25);
  EXPECT_THAT(record.channels, ElementsAre(Pair("speed", 12.5)));
  EXPECT_THAT(record.fields,
              ElementsAre(Pair("id", "158"), Pair("ok", "true"), Pair("tags", R"(["a","b"])"), Pair("title", "Up")));
  EXPECT_EQ(record.original, line);
  EXPECT_EQ(record.id, ContentId({"posts", "row", line}));
  EXPECT_EQ(record.reader, "jsonl/1");
}

TEST(Jsonl, Parse_ColumnMapWinsAndAMissingTextColumnRejects) {
  ReadOptions options;
  options.columns.text = "headline";
  options.columns.time = "when";
  const ParsedBlock parsed =
      Read(JsonlFormat(), "{\"headline\":\"A\",\"text\":\"B\",\"when\":\"2020-01-02\"}\n{\"text\":\"C\"}\n", options);
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(parsed.records[0].text, "A");
  EXPECT_EQ(Field(parsed.records[0], "text"), "B");
  EXPECT_EQ(parsed.records[0].time, 1577923200000000);
  ASSERT_THAT(parsed.rejects, SizeIs(1));
  EXPECT_EQ(parsed.rejects[0].reason, "no text field: there is no \"headline\"");
}

TEST(Jsonl, Parse_RejectsEachBrokenLineWithItsRangeAndReason) {
  const std::string file =
      "{\"text\":\"one\"}\r\n"
      "\n"
      "{\"text\":\"two\"\n"
      "[1,2]\n"
      "{\"text\":\"b\xFF\"}\n"
      "{\"title\":\"no text\"}\n"
      "{\"text\":\"last\"}";
  const ParsedBlock parsed = Read(JsonlFormat(), file);
  ASSERT_THAT(parsed.records, SizeIs(2));
  EXPECT_EQ(parsed.records[0].original, "{\"text\":\"one\"}");
  EXPECT_EQ(parsed.records[1].text, "last");
  ASSERT_THAT(parsed.rejects, SizeIs(4));
  EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("not JSON: "));
  EXPECT_EQ(parsed.rejects[0].origin.begin, 17U);
  EXPECT_EQ(parsed.rejects[0].origin.end, 30U);
  EXPECT_EQ(parsed.rejects[1].reason, "not a JSON object: an array");
  EXPECT_EQ(parsed.rejects[2].reason, fmt::format("invalid UTF-8 at byte {}", file.find('\xFF')));
  EXPECT_THAT(parsed.rejects[3].reason, HasSubstr("no text field"));
  EXPECT_EQ(Violation(parsed, file), "");
}

TEST(Jsonl, Parse_ABadDateKeepsTheRecordAndItsValue) {
  const ParsedBlock parsed = Read(JsonlFormat(), "{\"text\":\"a\",\"date\":\"yesterday\"}");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_FALSE(parsed.records[0].time.has_value());
  EXPECT_EQ(Field(parsed.records[0], "date"), "yesterday");
}

TEST(Jsonl, Parse_KeepsHugeNumbersAsTheirDigits) {
  const ParsedBlock parsed = Read(
      JsonlFormat(), R"({"text":"a","big":123456789012345678901234567890,"n":9007199254740993,"e":1e999,"small":7})");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(Field(parsed.records[0], "big"), "123456789012345678901234567890");
  EXPECT_EQ(Field(parsed.records[0], "n"), "9007199254740993");
  EXPECT_EQ(Field(parsed.records[0], "e"), "1e999");
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("small", 7.0)));
}

TEST(Jsonl, Parse_AMeasurementNeedsNoText) {
  const ParsedBlock parsed = Read(JsonlFormat(), "{\"timestamp\":1709208000,\"volts\":396.5}");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(parsed.records[0].text, "");
  EXPECT_EQ(parsed.records[0].time, 1709208000000000);
}

TEST(Jsonl, Parse_OfAKeyGivenTwiceTheLastCounts) {
  const ParsedBlock parsed = Read(JsonlFormat(), "{\"text\":\"a\",\"x\":1,\"x\":2,\"text\":\"b\"}");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(parsed.records[0].text, "b");
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("x", 2.0)));
}

TEST(Jsonl, Parse_RejectsALineBeyondTheLimit) {
  ReadOptions options;
  options.record_limit = 100;
  const std::string file = "{\"text\":\"" + std::string(200, 'a') + "\"}\n{\"text\":\"b\"}\n";
  const ParsedBlock parsed = Read(JsonlFormat(), file, options);
  EXPECT_THAT(parsed.records, SizeIs(1));
  ASSERT_THAT(parsed.rejects, SizeIs(1));
  EXPECT_EQ(parsed.rejects[0].reason, "line longer than 100 bytes");
}

TEST(Jsonl, Parse_BlocksOfAnySizeGiveTheSame) {
  std::string file = "\xEF\xBB\xBF";
  for (int i = 0; i < 200; ++i)
    file += fmt::format("{{\"text\":\"line {}\",\"n\":{}}}\n{}", i, i, i % 7 == 0 ? "{\n" : "");
  const ParsedBlock whole = Read(JsonlFormat(), file);
  EXPECT_THAT(whole.records, SizeIs(200));
  EXPECT_THAT(whole.rejects, SizeIs(29));
  EXPECT_EQ(Violation(whole, file), "");
  for (const size_t block : {1, 7, 100, 1000}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(JsonlFormat(), file, {}, "/data/file", block))) << block;
  }
}

}  // namespace
}  // namespace rhodes
