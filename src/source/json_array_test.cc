#include "source/json_array.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace rhodes {
namespace {

std::vector<std::string> Elements(std::string_view text, size_t block_bytes, std::string_view key = {}) {
  std::vector<std::string> found;
  const JsonArrayState state(FindJsonArray(text, key));
  for (size_t begin = 0; begin < text.size();) {
    const std::string_view rest = text.substr(begin);
    size_t size = rest.size();
    if (size > block_bytes) {
      const size_t cut = CutAtJsonElement(rest, begin, block_bytes, true, state);
      if (cut > 0) size = cut;
    }
    const Block block{"/f", rest.substr(0, size), begin, 0, &state};
    JsonElements elements(block, state);
    JsonElements::Element element;
    while (elements.Next(element)) {
      found.emplace_back(block.bytes.substr(element.begin, element.end - element.begin));
      if (!element.whole) found.back() += " (breaks off)";
    }
    begin += size;
  }
  return found;
}

TEST(JsonArray, FindsTheArrayOfADocumentAnAssignmentAndAKey) {
  EXPECT_EQ(FindJsonArray(" [1]"), 2u);
  EXPECT_EQ(FindJsonArray("\xEF\xBB\xBF[1]"), 4u);
  EXPECT_EQ(FindJsonArray("window.YTD.tweets.part0 = [\n"), 27u);
  EXPECT_EQ(FindJsonArray("{\"a\": [1, \"x]\"], \"statuses\" : [2]}", "statuses"), 31u);
  EXPECT_EQ(FindJsonArray("{\"a\": 1}"), std::string_view::npos);
  EXPECT_EQ(FindJsonArray("{\"a\": 1}", "statuses"), std::string_view::npos);
  EXPECT_EQ(FindJsonArray("text [1]"), std::string_view::npos);
}

TEST(JsonArray, GivesTheSameElementsForAnyBlockSize) {
  const std::string text =
      "window.a = [ {\"t\": \"x, ] } \\\" \\\\\"} ,\n [1, {\"b\": []}], 7, \"s,\", {\"u\":\"\\u005d\"} ]\n";
  const std::vector<std::string> expected = {R"({"t": "x, ] } \" \\"})", R"([1, {"b": []}])", "7", "\"s,\"",
                                             R"({"u":"\u005d"})"};
  for (size_t block = 1; block < text.size() + 2; ++block) EXPECT_EQ(Elements(text, block), expected) << block;
}

TEST(JsonArray, SaysWhereAFileBreaksOff) {
  EXPECT_EQ(Elements("[{\"a\":1},{\"b\":\"x", 4), (std::vector<std::string>{"{\"a\":1}", "{\"b\":\"x (breaks off)"}));
  EXPECT_EQ(Elements("{\"k\":[{\"a\":1}],\"more\":2}", 3, "k"), (std::vector<std::string>{"{\"a\":1}"}));
  EXPECT_EQ(Elements("[]", 8), std::vector<std::string>());
}

}  // namespace
}  // namespace rhodes
