#include "project/needles.h"

#include <gtest/gtest.h>

namespace rhodes {
namespace {

TEST(Needles, FindTheLongestPlainRunOfATextWhereverItStands) {
  Needles needles;
  needles.AddText("short\nbut this is the longest run of the whole text, and more than enough of it for sure\n\"q\"");
  EXPECT_TRUE(
      needles.FindText("{\"x\":\"... but this is the longest run of the whole text, and more than enough ...\"}"));
  EXPECT_FALSE(needles.FindText("but this is the longest run of the whole text, and less")) << "64 bytes are compared";
  EXPECT_FALSE(needles.FindText("short"));
  EXPECT_FALSE(needles.FindText(""));
  needles.AddText("too short to tell");
  needles.AddText("ما قاله الكاتب عن المدينة القديمة وأهلها");
  EXPECT_TRUE(needles.FindText("x ما قاله الكاتب عن المدينة القديمة وأهلها y"));
  EXPECT_FALSE(needles.FindText("too short to tell"));
}

TEST(Needles, FindNamesAsWholeWords) {
  Needles needles;
  needles.AddName("ann");
  needles.AddName("Ben Lee");
  EXPECT_TRUE(needles.FindName("by ann, torn"));
  EXPECT_TRUE(needles.FindName("ann"));
  EXPECT_TRUE(needles.FindName("\"Ben Lee\""));
  EXPECT_FALSE(needles.FindName("planning annual"));
  EXPECT_FALSE(needles.FindName("Ben Leeds"));
  EXPECT_FALSE(needles.FindText("by ann, torn"));
}

TEST(Needles, SurviveAsHashesInWhichNothingIsReadable) {
  Needles needles;
  needles.AddText("a text that is long enough to be looked for");
  needles.AddName("Quillan");
  const std::string json = DumpJson(needles.ToJson());
  EXPECT_EQ(json.find("Quillan"), std::string::npos);
  EXPECT_EQ(json.find("long"), std::string::npos);
  const Needles again = *Needles::FromJson(*ParseJson(json, "needles"), "needles");
  EXPECT_TRUE(again.FindText("and a text that is long enough to be looked for here"));
  EXPECT_TRUE(again.FindName("(Quillan)"));
  EXPECT_TRUE(absl::IsDataLoss(Needles::FromJson(*ParseJson("{\"texts\":[[1]],\"names\":[]}", "x"), "x").status()));
  EXPECT_TRUE(Needles().empty());
}

}  // namespace
}  // namespace rhodes
