#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/byte_size.h"
#include "base/hash.h"
#include "base/json.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Text, TrimAndSplit) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim("  "), "");
  EXPECT_THAT(Split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
}

TEST(Text, Nearest_FindsASlipAndNothingFarAway) {
  const std::vector<std::string> known = {"learning_rate", "layers", "batch"};
  EXPECT_EQ(Nearest("layres", known), "layers");
  EXPECT_EQ(Nearest("learning_rat", known), "learning_rate");
  EXPECT_EQ(Nearest("xylophone", known), "");
}

TEST(Text, Utf8_AcceptsEveryScalarValueAndNothingElse) {
  EXPECT_TRUE(IsValidUtf8("aé€😀\xF4\x8F\xBF\xBF"));
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
  for (const char* bad : {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                          "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
    EXPECT_TRUE(IsValidUtf8(ReplaceInvalidUtf8(bad)));
  }
}

// The example of the Unicode standard, section 3.9, table 3-8: one replacement for each maximal subpart.
TEST(Text, Utf8_APrefixCutsNoCharacter) {
  const std::string text = "aé€😀";
  for (size_t most = 0; most <= text.size() + 1; ++most) {
    const std::string_view prefix = Utf8Prefix(text, most);
    EXPECT_TRUE(IsValidUtf8(prefix)) << most;
    EXPECT_TRUE(prefix.size() <= most && most - prefix.size() < 4) << most;
  }
  EXPECT_EQ(Utf8Prefix(text, 5), "aé");
  EXPECT_EQ(Utf8Prefix(text, 100), text);
}

TEST(Text, Utf8_WhatIsUnfinishedCanBecomeACharacter) {
  EXPECT_EQ(UnfinishedUtf8(""), 0u);
  EXPECT_EQ(UnfinishedUtf8("a"), 0u);
  EXPECT_EQ(UnfinishedUtf8("é"), 0u);
  EXPECT_EQ(UnfinishedUtf8("a\xC3"), 1u);
  EXPECT_EQ(UnfinishedUtf8("a\xE2\x82"), 2u);
  EXPECT_EQ(UnfinishedUtf8("\xF0\x9F\x98"), 3u);
  EXPECT_EQ(UnfinishedUtf8("\xE0\x80"), 0u);  // overlong
  EXPECT_EQ(UnfinishedUtf8("\xED\xA0"), 0u);  // a surrogate
  EXPECT_EQ(UnfinishedUtf8("\xF4\x90"), 0u);  // beyond U+10FFFF
  EXPECT_EQ(UnfinishedUtf8("\x80\x80"), 0u);
  EXPECT_EQ(UnfinishedUtf8("\xC0"), 0u);
}

TEST(Text, Utf8_ReplacesMaximalSubparts) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xF1\x80\x80\xE1\x80\xC2"
                               "b\x80"
                               "c"),
            "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "b\xEF\xBF\xBD"
            "c");
}

TEST(ByteSize, ParsesWhatPeopleWrite) {
  EXPECT_EQ(*ParseByteSize("2GB"), 2000000000u);
  EXPECT_EQ(*ParseByteSize(" 1.5 MiB "), 1572864u);
  EXPECT_EQ(*ParseByteSize("512"), 512u);
  for (const char* bad : {"", "GB", "2 parsecs", "-1", "1e9999GB", "99999999TB"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseByteSize(bad).status())) << bad;
  }
  EXPECT_EQ(FormatByteSize(999), "999 B");
  EXPECT_EQ(FormatByteSize(1500000), "1.5 MB");
}

// FIPS 180-2, appendix B.1, and its first 128 bits.
TEST(Hash, Sha256_MatchesThePublishedVector) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ContentId({"abc"}), "ba7816bf8f01cfea414140de5dae2223");
}

TEST(Hash, ContentId_SeparatesItsParts) {
  EXPECT_NE(ContentId({"ab", "c"}), ContentId({"a", "bc"}));
  EXPECT_EQ(ContentId({"a", "b"}), ContentId({std::string_view("a\0b", 3)}));
}

TEST(Json, ErrorsNameTheThingAndTheByte) {
  const absl::Status status = ParseJson("{\"a\": nope}", "settings.json").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(Message(status), HasSubstr("settings.json: byte 8"));
}

TEST(Status, ExitCodes) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kDone);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("x")), ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(Annotate(UsageError("x"), "rhodes.toml")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(RejectedError("x")), ExitCode::kRejected);
  EXPECT_EQ(ExitCodeOf(InterruptedError()), ExitCode::kInterrupted);
}

}  // namespace
}  // namespace rhodes
