#include "curate/overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "curate/matching_text.h"
#include "curate/overlap_rule.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kItem = "Natalia sold clips to 48 of her friends in April, and then she sold half as many.";
constexpr uint64_t kMemory = uint64_t{64} << 20;

class OverlapTest : public ::testing::Test {
 protected:
  OverlapTest() {
    directory_ = std::filesystem::temp_directory_path() / fmt::format("rhodes-overlap-{}", getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~OverlapTest() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::vector<Json>& rows) const {
    std::string lines;
    for (const Json& row : rows) lines += DumpJson(row) + "\n";
    const std::string path = (directory_ / name).string();
    EXPECT_TRUE(WriteFileAtomically(path, lines).ok());
    return path;
  }
  std::string WriteTexts(const std::string& name, const std::vector<std::string>& texts) const {
    std::vector<Json> rows;
    for (const std::string& text : texts) rows.push_back(Json{{"text", text}});
    return Write(name, rows);
  }

  static std::shared_ptr<const OverlapIndex> MustLoad(const OverlapSettings& settings,
                                                      OverlapReference reference = {}) {
    auto index = OverlapIndex::Load(settings, reference, kMemory);
    EXPECT_TRUE(index.ok()) << index.status();
    return index.ok() ? *index : nullptr;
  }
  static OverlapSettings Settings(std::vector<std::string> sets, uint64_t words) {
    OverlapSettings settings;
    settings.sets = std::move(sets);
    settings.words = words;
    return settings;
  }
  OverlapResult Find(const OverlapIndex& index, std::string_view text, bool passages = false) {
    OverlapResult result;
    index.Find(text, passages, scratch_, result);
    return result;
  }

  std::filesystem::path directory_;
  OverlapScratch scratch_;
};

TEST_F(OverlapTest, FindsAnItemWhateverItsCaseAndPunctuation) {
  const std::string other =
      WriteTexts("other.jsonl", {"words that nobody looks for, neither here nor there nor anywhere else now"});
  const std::string path = WriteTexts("math.jsonl", {"Too short.", std::string(kItem)});
  const auto index = MustLoad(Settings({other, path}, 13));
  ASSERT_NE(index, nullptr);
  const OverlapResult result =
      Find(*index, "Before. NATALIA sold clips -- to 48 of her friends (in April) and then she sold. After");
  ASSERT_EQ(result.found.size(), 1U);
  EXPECT_EQ(result.found[0].set, 1U);
  EXPECT_EQ(result.found[0].item, 1U);
  EXPECT_EQ(result.found[0].ngrams, 2U);
  EXPECT_EQ(result.found[0].passage, "NATALIA sold clips -- to 48 of her friends (in April) and then she");
  EXPECT_EQ(result.ngrams, 4U);
  EXPECT_TRUE(Find(*index, "Natalia sold clips to 48 of her friends in May and then she sold half").found.empty());
  EXPECT_EQ(index->sets()[1].items_too_short, 1U);
  EXPECT_EQ(index->sets()[1].name, "math");
}

TEST_F(OverlapTest, LooksThroughArabicVowelMarksAndTatweel) {
  const auto index = MustLoad(Settings({WriteTexts("a.jsonl", {"ذهب الولد إلى"})}, 3));
  EXPECT_EQ(Find(*index, "ذَهَبَ الولـــد، الى المدرسة").found.size(), 1U);
}

TEST_F(OverlapTest, CountsAsBruteForceDoes) {
  std::mt19937 random(1);
  const auto words = [&](size_t count) {
    std::vector<std::string> made;
    for (size_t i = 0; i < count; ++i) made.push_back(std::string(1, static_cast<char>('a' + random() % 3)));
    return made;
  };
  const auto join = [](const std::vector<std::string>& parts, size_t begin, size_t end) {
    std::string text;
    for (size_t i = begin; i < end; ++i) text += parts[i] + " ";
    return text;
  };
  for (const size_t n : {1U, 2U, 5U}) {
    for (int turn = 0; turn < 20; ++turn) {
      const auto item = words(20);
      const auto document = words(turn == 0 ? 5000 : 60);  // more than a batch
      std::set<std::string> ngrams;
      for (size_t i = 0; i + n <= item.size(); ++i) ngrams.insert(join(item, i, i + n));
      uint64_t wanted = 0;
      for (size_t i = 0; i + n <= document.size(); ++i) wanted += ngrams.count(join(document, i, i + n));
      const auto index = MustLoad(Settings({WriteTexts("b.jsonl", {join(item, 0, item.size())})}, n));
      EXPECT_EQ(index->sets()[0].ngrams, ngrams.size());
      const OverlapResult result = Find(*index, join(document, 0, document.size()));
      EXPECT_EQ(result.found.empty() ? 0 : result.found[0].ngrams, wanted);
      EXPECT_EQ(result.ngrams, document.size() - n + 1);
    }
  }
}

// Oracle: the words of MatchingText(), which was made for near duplicates.
TEST_F(OverlapTest, WordsAreThoseOfMatchingText) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a",
                                           "Z",
                                           "9",
                                           " ",
                                           " ",
                                           "\n",
                                           "'",
                                           "’",
                                           "-",
                                           ".",
                                           "é",
                                           "e\u0301",
                                           "ß",
                                           "İ",
                                           "ﬁ",
                                           "ﷺ",
                                           "ﻻ",
                                           "آ",
                                           "ا\u0653",
                                           "أ",
                                           "و\u0654",
                                           "ؤ",
                                           "ـ",
                                           "َ",
                                           "،",
                                           "٣",
                                           "中",
                                           "文",
                                           "ア",
                                           "한",
                                           "\u200D",
                                           "\u200B",
                                           "\u00A0",
                                           "\u2028",
                                           "😀",
                                           "𝐀",
                                           "𠀀",
                                           "½",
                                           "™",
                                           "\u0301",
                                           "ＡＢ",
                                           "＇",
                                           "longerthaneight",
                                           "x’y",
                                           "don't"};
  OverlapWordScanner scanner(3);
  for (int turn = 0; turn < 3000; ++turn) {
    std::string text;
    for (size_t i = random() % 40; i > 0; --i) text += pieces[random() % pieces.size()];
    std::string form;
    MatchingText(text, form);
    std::vector<uint64_t> wanted;
    for (const std::string_view word : Split(form, ' ')) {
      if (!word.empty()) wanted.push_back(HashOverlapWord(word));
    }
    std::vector<uint64_t> got;
    size_t behind = 0;
    scanner.Scan(text, [&](const OverlapWordBatch& batch) {
      for (size_t i = 0; i < batch.count; ++i) {
        got.push_back(batch.hash[i]);
        EXPECT_LE(behind, batch.begin[i]) << "one character may be several words";
        EXPECT_LT(batch.begin[i], batch.end[i]);
        behind = batch.begin[i];
      }
    });
    EXPECT_LE(behind, text.size());
    ASSERT_EQ(got, wanted) << text << " | " << form;
  }
}

