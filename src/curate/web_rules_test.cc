// The rules for web text: what they do to the text, their settings, and that they are linear.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <time.h>

#include "base/status.h"
#include "base/text.h"
#include "curate/judge.h"
#include "curate/spacy_url.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CurateSettings With(std::vector<std::string> rules, bool compatible = true) {
  CurateSettings settings;
  settings.rules = *ParseRules(rules);
  settings.datatrove_compatibility = compatible;
  return settings;
}

JudgedDocument MustJudge(std::string text, const CurateSettings& settings, std::string language = "en",
                         std::vector<Measure>* measures = nullptr) {
  Document document;
  document.id = "id";
  document.text = std::move(text);
  document.language = std::move(language);
  JudgeScratch scratch;
  NormaliseCounts counts;
  return Judge(std::move(document), settings, scratch, counts, measures);
}

TEST(C4Quality, SpansMoveWithTheLinesThatStay) {
  Document document;
  document.id = "id";
  document.parents = {"a", "b", "c"};
  document.text =
      "A line without an end\nThe first[12] line stays here.\nShort one.\nThe last line stays here, too. It ends "
      "here.\n";
  const auto place = [&](std::string_view words) { return document.text.find(words); };
  document.spans = {{0, place("The first") - 1, 0},
                    {place("The first"), place("Short") - 1, 1},
                    {place("line stays"), place(" here."), 2},
                    {place("Short"), place("The last") - 1, 0},
                    {place("The last"), document.text.size(), 2}};
  CurateSettings settings = With({"c4-quality"});
  settings.c4_quality.min_sentences = 3;
  JudgeScratch scratch;
  NormaliseCounts counts;
  const JudgedDocument judged = Judge(document, settings, scratch, counts);
  ASSERT_TRUE(judged.verdict.kept()) << judged.verdict.reason;
  const std::string& text = judged.document.text;
  EXPECT_EQ(text, "The first line stays here.\nThe last line stays here, too. It ends here.");
  std::vector<std::string> spanned;
  for (const Span& span : judged.document.spans) spanned.push_back(text.substr(span.begin, span.end - span.begin));
  EXPECT_THAT(spanned,
              ElementsAre("The first line stays here.", "line stays", "The last line stays here, too. It ends here."));
}

TEST(C4Quality, ADroppedDocumentKeepsItsText) {
  const std::string text = "Only one line stays here.\nanother does not";
  EXPECT_EQ(MustJudge(text, With({"c4-quality"})).document.text, text);
}

TEST(Judge, MeasuresStandBesideTheirThresholdsAlsoBehindTheOneThatDrops) {
  std::vector<Measure> measures;
  const JudgedDocument judged = MustJudge("Two words", With({"gopher-quality", "fineweb-quality"}), "en", &measures);
  EXPECT_EQ(judged.verdict.reason, "gopher_short_doc");
  ASSERT_FALSE(measures.empty());
  EXPECT_EQ(measures[0].reason, "gopher_short_doc");
  EXPECT_EQ(measures[0].value, 2);
  EXPECT_EQ(measures[0].threshold, 50);
  EXPECT_TRUE(measures[0].dropped);
  const auto punctuation = std::find_if(measures.begin(), measures.end(),
                                        [](const Measure& one) { return one.reason == "line_punct_ratio"; });
  ASSERT_NE(punctuation, measures.end());
  EXPECT_EQ(punctuation->rule, "fineweb-quality");
  EXPECT_EQ(punctuation->value, 0);
  EXPECT_EQ(punctuation->threshold, 0.12);
}

TEST(CurateSettings, ThresholdsOfOneLanguage) {
  CurateSettings settings;
  ASSERT_TRUE(SetByName("arb_Arab:gopher-quality.min_words=30", settings).ok());
  ASSERT_TRUE(SetByName("gopher-quality.min_words=40", settings).ok());
  ASSERT_TRUE(SetByName("gopher-quality.max_words=400", settings).ok());
  EXPECT_EQ(settings.For("ar").gopher_quality.min_words, 30u);
  EXPECT_EQ(settings.For("ar-EG").gopher_quality.max_words, 400u);
  EXPECT_EQ(settings.For("en").gopher_quality.min_words, 40u);
  EXPECT_EQ(ExitCodeOf(SetByName("!:gopher-quality.min_words=1", settings)), ExitCode::kUsage);
  EXPECT_THAT(Message(SetByName("ar:c4-paragraph.min_paragraph=1", settings)),
              HasSubstr("known: c4-paragraph.min_paragraphs, c4-paragraph.min_paragraph_length"));
}

TEST(CurateSettings, AnUnknownRuleSaysWhichAreKnown) {
  EXPECT_THAT(Message(ParseRules({"gopher-qualty"}).status()), HasSubstr("did you mean \"gopher-quality\"?"));
  EXPECT_THAT(Message(ParseRules({"gopher-qualty"}).status()), HasSubstr("c4-quality, c4-paragraph, fineweb-quality"));
}

