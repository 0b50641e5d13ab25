#include "entity/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "entity/similarity.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Texts(std::string_view text) {
  std::vector<std::string> texts;
  for (const Word& word : WordsOf(text)) texts.push_back(word.text);
  return texts;
}

TEST(NormalForm, WritesLettersInOneWay) {
  EXPECT_EQ(FoldedText("Éclair ＡＢＣ Straße"), "eclair abc strasse");
  EXPECT_EQ(FoldedText("أحمد"), FoldedText("احمد")) << "alef with hamza";
  EXPECT_EQ(FoldedText("مُحَمَّد"), "محمد") << "vowel signs";
  EXPECT_EQ(FoldedText("شركـــة"), FoldedText("شركه")) << "tatweel, teh marbuta";
  EXPECT_EQ(FoldedText("مستشفى"), FoldedText("مستشفي"));
  EXPECT_EQ(FoldedText("٢٠٢٤ ۱۲"), "2024 12");
  EXPECT_EQ(FoldedText("a\xFFz").size(), 3u) << "what is no UTF-8 parts words";
}

TEST(NormalForm, KeepsPartNumbersWhole) {
  EXPECT_THAT(Texts("Belkin F8N044-SLV, 2.70 m; v10.0/x"), ElementsAre("belkin", "f8n044slv", "2.7", "m", "v100x"));
  EXPECT_THAT(Texts("well-known cable"), ElementsAre("well", "known", "cable"));
  EXPECT_EQ(WordsOf("dsc-w150")[0].kind, Word::Kind::kCode);
  EXPECT_EQ(WordsOf("78151")[0].kind, Word::Kind::kCode);
  EXPECT_EQ(WordsOf("2007")[0].kind, Word::Kind::kNumber) << "a year is no part";
  EXPECT_EQ(WordsOf("cs3")[0].kind, Word::Kind::kNumber);
  EXPECT_EQ(WordsOf("camera")[0].kind, Word::Kind::kPlain);
}

TEST(NormalForm, ConsonantsOfTranscriptionsMeet) {
  for (const char* word : {"mohammed", "muhamad", "mohamed"}) EXPECT_EQ(Skeleton(word), Skeleton("محمد")) << word;
  EXPECT_EQ(Skeleton("salah"), "slh");
  EXPECT_EQ(Skeleton("صلاح"), "slh");
  EXPECT_EQ(Skeleton("khalid"), Skeleton("خالد"));
  EXPECT_EQ(Skeleton("fatima"), Skeleton("فاطمه"));
  EXPECT_NE(Skeleton("khalid"), Skeleton("walid"));
}

TEST(NormalForm, ReadsNumbersAndPlaces) {
  EXPECT_EQ(NumberIn("$ 1,299.50 only"), 1299.5);
  EXPECT_EQ(NumberIn("-4"), -4);
  EXPECT_EQ(NumberIn("none"), std::nullopt);
  EXPECT_EQ(PlaceIn("52.5 13.4"), std::pair(52.5, 13.4));
  EXPECT_EQ(PlaceIn("52.5, -13.4"), std::pair(52.5, -13.4));
  EXPECT_EQ(PlaceIn("95 13"), std::nullopt);
  EXPECT_EQ(PlaceIn("52.5"), std::nullopt);
  EXPECT_EQ(PlaceIn("nan 3"), std::nullopt);
}

// The values of Winkler 1990, table 3, as usually quoted.
TEST(Similarity, JaroWinklerIsAsPublished) {
  EXPECT_NEAR(JaroWinkler("martha", "marhta"), 0.961, 5e-4);
  EXPECT_NEAR(JaroWinkler("dwayne", "duane"), 0.840, 5e-4);
  EXPECT_NEAR(JaroWinkler("dixon", "dicksonx"), 0.813, 5e-4);
  EXPECT_EQ(JaroWinkler("abc", "xyz"), 0);
  EXPECT_EQ(JaroWinkler("", ""), 1);
  EXPECT_EQ(JaroWinkler("a", ""), 0);
}

TEST(Similarity, DistancesAndNumbersAndCodes) {
  EXPECT_NEAR(MetresBetween({0, 0}, {1, 0}), 111'195, 1) << "a degree of a meridian";
  EXPECT_NEAR(MetresBetween({0, 179.5}, {0, -179.5}), 111'195, 1) << "across the date line";
  EXPECT_EQ(NumberCloseness(100, 50), 0.5);
  EXPECT_EQ(NumberCloseness(1, -5), 0);
  EXPECT_EQ(NumberCloseness(0, 0), 1);
  EXPECT_EQ(CodeCloseness("dscw150", "dscw150"), 1);
  EXPECT_NEAR(CodeCloseness("dscw150", "dscw150r"), 7.0 / 8, 1e-9) << "a variant";
  EXPECT_NEAR(CodeCloseness("w150r", "dscw150r"), 5.0 / 8, 1e-9);
  EXPECT_EQ(CodeCloseness("dscw150", "dscw170"), 0) << "another part";
}

TEST(Compare, SaysHowValuesAreAlikeAndWhereOneIsMissing) {
  std::vector<MatchAttribute> attributes(3);
  attributes[0] = {"name", Comparison::kName};
  attributes[1] = {"price", Comparison::kNumber};
  attributes[2] = {"place", Comparison::kPlace, 1000};
  const Comparer comparer = *Comparer::Create(attributes,
                                              {{"Sony Cybershot DSC-W150", "100", "52.5 13.4"},
                                               {"sony cybershot dscw150", "50", "52.508993 13.4"},
                                               {"sony cybershot dscw170", "", ""},
                                               {"سوني", "", ""}},
                                              RunContext());
  const auto at = [&](const Features& features, const std::string& name) {
    const auto it = std::find(comparer.feature_names().begin(), comparer.feature_names().end(), name);
    return features[static_cast<size_t>(it - comparer.feature_names().begin())];
  };
  const Features same = comparer.Compare(0, 1);
  EXPECT_NEAR(at(same, "name.words"), 1, 1e-5);
  EXPECT_EQ(at(same, "name.codes"), 1);
  EXPECT_EQ(at(same, "price"), 0.5F);
  EXPECT_NEAR(at(same, "place"), 0.5, 1e-3) << "within metres: half alike";
  const Features other = comparer.Compare(1, 2);
  EXPECT_EQ(at(other, "name.codes"), 0) << "a part number that disagrees";
  EXPECT_TRUE(std::isnan(at(other, "price")));
  EXPECT_TRUE(std::isnan(at(other, "place")));
  // Arabic beside Latin letters: no word is shared, and the consonants are compared.
  EXPECT_GE(at(comparer.Compare(3, 2), "name.words"), 0);
  EXPECT_TRUE(std::isnan(at(comparer.Compare(3, 2), "name.spelling")));
}

TEST(Compare, NamesAnUnknownComparison) {
  const absl::Status status = ParseComparison("nmae").status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("did you mean \"name\"?"));
}

}  // namespace
}  // namespace rhodes
