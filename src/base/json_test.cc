#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace rhodes {
namespace {

using ::testing::HasSubstr;

TEST(ParseJson, NamesTheByteThatIsNoJson) {
  EXPECT_THAT(Message(ParseJson("{\"a\": }", "body").status()), HasSubstr("body: byte 7: not JSON"));
  EXPECT_EQ((*ParseJson("{\"a\": 1}", "body"))["a"], 1);
}

// Found by the fuzzer of truth files: the library throws another type for it.
TEST(ParseJson, RefusesANumberThatNoDoubleHolds) {
  const absl::Status status = ParseJson("[1e999]", "body").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(Message(status), HasSubstr("1e999"));
}

TEST(AppendJsonString, EqualsTheLibrarysWriter) {
  std::mt19937 random(3);
  const std::string pieces[] = {"a",
                                "plain text of some length",
                                "\"",
                                "\\",
                                "\n",
                                "\r\t\b\f",
                                std::string(1, '\0'),
                                "\x1f\x7f",
                                "é",
                                "ال",
                                "😀",
                                "\xff",
                                "\xc3",
                                "/",
                                "\x80"};
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (uint32_t left = random() % 12; left > 0; --left) text += pieces[random() % std::size(pieces)];
    std::string out = "x";
    AppendJsonString(text, out);
    ASSERT_EQ(out, "x" + DumpJson(Json(text)));
  }
}

}  // namespace
}  // namespace rhodes
