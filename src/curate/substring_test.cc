#include "curate/substring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "base/file.h"
#include "base/json.h"
#include "curate/substring_cut.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Input {
  std::string text;
  uint16_t priority = 0;
};

struct Found {
  std::vector<DocumentCuts> documents;
  SubstringCounts counts;
};

struct Resources {
  int threads = 2;
  uint64_t memory = 0;  // the least that the finder works with
};

Found Find(const std::vector<Input>& inputs, const SubstringSettings& settings, Resources resources = {}) {
  RunContext context;
  context.threads = resources.threads;
  context.memory_bytes = resources.memory;
  const std::string directory = fmt::format("{}/substring_{}", testing::TempDir(), getpid());
  auto finder = SubstringFinder::Create(settings, directory, context);
  EXPECT_TRUE(finder.ok()) << finder.status();
  uint64_t ordinal = 0;
  for (const Input& input : inputs) {
    EXPECT_TRUE((*finder)->Add(ordinal++, input.text, input.priority).ok());
  }
  const absl::Status status = (*finder)->Finish();
  EXPECT_TRUE(status.ok()) << status;
  Found found;
  DocumentCuts cuts;
  while (*(*finder)->Next(cuts)) found.documents.push_back(cuts);
  found.counts = (*finder)->counts();
  return found;
}

std::string Words(int begin, int end) {
  std::string text;
  for (int i = begin; i < end; ++i) text += fmt::format("{}w{}", i == begin ? "" : " ", i);
  return text;
}

std::string CutText(const std::string& text, const DocumentCuts& cuts) { return CutSubstrings(text, cuts.cuts); }

// The definition, window by window: of which windows are repeated, and of what.
struct Expected {
  std::map<uint64_t, std::vector<SubstringCut>> cuts;
  std::map<uint64_t, uint64_t> repeated_tokens;
};

Expected ByDefinition(const std::vector<Input>& inputs, const SubstringSettings& settings) {
  struct Place {
    uint16_t priority;
    size_t document;
    size_t token;
    auto operator<=>(const Place&) const = default;
  };
  std::vector<std::vector<TokenSpan>> tokens(inputs.size());
  std::map<std::vector<std::string>, Place> first;
  const auto window_at = [&](size_t d, size_t t) {
    std::vector<std::string> window;
    for (size_t i = t; i < t + settings.min_tokens; ++i) {
      window.push_back(inputs[d].text.substr(tokens[d][i].begin, tokens[d][i].end - tokens[d][i].begin));
    }
    return window;
  };
  for (size_t d = 0; d < inputs.size(); ++d) {
    TokenScanner scanner(inputs[d].text, settings.unit, settings.splitter);
    for (TokenSpan token; scanner.Next(token);) tokens[d].push_back(token);
    for (size_t t = 0; t + settings.min_tokens <= tokens[d].size(); ++t) {
      const Place place{inputs[d].priority, d, t};
      const auto [at, added] = first.emplace(window_at(d, t), place);
      if (!added) at->second = std::min(at->second, place);
    }
  }
  Expected expected;
  for (size_t d = 0; d < inputs.size(); ++d) {
    size_t covered = 0;
    for (size_t t = 0; t + settings.min_tokens <= tokens[d].size(); ++t) {
      const Place& kept = first.at(window_at(d, t));
      const bool same = kept.document == d;
      if (same && (!settings.within_documents || t < kept.token + settings.min_tokens)) continue;
      std::vector<SubstringCut>& cuts = expected.cuts[d];
      const uint64_t end = tokens[d][t + settings.min_tokens - 1].end;
      if (!cuts.empty() && t <= covered) {
        cuts.back().end = end;
        expected.repeated_tokens[d] += t + settings.min_tokens - covered;
      } else {
        cuts.push_back({tokens[d][t].begin, end, kept.document, tokens[kept.document][kept.token].begin});
        expected.repeated_tokens[d] += settings.min_tokens;
      }
      covered = t + settings.min_tokens;
    }
  }
  return expected;
}

void ExpectByDefinition(const std::vector<Input>& inputs, const SubstringSettings& settings, Resources resources = {}) {
  const Expected expected = ByDefinition(inputs, settings);
  const Found found = Find(inputs, settings, resources);
  ASSERT_EQ(found.documents.size(), expected.cuts.size());
  size_t i = 0;
  for (const auto& [ordinal, cuts] : expected.cuts) {
    const DocumentCuts& got = found.documents[i++];
    ASSERT_EQ(got.ordinal, ordinal);
    ASSERT_EQ(got.cuts, cuts);
    ASSERT_EQ(got.repeated_tokens, expected.repeated_tokens.at(ordinal));
  }
}

