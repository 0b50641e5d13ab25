#include "token/bpe_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "base/file.h"
#include "token/tokenizer.h"
#include "token/word_counts.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

const std::string kData = RHODES_SOURCE_DIR "/src/token/testdata";

absl::StatusOr<BpeTraining> TrainOnPieces(const std::vector<std::string>& texts, const BpeTrainerOptions& options,
                                          RunContext context) {
  size_t next = 0;
  return TrainBpe(
      options,
      [&]() -> absl::StatusOr<std::unique_ptr<TextPiece>> {
        if (next == texts.size()) return nullptr;
        return std::make_unique<TextsPiece>(std::vector<std::string>{texts[next++]});
      },
      context);
}

std::vector<std::pair<std::string, std::string>> MergeTexts(const TokenizerSpec& spec) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const Merge& merge : spec.merges) texts.emplace_back(spec.tokens[merge.left], spec.tokens[merge.right]);
  return texts;
}

TEST(BpeTrainer, Train_GivesTheMergesAndIdsOfHuggingFace) {
  auto text = ReadFile(kData + "/train.txt");
  ASSERT_TRUE(text.ok());
  for (const Pattern pattern : {Pattern::kGpt2, Pattern::kLlama3, Pattern::kQwen2, Pattern::kO200k}) {
    auto json = ReadFile(fmt::format("{}/{}.json", kData, PatternName(pattern)));
    ASSERT_TRUE(json.ok());
    auto theirs = ParseTokenizerFile(*json, "golden");
    ASSERT_TRUE(theirs.ok()) << Message(theirs.status());
    BpeTrainerOptions options;
    options.vocabulary_size = 512;
    options.pattern = pattern;
    auto ours = TrainOnPieces({*text}, options, RunContext());
    ASSERT_TRUE(ours.ok()) << Message(ours.status());
    EXPECT_EQ(MergeTexts(ours->spec), MergeTexts(*theirs)) << PatternName(pattern);
    ASSERT_EQ(ours->spec.tokens.size(), theirs->tokens.size());
    for (TokenId id = 0; id < theirs->tokens.size(); ++id) EXPECT_EQ(ours->spec.tokens[id], theirs->tokens[id]);
    EXPECT_EQ(ours->text_bytes, text->size());
  }
}

// From the definition: counts all pairs anew for each merge.
std::vector<std::pair<std::string, std::string>> TrainByDefinition(const std::map<std::string, int64_t>& words,
                                                                   const TokenizerSpec& bytes, size_t merges) {
  std::map<std::string, size_t> order;  // of tokens, for ties
  for (TokenId id = 0; id < 256; ++id) order[std::string(bytes.tokens[id])] = id;
  std::vector<std::pair<std::vector<std::string>, int64_t>> split;
  for (const auto& [word, count] : words) {
    split.emplace_back();
    for (const char letter : word) split.back().first.emplace_back(1, letter);
    split.back().second = count;
  }
  std::vector<std::pair<std::string, std::string>> result;
  while (result.size() < merges) {
    std::map<std::pair<size_t, size_t>, int64_t> counts;
    std::map<size_t, std::string> names;
    for (const auto& [token, id] : order) names[id] = token;
    for (const auto& [tokens, count] : split) {
      for (size_t i = 0; i + 1 < tokens.size(); ++i) counts[{order[tokens[i]], order[tokens[i + 1]]}] += count;
    }
    std::pair<size_t, size_t> best;
    int64_t most = 1;
    for (const auto& [pair, count] : counts) {
      if (count > most) {
        best = pair;
        most = count;
      }
    }
    if (most < 2) break;
    const std::string left = names[best.first];
    const std::string right = names[best.second];
    result.emplace_back(left, right);
    order.emplace(left + right, order.size());
    for (auto& [tokens, count] : split) {
      for (size_t i = 0; i + 1 < tokens.size(); ++i) {
        if (tokens[i] != left || tokens[i + 1] != right) continue;
        tokens[i] += right;
        tokens.erase(tokens.begin() + static_cast<ptrdiff_t>(i) + 1);
      }
    }
  }
  return result;
}

