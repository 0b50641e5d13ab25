#include "source/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Same;
using source_testing::Violation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

std::vector<std::string> Texts(const ParsedBlock& parsed) {
  std::vector<std::string> texts;
  for (const Record& record : parsed.records) texts.push_back(record.kind == "envelope" ? "(envelope)" : record.text);
  return texts;
}

std::vector<std::string> Reasons(const ParsedBlock& parsed) {
  std::vector<std::string> reasons;
  for (const Reject& reject : parsed.rejects) reasons.push_back(reject.reason);
  return reasons;
}

// Read whole; blocks of any size, and layouts that stream however short the file is, must give the same.
ParsedBlock ReadAllWays(std::string_view file) {
  ParsedBlock whole = Read(JsonFormat(), file);
  EXPECT_EQ(Violation(whole, file), "");
  for (const size_t block : {1, 10, 100}) {
    EXPECT_TRUE(Same(whole, Read(JsonFormat(), file, {}, "/data/file", block))) << block << ": " << file;
  }
  return whole;
}

TEST(Json, Parse_AnArrayOfObjects) {
  const std::string file =
      "\xEF\xBB\xBF[\n  {\"text\": \"one\", \"created_at\": \"2024-02-29T12:00:00Z\"},\n  {\"text\": \"two\"} ]\n";
  const ParsedBlock parsed = ReadAllWays(file);
  EXPECT_THAT(parsed.rejects, IsEmpty());
  ASSERT_THAT(Texts(parsed), ElementsAre("one", "two"));
  EXPECT_EQ(parsed.records[0].kind, "row");
  EXPECT_EQ(parsed.records[0].reader, "json/1");
  EXPECT_EQ(parsed.records[0].time_precision, TimePrecision::kSecond);
  EXPECT_EQ(parsed.records[1].original, "{\"text\": \"two\"}");
  EXPECT_EQ(parsed.records[1].origin.begin, file.find("{\"text\": \"two\"}"));
}

TEST(Json, Parse_ASingleObjectOverSeveralLines) {
  const ParsedBlock parsed = ReadAllWays("{\n  \"text\": \"one\",\n  \"tags\": [\n    \"a\"\n  ]\n}\n");
  ASSERT_THAT(Texts(parsed), ElementsAre("one"));
  EXPECT_EQ(Field(parsed.records[0], "tags"), "[\"a\"]");
}

TEST(Json, Parse_ObjectsOneAfterAnother) {
  EXPECT_THAT(Texts(ReadAllWays("{\n  \"text\": \"one\"\n}\n{\n  \"text\": \"two\"\n}\n")), ElementsAre("one", "two"));
  EXPECT_THAT(Texts(ReadAllWays("{\"text\":\"one\"}{\"text\":\"two\"}")), ElementsAre("one", "two"));
  EXPECT_THAT(Texts(ReadAllWays("\x1E{\"text\":\"one\"}\n\x1E{\"text\":\"two\"}\n")), ElementsAre("one", "two"));
  EXPECT_THAT(Texts(ReadAllWays("[{\"text\":\"one\"}][{\"text\":\"two\"},{\"text\":\"three\"}]")),
              ElementsAre("one", "two", "three"));
}

TEST(Json, Parse_AListInAnObject) {
  const ParsedBlock parsed = ReadAllWays(
      "{\"count\": 2, \"station\": \"pier\", \"next\": null, \"items\": [{\"text\": \"one\"}, "
      "{\"text\": \"two\", \"station\": \"mole\"}]}");
  EXPECT_THAT(parsed.rejects, IsEmpty());
  ASSERT_THAT(Texts(parsed), ElementsAre("one", "two"));
  EXPECT_THAT(parsed.records[0].fields, ElementsAre(Pair("count", "2"), Pair("station", "pier")));
  EXPECT_THAT(parsed.records[1].fields, ElementsAre(Pair("count", "2"), Pair("station", "mole")));
}

TEST(Json, Parse_WhatStandsBesideAListIsARecordOfItsOwn) {
  const std::string file =
      "{\"meta\": {\"pages\": 7}, \"response\": {\"found\": 2, \"docs\": [{\"text\": \"one\"}], \"more\": false}, "
      "\"took\": 5}";
  const ParsedBlock parsed = ReadAllWays(file);
  EXPECT_THAT(parsed.rejects, IsEmpty());
  ASSERT_THAT(Texts(parsed), ElementsAre("(envelope)", "one", "(envelope)"));
  EXPECT_THAT(parsed.records[0].fields, ElementsAre(Pair("meta", "{\"pages\":7}")));
  EXPECT_THAT(parsed.records[1].fields, ElementsAre(Pair("response.found", "2")));
  EXPECT_THAT(parsed.records[2].fields, ElementsAre(Pair("response.more", "false"), Pair("took", "5")));
  EXPECT_EQ(parsed.records[2].original, ", \"more\": false}, \"took\": 5}");
}