TEST(SubstringFinder, CutsThePassageOutOfTheLaterDocument) {
  const std::string shared = Words(100, 150);
  const std::vector<Input> inputs = {{"before " + shared + " after"}, {"other " + shared + " text"}, {"alone"}};
  const Found found = Find(inputs, {});
  ASSERT_EQ(found.documents.size(), 1u);
  const DocumentCuts& cuts = found.documents[0];
  EXPECT_EQ(cuts.ordinal, 1u);
  EXPECT_THAT(cuts.cuts, ElementsAre(SubstringCut{6, 6 + shared.size(), 0, 7}));
  EXPECT_EQ(cuts.tokens, 52u);
  EXPECT_EQ(cuts.repeated_tokens, 50u);
  EXPECT_FALSE(cuts.drop);
  EXPECT_EQ(CutText(inputs[1].text, cuts), "other text");
}

TEST(SubstringFinder, OneTokenLessIsNoRepeat) {
  EXPECT_THAT(Find({{"a " + Words(0, 49) + " b"}, {"c " + Words(0, 49) + " d"}}, {}).documents, IsEmpty());
}

TEST(SubstringFinder, TheSourceOfTheLowestPriorityKeepsItsCopy) {
  const Found found = Find({{Words(0, 60), 2}, {Words(0, 60), 1}, {Words(0, 60), 1}}, {});
  ASSERT_EQ(found.documents.size(), 2u);
  EXPECT_EQ(found.documents[0].ordinal, 0u);
  EXPECT_EQ(found.documents[0].cuts[0].kept_ordinal, 1u);
  EXPECT_EQ(found.documents[1].ordinal, 2u);
  EXPECT_TRUE(found.documents[0].drop) << "nothing would remain";
}

TEST(SubstringFinder, WhiteSpaceBetweenWordsIsNotCompared) {
  std::string wrapped = Words(0, 60);
  for (size_t i = 0; i < wrapped.size(); ++i) {
    if (wrapped[i] == ' ' && i % 3 == 0) wrapped[i] = '\n';
  }
  wrapped.insert(wrapped.find(' '), "\u00A0");
  EXPECT_EQ(Find({{Words(0, 60)}, {wrapped}}, {}).documents.size(), 1u);
  EXPECT_THAT(Find({{Words(0, 60)}, {wrapped}}, {.unit = TokenUnit::kCharacter}).documents, IsEmpty());
}

TEST(SubstringFinder, ADocumentIsDroppedAboveTheShare) {
  const std::vector<Input> inputs = {{Words(0, 60)}, {Words(0, 60) + " " + Words(1000, 1040)}};
  EXPECT_FALSE(Find(inputs, {}).documents[0].drop);
  EXPECT_FALSE(Find(inputs, {.drop_above = 0.6}).documents[0].drop) << "60 of 100 is not above";
  EXPECT_TRUE(Find(inputs, {.drop_above = 0.59}).documents[0].drop);
}

TEST(SubstringFinder, RepeatsWithinADocumentCountWhenAskedFor) {
  const std::vector<Input> inputs = {{Words(0, 60) + " between " + Words(0, 60)}};
  EXPECT_THAT(Find(inputs, {}).documents, IsEmpty());
  const Found found = Find(inputs, {.within_documents = true});
  ASSERT_EQ(found.documents.size(), 1u);
  EXPECT_EQ(CutText(inputs[0].text, found.documents[0]), Words(0, 60) + " between");
  std::string periodic;
  for (int i = 0; i < 300; ++i) periodic += "a ";
  const Found once = Find({{periodic}}, {.within_documents = true});
  ASSERT_EQ(once.documents.size(), 1u);
  EXPECT_EQ(once.documents[0].tokens - once.documents[0].repeated_tokens, 50u) << "one window stays";
}

TEST(SubstringFinder, TokensOfATokenizer) {
  const TokenSplitter pairs = [](std::string_view text, std::vector<TokenSpan>& tokens) {
    for (size_t at = 0; at < text.size(); at += 2) tokens.push_back({at, std::min(at + 2, text.size())});
  };
  const SubstringSettings settings = {.min_tokens = 3, .unit = TokenUnit::kGiven, .splitter = pairs};
  const Found found = Find({{"abcdef"}, {"xxabcdefyy"}, {"xabcdefy"}}, settings);
  ASSERT_EQ(found.documents.size(), 1u);
  EXPECT_THAT(found.documents[0].cuts, ElementsAre(SubstringCut{2, 8, 0, 0}));
}