TEST_F(OverlapTest, NamesTheItemOfWhichMostIsFound) {
  const std::string shared = "read the passage and answer the question below please";
  const auto index = MustLoad(Settings(
      {Write("c.jsonl", {Json{{"id", "first"}, {"q", shared + " one two three"}},
                         Json{{"id", 17}, {"q", shared + " the copper kettle whistles on the stove at dawn"}}})},
      5));
  const OverlapResult result = Find(*index, shared + " the copper kettle whistles on the stove at dawn, they say");
  ASSERT_EQ(result.found.size(), 1U);
  EXPECT_EQ(result.found[0].item, 1U);
  EXPECT_EQ(index->ItemOf(1).id, "17");
  EXPECT_EQ(index->ItemOf(1).line, 2U);
}

TEST_F(OverlapTest, CountsBySetAndNamesTheItemsFound) {
  const std::string a = WriteTexts("a.jsonl", {"one two three four", "five six seven eight"});
  const std::string b = WriteTexts("b.jsonl", {"three four five six seven", "one two three four"});
  OverlapSettings settings = Settings({a, "named:" + b}, 3);
  const auto index = MustLoad(settings);
  OverlapCounts counts(index);
  for (const char* text : {"zero one two three", "nothing of any of them", "six seven eight nine"}) {
    const OverlapJudgement judgement = JudgeOverlap(text, settings, *index, scratch_, nullptr, nullptr);
    counts.Add(judgement.found, !judgement.verdict.kept(), judgement.cut);
  }
  const Json json = counts.ToJson();
  EXPECT_EQ(json[0]["set"], "a");
  EXPECT_EQ(json[0]["items_hit"], 2);
  EXPECT_EQ(json[0]["documents"], 2);
  EXPECT_EQ(json[0]["dropped"], 2);
  EXPECT_EQ(json[1]["set"], "named");
  EXPECT_EQ(json[1]["items_hit"], 1);
  EXPECT_EQ(json[1]["documents"], 1);
  EXPECT_EQ(json[1]["ngrams"], 5);
  const std::string lines = counts.ItemsHit();
  EXPECT_THAT(lines, HasSubstr(R"("set":"named","item":1,"file":)"));
  EXPECT_THAT(lines, HasSubstr(R"("line":2,"ngrams":2,"ngrams_found":1,"share":0.5})"));
}