TEST(Json, Parse_AnObjectWithATextIsARecordWhateverListsItHas) {
  const ParsedBlock parsed = ReadAllWays("{\"items\": [{\"a\": 1}], \"text\": \"one\"}");
  ASSERT_THAT(Texts(parsed), ElementsAre("one"));
  EXPECT_EQ(Field(parsed.records[0], "items"), "[{\"a\":1}]");
}

TEST(Json, Parse_LongArraysAreReadInBlocks) {
  for (const std::string opening : {"[", "{\"station\": \"pier\", \"log\": [", "{\"result\": {\"rows\": ["}) {
    std::string file = opening;
    for (int i = 0; i < 500; ++i) {
      file += fmt::format("{}\n{{\"text\": \"line {}, [\\\"\", \"n\": {}}}", i == 0 ? "" : ",", i, i);
    }
    file += opening == "[" ? "]" : opening.starts_with("{\"s") ? "], \"end\": true}" : "]}}";
    ReadOptions options;
    options.record_limit = 4096;  // what is longer than 64 bytes streams
    const ParsedBlock whole = Read(JsonFormat(), file, options);
    EXPECT_THAT(whole.rejects, IsEmpty());
    EXPECT_EQ(Violation(whole, file), "");
    EXPECT_THAT(whole.records, SizeIs(opening.starts_with("{\"s") ? 501 : 500));
    EXPECT_EQ(whole.records[499].text, "line 499, [\"");
    EXPECT_EQ(Field(whole.records[499], "station"), opening.starts_with("{\"s") ? "pier" : "(none)");
    for (const size_t block : {1, 100, 1000}) {
      EXPECT_TRUE(Same(whole, Read(JsonFormat(), file, options, "/data/file", block))) << block;
    }
  }
}

TEST(Json, Parse_GeoJsonFeatures) {
  const ParsedBlock parsed = ReadAllWays(R"({"type": "FeatureCollection", "name": "lamps", "features": [
    {"type": "Feature", "id": 7, "geometry": {"type": "Point", "coordinates": [13.4, 54.3]},
     "properties": {"text": "Lamp 4", "lux": 0.2}},
    {"type": "Feature", "geometry": {"type": "Point", "coordinates": [200, 54.3, 12]}, "properties": {"lux": 1}},
    {"type": "Feature", "geometry": {"type": "Point", "coordinates": [54.3, 134]}, "properties": {"lux": 1}},
    {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "properties": {"lux": 1}}]})");
  EXPECT_THAT(Reasons(parsed), IsEmpty());
  ASSERT_THAT(parsed.records, SizeIs(4));
  const Record& lamp = parsed.records[0];
  EXPECT_EQ(lamp.kind, "feature");
  EXPECT_EQ(lamp.text, "Lamp 4");
  EXPECT_EQ(lamp.latitude, 54.3);
  EXPECT_EQ(lamp.longitude, 13.4);
  EXPECT_THAT(lamp.channels, ElementsAre(Pair("lux", 0.2)));
  EXPECT_THAT(lamp.fields, ElementsAre(Pair("id", "7"), Pair("name", "lamps")));
  EXPECT_EQ(parsed.records[1].longitude, -160.0);
  EXPECT_THAT(Field(parsed.records[1], "geometry"), HasSubstr("12"));
  EXPECT_FALSE(parsed.records[2].latitude.has_value());
  EXPECT_THAT(Field(parsed.records[2], "geometry"), HasSubstr("134"));
  EXPECT_EQ(Field(parsed.records[3], "geometry"), R"({"type":"LineString","coordinates":[[1,2],[3,4]]})");
}

TEST(Json, Parse_ArticlesInParagraphs) {
  const ParsedBlock parsed = ReadAllWays(
      R"({"version": "1.1", "data": [{"title": "Lamps", "paragraphs": [{"context": "One.", "qas": []},
          {"context": "Two.", "qas": [{"question": "Who?"}]}]}]})");
  ASSERT_THAT(Texts(parsed), ElementsAre("One.\n\nTwo."));
  EXPECT_EQ(Field(parsed.records[0], "title"), "Lamps");
  EXPECT_EQ(Field(parsed.records[0], "version"), "1.1");
  EXPECT_THAT(Field(parsed.records[0], "paragraphs"), HasSubstr("Who?"));
}