TEST(SubstringFinder, EqualsTheDefinitionOnRandomTextsOfSmallAlphabets) {
  std::mt19937_64 random(7);
  const auto below = [&](uint64_t n) { return random() % n; };
  for (int round = 0; round < 400; ++round) {
    SubstringSettings settings;
    settings.min_tokens = static_cast<uint32_t>(2 + below(9));
    settings.unit = below(2) == 0 ? TokenUnit::kWord : TokenUnit::kCharacter;
    settings.within_documents = below(2) == 0;
    const uint64_t letters = 1 + below(4);
    std::vector<Input> inputs;
    for (uint64_t d = 1 + below(8); d > 0; --d) {
      Input input{"", static_cast<uint16_t>(below(3))};
      for (uint64_t n = below(60); n > 0; --n) {
        input.text += static_cast<char>('a' + below(letters));
        if (settings.unit == TokenUnit::kWord || below(4) == 0) input.text += ' ';
      }
      // Copies of parts of what there is.
      if (!inputs.empty() && below(2) == 0) {
        const std::string& other = inputs[below(inputs.size())].text;
        input.text += other.substr(below(other.size() + 1));
      }
      inputs.push_back(std::move(input));
    }
    ASSERT_NO_FATAL_FAILURE(ExpectByDefinition(inputs, settings)) << "round " << round;
  }
}

// testdata/substring was made by bench/peers/substring_duplicates.py: the cuts follow from the suffix array that the
// published tool (google-research/deduplicate-text-datasets at 4e9888a) builds over the texts.
TEST(SubstringFinder, EqualsTheSuffixArrayOfThePublishedTool) {
  const std::string directory = RHODES_SOURCE_DIR "/src/curate/testdata/substring";
  std::vector<Input> inputs;
  std::ifstream texts(directory + "/texts.jsonl");
  for (std::string line; std::getline(texts, line);) inputs.push_back({Json::parse(line).at("text")});
  ASSERT_EQ(inputs.size(), 75u);
  const Found found = Find(inputs, {.min_tokens = 100, .unit = TokenUnit::kCharacter});
  std::string lines;
  for (const DocumentCuts& document : found.documents) {
    for (const SubstringCut& cut : document.cuts) {
      lines += fmt::format("{} {} {} {} {}\n", document.ordinal, cut.begin, cut.end, cut.kept_ordinal, cut.kept_begin);
    }
  }
  EXPECT_EQ(lines, *ReadFile(directory + "/cuts.txt"));
}

