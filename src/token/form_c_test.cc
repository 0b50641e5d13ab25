#include "token/form_c.h"

#include <gtest/gtest.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>

#include <random>

#include "base/text.h"

namespace rhodes {
namespace {

// Form C as of Unicode 9 from ICU alone.
std::string FormCByIcu(const std::string& text) {
  UErrorCode error = U_ZERO_ERROR;
  static const icu::UnicodeSet known(icu::UnicodeString(u"[:age=9.0:]"), error);
  static const icu::FilteredNormalizer2 nfc(*icu::Normalizer2::getNFCInstance(error), known);
  icu::UnicodeString wide;
  nfc.normalize(icu::UnicodeString::fromUTF8(text), wide, error);
  EXPECT_TRUE(U_SUCCESS(error));
  std::string normalised;
  wide.toUTF8String(normalised);
  return normalised;
}

std::string FormC(const std::string& text) {
  std::string normalised;
  return NormaliseToFormC(text, normalised) ? normalised : text;
}

// Among them marks of class 0, marks that are several, and one that Unicode 9 does not know (U+1DF6).
std::string RandomMarks(std::mt19937& random, size_t count) {
  constexpr char32_t kMarks[] = {0x301, 0x300, 0x323, 0x315, 0x344, 0x345,  0x338,  0x327,   0x5B0, 0x64B, 0x670,
                                 0xF71, 0xF73, 0xF81, 0x93C, 0x94D, 0x20D0, 0x1DF6, 0x1D165, 0x34F, 0x93F, 0x9BE};
  std::string text;
  for (; count > 0; --count) AppendUtf8(kMarks[random() % std::size(kMarks)], text);
  return text;
}

TEST(FormC, Normalise_LongRunsOfMarksAreAsIcuHasThem) {
  std::mt19937 random(43);
  int changed = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (size_t run = 1 + random() % 3; run > 0; --run) {
      text += std::vector<std::string>{"e", "\u00e9", " ", "\u1e69", "\uac00", "\u4e2d", "\u0915", ""}[random() % 8];
      text += RandomMarks(random, random() % 90);
    }
    const std::string expected = FormCByIcu(text);
    changed += expected != text ? 1 : 0;
    ASSERT_EQ(FormC(text), expected);
    ASSERT_EQ(FormC(expected), expected);
  }
  EXPECT_GT(changed, 2000);
}

TEST(FormC, Normalise_IsTheSameAcrossStretches) {
  std::mt19937 random(47);
  std::string text(size_t{1} << 20, 'a');  // in form C; then what changes stands across the first stretch's end
  text.resize(text.size() - 40);
  while (text.size() < (size_t{5} << 19)) text += "e\u0301\u0323 \u1100\u1161" + RandomMarks(random, random() % 60);
  text.append(size_t{3} << 19, 'b');
  const std::string expected = FormCByIcu(text);
  EXPECT_NE(expected, text);
  EXPECT_TRUE(FormC(text) == expected);
  std::string normalised = "what was there";
  EXPECT_TRUE(NormaliseToFormC(text, normalised));
  EXPECT_EQ(normalised.size(), expected.size());
}

TEST(FormC, Normalise_LeavesWhatIsNoUtf8AndWhatIsInFormC) {
  std::string normalised = "what was there";
  EXPECT_FALSE(NormaliseToFormC("", normalised));
  EXPECT_FALSE(NormaliseToFormC("caf\u00e9", normalised));
  EXPECT_FALSE(NormaliseToFormC("cafe\u0301\xFF", normalised));
  EXPECT_FALSE(NormaliseToFormC("a\U00016D67\U00016D67", normalised)) << "they combine since Unicode 16";
  EXPECT_EQ(normalised, "what was there");
  EXPECT_TRUE(NormaliseToFormC("cafe\u0301", normalised));
  EXPECT_EQ(normalised, "caf\u00e9");
}

}  // namespace
}  // namespace rhodes