TEST(Json, Parse_RejectsWhatIsBrokenAndKeepsTheRest) {
  const auto check = [](std::string_view file, const std::vector<std::string>& texts,
                        const std::vector<std::string>& reasons) {
    const ParsedBlock parsed = ReadAllWays(file);
    EXPECT_EQ(Texts(parsed), texts) << file;
    ASSERT_EQ(parsed.rejects.size(), reasons.size()) << file;
    for (size_t i = 0; i < reasons.size(); ++i) EXPECT_THAT(parsed.rejects[i].reason, HasSubstr(reasons[i])) << file;
  };
  const std::string one = "{\"text\":\"one\"}";
  const std::string two = "{\"text\":\"two\"}";
  check("[" + one + "," + two, {"one", "two"}, {"the array is not closed"});
  check("[" + one + ",", {"one"}, {"the array is not closed"});
  check("[" + one + ",{\"text\":\"tw", {"one"}, {"not JSON"});
  check("[" + one + ",," + two + "]", {"one", "two"}, {"nothing between a comma"});
  check("[" + one + "," + two + ",]", {"one", "two"}, {"nothing between a comma"});
  check("[," + one + "]", {"one"}, {"nothing between a comma"});
  check("[" + one + "}", {"one"}, {"a brace closes the array"});
  check("[" + one + "] and more", {"one"}, {"not JSON", "not JSON"});
  check("[" + one + "]]", {"one"}, {"not JSON"});
  check("[" + one + " " + two + "]", {}, {"not JSON"});
  check("[" + one + ", 7, null, [1], \"x\"]", {"one"},
        {"not a JSON object: a number", "not a JSON object: null", "not a JSON object: an array",
         "not a JSON object: a string"});
  check("7", {}, {"not a JSON object: a number"});
  check("\"text\"", {}, {"not a JSON object: a string"});
  check(one + " // comment", {"one"}, {"not JSON", "not JSON"});
  check("{\"items\":[" + one + "]", {"one"}, {"behind the array: not JSON"});
  check("{\"a\" 1, \"items\":[" + one + "]}", {}, {"not JSON"});
  check("[{\"text\":\"a\xFF\"}," + one + "]", {"one"}, {"invalid UTF-8 at byte 11"});
  check("[{\"text\":\"a\\uD800\"}," + one + "]", {"one"}, {"lone surrogate at byte 11"});
  check("[{\"text\":\"a\",\"v\":NaN}," + one + "]", {"one"}, {"not JSON: NaN or Infinity at byte 17"});
  check(std::string("\xFF\xFE{\0}\0", 6), {}, {"UTF-16"});
  check(std::string("{\0\"\0a\0\"\0:\0001\0}\0", 14), {}, {"UTF-16"});
  check("[]", {}, {});
  check(" \n", {}, {});
}

TEST(Json, Parse_GoesOnAtTheNextLineLikeTheBrokenOne) {
  const std::string broken =
      "[\n  {\"text\": \"one\"},\n  {\"text\": \"tw,\n  {\"text\": \"three\"},\n  {\"text\": \"four\"}\n]\n";
  const ParsedBlock parsed = ReadAllWays(broken);
  EXPECT_THAT(Texts(parsed), ElementsAre("one", "three", "four"));
  ASSERT_THAT(parsed.rejects, SizeIs(1));
  EXPECT_EQ(parsed.rejects[0].origin.begin, broken.find("{\"text\": \"tw"));
  EXPECT_THAT(Texts(ReadAllWays("{\n  \"text\": \"one\"\n}\n{\n  \"a\": {\n}\n{\n  \"text\": \"two\"\n}\n")),
              ElementsAre("one", "two"));
}

TEST(Json, Parse_RejectsWhatIsLongerThanTheLimit) {
  ReadOptions options;
  options.record_limit = 100;
  const std::string file = "[{\"text\":\"one\"},{\"text\":\"" + std::string(200, 'a') + "\"},{\"text\":\"two\"}]";
  const ParsedBlock parsed = Read(JsonFormat(), file, options);
  EXPECT_THAT(Texts(parsed), ElementsAre("one", "two"));
  EXPECT_THAT(Reasons(parsed), ElementsAre("object longer than 100 bytes"));
}

}  // namespace
}  // namespace rhodes
