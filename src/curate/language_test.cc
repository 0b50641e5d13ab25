#include "curate/language.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace rhodes {
namespace {

constexpr std::string_view kEnglish =
    "The package manager installs the programs that you ask for, together with everything that they need, and it keeps "
    "a list of the files which belong to each of them so that they can be removed again when nobody needs them.";
constexpr std::string_view kGerman =
    "Die Paketverwaltung installiert die gewünschten Programme zusammen mit allem, was sie brauchen, und führt eine "
    "Liste der Dateien, die zu jedem gehören, damit sie später wieder vollständig entfernt werden können.";
constexpr std::string_view kArabic =
    "يقوم مدير الحزم بتثبيت البرامج التي تطلبها مع كل ما تحتاج إليه، ويحتفظ بقائمة الملفات التي تنتمي إلى كل منها حتى "
    "يمكن إزالتها مرة أخرى عندما لا يحتاج إليها أحد من المستخدمين في النظام.";

TEST(Language, Detect_NamesTheLanguageInBcp47) {
  EXPECT_EQ(DetectLanguage(kEnglish).code, "en");
  EXPECT_EQ(DetectLanguage(kGerman).code, "de");
  EXPECT_EQ(DetectLanguage(kArabic).code, "ar");
  EXPECT_EQ(DetectLanguage("זהו טקסט בעברית שנכתב כדי לבדוק את זיהוי השפה ואת הקוד שלה").code, "he") << "CLD2 says iw";
  EXPECT_GE(DetectLanguage(kArabic).confidence, 0.9);
  EXPECT_TRUE(DetectLanguage(kGerman).reliable);
}

TEST(Language, Detect_KnowsVowelledArabic) {
  EXPECT_EQ(DetectLanguage("يَقُومُ مُدِيرُ الحُزَمِ بِتَثْبِيتِ البَرَامِجِ الَّتِي تَطْلُبُهَا مَعَ كُلِّ مَا تَحْتَاجُ إِلَيْهِ").code, "ar");
}

TEST(Language, Detect_SaysUndWhenThereIsNoLanguage) {
  for (const std::string_view text : {"", "12345 67890", "==== ---- ....", "\xCC\x81\xCC\x81\xCC\x81"}) {
    EXPECT_EQ(DetectLanguage(text).code, "und") << text;
    EXPECT_EQ(DetectLanguage(text).confidence, 0) << text;
  }
}

TEST(Language, Detect_LooksAtBeginMiddleAndEndOfLongText) {
  std::string text;
  while (text.size() < 100'000) text += std::string(kArabic) + "\n";
  EXPECT_EQ(DetectLanguage(text).code, "ar");
  std::string mixed = std::string(kGerman);
  while (mixed.size() < 1'000'000) mixed += std::string(kEnglish) + "\n";
  EXPECT_EQ(DetectLanguage(mixed).code, "en");
}

TEST(Language, Decide_KeepsWhatTheSourceStatesUnlessTheTextIsSurelyAnother) {
  EXPECT_EQ(DecideLanguage("", DetectLanguage(kGerman)).code, "de");
  EXPECT_EQ(DecideLanguage("de-AT", DetectLanguage(kGerman)).code, "de-AT");
  const LanguageDecision overruled = DecideLanguage("de", DetectLanguage(kEnglish));
  EXPECT_EQ(overruled.code, "en");
  EXPECT_TRUE(overruled.overruled);
  const LanguageDecision too_short =
      DecideLanguage("de", DetectLanguage("This is a short text in the English language"));
  EXPECT_EQ(too_short.code, "de");
  EXPECT_EQ(too_short.confidence, 0);
  EXPECT_FALSE(too_short.overruled);
}

TEST(Language, Decide_DoesNotOverruleWithinGroupsThatAreMixedUp) {
  const DetectedLanguage danish = {"da", 0.99, true, 5000};
  EXPECT_EQ(DecideLanguage("nb", danish).code, "nb");
  EXPECT_EQ(DecideLanguage("en", danish).code, "da");
}

TEST(Language, ParseCode_TakesManySpellings) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"auto", "auto"},   {"en", "en"},       {"eng_Latn", "en"}, {"arb_Arab", "ar"},
      {"de-AT", "de-AT"}, {"pt_BR", "pt-BR"}, {"ara", "ar"},      {"zh-Hant", "zh-Hant"}};
  for (const auto& [code, expected] : cases) {
    const absl::StatusOr<std::string> parsed = ParseLanguageCode(code);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    if (code == "zh-Hant") {
      EXPECT_TRUE(SameLanguage(*parsed, "zh")) << *parsed;
    } else {
      EXPECT_EQ(*parsed, expected) << code;
    }
  }
  for (const std::string_view code : {"", "english", "e", "e n", "-en"}) {
    EXPECT_EQ(ExitCodeOf(ParseLanguageCode(code).status()), ExitCode::kUsage) << code;
  }
}

}  // namespace
}  // namespace rhodes
