#include "project/ask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

TEST(Ask, LeansOn_NamesTheLongestSpanOfEachDocumentAndLeavesOutTrifles) {
  const Json trace = *ParseJson(R"({"tokens": 9, "spans": [
      {"text": "of the", "documents": [{"id": "c", "title": "C"}]},
      {"text": "a longer span of words", "documents": [
        {"id": "b", "title": "B", "records": [{"id": "s", "file": "/g", "begin": 3, "end": 4}]}, {"id": "a", "title": "A"}]},
      {"text": "another span here", "documents": [{"id": "a", "title": "A"}]}],
    "documents": [
      {"id": "a", "source": "x+y", "records": [{"id": "r", "file": "/f", "begin": 1, "end": 2}], "spans": [2, 1]},
      {"id": "c", "source": "x", "records": [], "spans": [0]},
      {"id": "b", "source": "x", "records": [], "spans": [1]}]})",
                                "trace");
  const Json list = LeansOn(trace);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["id"], "a");
  EXPECT_EQ(list[0]["title"], "A");
  EXPECT_EQ(list[0]["source"], "x+y");
  EXPECT_EQ(list[0]["words"], "a longer span of words");
  EXPECT_EQ(list[0]["bytes"], 22 + 17);
  EXPECT_EQ(list[0]["records"][0]["file"], "/f");
  EXPECT_EQ(list[1]["id"], "b");
  EXPECT_EQ(list[1]["records"][0]["file"], "/g");  // of the words, not the whole document's
  EXPECT_TRUE(LeansOn(*ParseJson(R"({"tokens": 0, "spans": [], "documents": []})", "trace")).empty());
}

}  // namespace
}  // namespace rhodes
