#include "source/json_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

using ::testing::ElementsAre;

// The pieces of a text: documents as they are, broken ones behind "!", lines behind "|".
std::vector<std::string> Pieces(std::string_view text) {
  std::vector<std::string> pieces;
  for (size_t at = 0;;) {
    const JsonPiece piece = NextJsonPiece(text, at, true);
    if (piece.kind == JsonPiece::Kind::kEnd) return pieces;
    const char* mark = piece.kind == JsonPiece::Kind::kBroken ? "!" : piece.kind == JsonPiece::Kind::kLine ? "|" : "";
    pieces.push_back(mark + std::string(text.substr(piece.begin, piece.end - piece.begin)));
    at = piece.next;
  }
}

TEST(JsonStream, FindsObjectsOnLinesOverLinesAndInArrays) {
  EXPECT_THAT(Pieces("{\"a\":1}\r\n{\"b\":\"}{\"}"), ElementsAre("{\"a\":1}", "{\"b\":\"}{\"}"));
  EXPECT_THAT(Pieces("\xEF\xBB\xBF[\n  {\n    \"a\": [\n      {}\n    ]\n  },\n  {}\n]\n"),
              ElementsAre("{\n    \"a\": [\n      {}\n    ]\n  }", "{}"));
  EXPECT_THAT(Pieces("Start\nres: x | {\"a\":1} tail\n\n"), ElementsAre("|Start", "res: x | {\"a\":1}", "|tail"));
  EXPECT_THAT(Pieces("{\n\"a\": [\n{\n\"b\": 1\n}\n]\n}\n"), ElementsAre("{\n\"a\": [\n{\n\"b\": 1\n}\n]\n}"));
}

TEST(JsonStream, AnObjectThatBreaksOffEndsWhereAnotherBegins) {
  EXPECT_THAT(Pieces("{\"a\":[1,\n{\"b\":2}\n"), ElementsAre("!{\"a\":[1,", "{\"b\":2}"));
  EXPECT_THAT(Pieces("{\n  \"a\": [\n    1,\n{\n  \"b\": 2\n}\n"),
              ElementsAre("!{\n  \"a\": [\n    1,", "{\n  \"b\": 2\n}"));
  EXPECT_THAT(Pieces("{\n  \"a\": [\n    1,\nStart time: 5\n{}"),
              ElementsAre("!{\n  \"a\": [\n    1,", "|Start time: 5", "{}"));
  EXPECT_THAT(Pieces("[{\"a\":1,{\"b\":2}]"), ElementsAre("!{\"a\":1,", "{\"b\":2}"));
  EXPECT_THAT(Pieces("{\"a\":\"x\n{\"b\":2}"), ElementsAre("!{\"a\":\"x", "{\"b\":2}"));
  EXPECT_THAT(Pieces("{\"a\":"), ElementsAre("!{\"a\":"));
}

TEST(JsonStream, NotNumbersBecomeEmptyStringsInPlace) {
  EXPECT_EQ(ReplaceNotNumbers(R"({"NaN":NaN,"b":[-Infinity,Infinity],"c":"NaN"})"),
            R"({"NaN":"" ,"b":[""       ,""      ],"c":"NaN"})");
  EXPECT_EQ(ReplaceNotNumbers("{\"a\":-1}"), "");
}

TEST(JsonStream, ValuesAreFoundWhereTheyStand) {
  const std::string json = R"({"a": [1, "x]", {"b": 2}, -3e5], "b" : 7, "a": [ ] })";
  const JsonSpan b = FindJsonMember(json, 0, "b");
  EXPECT_EQ(json.substr(b.begin, b.end - b.begin), "7");
  EXPECT_FALSE(FindJsonMember(json, 0, "c"));
  EXPECT_TRUE(JsonElementSpans(json, FindJsonMember(json, 0, "a").begin).empty());
  std::vector<std::string> elements;
  for (const JsonSpan span : JsonElementSpans(json, 6))
    elements.push_back(json.substr(span.begin, span.end - span.begin));
  EXPECT_THAT(elements, ElementsAre("1", "\"x]\"", "{\"b\": 2}", "-3e5"));
}

}  // namespace
}  // namespace rhodes