TEST(BpeTrainer, Train_FollowsTheDefinitionOnWordsWithoutRepetition) {
  // Few letters, none twice in a word: then counting everything anew and keeping counts up to date must agree.
  const std::map<std::string, int64_t> counts = {{"abcd", 9}, {"bcd", 7}, {"dabc", 5}, {"cab", 5}, {"acbd", 3}};
  std::vector<WordCount> words;
  for (const auto& [word, count] : counts) words.push_back({word, static_cast<uint64_t>(count)});
  RunContext context;
  auto spec = TrainBpeOnWords(words, {300, Pattern::kGpt2, 2}, context);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(MergeTexts(*spec), TrainByDefinition(counts, *spec, 43));
}

TEST(BpeTrainer, Train_IsTheSameForAnyNumberOfThreadsAndWhenWordsAreForgotten) {
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (int j = 0; j < 2000; ++j) text += fmt::format("word{:x} the ", (i * 7919 + j * j) % 9973 + j % 3 * 100000);
    texts.push_back(text);
  }
  for (const uint64_t memory : {uint64_t{2} << 30, uint64_t{1} << 17}) {
    std::set<std::string> files;
    for (const int threads : {1, 2, 5}) {
      RunContext context;
      context.threads = threads;
      context.memory_bytes = memory;
      auto training = TrainOnPieces(texts, {600, Pattern::kLlama3, 2}, context);
      ASSERT_TRUE(training.ok()) << Message(training.status());
      EXPECT_EQ(training->words_forgotten > 0, memory < 1 << 30);
      files.insert(WriteTokenizerFile(training->spec));
    }
    EXPECT_EQ(files.size(), 1U);
  }
}

TEST(BpeTrainer, Train_StopsWhenNoPairOccursTwice) {
  auto training = TrainOnPieces({"abc xyz"}, {1000, Pattern::kGpt2, 2}, RunContext());
  ASSERT_TRUE(training.ok());
  EXPECT_TRUE(training->spec.merges.empty());
  EXPECT_EQ(training->spec.tokens.size(), 257U);
  EXPECT_EQ(training->spec.added.at(0).id, 256U);
}

TEST(BpeTrainer, Train_OfNothingGivesTheBytes) {
  auto training = TrainOnPieces({}, {1000, Pattern::kGpt2, 2}, RunContext());
  ASSERT_TRUE(training.ok());
  EXPECT_EQ(training->spec.tokens.size(), 257U);
}

TEST(BpeTrainer, Train_RefusesAVocabularyWithoutRoomForTheBytes) {
  auto training = TrainOnPieces({"a"}, {256, Pattern::kGpt2, 2}, RunContext());
  EXPECT_EQ(ExitCodeOf(training.status()), ExitCode::kUsage);
  EXPECT_THAT(Message(training.status()),
              HasSubstr("256 tokens: must be 257 to 262144; all are counted: 256 bytes, merges, and the end-of-text"));
}

TEST(BpeTrainer, Train_ReturnsTheReadersError) {
  RunContext context;
  auto training = TrainBpe(
      BpeTrainerOptions(),
      []() -> absl::StatusOr<std::unique_ptr<TextPiece>> { return absl::DataLossError("part 3 is torn"); }, context);
  EXPECT_EQ(Message(training.status()), "part 3 is torn");
}

// English, Arabic and digits in two groups, of which the second is small.
struct Corpus {
  std::vector<std::string> texts;
  std::vector<std::string> groups;
};
Corpus TwoLanguages() {
  Corpus corpus;
  for (int i = 0; i < 400; ++i) {
    std::string text;
    for (int j = 0; j < 300; ++j) text += fmt::format(" net{} the over{}", (i * 31 + j * j) % 97, (i + j) % 53);
    corpus.texts.push_back(text);
    corpus.groups.emplace_back("a");
    if (i % 40 != 0) continue;
    text.clear();
    const char* const words[] = {" الشبكة", " وثيقة", " القمر", " والكتاب", " المدينة", " مدرسة", " الطريق"};
    for (int j = 0; j < 200; ++j) text += words[(i / 40 + j * j) % 7];
    corpus.texts.push_back(text);
    corpus.groups.emplace_back("b");
  }
  return corpus;
}

