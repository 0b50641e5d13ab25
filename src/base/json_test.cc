#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace rhodes