TEST(FineWeb2, HasTheSettingsOfTheLanguageOfADocument) {
  const FineWeb2Language* const arabic = FindFineWeb2Language("ar");
  ASSERT_NE(arabic, nullptr);
  EXPECT_EQ(arabic->code, "arb_Arab");
  EXPECT_EQ(arabic->language_score, 0.711);
  EXPECT_EQ(arabic->repetition.max_duplicate_lines, 0.304);
  EXPECT_THAT(arabic->repetition.max_duplicate_ngrams, ElementsAre(0.165, 0.153, 0.142, 0.131, 0.12, 0.109));
  EXPECT_EQ(arabic->fineweb.min_line_punctuation_ratio, 0.143);
  EXPECT_EQ(arabic->fineweb.max_line_ends_per_word, 0.189);
  EXPECT_EQ(arabic->quality.min_mean_word_length, 2);
  EXPECT_EQ(arabic->quality.max_mean_word_length, 9);
  EXPECT_EQ(arabic->quality.min_alpha_word_ratio, 0.787);
  EXPECT_EQ(arabic->stop_words.size(), 19u);
  EXPECT_GE(arabic->stop_words.Find("،"), 0);
  EXPECT_EQ(FindFineWeb2Language("arb_Arab"), arabic);
  const std::vector<std::pair<const char*, const char*>> codes = {
      {"de-AT", "deu_Latn"}, {"zh", "cmn_Hani"}, {"en", "eng_Latn"}, {"fa", "fas_Arab"}, {"ms", "zsm_Latn"},
      {"sw", "swh_Latn"},    {"no", "nob_Latn"}, {"lv", "lvs_Latn"}, {"et", "ekk_Latn"}, {"uz", "uzn_Latn"}};
  for (const auto& [language, code] : codes) {
    const FineWeb2Language* const found = FindFineWeb2Language(language);
    ASSERT_NE(found, nullptr) << language;
    EXPECT_EQ(found->code, code) << language;
  }
  EXPECT_EQ(FindFineWeb2Language("qaa"), nullptr);
  EXPECT_GT(FineWeb2Languages().size(), 1900u);
}

TEST(SpacyUrl, IsWhatTheExpressionMatches) {
  for (const char* url : {"example.com", "http://example.com/a?b", "user:password@example.org:8080/x", "8.8.8.8",
                          "a.b.co/path", "مثال.كوم", "xy://y.zz#f"}) {
    EXPECT_TRUE(IsSpacyUrl(url)) << url;
  }
  for (const char* text : {"example", "lower.Upper", "10.0.0.1", "192.168.1.1", "0.1.2.3", "1.2.3.255", "a..com",
                           "example.com:1", "-a.com", "example.c", "example.com)", "x://y.zz#f"}) {
    EXPECT_FALSE(IsSpacyUrl(text)) << text;
  }
}

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Text that makes a careless rule slow.
std::string Adversarial(int kind, size_t size) {
  constexpr std::string_view kPieces[] = {"word ", "\n",       "x\n", "\xCC\x81",     "(",   "a.", "..,",   "a@b.c@",
                                          "[1",    "a.b.c.d-", "\r",  "use cookies ", ":-)", "1-", "/a.b:", " \n "};
  std::string text;
  if (kind < static_cast<int>(std::size(kPieces))) {
    while (text.size() < size) text += kPieces[kind];
  } else {
    for (uint64_t i = 1; text.size() < size; ++i) text += std::to_string(i * 2654435761u) + " ";
  }
  return text;
}

TEST(WebRules, AreLinearOnAdversarialText) {
  CurateSettings settings =
      With({"gopher-repetition", "gopher-quality", "c4-quality", "c4-paragraph", "fineweb-quality", "fineweb2"});
  for (int kind = 0; kind <= 16; ++kind) {
    const auto seconds = [&](size_t size) {
      const std::string text = Adversarial(kind, size);
      std::vector<Measure> measures;  // so that every rule is run
      const double begun = ProcessorSeconds();
      MustJudge(text, settings, "en", &measures);
      return ProcessorSeconds() - begun;
    };
    const double once = seconds(250'000);
    const double eight_times = seconds(2'000'000);
    EXPECT_LT(eight_times, 20 * once + 0.3) << "kind " << kind;
  }
}

TEST(WebRules, EndOnADocumentOf64Megabytes) {
  std::string text;
  while (text.size() < 64'000'000) text += "((((((((((((((((";
  const JudgedDocument judged = MustJudge(std::move(text), With({"gopher-quality", "fineweb-quality"}));
  EXPECT_EQ(judged.verdict.reason, "gopher_short_doc");
}

}  // namespace
}  // namespace rhodes