// The next forty texts from `next` on.
std::unique_ptr<TextPiece> NextPiece(const Corpus& corpus, size_t& next) {
  std::vector<std::string> texts;
  std::vector<std::string> groups;
  for (int i = 0; i < 40 && next < corpus.texts.size(); ++i, ++next) {
    texts.push_back(corpus.texts[next]);
    groups.push_back(corpus.groups[next]);
  }
  if (texts.empty()) return nullptr;
  return std::make_unique<TextsPiece>(std::move(texts), std::move(groups));
}

// Reads `corpus` in pieces of forty texts; cancels before piece `stop`.
absl::StatusOr<BpeTraining> TrainOnCorpus(const Corpus& corpus, const BpeTrainerOptions& options, RunContext context,
                                          size_t stop = SIZE_MAX) {
  size_t next = 0;
  std::atomic<bool> cancelled = false;
  context.cancelled = &cancelled;
  return TrainBpe(
      options,
      [&]() -> absl::StatusOr<std::unique_ptr<TextPiece>> {
        if (next >= 40 * stop) cancelled = true;
        return NextPiece(corpus, next);
      },
      context);
}

class BpeTrainerFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "rhodes_training_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(folder_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(folder_).ok()); }
  std::string folder_;
};

TEST_F(BpeTrainerFiles, Train_GoesOnAfterAKillAndGivesTheSame) {
  const Corpus corpus = TwoLanguages();
  BpeTrainerOptions options = {700, Pattern::kLlama3, 2};
  const auto whole = TrainOnCorpus(corpus, options, RunContext());
  ASSERT_TRUE(whole.ok());
  options.folder = folder_;
  options.key = "a corpus";
  options.save_seconds = 0;  // after every batch
  for (const size_t stop : {size_t{2}, size_t{5}, size_t{8}}) {
    const auto killed = TrainOnCorpus(corpus, options, RunContext(), stop);
    EXPECT_EQ(ExitCodeOf(killed.status()), ExitCode::kInterrupted);
    EXPECT_TRUE(PathExists(folder_ + "/state.json"));
  }
  size_t counted = 0;
  {
    WordCounter counter({Pattern::kLlama3, uint64_t{1} << 30, folder_, "a corpus", 0});
    RunContext context;
    size_t next = 0;
    ASSERT_TRUE(
        counter.Count([&]() -> absl::StatusOr<std::unique_ptr<TextPiece>> { return NextPiece(corpus, next); }, context)
            .ok());
    counted = counter.pieces_skipped();
  }
  EXPECT_GE(counted, 8U);
  options.save_seconds = 30;
  const auto resumed = TrainOnCorpus(corpus, options, RunContext());
  ASSERT_TRUE(resumed.ok()) << Message(resumed.status());
  EXPECT_EQ(WriteTokenizerFile(resumed->spec), WriteTokenizerFile(whole->spec));
  EXPECT_EQ(resumed->text_bytes, whole->text_bytes);
  ASSERT_EQ(resumed->groups.size(), 2U);
  EXPECT_EQ(resumed->groups[1].tokens, whole->groups[1].tokens);
  EXPECT_EQ(resumed->groups[1].texts, 10U);
  EXPECT_FALSE(PathExists(folder_));
}