TEST_F(OverlapTest, CutsThePassageWithAMarginAndMovesMarks) {
  OverlapSettings settings = Settings({WriteTexts("a.jsonl", {"one two three four"})}, 3);
  settings.cut = true;
  settings.margin = 4;
  settings.min_piece = 10;
  const auto index = MustLoad(settings);
  const std::string text = "A long beginning stays here. xx yy one two three four zz ww And a long end stays as well.";
  std::vector<size_t> marks = {0, 7, 40, 60, text.size()};
  const OverlapJudgement judgement = JudgeOverlap(text, settings, *index, scratch_, &marks, nullptr);
  EXPECT_TRUE(judgement.verdict.kept());
  ASSERT_TRUE(judgement.cut);
  EXPECT_EQ(judgement.text, "A long beginning stays here. xx\n\nww And a long end stays as well.");
  const size_t second = judgement.text.find("ww");
  EXPECT_THAT(marks, ElementsAre(0, 7, second, second + 60 - text.find("ww"), judgement.text.size()));
  EXPECT_EQ(judgement.meta[0]["passage"], "one two three");
}

TEST_F(OverlapTest, DropsADocumentThatCuttingWouldLeaveNothingOfOrInTooManyPieces) {
  OverlapSettings settings = Settings({WriteTexts("a.jsonl", {"one two three"})}, 3);
  settings.cut = true;
  settings.margin = 0;
  settings.min_piece = 1;
  settings.max_pieces = 2;
  const auto index = MustLoad(settings);
  const auto judge = [&](const std::string& text) {
    return JudgeOverlap(text, settings, *index, scratch_, nullptr, nullptr);
  };
  EXPECT_EQ(judge("One two, three!").verdict.reason, "evaluation_set");
  EXPECT_EQ(judge("One two three").verdict.reason, "evaluation_set");
  EXPECT_EQ(judge("a one two three b").text, "a\n\nb");
  EXPECT_EQ(judge("a one two three b one two three c").verdict.detail, "a item 0");
}

TEST_F(OverlapTest, FlagsOnlyBeyondTheThresholds) {
  OverlapSettings settings = Settings({WriteTexts("a.jsonl", {"one two three four"})}, 3);
  settings.min_ngrams = 2;
  settings.min_share = 0.5;
  const auto index = MustLoad(settings);
  const auto found = [&](const std::string& text) {
    return JudgeOverlap(text, settings, *index, scratch_, nullptr, nullptr).found.size();
  };
  EXPECT_EQ(found("one two three"), 0U);
  EXPECT_EQ(found("one two three four"), 1U);
  EXPECT_EQ(found("one two three four and more than as many words behind them"), 0U);
}

TEST_F(OverlapTest, SaysWhatToDoWhenTheNgramsDoNotFit) {
  std::mt19937 random(3);
  std::string text;
  for (int i = 0; i < 20000; ++i) text += fmt::format("{} ", random());
  const OverlapSettings settings = Settings({WriteTexts("big.jsonl", {text})}, 13);
  const auto refused = OverlapIndex::Load(settings, {}, 300'000);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(refused.status()), HasSubstr("--memory"));
  EXPECT_THAT(Message(refused.status()), HasSubstr("set big"));
  const auto fits = OverlapIndex::Load(settings, {}, 1'000'000);
  EXPECT_TRUE(fits.ok()) << fits.status();
}

TEST_F(OverlapTest, OneWordAMillionTimesTakesTheMemoryOfOneNgram) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "buffalo ";
  const auto index = OverlapIndex::Load(Settings({WriteTexts("b.jsonl", {text})}, 13), {}, 400'000);
  EXPECT_FALSE(index.ok()) << "the line is longer than the budget allows";
  const auto roomier = OverlapIndex::Load(Settings({WriteTexts("b.jsonl", {text})}, 13), {}, 8 * (text.size() + 100));
  ASSERT_TRUE(roomier.ok()) << roomier.status();
  EXPECT_EQ((*roomier)->ngrams().size(), 1U);
}

TEST_F(OverlapTest, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(Message(OverlapIndex::Load({}, {}, kMemory).status()), HasSubstr("no evaluation set is named"));
  const std::string path = WriteTexts("a.jsonl", {"one two three"});
  EXPECT_THAT(Message(OverlapIndex::Load(Settings({path}, 1001), {}, kMemory).status()), HasSubstr("at most 1000"));
  EXPECT_THAT(Message(OverlapIndex::Load(Settings({path}, 13), {}, kMemory).status()), HasSubstr("a text of 13 words"));
  OverlapSettings cut = Settings({path}, 3);
  cut.cut = true;
  EXPECT_THAT(Message(OverlapIndex::Load(cut, {true}, kMemory).status()), HasSubstr("overlap.cut"));
}

}  // namespace
}  // namespace rhodes