std::vector<Input> Mosaic(size_t documents, size_t passages, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Input> inputs;
  for (size_t d = 0; d < documents; ++d) {
    Input input{"", static_cast<uint16_t>(random() % 3)};
    for (uint64_t n = 1 + random() % 6; n > 0; --n) {
      const auto begin = static_cast<int>(random() % passages * 37);
      input.text += Words(begin, begin + static_cast<int>(random() % 90)) + ". ";
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

TEST(SubstringFinder, EqualsTheDefinitionOnAMosaicOfPassages) {
  ExpectByDefinition(Mosaic(300, 60, 1), {});
  ExpectByDefinition(Mosaic(300, 60, 2), {.min_tokens = 11, .within_documents = true});
}

TEST(SubstringFinder, TheSameWhateverTheThreadsAndTheMemory) {
  const std::vector<Input> inputs = Mosaic(20000, 4000, 3);  // 24 MB: several chunks
  const Found one = Find(inputs, {.min_tokens = 20}, {.threads = 1, .memory = uint64_t{4} << 30});
  const Found many = Find(inputs, {.min_tokens = 20}, {.threads = 5});
  ASSERT_GT(one.documents.size(), 1000u);
  ASSERT_EQ(one.documents.size(), many.documents.size());
  for (size_t i = 0; i < one.documents.size(); ++i) {
    ASSERT_EQ(one.documents[i].ordinal, many.documents[i].ordinal);
    ASSERT_EQ(one.documents[i].cuts, many.documents[i].cuts);
  }
}

TEST(SubstringFinder, BytesThatAreNotUtf8) {
  std::mt19937_64 random(11);
  std::string noise;
  for (int i = 0; i < 2000; ++i) noise += static_cast<char>(random());
  for (const TokenUnit unit : {TokenUnit::kWord, TokenUnit::kCharacter}) {
    const SubstringSettings settings = {.min_tokens = 9, .unit = unit};
    ExpectByDefinition({{noise}, {std::string(100, '\0')}, {"x" + noise + "\xE2\x82"}, {""}, {noise + noise}},
                       settings);
  }
}

TEST(SubstringFinder, NothingGivesNothing) {
  EXPECT_THAT(Find({}, {}).documents, IsEmpty());
  EXPECT_THAT(Find({{""}, {""}, {" \n"}}, {}).documents, IsEmpty());
}

TEST(SubstringFinder, SaysWhatIsWrong) {
  const std::string directory = testing::TempDir() + "/substring_wrong";
  const auto message = [&](const SubstringSettings& settings) {
    return Message(SubstringFinder::Create(settings, directory, {}).status());
  };
  EXPECT_THAT(message({.min_tokens = 1}), HasSubstr("min_tokens is 1; it must be 2 to 65535"));
  EXPECT_THAT(message({.drop_above = 1.5}), HasSubstr("drop_above is 1.5; it must be 0 to 1"));
  EXPECT_THAT(message({.unit = TokenUnit::kGiven}), HasSubstr("no tokenizer"));
  auto finder = SubstringFinder::Create({}, directory, {});
  ASSERT_TRUE(finder.ok());
  ASSERT_TRUE((*finder)->Add(5, "text").ok());
  EXPECT_THAT(Message((*finder)->Add(5, "text")), HasSubstr("document 5 comes after 5; ordinals must ascend"));
  DocumentCuts cuts;
  EXPECT_THAT(Message((*finder)->Next(cuts).status()), HasSubstr("before Finish()"));
  ASSERT_TRUE((*finder)->Finish().ok());
  EXPECT_EQ((*finder)->Add(6, "text").code(), absl::StatusCode::kFailedPrecondition);
  finder->reset();
  EXPECT_FALSE(PathExists(directory));
}

TEST(SubstringFinder, StopsWhenTheUserAsks) {
  std::atomic<bool> cancelled = true;
  RunContext context;
  context.cancelled = &cancelled;
  auto finder = SubstringFinder::Create({}, testing::TempDir() + "/substring_cancelled", context);
  ASSERT_TRUE((*finder)->Add(0, Words(0, 100)).ok());
  EXPECT_EQ(ExitCodeOf((*finder)->Finish()), ExitCode::kInterrupted);
}

// Time grows with the text and no faster: one letter, periods, equal documents, symbols.
TEST(SubstringFinder, LinearOnTextsMadeToBeSlow) {
  const auto repeat = [](std::string_view piece, size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += piece;
    return text;
  };
  struct Shape {
    const char* name;
    SubstringSettings settings;
    std::function<std::vector<Input>(size_t)> make;
  };
  const std::vector<Shape> shapes = {
      {"one word",
       {},
       [&](size_t n) {
         return std::vector<Input>{{repeat("a ", n)}, {repeat("a ", n)}};
       }},
      {"one letter",
       {},
       [&](size_t n) {
         return std::vector<Input>{{std::string(n, 'a')}, {std::string(n, 'a')}};
       }},
      {"one letter, by characters",
       {.unit = TokenUnit::kCharacter, .within_documents = true},
       [&](size_t n) {
         return std::vector<Input>{{std::string(n, 'a')}, {std::string(n / 2, 'a')}};
       }},
      {"a period of 49 words",
       {},
       [&](size_t n) {
         return std::vector<Input>{{repeat(Words(0, 49) + " ", n)},
                                   {repeat(Words(7, 49) + " " + Words(0, 7) + " ", n)}};
       }},
      {"equal documents", {}, [&](size_t n) { return std::vector<Input>(n / 150, Input{Words(0, 55)}); }},
  };
  for (const Shape& shape : shapes) {
    const auto seconds = [&](size_t bytes) {
      const std::vector<Input> inputs = shape.make(bytes);
      double best = 1e9;
      for (int i = 0; i < 3; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        Find(inputs, shape.settings, {.threads = 1});
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
      }
      return best;
    };
    const double small = seconds(250'000);
    const double large = seconds(1'000'000);
    EXPECT_LT(large, 8 * small + 0.05) << shape.name << ": four times the text took " << large / small << " times";
  }
}

}  // namespace
}  // namespace rhodes