TEST_F(BpeTrainerFiles, Train_BeginsAnewForAnotherKeyOrADamagedFile) {
  const Corpus corpus = TwoLanguages();
  BpeTrainerOptions options = {700, Pattern::kLlama3, 2};
  const auto whole = TrainOnCorpus(corpus, options, RunContext());
  options.folder = folder_;
  options.key = "a corpus";
  options.save_seconds = 0;
  const auto expect_same = [&] {
    const auto again = TrainOnCorpus(corpus, options, RunContext());
    ASSERT_TRUE(again.ok()) << Message(again.status());
    EXPECT_EQ(WriteTokenizerFile(again->spec), WriteTokenizerFile(whole->spec));
    EXPECT_EQ(again->text_bytes, whole->text_bytes);
  };
  EXPECT_FALSE(TrainOnCorpus(corpus, options, RunContext(), 5).ok());
  options.key = "another";
  expect_same();
  EXPECT_FALSE(TrainOnCorpus(corpus, options, RunContext(), 5).ok());
  std::string words = *ReadFile(folder_ + "/words-00000");
  words[20] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/words-00000", words).ok());
  expect_same();
  EXPECT_FALSE(TrainOnCorpus(corpus, options, RunContext(), 5).ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/state.json", R"({"key": "another", "runs": [-1], "pieces": 3})").ok());
  expect_same();
}

TEST(BpeTrainer, Train_CountsTheSameThroughFiles) {
  const Corpus corpus = TwoLanguages();
  RunContext small;
  small.memory_bytes = 1 << 18;  // a quarter of it is less than the tables, half of it is enough for the words
  for (const int threads : {1, 4}) {
    small.threads = threads;
    const auto in_files = TrainOnCorpus(corpus, {700, Pattern::kLlama3, 2}, small);
    const auto in_memory = TrainOnCorpus(corpus, {700, Pattern::kLlama3, 2}, RunContext());
    ASSERT_TRUE(in_files.ok() && in_memory.ok()) << Message(in_files.status());
    EXPECT_EQ(in_files->words_forgotten, 0U);
    EXPECT_EQ(in_files->words, in_memory->words);
    EXPECT_EQ(WriteTokenizerFile(in_files->spec), WriteTokenizerFile(in_memory->spec));
    for (size_t group = 0; group < 2; ++group) {
      EXPECT_EQ(in_files->groups[group].words, in_memory->groups[group].words);
      EXPECT_EQ(in_files->groups[group].tokens, in_memory->groups[group].tokens);
    }
  }
}

TEST(BpeTrainer, Train_SaysHowEachGroupIsCut) {
  const Corpus corpus = TwoLanguages();
  const auto training = TrainOnCorpus(corpus, {700, Pattern::kLlama3, 2}, RunContext());
  ASSERT_TRUE(training.ok());
  const std::unique_ptr<Tokenizer> tokenizer = *Tokenizer::Parse(WriteTokenizerFile(training->spec), "trained");
  for (uint32_t group = 0; group < 2; ++group) {
    uint64_t tokens = 0;
    uint64_t bytes = 0;
    std::set<TokenId> vocabulary;
    for (size_t i = 0; i < corpus.texts.size(); ++i) {
      if (corpus.groups[i] != training->groups[group].name.source) continue;
      std::vector<TokenId> ids;
      tokenizer->Encode(corpus.texts[i], ids);
      tokens += ids.size();
      bytes += corpus.texts[i].size();
      vocabulary.insert(ids.begin(), ids.end());
    }
    const GroupUse& use = training->groups[group];
    EXPECT_EQ(use.tokens, tokens);
    EXPECT_EQ(use.bytes, bytes);
    EXPECT_EQ(use.word_bytes, bytes);
    EXPECT_EQ(std::count(use.seen.begin(), use.seen.end(), true), static_cast<ptrdiff_t>(vocabulary.size()));
    EXPECT_GT(use.whole_words, 0U);
    EXPECT_LE(use.whole_words, use.words);
    EXPECT_EQ(use.weight, 1);
  }
}

TEST(BpeTrainer, Train_WithWeightsDoesNotStarveTheSmallGroup) {
  const Corpus corpus = TwoLanguages();
  BpeTrainerOptions options = {300, Pattern::kLlama3, 2};
  const auto plain = TrainOnCorpus(corpus, options, RunContext());
  options.weights = [](const std::vector<TextGroup>&, const std::vector<uint64_t>& bytes) {
    return std::vector<double>{1.0 / static_cast<double>(bytes[0]), 1.0 / static_cast<double>(bytes[1])};
  };
  const auto level = TrainOnCorpus(corpus, options, RunContext());
  ASSERT_TRUE(plain.ok() && level.ok());
  EXPECT_LT(level->groups[1].tokens * 2, plain->groups[1].tokens);
  EXPECT_LT(level->groups[0].tokens, plain->groups[0].tokens * 3 / 2);
  EXPECT_EQ(level->groups[0].weight, 1);
  EXPECT_NEAR(level->groups[1].weight,
              static_cast<double>(level->groups[0].bytes) / static_cast<double>(level->groups[1].bytes), 0.001);
}

TEST(BpeTrainer, Train_WithAWeightOfTwoIsAsWithTheTextsTwice) {
  Corpus corpus = TwoLanguages();
  BpeTrainerOptions options = {500, Pattern::kLlama3, 2};
  options.weights = [](const std::vector<TextGroup>&, const std::vector<uint64_t>&) {
    return std::vector<double>{0.5, 1};
  };
  const auto weighted = TrainOnCorpus(corpus, options, RunContext());
  for (size_t i = 0, count = corpus.texts.size(); i < count; ++i) {
    if (corpus.groups[i] != "b") continue;
    corpus.texts.push_back(corpus.texts[i]);
    corpus.groups.emplace_back("b");
  }
  options.weights = nullptr;
  const auto doubled = TrainOnCorpus(corpus, options, RunContext());
  ASSERT_TRUE(weighted.ok() && doubled.ok());
  EXPECT_EQ(WriteTokenizerFile(weighted->spec), WriteTokenizerFile(doubled->spec));
}

TEST(BpeTrainer, Train_RefusesWeightsThatAreNotPositive) {
  for (const std::vector<double>& weights :
       {std::vector<double>{1}, std::vector<double>{1, 0}, std::vector<double>{1, 1e7}, std::vector<double>{1, NAN}}) {
    BpeTrainerOptions options = {500, Pattern::kLlama3, 2};
    options.weights = [&](const std::vector<TextGroup>&, const std::vector<uint64_t>&) { return weights; };
    const absl::Status status = TrainOnCorpus(TwoLanguages(), options, RunContext()).status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
    EXPECT_THAT(Message(status), HasSubstr("weights must be positive"));
  }
}

TEST(WordTable, AddText_CountsLongWordsInPieces) {
  WordTable table;
  const std::string text(2 * WordTable::kLongestWord + 5, 'x');
  table.AddText(Pattern::kGpt2, text);
  const std::vector<WordCount> words = table.Sorted();
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0].word.size(), WordTable::kLongestWord);
  EXPECT_EQ(words[0].count, 2U);
  EXPECT_EQ(words[1].word, "xxxxx");
}

