#include "source/arabic.h"

#include <gtest/gtest.h>

namespace rhodes {
namespace {

std::string Normalised(std::string text) {
  NormaliseArabic(text);
  return text;
}

TEST(Arabic, PresentationFormsAndMarksGoLettersAndDiacriticsStay) {
  EXPECT_EQ(Normalised("\u200Fﻣﺮﺣﺒﺎ\u202C"), "مرحبا");
  EXPECT_EQ(Normalised("ﷺ"), "صلى الله عليه وسلم");
  EXPECT_EQ(Normalised("العـــربيّةُ ٣ آ أ إ ة ى"), "العـــربيّةُ ٣ آ أ إ ة ى");
  EXPECT_EQ(Normalised("\uFEFFx “y” – z"), "x “y” – z");
}

TEST(Arabic, DigitsOfBothKinds) {
  EXPECT_EQ(AsciiDigits("٢٠١٩/۰۱ ٣٫٥ x"), "2019/01 3.5 x");
  EXPECT_EQ(ParseInstant("٢٠١٩-١١-١٢ ٠٨:٣٠")->time, 1573547400000000);
}

TEST(Arabic, DatesFromMoroccoToIraq) {
  for (const char* text :
       {"الثلاثاء 12 نوفمبر 2019", "١٢ تشرين الثاني ٢٠١٩", "12 نونبر 2019", "الثلاثاء، 12 نوفمبر، 2019"}) {
    const std::optional<Instant> instant = ParseInstant(text);
    ASSERT_TRUE(instant.has_value()) << text;
    EXPECT_EQ(instant->time, 1573516800000000) << text;
    EXPECT_EQ(instant->precision, TimePrecision::kDay) << text;
  }
  EXPECT_EQ(ParseInstant("12 نوفمبر 2019 - 08:30 م")->time, 1573590600000000);
  EXPECT_EQ(ParseInstant("12 نوفمبر 2019 الساعة 12:05 ص")->time, 1573517100000000);
  EXPECT_FALSE(ParseInstant("31 نوفمبر 2019").has_value());
  EXPECT_FALSE(ParseInstant("12 رمضان 1440").has_value());
}

}  // namespace

}  // namespace rhodes
