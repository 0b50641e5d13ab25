#include "token/bpe_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/file.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

const std::string kData = RHODES_SOURCE_DIR "/src/token/testdata";

absl::StatusOr<BpeTraining> TrainOnPieces(const std::vector<std::string>& texts, const BpeTrainerOptions& options,
                                          RunContext context) {
  size_t next = 0;
  return TrainBpe(
      options,
      [&](std::vector<std::string>& batch) -> absl::StatusOr<bool> {
        if (next == texts.size()) return false;
        batch.push_back(texts[next++]);
        return true;
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
  for (const uint64_t memory : {uint64_t{2} << 30, uint64_t{4} << 20}) {
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
  EXPECT_THAT(Message(training.status()), HasSubstr("256 tokens: must be 257 to"));
}

TEST(BpeTrainer, Train_ReturnsTheReadersError) {
  RunContext context;
  auto training = TrainBpe(
      BpeTrainerOptions(),
      [](std::vector<std::string>&) -> absl::StatusOr<bool> { return absl::DataLossError("part 3 is torn"); }, context);
  EXPECT_EQ(Message(training.status()), "part 3 is torn");
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

TEST(WordTable, Sorted_FrequentFirstThenByBytes) {
  WordTable table;
  for (const char* word : {"b", "a", "c", "c"}) table.Add(word, 1, true);
  const std::vector<WordCount> words = table.Sorted();
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].word, "c");
  EXPECT_EQ(words[1].word, "a");
  EXPECT_EQ(words[2].word, "b");
}

}  // namespace
}  // namespace rhodes