TEST(WordTable, KeepsWordsOfEveryLengthApart) {
  // Around the border of what lies in the slots, with bytes of zero, at the end of their text and before it.
  std::map<std::string, uint64_t> expected;
  WordTable table;
  for (int round = 0; round < 3; ++round) {
    for (size_t length = 1; length < 40; ++length) {
      for (const char* const filler : {"a", "b"}) {
        std::string word;
        for (size_t i = 0; i < length; ++i) word += filler;
        table.Add(word, length);
        expected[word] += length;
        word.back() = '\0';
        table.CountOf(word) += 3;
        expected[word] += 3;
      }
    }
    for (int i = 0; i < 5000; ++i) {
      const std::string word = "w" + std::to_string(i * 7919);
      table.Add(word, 1);
      ++expected[word];
    }
  }
  EXPECT_EQ(table.size(), expected.size());
  std::map<std::string, uint64_t> seen;
  table.ForEach([&](std::string_view word, uint64_t count) { seen[std::string(word)] += count; });
  EXPECT_EQ(seen, expected);
}

TEST(WordTable, Sorted_FrequentFirstThenByBytes) {
  WordTable table;
  for (const char* word : {"b", "a", "c", "c"}) table.Add(word, 1);
  const std::vector<WordCount> words = table.Sorted();
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].word, "c");
  EXPECT_EQ(words[1].word, "a");
  EXPECT_EQ(words[2].word, "b");
}

}  // namespace
}  // namespace rhodes
